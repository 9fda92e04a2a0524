//! Excess over a reference: what could still be learned.

use burn::tensor::Tensor;
use gradual_group::Groups;
use gradual_registry::{Entry, Parameter};

use super::multiplicative::Multiplicative;
use crate::composition::Composition;
use crate::error::{LossError, finite_losses, setting};
use crate::precision::{vector, weights};

const OPERATION: &str = "excess loss";

/// The step size of the weights in the paper.
const ETA: f64 = 1.0;
/// The share of the uniform distribution in the paper.
const SMOOTHING: f64 = 1e-3;

pub(crate) static ENTRY: Entry<(), Box<dyn Composition>> = Entry {
    name: "excess",
    about: "DoReMi's weights: they grow on groups whose loss exceeds that of a reference model",
    facts: &[
        ("composition", "[`ExcessLoss`]"),
        ("L", "Σ α s (ℓ̄ − r)"),
        ("group g pulls with", "α_g, grown by its excess so far"),
        ("losses", "any"),
        ("use it", "when some groups can't be learned"),
    ],
    parameters: &[
        Parameter::numbers(
            "reference",
            "loss of each group under the reference model, in nats",
        ),
        Parameter::number("eta", "step size of the weights", ETA).at_least(0.0),
        Parameter::number("smoothing", "share of the uniform distribution", SMOOTHING)
            .at_least(0.0)
            .at_most(1.0),
    ],
    build: |arguments, ()| {
        let excess = ExcessLoss::new(arguments.numbers("reference")?.to_vec())?
            .with_eta(arguments.number("eta")?)?
            .with_smoothing(arguments.number("smoothing")?)?;
        Ok(Box::new(excess))
    },
};

/// L = Σ_g α_g s_g (ℓ̄_g − r_g), where the weights α grow on groups whose loss exceeds a reference r.
///
/// # The idea
///
/// Xie et al. 2023, "DoReMi: optimizing data mixtures speeds up language model pretraining", arXiv
/// 2305.10429, algorithm 1. A group whose loss can't fall holds the weight of a worst-group loss for
/// ever; what counts is how far a group is above what a reference model reached on it. Each draw
/// first updates α, then takes its gradient at the new α:
///
/// ```text
/// λ_g = max(ℓ̄_g − r_g, 0)
/// α'_g = α_g e^(η s_g λ_g) / Σ_h α_h e^(η s_h λ_h)      α_g ← (1 − c) α'_g + c/k
/// ```
///
/// The weights start uniform; η = 1 and c = 0.001 are the paper's. The paper clips the excess of
/// every token before averaging; here the group's mean is clipped, since groups are all that a
/// composition sees. As there, the loss itself is not clipped. The paper then trains a second model
/// on data mixed by the weights' mean over all draws, [`mean_weights`](Self::mean_weights).
///
/// # When
///
/// With labels and a reference: the final group losses of an ERM run, or the loss of a fair guess
/// for groups known to hold noise. A reference of 0 is [`GroupDro`](crate::GroupDro) with smoothing.
/// A group that a draw lacks (s = 0) keeps its weight. Losses may have any sign. Costs 2k numbers copied to the host
/// per draw.
#[derive(Debug, Clone, PartialEq)]
pub struct ExcessLoss {
    reference: Vec<f64>,
    eta: f64,
    smoothing: f64,
    weights: Multiplicative,
    /// Σ of α over draws, and how many draws.
    sum: Vec<f64>,
    draws: f64,
}

impl ExcessLoss {
    /// Reference losses, one per group, with the paper's η = 1 and c = 0.001.
    ///
    /// # Errors
    ///
    /// [`LossError::Setting`] without a reference or for one that is not finite.
    pub fn new(reference: Vec<f64>) -> Result<Self, LossError> {
        let count = reference.len() as f64;
        setting(
            OPERATION,
            "number of references",
            "at least 1",
            count,
            count > 0.0,
        )?;
        for &loss in &reference {
            setting(OPERATION, "reference", "finite", loss, true)?;
        }
        Ok(Self {
            sum: vec![0.0; reference.len()],
            reference,
            eta: ETA,
            smoothing: SMOOTHING,
            weights: Multiplicative::default(),
            draws: 0.0,
        })
    }

    /// The same with another step size of the weights, 0 or more.
    ///
    /// # Errors
    ///
    /// [`LossError::Setting`] for a negative or infinite step.
    pub fn with_eta(self, eta: f64) -> Result<Self, LossError> {
        let eta = setting(OPERATION, "eta", "finite and at least 0", eta, eta >= 0.0)?;
        Ok(Self { eta, ..self })
    }

    /// The same with another share c of the uniform distribution, from 0 to 1.
    ///
    /// # Errors
    ///
    /// [`LossError::Setting`] for any other share.
    pub fn with_smoothing(self, smoothing: f64) -> Result<Self, LossError> {
        let allowed = (0.0..=1.0).contains(&smoothing);
        let smoothing = setting(OPERATION, "smoothing", "from 0 to 1", smoothing, allowed)?;
        Ok(Self { smoothing, ..self })
    }

    /// The weights α now, `[k]`, which add up to one.
    pub fn weights(&self) -> Vec<f64> {
        self.weights.shares(self.reference.len())
    }

    /// The mean of α over all draws, `[k]`: the data mixture that DoReMi recommends.
    pub fn mean_weights(&self) -> Vec<f64> {
        match self.draws > 0.0 {
            true => self.sum.iter().map(|sum| sum / self.draws).collect(),
            false => self.weights(),
        }
    }

    fn same(&self, got: usize) -> Result<(), LossError> {
        let expected = self.reference.len();
        match got == expected {
            true => Ok(()),
            false => Err(LossError::Groups {
                operation: OPERATION,
                expected,
                got,
            }),
        }
    }
}

impl Composition for ExcessLoss {
    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1> {
        let weights = weights(groups, &group_losses);
        let own = self.weights.tensor(&group_losses);
        let reference = vector(&self.reference, &group_losses);
        ((group_losses - reference) * own * weights).sum()
    }

    fn name(&self) -> &'static str {
        OPERATION
    }

    fn made_for(&self) -> Option<(&'static str, usize)> {
        Some((OPERATION, self.reference.len()))
    }

    fn check(&self, groups: &Groups) -> Result<(), LossError> {
        self.same(groups.num_groups())
    }

    fn keeps_state(&self) -> bool {
        true
    }

    fn observe(&mut self, group_losses: &[f64], weights: &[f64]) -> Result<(), LossError> {
        self.same(group_losses.len())?;
        finite_losses(OPERATION, group_losses)?;
        let excess = group_losses.iter().zip(&self.reference).zip(weights);
        let exponents =
            excess.map(|((loss, reference), s)| self.eta * s * (loss - reference).max(0.0));
        self.weights.step(&exponents.collect::<Vec<_>>());
        self.weights.smooth(self.smoothing);
        for (sum, share) in self.sum.iter_mut().zip(self.weights.shares(weights.len())) {
            *sum += share;
        }
        self.draws += 1.0;
        Ok(())
    }

    /// ln α `[k]`, Σ of α over draws `[k]`, number of draws; empty before the first draw.
    fn state(&self) -> Vec<f64> {
        match self.draws > 0.0 {
            true => [self.weights.log(), &self.sum, &[self.draws]].concat(),
            false => Vec::new(),
        }
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), LossError> {
        let k = self.reference.len();
        let refused = LossError::State {
            operation: OPERATION,
            expected: "empty, or twice as many finite numbers as there are references and one more",
            got: state.len(),
        };
        if state.is_empty() {
            (self.weights, self.sum, self.draws) = (Multiplicative::default(), vec![0.0; k], 0.0);
            return Ok(());
        }
        if state.len() != 2 * k + 1 || !state.iter().all(|number| number.is_finite()) {
            return Err(refused);
        }
        self.weights = Multiplicative::restored(&state[..k]).ok_or(refused)?;
        self.sum = state[k..2 * k].to_vec();
        self.draws = state[2 * k];
        Ok(())
    }
}
