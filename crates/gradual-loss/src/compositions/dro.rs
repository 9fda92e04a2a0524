//! Group distributionally robust optimisation.

use burn::tensor::Tensor;
use gradual_group::Groups;
use gradual_registry::{Entry, Parameter, Value};

use super::multiplicative::Multiplicative;
use crate::composition::Composition;
use crate::error::{LossError, finite_losses, setting};
use crate::precision::{vector, weights};

const OPERATION: &str = "group DRO";

pub(crate) static ENTRY: Entry<(), Box<dyn Composition>> = Entry {
    name: "dro",
    about: "group DRO: an adversary moves weights towards the groups that have been worst so far",
    facts: &[
        ("composition", "[`GroupDro`]"),
        ("L", "Σ q s ℓ̄"),
        ("group g pulls with", "q_g, grown by its losses so far"),
        ("losses", "any"),
        ("use it", "for labels and small, noisy draws"),
    ],
    parameters: &[
        Parameter::number("eta", "step size of the weights", 0.01).at_least(0.0),
        Parameter::number(
            "adjustment",
            "the constant C of the size adjustment C/√n of a group of n training examples",
            0.0,
        )
        .at_least(0.0)
        .only_unless("sizes", "none"),
        Parameter::numbers(
            "sizes",
            "training examples of each group, for the size adjustment",
        )
        .above(0.0)
        .or_words(&["none"])
        .word_by_default("none")
        .only_unless("adjustment", "0.0"),
    ],
    build: |arguments, ()| {
        let dro = GroupDro::new(arguments.number("eta")?)?;
        let adjustment = arguments.number("adjustment")?;
        Ok(match arguments.value("sizes")? {
            Value::Numbers(sizes) => Box::new(dro.with_size_adjustment(adjustment, sizes)?),
            _ => Box::new(dro),
        })
    },
};

/// L = Σ_g q_g s_g ℓ̄_g, where an adversary moves the weights q towards the worst groups.
///
/// # The idea
///
/// Sagawa et al. 2020, "Distributionally robust neural networks for group shifts", arXiv 1911.08731,
/// algorithm 1: min over the model of max over q of Σ_g q_g ℓ̄_g, both by steps in turn. Each draw
/// first updates q, then takes its gradient at the new q:
///
/// ```text
/// q_g ← q_g e^(η s_g ℓ̄_g) / Σ_h q_h e^(η s_h ℓ̄_h)      c_j = q_g s_g M_gj
/// ```
///
/// The weights start uniform, add up to one, and are kept as logarithms. They sum up the past, so a
/// group that has been bad for long has a large weight even after a good draw, and single draws are
/// averaged out. A group that a draw lacks (s = 0) has no part in it and keeps its weight, but for the
/// normalisation.
///
/// # Size adjustment
///
/// A small group is learned by heart before a large one, and its training loss says little of its loss on new examples.
/// Section 3.3 of the paper adds what the gap is expected to grow with: ℓ̄_g + C/√n_g takes the place of ℓ̄_g, n_g
/// being the group's number of examples in the *training set* and C a hyperparameter. See
/// [`with_size_adjustment`](Self::with_size_adjustment); without it C = 0. The adjustment is a constant: it moves the
/// weights q towards small groups, and no gradient.
///
/// # When
///
/// With groups that keep their identity from draw to draw (labels), and small draws. Another number
/// of groups is an error. A group whose loss is above another's by d gains a factor e on it in
/// 1/(η d) draws: some tens at η = 0.1, some hundreds at the paper's 0.01. A group that can't be
/// learned ends up with all the weight; see [`ExcessLoss`](crate::ExcessLoss). Losses may have any sign. Costs 2k
/// numbers copied to the host per draw.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupDro {
    eta: f64,
    /// C/√n_g, `[k]`; empty without.
    adjustment: Vec<f64>,
    weights: Multiplicative,
}

impl GroupDro {
    /// Step size `eta` of the weights, 0 or more; 0 keeps them uniform.
    ///
    /// # Errors
    ///
    /// [`LossError::Setting`] for a negative or infinite step.
    pub fn new(eta: f64) -> Result<Self, LossError> {
        let eta = setting(OPERATION, "eta", "finite and at least 0", eta, eta >= 0.0)?;
        Ok(Self {
            eta,
            adjustment: Vec::new(),
            weights: Multiplicative::default(),
        })
    }

    /// The same with the size adjustment C/√n_g of each group's loss, C ≥ 0; `sizes` n_g `[k]` are the numbers of
    /// examples of each group in the training set.
    ///
    /// # Errors
    ///
    /// [`LossError::Setting`] for a negative or infinite C, without sizes, and for one that is not positive.
    pub fn with_size_adjustment(self, c: f64, sizes: &[f64]) -> Result<Self, LossError> {
        let c = setting(OPERATION, "C", "finite and at least 0", c, c >= 0.0)?;
        let count = sizes.len() as f64;
        setting(
            OPERATION,
            "number of sizes",
            "at least 1",
            count,
            count > 0.0,
        )?;
        let adjustment = sizes.iter().map(|&size| {
            let size = setting(OPERATION, "size", "positive and finite", size, size > 0.0)?;
            Ok(c / size.sqrt())
        });
        Ok(Self {
            adjustment: adjustment.collect::<Result<_, LossError>>()?,
            ..self
        })
    }

    /// Whether there is a size for each of so many groups, or for none.
    fn fitting(&self, got: usize) -> Result<(), LossError> {
        match self.adjustment.len() {
            expected if expected > 0 && expected != got => Err(LossError::Groups {
                operation: OPERATION,
                expected,
                got,
            }),
            _ => Ok(()),
        }
    }

    /// The weights q of `groups` groups, which add up to one; uniform before the first draw.
    pub fn weights(&self, groups: usize) -> Vec<f64> {
        self.weights.shares(groups)
    }
}

impl Composition for GroupDro {
    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1> {
        let weights = weights(groups, &group_losses);
        let own = self.weights.tensor(&group_losses);
        let adjusted = match self.adjustment.is_empty() {
            true => group_losses,
            false => group_losses.clone() + vector(&self.adjustment, &group_losses),
        };
        (adjusted * own * weights).sum()
    }

    fn name(&self) -> &'static str {
        OPERATION
    }

    fn made_for(&self) -> Option<(&'static str, usize)> {
        let sizes = self.adjustment.len();
        (sizes > 0).then_some((OPERATION, sizes))
    }

    fn check(&self, groups: &Groups) -> Result<(), LossError> {
        self.fitting(groups.num_groups())?;
        self.weights.check(OPERATION, groups)
    }

    fn follow(&mut self, identities: &[u64]) {
        self.weights.follow(identities);
    }

    fn keeps_state(&self) -> bool {
        true
    }

    fn observe(&mut self, group_losses: &[f64], weights: &[f64]) -> Result<(), LossError> {
        self.fitting(group_losses.len())?;
        self.weights.same(OPERATION, group_losses.len())?;
        finite_losses(OPERATION, group_losses)?;
        let adjustments = self.adjustment.iter().chain(std::iter::repeat(&0.0));
        let exponents = group_losses.iter().zip(weights).zip(adjustments);
        let exponents = exponents.map(|((loss, s), more)| self.eta * s * (loss + more));
        self.weights.step(&exponents.collect::<Vec<_>>());
        Ok(())
    }

    /// ln q, one number per group; of groups with identities their number first, and these last.
    fn state(&self) -> Vec<f64> {
        self.weights.state()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), LossError> {
        self.weights = Multiplicative::of_state(state).ok_or(LossError::State {
            operation: OPERATION,
            expected: "one finite number per group, or a count, one number per group and its identity",
            got: state.len(),
        })?;
        Ok(())
    }
}
