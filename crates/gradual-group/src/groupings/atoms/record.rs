//! Sparse atoms as plain data.

use burn::tensor::Device;
use gradual_grad::{ExampleGradients, GradientsRecord, MetricRecord};
use serde::{Deserialize, Serialize};

use super::{OPERATION, SparseAtoms, StandingAtoms};
use crate::error::GroupError;
use crate::metric;

#[derive(Serialize, Deserialize)]
pub(super) struct AtomsRecord {
    metric: MetricRecord,
    standing: Option<StandingRecord>,
    since: usize,
}

#[derive(Serialize, Deserialize)]
struct StandingRecord {
    gradients: GradientsRecord,
    /// `[m, k]` and `[k, k]`, row-major.
    weights: Vec<f64>,
    gram: Vec<f64>,
}

impl SparseAtoms {
    pub(super) fn record(&self) -> Result<AtomsRecord, GroupError> {
        let standing = self.standing.as_ref().map(|standing| {
            let gradients = standing.gradients.record();
            Ok(StandingRecord {
                gradients: gradients.map_err(GroupError::gradients(OPERATION))?,
                weights: standing.weights.clone(),
                gram: standing.gram.clone(),
            })
        });
        Ok(AtomsRecord {
            metric: metric::recorded(OPERATION, &self.metric)?,
            standing: standing.transpose()?,
            since: self.since,
        })
    }

    pub(super) fn restore_record(
        &mut self,
        record: AtomsRecord,
        device: &Device,
    ) -> Result<(), GroupError> {
        let metric = metric::restored(OPERATION, &self.metric, &record.metric, device)?;
        let k = self.atoms;
        let standing = record.standing.map(|standing| {
            let gradients = ExampleGradients::restored(&standing.gradients, device)
                .map_err(GroupError::gradients(OPERATION))?;
            let entries = gradients.num_examples().checked_mul(k);
            if entries != Some(standing.weights.len()) || standing.gram.len() != k * k {
                let problem = "its atoms are of another number, or of other examples";
                return Err(GroupError::state(OPERATION, problem));
            }
            Ok(StandingAtoms {
                gradients,
                weights: standing.weights,
                gram: standing.gram,
            })
        });
        self.standing = standing.transpose()?;
        self.metric = metric;
        self.since = record.since;
        Ok(())
    }
}
