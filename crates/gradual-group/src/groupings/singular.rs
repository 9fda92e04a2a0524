//! Soft groups: the singular directions of the gradients.

use burn::tensor::{DType, Int, Tensor};
use gradual_registry::{Entry, Parameter};

use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::{Average, Groups};
use crate::grouping::look::Look;
use crate::grouping::needs::Needs;
use crate::linalg::components::Components;
use crate::linalg::eigenvalues::estimates;
use crate::linalg::lazy_spectrum::LazySpectrum;
use crate::parameters::{self, NONE};
use crate::read::wide_gram;
use crate::wrappers::in_metric::in_metric;

const OPERATION: &str = "singular vectors";

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<GroupingContext, Box<dyn Grouping>> = Entry {
    name: "singular-vectors",
    about: "soft groups: the singular directions of the gradients, as published by default",
    facts: &[
        ("grouping", "[`SingularVectors`]"),
        ("needs", "gradients"),
        (
            "cost per draw of n",
            "Gram matrix; other readings + n³, or n² m",
        ),
        ("use it", "for soft groups, with signs or without"),
    ],
    parameters: &[
        Parameter::choice(
            "membership",
            "what is read from the component of a unit gradient",
            &["signed", "absolute", "squared"],
        ),
        Parameter::count("power", "q of a direction's weight σ^q", 2).at_most(100.0),
        Parameter::choice(
            "average",
            "whether a direction's loss is the sum or the mean of its examples'",
            &["sum", "mean"],
        ),
        Parameter::count("leading", "number of leading directions that are taken", 1)
            .at_least(1.0)
            .at_most(parameters::MANY_EXAMPLES)
            .or_words(&[NONE])
            .word_by_default(NONE),
        parameters::sketch("dimensions of the sketch that they are taken from"),
    ],
    build: |arguments, context| {
        let membership = match arguments.word("membership")? {
            "absolute" => Membership::Absolute,
            "squared" => Membership::Squared,
            _ => Membership::Signed,
        };
        let mut singular = SingularVectors::default()
            .with_membership(membership)
            .with_power(u32::try_from(arguments.count("power")?)?)
            .with_average(parameters::average(arguments)?);
        if let Some(directions) = parameters::count(arguments, "leading")? {
            singular = singular.with_leading(directions)?;
        }
        if let Some(dimensions) = parameters::count(arguments, "sketch")? {
            singular = singular.with_sketch(dimensions, context.seed)?;
        }
        Ok(in_metric(context.metric, singular))
    },
};

/// Most groups that the estimates of their number may answer.
const AT_MOST: usize = 32;

/// How an example belongs to a direction, from the component α̂ of its unit gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Membership {
    /// α̂ itself, as published: of two opposite gradients one belongs by minus as much as the other.
    #[default]
    Signed,
    /// |α̂|.
    Absolute,
    /// α̂², which sums to one over the directions.
    Squared,
}

/// Every example belongs softly to every singular direction of the gradient matrix.
///
/// # The idea
///
/// The gradients G = U Σ Vᵀ of a draw span directions v_i in parameter space. The component of the
/// normalised gradient of example j on v_i is α̂_ij = σ_i U_ji / ‖g_j‖, and Σ_i α̂_ij² = 1. Directions
/// that many examples share have large σ, and the loss weighs them by it (A. Jermyn, 9 July 2022,
/// adamjermyn.com/posts/grouped_loss, third proposal):
///
/// ```text
/// L = Σ_i (σ_i Σ_j α̂_ij ℓ_j)²        σ, α̂ constant
/// ```
///
/// With K = G Gᵀ the Gram matrix and D = diag(‖g_j‖) this is L = ‖K D⁻¹ ℓ‖², with coefficients
/// c = 2 D⁻¹ K² D⁻¹ ℓ, and needs no eigenproblem. The default is that, under
/// `gradual_loss::SumOfSquares`.
///
/// Other readings of the same idea are L = Σ_i σ_i^q (Σ_j m(α̂_ij) ℓ_j)², with another
/// [membership](Membership) m, another [power](Self::with_power) q, or the mean over a direction's
/// examples. [`squared`](Self::squared) has non-negative memberships that sum to one.
///
/// # Signs
///
/// With signed memberships coefficients can be negative: examples whose gradients are opposite to what
/// most share are *unlearned*, and where the two halves balance nothing is learned at all. As the sign
/// of v_i is arbitrary, so is that of a group loss Σ_j α̂_ij ℓ_j; the sum of squares does not depend on
/// it, and every other composition refuses such [signed](Groups::is_signed) groups.
///
/// # Steps and cost
///
/// The default: the Gram matrix, and K D⁻¹ as its n memberships of weight 1, on the device. These are
/// the singular directions up to a rotation that leaves the sum of squares as it is. Their spectrum is
/// computed on demand.
///
/// Other readings: the Gram matrix on the host, an eigenproblem in double precision (9n³ operations),
/// and the n² memberships. [`with_leading`](Self::with_leading) takes m directions for 10 n² m and n m
/// instead, and lumps the others together. No parameter-sized array in either case.
///
/// # When to use it
///
/// Where no labels exist and one example may exercise several capabilities. An example with a zero
/// gradient belongs nowhere, and its coefficient is zero. Where singular values are equal the
/// directions are arbitrary within their subspace, and so are the groups; the default's loss is not.
#[derive(Debug, Clone)]
pub struct SingularVectors {
    power: u32,
    membership: Membership,
    average: Average,
    sketch: Option<(usize, u64)>,
    leading: Option<usize>,
}

/// As published: q = 2, membership α̂ with its sign, group losses as sums.
impl Default for SingularVectors {
    fn default() -> Self {
        Self {
            power: 2,
            membership: Membership::Signed,
            average: Average::Sum,
            sketch: None,
            leading: None,
        }
    }
}

impl SingularVectors {
    /// Membership α̂² and q = 1: L = Σ_i σ_i (Σ_j α̂_ij² ℓ_j)². No coefficient is negative.
    pub fn squared() -> Self {
        Self::default()
            .with_membership(Membership::Squared)
            .with_power(1)
    }

    /// Weighs direction i by σ_i^q: 2 as published, 1, or 0 for all directions alike.
    #[must_use]
    pub fn with_power(self, q: u32) -> Self {
        Self { power: q, ..self }
    }

    /// The same directions with another membership.
    #[must_use]
    pub fn with_membership(self, membership: Membership) -> Self {
        Self { membership, ..self }
    }

    /// The same directions with another group loss; the mean divides by the direction's mass
    /// Σ_j |m(α̂_ij)|.
    #[must_use]
    pub fn with_average(self, average: Average) -> Self {
        Self { average, ..self }
    }

    /// Takes the directions from a sketch of `dim` dimensions instead of the exact Gram matrix: there
    /// are then `dim` of them, and a large draw costs n t (d + e) `dim` + n `dim`² operations instead
    /// of n² (d + e) + n³ (the default: n² `dim` instead of n² (d + e)). A direction is resolved if its
    /// singular value is far above the sketch's error, at most about 4 ‖G‖ / √dim.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for a sketch without dimensions.
    pub fn with_sketch(self, dim: usize, seed: u64) -> Result<Self, GroupError> {
        let dim = GroupError::at_least(OPERATION, "the dimensions of the sketch", 1, dim)?;
        Ok(Self {
            sketch: Some((dim, seed)),
            ..self
        })
    }

    /// Takes only the `directions` leading directions, by subspace iteration, and one group more for
    /// all that they leave out.
    ///
    /// The unit gradient of example j has a length of √(1 − Σα̂²) in that remainder, which stands for α̂
    /// there: its square with squared memberships, which so still sum to one; itself, without a sign,
    /// with the others. The remainder's weight is σ^q with σ the root mean square of the singular values
    /// left out, of which a Gram matrix has min(n, p) in all. Unlike them it is one group: Σ over i of
    /// σ_i^q ℓ̄_i² becomes σ^q (Σ ℓ̄_i)² there, which weighs many weak directions more than they would
    /// weigh apart. With as many directions as there are, there is no remainder: `usize::MAX` gives the
    /// directions of the default themselves, each a group.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for none.
    pub fn with_leading(self, directions: usize) -> Result<Self, GroupError> {
        let leading = "the number of leading directions";
        let leading = GroupError::at_least(OPERATION, leading, 1, directions)?;
        Ok(Self {
            leading: Some(leading),
            ..self
        })
    }

    /// The Gram matrix of the draw or of its sketch, where no direction has to be known for the loss.
    fn gram(&self, draw: &Draw<'_>) -> Result<Option<Tensor<2>>, GroupError> {
        let published = (self.membership, self.power, self.average)
            == (Membership::Signed, 2, Average::Sum)
            && self.leading.is_none();
        if !published {
            return Ok(None);
        }
        Ok(Some(match self.sketch {
            None => draw.gram(OPERATION)?,
            Some((dim, seed)) => draw.gradients(OPERATION)?.sketch_gram(dim, seed),
        }))
    }

    /// Components on the directions that were asked for.
    fn components(&self, draw: &Draw<'_>) -> Result<Components, GroupError> {
        let n = draw.num_examples();
        let leading = self.leading.filter(|&directions| directions < n);
        match (self.sketch, leading) {
            (None, None) => Components::of(&draw.gram(OPERATION)?),
            (None, Some(count)) => {
                let rank = draw.most_directions(OPERATION)?;
                Components::leading(&draw.gram(OPERATION)?, count, rank)
            }
            (Some((dim, seed)), None) => {
                Components::of_rows(&draw.gradients(OPERATION)?.sketch(dim, seed))
            }
            (Some((dim, seed)), Some(count)) => {
                let gram = draw.gradients(OPERATION)?.sketch_gram(dim, seed);
                Components::leading(&gram, count, n.min(dim))
            }
        }
    }

    fn directions(&self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let n = draw.num_examples();
        let Components {
            sigma,
            mut rows,
            rest,
            eigenvalues,
        } = self.components(draw)?;
        let mut weights = sigma.clone();
        if let Some(rest) = rest {
            rows.push(rest.squares.iter().map(|square| square.sqrt()).collect());
            weights.push(rest.sigma);
        }
        let membership = |alpha: f64| match self.membership {
            Membership::Signed => alpha,
            Membership::Absolute => alpha.abs(),
            Membership::Squared => alpha * alpha,
        };
        let mut sizes = Vec::with_capacity(rows.len());
        let mut memberships = Vec::with_capacity(rows.len() * n);
        for row in &mut rows {
            row.iter_mut().for_each(|alpha| *alpha = membership(*alpha));
            let size: f64 = row.iter().map(|share| share.abs()).sum();
            let divisor = match self.average {
                Average::Mean if size > 0.0 => size,
                _ => 1.0,
            };
            memberships.extend(row.iter().map(|share| share / divisor));
            sizes.push(size);
        }
        let weights = self.weights(&weights, &sizes, draw.precision())?;
        let groups = Groups::soft(memberships, weights, sizes, draw.options())?;
        let groups = match self.membership {
            Membership::Signed => groups.signed(),
            _ => groups,
        };
        let said = estimates(&eigenvalues, AT_MOST.min(n));
        Ok(groups.with_spectrum(sigma).with_estimates(said))
    }

    /// σ^q, and 0 for what is empty, in the range of a precision.
    fn weights(
        &self,
        sigma: &[f64],
        sizes: &[f64],
        precision: DType,
    ) -> Result<Vec<f64>, GroupError> {
        let weight = |(sigma, &size): (&f64, &f64)| match size > 0.0 {
            true => sigma.powf(f64::from(self.power)),
            false => 0.0,
        };
        let weights: Vec<f64> = sigma.iter().zip(sizes).map(weight).collect();
        let largest = |of: &[f64]| of.iter().fold(0.0, |largest: f64, &one| largest.max(one));
        let (most, sigma) = (largest(&weights), largest(sigma));
        let range = match precision {
            DType::F64 => f64::MIN_POSITIVE..=f64::MAX,
            _ => f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX),
        };
        match sigma == 0.0 || range.contains(&most) {
            true => Ok(weights),
            false => Err(GroupError::Power {
                power: self.power,
                sigma,
            }),
        }
    }
}

/// The published loss as memberships K D⁻¹ of weight 1, one for each example: Σ of their squares is ‖K D⁻¹ ℓ‖². K² is
/// never formed, so that coefficients are in range wherever K is.
fn closed_form(gram: Tensor<2>) -> Groups {
    let [n, _] = gram.dims();
    let device = gram.device();
    let diagonal = Tensor::<1, Int>::arange(0..n as i64, &device).reshape([n, 1]);
    let squares = gram.clone().gather(1, diagonal).reshape([1, n]);
    // A square that small has lost its digits.
    let zero = squares.clone().lower_elem(f32::MIN_POSITIVE).expand([n, n]);
    let weights = squares.ones_like().reshape([n]);
    let norms = squares.sqrt().expand([n, n]);
    let membership = (gram.clone() / norms).mask_fill(zero, 0.0);
    Groups::from_parts(membership, weights, vec![1.0; n])
        .signed()
        .with_lazy_spectrum(LazySpectrum::new(gram, AT_MOST))
}

impl Grouping for SingularVectors {
    fn needs(&self) -> Needs {
        Needs::Gradients
    }

    /// Its own sketch is one of the gradients, not of another sketch.
    fn looks_at(&self) -> Look {
        match self.sketch {
            None => Look::InnerProducts,
            Some(_) => Look::Layers,
        }
    }

    fn is_signed(&self) -> bool {
        self.membership == Membership::Signed
    }

    fn keeps_identity(&self) -> bool {
        false
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        match self.gram(draw)? {
            Some(gram) => {
                wide_gram(OPERATION, &gram)?;
                Ok(closed_form(gram))
            }
            None => self.directions(draw),
        }
    }

    fn group_ahead(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        match self.gram(draw)? {
            Some(gram) => Ok(closed_form(gram)),
            None => self.directions(draw),
        }
    }
}
