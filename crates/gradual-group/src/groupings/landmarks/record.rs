//! Landmarks as plain data.

use burn::tensor::Device;
use gradual_grad::{ExampleGradients, GradientsRecord, MetricRecord};
use serde::{Deserialize, Serialize};

use super::found::{Prototypes, StandingGroups};
use super::{Landmarks, OPERATION};
use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::churn::Churn;
use crate::grouping::state::State;
use crate::groupings::search::ClustersRecord;
use crate::metric;
use crate::over_time::identities::Identities;
use crate::over_time::split_merge::PendingChanges;

#[derive(Serialize, Deserialize)]
pub(super) struct LandmarksRecord {
    metric: MetricRecord,
    spectral: State,
    standing: Option<StandingGroupsRecord>,
    since: usize,
}

#[derive(Serialize, Deserialize)]
struct StandingGroupsRecord {
    shown: usize,
    kept: Vec<usize>,
    assignment: Vec<usize>,
    clusters: ClustersRecord,
    /// Of the landmarks, or of their axes.
    now: Option<GradientsRecord>,
    identities: Identities,
    churn: Option<Churn>,
    pending: PendingChanges,
}

impl Landmarks {
    pub(super) fn record(&self) -> Result<LandmarksRecord, GroupError> {
        let standing = self.standing.as_ref().map(StandingGroups::record);
        Ok(LandmarksRecord {
            metric: metric::recorded(OPERATION, &self.metric)?,
            spectral: self.spectral.state()?,
            standing: standing.transpose()?,
            since: self.since,
        })
    }

    pub(super) fn restore_record(
        &mut self,
        record: LandmarksRecord,
        device: &Device,
    ) -> Result<(), GroupError> {
        let metric = metric::restored(OPERATION, &self.metric, &record.metric, device)?;
        let mut spectral = self.spectral.clone();
        spectral.restore(&record.spectral, device)?;
        let standing = record.standing;
        let standing = standing.map(|found| found.restored(self, device));
        self.standing = standing.transpose()?;
        self.metric = metric;
        self.spectral = spectral;
        self.since = record.since;
        Ok(())
    }
}

impl StandingGroups {
    fn record(&self) -> Result<StandingGroupsRecord, GroupError> {
        let now = self.now.as_ref().map(|now| {
            let (Prototypes::Examples(now, _) | Prototypes::Axes(now)) = now;
            now.record().map_err(GroupError::gradients(OPERATION))
        });
        Ok(StandingGroupsRecord {
            shown: self.shown,
            kept: self.kept.clone(),
            assignment: self.assignment.clone(),
            clusters: self.clusters.record(),
            now: now.transpose()?,
            identities: self.identities.clone(),
            churn: self.churn,
            pending: self.pending.clone(),
        })
    }
}

impl StandingGroupsRecord {
    /// The standing examples of `landmarks`, whose settings say what is compared with.
    fn restored(
        self,
        landmarks: &Landmarks,
        device: &Device,
    ) -> Result<StandingGroups, GroupError> {
        let clusters = self.clusters.restored(OPERATION)?;
        let now = self.now.as_ref();
        let now = now.map(|now| {
            ExampleGradients::restored(now, device).map_err(GroupError::gradients(OPERATION))
        });
        let now = now.transpose()?;
        let expected = match landmarks.axes {
            None => self.kept.len(),
            Some(axes) => clusters.groups.saturating_mul(axes.count),
        };
        let fits = clusters.assignment.len() == self.shown
            && self.kept.len() == self.assignment.len()
            && self.kept.iter().all(|&example| example < self.shown)
            && self.assignment.iter().all(|&group| group < clusters.groups)
            && now
                .as_ref()
                .is_none_or(|now| now.num_examples() == expected);
        if !fits {
            let problem = "its landmarks and their groups are of different numbers";
            return Err(GroupError::state(OPERATION, problem));
        }
        let mut found = StandingGroups {
            shown: self.shown,
            kept: self.kept,
            assignment: self.assignment,
            clusters,
            now: None,
            identities: self.identities,
            churn: self.churn,
            pending: self.pending,
        };
        found.now = match (now, landmarks.axes) {
            (None, _) => None,
            (Some(now), None) => Some(found.examples(now)?),
            (Some(now), Some(_)) => Some(Prototypes::Axes(now)),
        };
        Ok(found)
    }
}
