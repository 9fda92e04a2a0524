//! Rules that weigh the gradients of groups by the angles between them.

use burn::tensor::{DType, Tensor};
use gradual_group::Groups;

use crate::composed::Composed;
use crate::composition::{one_loss_each, stateless};
use crate::error::LossError;
use crate::host::host_together;
use crate::precision::{composing, vector, wide};

/// A rule that combines the gradients of group losses, and sees only their inner products.
///
/// # The idea
///
/// The gradient of group g is γ_g = s_g Σ_j M_gj ∇ℓ_j. Rules from multi-task learning
/// ([`PcGrad`](crate::PcGrad), [`Mgda`](crate::Mgda), [`UpGrad`](crate::UpGrad)) turn γ_1, …, γ_k into
/// one direction Σ_g w_g γ_g that no group has to suffer from. Their weights w depend on the inner
/// products alone, the group Gram matrix S M K Mᵀ S `[k, k]` with S = diag(s), which one trace gives:
/// no gradient of a group is ever built, and the step is Gᵀc with c = Mᵀ S w, as for any composition.
///
/// Unlike the coefficients of a [`Composition`](crate::Composition) these are the derivative of no
/// loss: w is a constant in Σ_g w_g s_g ℓ̄_g, and [`value`](Composed::value) is that sum.
///
/// Groups of weight 0 (empty ones) take no part: w_g = 0.
///
/// # Cost
///
/// The Gram matrix of the draw, 2 k n (n + k) operations, k² numbers copied to the host, and the rule.
pub trait GramComposition: Send {
    /// The weights w `[k]` of the group gradients, all 0 or more.
    ///
    /// # Errors
    ///
    /// [`LossError`] when the rule can't weigh them. None of this crate's rules fails.
    fn weights(&mut self, gram: &GroupGram) -> Result<Vec<f64>, LossError>;

    /// The rule's name in messages.
    fn name(&self) -> &'static str;

    /// Value and coefficients for the losses `[n]` of a draw whose gradients have the Gram matrix
    /// `gram` `[n, n]`.
    ///
    /// # Errors
    ///
    /// [`LossError::Examples`] and [`LossError::Gram`] unless losses, groups and Gram matrix are of
    /// one draw, [`LossError::Signed`] for groups with signed memberships, whose gradients have no direction,
    /// [`LossError::NotFinite`] for a group gradient that holds NaN or infinity, and those
    /// of [`weights`](Self::weights).
    fn compose(
        &mut self,
        losses: &Tensor<1>,
        groups: &Groups,
        gram: &Tensor<2>,
    ) -> Result<Composed, LossError> {
        one_loss_each(losses, groups)?;
        let operation = self.name();
        let ([rows, columns], examples) = (gram.dims(), groups.num_examples());
        if rows != examples || columns != examples {
            return Err(LossError::Gram {
                operation,
                examples,
                rows,
                columns,
            });
        }
        if groups.is_signed() {
            return Err(LossError::Signed { operation });
        }
        let (k, n) = (groups.num_groups(), examples);
        let groups = groups.for_losses(losses);
        let losses = wide(losses.clone().inner());
        // Losses and inner products meet in the wider of their precisions.
        let dtype = match losses.dtype() {
            DType::F64 => DType::F64,
            _ => composing(gram.dtype()),
        };
        let gram = gram.clone().inner().cast(dtype);
        let own = groups.weights().clone().cast(dtype);
        let scaled = groups.membership().clone().cast(dtype) * own.clone().reshape([k, 1]);
        let products = scaled
            .clone()
            .matmul(gram)
            .matmul(scaled.clone().transpose());
        let [products, weights] = host_together(operation, [products.flatten(0, 1), own.clone()])?;
        let all = GroupGram::named(operation, products, k)?;
        let present: Vec<usize> = weights
            .iter()
            .enumerate()
            .filter_map(|(group, &weight)| (weight > 0.0).then_some(group))
            .collect();
        let mut weights = vec![0.0; k];
        if !present.is_empty() {
            let found = self.weights(&all.among(&present))?;
            for (&group, weight) in present.iter().zip(found) {
                weights[group] = weight;
            }
        }
        let weights = vector(&weights, &own);
        let coefficients = weights.reshape([1, k]).matmul(scaled).reshape([n]);
        let value = (coefficients.clone() * losses.cast(dtype)).sum();
        Ok(Composed::new(value, coefficients))
    }

    /// The state, as numbers to be saved; empty where there is none.
    fn state(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Restores a state that [`state`](Self::state) returned.
    ///
    /// # Errors
    ///
    /// [`LossError::State`] for numbers that are no state of this rule.
    fn restore(&mut self, state: &[f64]) -> Result<(), LossError> {
        stateless(self.name(), state)
    }
}

/// What a rule is made with beside its parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleContext {
    /// The seed of the run, for rules that draw at random.
    pub seed: u64,
}

/// Every method is that of the rule in the box.
impl<R: GramComposition + ?Sized> GramComposition for Box<R> {
    fn weights(&mut self, gram: &GroupGram) -> Result<Vec<f64>, LossError> {
        (**self).weights(gram)
    }

    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn compose(
        &mut self,
        losses: &Tensor<1>,
        groups: &Groups,
        gram: &Tensor<2>,
    ) -> Result<Composed, LossError> {
        (**self).compose(losses, groups, gram)
    }

    fn state(&self) -> Vec<f64> {
        (**self).state()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), LossError> {
        (**self).restore(state)
    }
}

/// Inner products of the gradients of k groups.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupGram {
    count: usize,
    products: Vec<f64>,
}

impl GroupGram {
    /// From a matrix `[k, k]`, row-major. Its symmetric part is kept.
    ///
    /// # Errors
    ///
    /// [`LossError::Gram`] unless there are k² numbers, [`LossError::NotFinite`] naming the first
    /// group with NaN or infinity.
    pub fn new(products: Vec<f64>, count: usize) -> Result<Self, LossError> {
        Self::named("group Gram matrix", products, count)
    }

    fn named(operation: &'static str, products: Vec<f64>, count: usize) -> Result<Self, LossError> {
        if products.len() != count * count {
            return Err(LossError::Gram {
                operation,
                examples: count,
                rows: products.len() / count.max(1),
                columns: count,
            });
        }
        if let Some(at) = products.iter().position(|product| !product.is_finite()) {
            return Err(LossError::NotFinite {
                operation,
                what: "gradient",
                group: at / count,
                value: products[at],
            });
        }
        let half = |i: usize, j: usize| (products[i * count + j] + products[j * count + i]) / 2.0;
        let pairs = (0..count).flat_map(|i| (0..count).map(move |j| (i, j)));
        Ok(Self {
            count,
            products: pairs.map(|(i, j)| half(i, j)).collect(),
        })
    }

    /// Number of groups k.
    pub fn num_groups(&self) -> usize {
        self.count
    }

    /// γ_i · γ_j.
    ///
    /// # Panics
    ///
    /// When `i` or `j` is not below [`num_groups`](Self::num_groups).
    pub fn product(&self, i: usize, j: usize) -> f64 {
        self.products[i * self.count + j]
    }

    /// Norms ‖γ_i‖, `[k]`. A square that rounding made negative counts as 0.
    pub fn norms(&self) -> Vec<f64> {
        (0..self.count)
            .map(|i| self.product(i, i).max(0.0).sqrt())
            .collect()
    }

    /// Cosines, `[k, k]` row-major; the cosine with a zero gradient is 0.
    pub(crate) fn cosines(&self) -> Vec<f64> {
        let norms = self.norms();
        let pairs = (0..self.count).flat_map(|i| (0..self.count).map(move |j| (i, j)));
        let cosine = |(i, j): (usize, usize)| match norms[i] > 0.0 && norms[j] > 0.0 {
            true => (self.product(i, j) / norms[i] / norms[j]).clamp(-1.0, 1.0),
            false => 0.0,
        };
        pairs.map(cosine).collect()
    }

    /// The matrix of some of the groups.
    fn among(&self, groups: &[usize]) -> Self {
        let pairs = groups
            .iter()
            .flat_map(|&i| groups.iter().map(move |&j| (i, j)));
        Self {
            count: groups.len(),
            products: pairs.map(|(i, j)| self.product(i, j)).collect(),
        }
    }
}
