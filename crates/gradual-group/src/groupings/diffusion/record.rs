//! Diffusion as plain data.

use burn::tensor::Device;
use gradual_grad::{ExampleGradients, GradientsRecord, MetricRecord};
use serde::{Deserialize, Serialize};

use super::coordinates::Coordinates;
use super::scale::Scale;
use super::{Diffusion, OPERATION, StandingExamples};
use crate::error::GroupError;
use crate::metric;

#[derive(Serialize, Deserialize)]
pub(super) struct DiffusionRecord {
    metric: Option<MetricRecord>,
    scale: Option<Scale>,
    standing: Option<StandingRecord>,
    since: usize,
}

#[derive(Serialize, Deserialize)]
struct StandingRecord {
    gradients: GradientsRecord,
    /// `[m, r]`, row-major.
    coordinates: Vec<f64>,
    directions: usize,
    spectrum: Vec<f64>,
}

impl Diffusion {
    pub(super) fn record(&self) -> Result<DiffusionRecord, GroupError> {
        let metric = self.metric.as_ref();
        let metric = metric.map(|metric| metric::recorded(OPERATION, metric));
        let standing = self.standing.as_ref().map(|standing| {
            let gradients = standing.gradients.record();
            Ok(StandingRecord {
                gradients: gradients.map_err(GroupError::gradients(OPERATION))?,
                coordinates: standing.coordinates.entries.clone(),
                directions: standing.coordinates.directions,
                spectrum: standing.coordinates.spectrum.clone(),
            })
        });
        Ok(DiffusionRecord {
            metric: metric.transpose()?,
            scale: self.scale,
            standing: standing.transpose()?,
            since: self.since,
        })
    }

    pub(super) fn restore_record(
        &mut self,
        record: DiffusionRecord,
        device: &Device,
    ) -> Result<(), GroupError> {
        let metric = match (&self.metric, &record.metric) {
            (Some(metric), Some(moments)) => {
                Some(metric::restored(OPERATION, metric, moments, device)?)
            }
            (None, None) => None,
            _ => {
                let problem = "one of them has a metric, and the other has none";
                return Err(GroupError::state(OPERATION, problem));
            }
        };
        if record.standing.is_some() && self.examples.is_none() {
            let problem = "it has standing examples, and these settings ask for none";
            return Err(GroupError::state(OPERATION, problem));
        }
        let standing = record.standing.map(|standing| standing.restored(device));
        self.standing = standing.transpose()?;
        self.metric = metric;
        self.scale = record.scale;
        self.since = record.since;
        Ok(())
    }
}

impl StandingRecord {
    fn restored(self, device: &Device) -> Result<StandingExamples, GroupError> {
        let gradients = ExampleGradients::restored(&self.gradients, device)
            .map_err(GroupError::gradients(OPERATION))?;
        let entries = gradients.num_examples().checked_mul(self.directions);
        let finite = self.coordinates.iter().all(|entry| entry.is_finite());
        if entries != Some(self.coordinates.len()) || self.directions == 0 || !finite {
            let problem = "its coordinates are not those of its standing examples";
            return Err(GroupError::state(OPERATION, problem));
        }
        let coordinates = Coordinates {
            entries: self.coordinates,
            directions: self.directions,
            spectrum: self.spectrum,
        };
        Ok(StandingExamples {
            gradients,
            coordinates,
        })
    }
}
