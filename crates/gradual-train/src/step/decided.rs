//! Groups and coefficients of a draw, and what is checked before they are handed on.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use gradual_grad::ExampleGradients;
use gradual_grad::host::read_together;
use gradual_group::{Draw, Groups};
use gradual_loss::Composed;

use super::finite::{Sums, all_finite, finite, host, not_finite};
use super::known::Known;
use super::stepped::Stepped;
use crate::error::TrainError;
use crate::objective::{Objective, Sight};

const COEFFICIENT: &str = "coefficient";

/// Everything of a step but its update, still on the device.
pub(super) struct Decision {
    losses: Tensor<1>,
    groups: Groups,
    pub(super) composed: Composed,
}

impl Decision {
    pub(super) fn groups(&self) -> &Groups {
        &self.groups
    }

    /// The same with other groups and coefficients.
    pub(super) fn with(mut self, groups: Groups, coefficients: Tensor<1>) -> Self {
        self.groups = groups;
        self.composed.coefficients = coefficients;
        self
    }

    /// The step with its update, all of whose numbers are finite: they are read together, the one time that a step
    /// waits for the device of its own accord. The losses of a `second` pass, which may be in half precision, must be
    /// those of the first.
    pub(super) fn checked<M: Module>(
        self,
        model: &M,
        update: GradientsParams,
        gradients: Option<&ExampleGradients>,
        second: Option<(Tensor<1>, bool)>,
    ) -> Result<CheckedStep, TrainError> {
        let device = self.losses.device();
        if update.is_empty() {
            return Err(TrainError::Untracked);
        }
        let Sums { sums, paths, half } = Sums::of(&update, model, &device);
        if paths.is_empty() {
            return Err(TrainError::Untracked);
        }
        let none = || Tensor::zeros([0], &device);
        let unread = self.groups.unread().unwrap_or_else(none);
        let (second, half_losses) = second.unwrap_or_else(|| (none(), false));
        let tolerance = match half || half_losses {
            true => HALF,
            false => SINGLE,
        };
        let composed = self.composed.unread().unwrap_or_else(none);
        let coefficients = self.composed.coefficients.clone();
        let all = [self.losses, unread, composed, coefficients, sums, second];
        let [losses, unread, composed, coefficients, sums, second] =
            read_together(all).map_err(|problem| TrainError::Read {
                operation: "step",
                problem,
            })?;
        // In the order in which one is computed from the other: a non-finite number makes all that follow non-finite.
        let losses = all_finite("loss", losses)?;
        same(&losses, &second, tolerance)?;
        let groups = self.groups.settled(&unread)?;
        let composed = self.composed.settled(&composed)?;
        let norms = || gradients.map(|gradients| host("gradient", &gradients.norms()));
        let coefficients = match all_finite(COEFFICIENT, coefficients) {
            Ok(coefficients) => coefficients,
            Err(error) => {
                if let Some(norms) = norms().transpose()? {
                    all_finite("gradient", norms)?;
                }
                return Err(error);
            }
        };
        if sums.iter().any(|sum: &f32| !sum.is_finite())
            && let Some(parameter) = not_finite(&update, model, &device)?
        {
            let norms = norms().transpose()?.unwrap_or_default();
            return Err(TrainError::Gradient {
                parameter,
                example: norms.iter().position(|norm| !norm.is_finite()),
            });
        }
        let largest = sums
            .iter()
            .fold(0.0, |largest: f32, sum| largest.max(sum.abs()));
        Ok(CheckedStep {
            stepped: Stepped {
                update,
                losses,
                coefficients,
                groups,
                left_out: Vec::new(),
            },
            composed,
            largest_sum: largest,
        })
    }
}

/// A step all of whose numbers are finite.
pub(crate) struct CheckedStep {
    pub(crate) stepped: Stepped,
    composed: Composed,
    /// The largest absolute sum of the entries of a parameter's update.
    pub(crate) largest_sum: f32,
}

impl CheckedStep {
    /// The step, which the objective remembers.
    pub(super) fn observed(self, objective: &mut Objective) -> Stepped {
        objective.observe(&self.composed);
        self.stepped
    }
}

/// Share of a loss, or of the mean loss, by which two passes over the same examples may differ.
const SINGLE: f32 = 1e-3;
const HALF: f32 = 5e-2;

/// Whether the losses of a second pass are those of the first.
fn same(first: &[f32], second: &[f32], tolerance: f32) -> Result<(), TrainError> {
    match differs(first, second, tolerance) {
        Some(example) => Err(TrainError::Changed {
            example,
            first: first[example],
            second: second[example],
        }),
        None => Ok(()),
    }
}

/// The first example whose loss is not the same in another pass, in `half` or in single precision.
pub(crate) fn first_that_differs(first: &[f32], second: &[f32], half: bool) -> Option<usize> {
    differs(first, second, if half { HALF } else { SINGLE })
}

fn differs(first: &[f32], second: &[f32], tolerance: f32) -> Option<usize> {
    let finite = || first.iter().filter(|loss| loss.is_finite());
    let mean = finite().map(|loss| loss.abs()).sum::<f32>() / finite().count().max(1) as f32;
    // What is not a number once is none both times.
    let near = |(a, b): (&f32, &f32)| {
        a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * a.abs().max(mean)
    };
    first.iter().zip(second).position(|pair| !near(pair))
}

/// Groups and coefficients of a draw, with its gradients where it has some.
pub(super) fn decide(
    objective: &mut Objective,
    known: Known<'_>,
    losses: Tensor<1>,
    gradients: Option<&ExampleGradients>,
) -> Result<Decision, TrainError> {
    let mut draw = Draw::new(&losses);
    let seen = known.seen.filter(|_| objective.sight == Sight::Lens);
    if let Some(seen) = seen {
        draw = draw.with_seen_losses(&seen.losses);
    }
    let gradients_seen = match objective.sight {
        Sight::Model => gradients,
        Sight::Waiting => None,
        Sight::Lens => seen.and_then(|seen| seen.gradients.as_ref()),
    };
    if let Some(gradients) = gradients_seen {
        draw = draw.with_gradients(gradients);
    }
    let draw = known.labels.of(draw);
    let mut compose = || -> Result<(Groups, Composed), TrainError> {
        let groups = match known.groups {
            Some(groups) => objective.regroup(&draw, groups.to_vec())?,
            None => objective.group(&draw)?,
        };
        let composed = objective.compose(&losses, &groups, gradients)?;
        Ok((groups, composed))
    };
    let composed = compose().or_else(|error| {
        // Non-finite losses make non-finite groups; say what came first.
        finite("loss", &losses)?;
        Err(error)
    });
    composed.map(|(groups, composed)| Decision {
        losses: losses.clone(),
        groups,
        composed,
    })
}
