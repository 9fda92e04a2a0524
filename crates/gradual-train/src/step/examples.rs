//! The examples of a draw that have a loss, among all of them.

use gradual_group::GroupError;

use super::known::{Known, OwnedKnown};
use super::pass::Pass;
use super::stepped::Stepped;
use crate::error::TrainError;
use crate::label_set::{LabelSet, OwnedLabels};

/// Which examples of a draw have a loss.
pub(crate) struct Examples {
    /// Number of examples, those without a loss included.
    all: usize,
    present: Vec<usize>,
    absent: Vec<(usize, f32)>,
}

impl Examples {
    /// # Errors
    ///
    /// [`TrainError::NotFinite`] when there are examples, and none has a loss.
    pub(crate) fn of(passes: &[Pass]) -> Result<Self, TrainError> {
        let mut examples = Self {
            all: 0,
            present: Vec::new(),
            absent: Vec::new(),
        };
        for pass in passes {
            let from = examples.all;
            examples
                .present
                .extend(pass.present().iter().map(|at| from + at));
            let absent = pass.absent().iter().map(|&(at, loss)| (from + at, loss));
            examples.absent.extend(absent);
            examples.all += pass.num_examples();
        }
        examples.some()
    }

    /// The same of the losses of a whole draw, where examples that have none are left out or not.
    ///
    /// # Errors
    ///
    /// [`TrainError::NotFinite`] when none that is left has a loss.
    pub(crate) fn of_losses(losses: &[f32], leaves_out: bool) -> Result<Self, TrainError> {
        let mut examples = Self {
            all: losses.len(),
            present: Vec::new(),
            absent: Vec::new(),
        };
        for (at, &loss) in losses.iter().enumerate() {
            match leaves_out && !loss.is_finite() {
                true => examples.absent.push((at, loss)),
                false => examples.present.push(at),
            }
        }
        examples.some()
    }

    /// Those that have a loss, in order.
    pub(crate) fn present(&self) -> &[usize] {
        &self.present
    }

    /// The same, if some have a loss or there are none at all.
    fn some(self) -> Result<Self, TrainError> {
        match (self.present.is_empty(), self.absent.first()) {
            (true, Some(&(example, value))) => Err(TrainError::NotFinite {
                what: "loss",
                example,
                value,
            }),
            _ => Ok(self),
        }
    }

    /// What is known of those that have a loss.
    pub(crate) fn known(&self, known: Known<'_>) -> Result<OwnedKnown, TrainError> {
        let seen = match (known.seen, self.absent.is_empty()) {
            (Some(seen), false) => Some(seen.choose(&self.present)?),
            (seen, _) => seen.cloned(),
        };
        let present = |groups: &[Option<usize>]| match self.absent.is_empty() {
            true => groups.to_vec(),
            false => self.present.iter().map(|&at| groups[at]).collect(),
        };
        Ok(OwnedKnown {
            labels: self.labels(known.labels)?,
            seen,
            groups: known.groups.map(present),
        })
    }

    /// The labels of those that have a loss.
    fn labels(&self, labels: LabelSet<'_>) -> Result<OwnedLabels, TrainError> {
        let mut labelled = OwnedLabels::from(labels);
        if self.absent.is_empty() {
            return Ok(labelled);
        }
        for each in labelled.each_mut() {
            if each.len() != self.all {
                let error = GroupError::LabelCount {
                    operation: "step",
                    examples: self.all,
                    labels: each.len(),
                };
                return Err(error.into());
            }
            *each = self.present.iter().map(|&at| each[at]).collect();
        }
        Ok(labelled)
    }

    /// The step of all examples, from that of those with a loss. `mixed` says that the others may have had a part in
    /// the update.
    pub(crate) fn whole(
        self,
        stepped: Result<Stepped, TrainError>,
        mixed: bool,
    ) -> Result<Stepped, TrainError> {
        if self.absent.is_empty() {
            return stepped;
        }
        let left_out: Vec<usize> = self.absent.iter().map(|(at, _)| *at).collect();
        let stepped = match stepped {
            Err(TrainError::Gradient { parameter, .. }) if mixed => {
                return Err(TrainError::LeftOut {
                    parameter,
                    examples: left_out,
                });
            }
            stepped => stepped.map_err(|error| error.of_examples(&self.present))?,
        };
        let spread = |values: Vec<f32>| {
            let mut all = vec![0.0; self.all];
            for (&at, value) in self.present.iter().zip(values) {
                all[at] = value;
            }
            all
        };
        let mut losses = spread(stepped.losses);
        for &(at, loss) in &self.absent {
            losses[at] = loss;
        }
        Ok(Stepped {
            update: stepped.update,
            losses,
            coefficients: spread(stepped.coefficients),
            groups: stepped.groups.among(&self.present, self.all)?,
            left_out,
        })
    }
}
