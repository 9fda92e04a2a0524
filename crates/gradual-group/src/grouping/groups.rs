//! Groups: the memberships of examples and the weights of groups.

use std::borrow::Cow;
use std::sync::OnceLock;

use burn::tensor::{
    DType, Element, IndexingUpdateOp, Int, Tensor, TensorCreationOptions, TensorData,
};

use crate::error::GroupError;
use crate::grouping::churn::Churn;
use crate::grouping::unread::UnreadAssignment;
use crate::linalg::lazy_spectrum::LazySpectrum;

/// How a group's loss is made of its examples' losses.
///
/// The post says *sum* in words and *mean* on the author's own page; both exist, mean is the
/// default. With the sum, frequent groups weigh more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Average {
    /// ℓ̄_g = (1/n_g) Σ_{j∈g} ℓ_j, so that group sizes do not matter.
    #[default]
    Mean,
    /// ℓ̄_g = Σ_{j∈g} ℓ_j.
    Sum,
}

/// Groups of the examples of one draw.
///
/// # Precision
///
/// Memberships and weights are in the precision in which the losses of the draw are averaged: double for losses in
/// double precision, so that 1/n_g is right to its last bit, and single for all others. Sums of losses in half
/// precision would be right to only two or three digits. Groupings see to it by
/// [`Draw::options`](crate::Draw::options); groups that were made in another precision follow by
/// [`for_losses`](Self::for_losses).
#[derive(Debug, Clone)]
pub struct Groups {
    membership: Tensor<2>,
    weights: Tensor<1>,
    members: Members,
    spectrum: Vec<f64>,
    estimates: Vec<(&'static str, usize)>,
    /// What there is of both where they were not needed for the groups.
    lazy_spectrum: Option<Box<LazySpectrum>>,
    /// Whether memberships have signs.
    signed: bool,
    /// How hard groups were averaged.
    average: Average,
    identities: Vec<u64>,
    churn: Option<Churn>,
}

/// Memberships as known on the host.
#[derive(Debug, Clone)]
enum Members {
    Known(KnownMembers),
    /// Decided on the device, and read on demand.
    Unread(Box<UnreadAssignment>, OnceLock<KnownMembers>),
}

#[derive(Debug, Clone)]
struct KnownMembers {
    assignment: Option<Vec<Option<usize>>>,
    sizes: Vec<f64>,
}

impl KnownMembers {
    fn hard(assignment: Vec<Option<usize>>, groups: usize) -> Self {
        let mut sizes = vec![0.0; groups];
        for &group in assignment.iter().flatten() {
            sizes[group] += 1.0;
        }
        Self {
            assignment: Some(assignment),
            sizes,
        }
    }
}

impl Groups {
    /// All n examples in one group, whose loss is their mean; on a device, or with
    /// [`Draw::options`](crate::Draw::options) in the precision of a draw.
    pub fn one(examples: usize, options: impl Into<TensorCreationOptions>) -> Self {
        let (n, options) = (examples, options.into());
        let share = 1.0 / n.max(1) as f64;
        Self {
            membership: Tensor::full([1, n], share, options.clone()),
            weights: Tensor::ones([1], options),
            members: Members::Known(KnownMembers::hard(vec![Some(0); n], 1)),
            spectrum: Vec::new(),
            estimates: Vec::new(),
            lazy_spectrum: None,
            signed: false,
            average: Average::Mean,
            identities: Vec::new(),
            churn: None,
        }
    }

    /// Hard groups: example j belongs to group `assignment[j]`, or to none.
    ///
    /// A group without examples has weight 0, all others weight 1. On a device, or with
    /// [`Draw::options`](crate::Draw::options) in the precision of a draw.
    ///
    /// # Errors
    ///
    /// [`GroupError::EmptyDraw`], [`GroupError::NoGroups`], and [`GroupError::LabelRange`] for an
    /// assignment of `groups` or more.
    pub fn hard(
        assignment: Vec<Option<usize>>,
        groups: usize,
        average: Average,
        options: impl Into<TensorCreationOptions>,
    ) -> Result<Self, GroupError> {
        let operation = "groups";
        let (k, n) = (groups, assignment.len());
        if n == 0 {
            return Err(GroupError::EmptyDraw { operation });
        }
        if k == 0 {
            return Err(GroupError::NoGroups { operation });
        }
        for (example, group) in assignment.iter().enumerate() {
            if let Some(label) = group.filter(|&label| label >= k) {
                return Err(GroupError::LabelRange {
                    operation,
                    example,
                    label,
                    groups,
                });
            }
        }
        let known = KnownMembers::hard(assignment.clone(), k);
        let sizes = &known.sizes;
        let mut membership = vec![0.0f64; k * n];
        for (example, group) in assignment.iter().enumerate() {
            if let Some(group) = *group {
                membership[group * n + example] = match average {
                    Average::Mean => 1.0 / sizes[group],
                    Average::Sum => 1.0,
                };
            }
        }
        let weights: Vec<f64> = sizes.iter().map(|&size| f64::from(size > 0.0)).collect();
        let options = options.into();
        Ok(Self {
            membership: Tensor::from_data(TensorData::new(membership, [k, n]), options.clone()),
            weights: Tensor::from_data(TensorData::new(weights, [k]), options),
            members: Members::Known(known),
            spectrum: Vec::new(),
            estimates: Vec::new(),
            lazy_spectrum: None,
            signed: false,
            average,
            identities: Vec::new(),
            churn: None,
        })
    }

    /// Hard groups that the host does not know yet, in a given precision. Nothing is read from the device.
    pub(crate) fn ahead(unread: UnreadAssignment, average: Average, precision: DType) -> Self {
        let members = unread.one_hot().transpose().cast(precision);
        let [k, n] = members.dims();
        let sizes = members.clone().sum_dim(1);
        let filled = sizes.clone().greater_elem(0.0).float().cast(precision);
        let membership = match average {
            Average::Mean => members / sizes.clamp_min(1.0).expand([k, n]),
            Average::Sum => members,
        };
        Self {
            members: Members::Unread(Box::new(unread), OnceLock::new()),
            average,
            ..Self::from_parts(membership, filled.reshape([k]), Vec::new())
        }
    }

    /// Soft groups: `membership` `[k, n]` row-major, already averaged; `weights` `[k]`; `sizes`
    /// `[k]`, the mass of examples in each group. On a device, or with
    /// [`Draw::options`](crate::Draw::options) in the precision of a draw: numbers in double precision then keep it.
    ///
    /// # Errors
    ///
    /// [`GroupError::Weights`] unless there is one weight and one size per row, and
    /// [`GroupError::EmptyDraw`] without examples.
    pub fn soft<E: Element>(
        membership: Vec<E>,
        weights: Vec<E>,
        sizes: Vec<f64>,
        options: impl Into<TensorCreationOptions>,
    ) -> Result<Self, GroupError> {
        let k = weights.len();
        if k == 0 || membership.is_empty() {
            return Err(GroupError::EmptyDraw {
                operation: "groups",
            });
        }
        if !membership.len().is_multiple_of(k) || sizes.len() != k {
            return Err(GroupError::Weights {
                membership: sizes.len(),
                weights: k,
            });
        }
        let (n, options) = (membership.len() / k, options.into());
        Ok(Self::from_parts(
            Tensor::from_data(TensorData::new(membership, [k, n]), options.clone()),
            Tensor::from_data(TensorData::new(weights, [k]), options),
            sizes,
        ))
    }

    /// Soft groups whose tensors exist already.
    pub(crate) fn from_parts(membership: Tensor<2>, weights: Tensor<1>, sizes: Vec<f64>) -> Self {
        Self {
            membership,
            weights,
            members: Members::Known(KnownMembers {
                assignment: None,
                sizes,
            }),
            spectrum: Vec::new(),
            estimates: Vec::new(),
            lazy_spectrum: None,
            signed: false,
            average: Average::Mean,
            identities: Vec::new(),
            churn: None,
        }
    }

    /// The groups of several groupings of the same examples, one grouping after another. An example
    /// may then belong to several.
    pub(crate) fn side_by_side(several: Vec<Self>) -> Self {
        let rows = several.iter().map(|groups| groups.membership.clone());
        let weights = several.iter().map(|groups| groups.weights.clone());
        let (rows, weights) = (rows.collect(), weights.collect());
        let sizes = several.iter().flat_map(|groups| groups.sizes().to_vec());
        let signed = several.iter().any(|groups| groups.signed);
        Self {
            signed,
            ..Self::from_parts(
                Tensor::cat(rows, 0),
                Tensor::cat(weights, 0),
                sizes.collect(),
            )
        }
    }

    /// The same groups with their weights multiplied by `factors` `[k]`.
    pub(crate) fn weighed(self, factors: &[f64]) -> Self {
        let like = (&self.weights.device(), self.weights.dtype());
        let factors = TensorData::new(factors.to_vec(), [factors.len()]);
        let weights = self.weights.clone() * Tensor::from_data(factors, like);
        Self { weights, ..self }
    }

    /// The same groups in the precision that these losses are averaged in: double for losses in double precision,
    /// single for all others. Memberships of hard groups are made anew, so that none keeps what was rounded away.
    pub fn for_losses(&self, losses: &Tensor<1>) -> Cow<'_, Self> {
        let precision = averaging(losses.dtype());
        if self.membership.dtype() == precision {
            return Cow::Borrowed(self);
        }
        let options = (&self.membership.device(), precision);
        let again = match &self.members {
            Members::Unread(unread, _) => {
                Some(Self::ahead((**unread).clone(), self.average, precision))
            }
            Members::Known(known) => known.assignment.clone().and_then(|assignment| {
                Self::hard(assignment, self.num_groups(), self.average, options).ok()
            }),
        };
        let membership = again.map_or_else(
            || self.membership.clone().cast(precision),
            |again| again.membership,
        );
        Cow::Owned(Self {
            membership,
            weights: self.weights.clone().cast(precision),
            ..self.clone()
        })
    }

    /// The same groups with the singular values that they were found from, largest first.
    #[must_use]
    pub fn with_spectrum(mut self, spectrum: Vec<f64>) -> Self {
        self.spectrum = spectrum;
        self
    }

    /// The same groups with what estimators of their number said, by name.
    #[must_use]
    pub fn with_estimates(mut self, estimates: Vec<(&'static str, usize)>) -> Self {
        self.estimates = estimates;
        self
    }

    /// The same groups with a spectrum that is computed on demand.
    pub(crate) fn with_lazy_spectrum(mut self, lazy_spectrum: LazySpectrum) -> Self {
        self.lazy_spectrum = Some(Box::new(lazy_spectrum));
        self
    }

    /// The same groups, marked as [signed](Self::is_signed): to be said of soft groups with negative memberships.
    #[must_use]
    pub fn signed(mut self) -> Self {
        self.signed = true;
        self
    }

    /// The same groups with the [identity](Self::identities) of each, `[k]`.
    #[must_use]
    pub fn with_identities(mut self, identities: Vec<u64>) -> Self {
        self.identities = identities;
        self
    }

    /// The same groups with what changed since the previous draw.
    #[must_use]
    pub fn with_churn(mut self, churn: Churn) -> Self {
        self.churn = Some(churn);
        self
    }

    /// The same groups in a larger draw of `examples`, where theirs are those at the positions `at`, `[n]`. The others
    /// are in no group.
    ///
    /// # Errors
    ///
    /// [`GroupError::Shape`] unless there is a position below `examples` for each example.
    pub fn among(self, at: &[usize], examples: usize) -> Result<Self, GroupError> {
        let (k, n) = (self.num_groups(), self.num_examples());
        let within = at.iter().filter(|&&at| at < examples).count();
        if within != n || at.len() != n {
            return Err(GroupError::Shape {
                operation: "groups",
                expected: n,
                got: within,
            });
        }
        let place = |few: &Vec<Option<usize>>| {
            let mut all = vec![None; examples];
            for (&at, &group) in at.iter().zip(few) {
                all[at] = group;
            }
            all
        };
        let known = self.known();
        let members = Members::Known(KnownMembers {
            assignment: known.assignment.as_ref().map(place),
            sizes: known.sizes.clone(),
        });
        let device = self.membership.device();
        let positions: Vec<i64> = at.iter().map(|&at| at as i64).collect();
        let positions = TensorData::new(positions, [n]);
        let membership = Tensor::zeros([k, examples], (&device, self.membership.dtype()));
        let membership = membership.select_assign(
            1,
            Tensor::<1, Int>::from_data(positions, &device),
            self.membership.clone(),
            IndexingUpdateOp::Add,
        );
        Ok(Self {
            membership,
            members,
            ..self
        })
    }

    /// Hard groups that are averaged like these, of another assignment to `count` groups; spectrum and estimates stay.
    ///
    /// # Errors
    ///
    /// Those of [`hard`](Self::hard).
    pub fn renumbered(
        self,
        assignment: Vec<Option<usize>>,
        count: usize,
    ) -> Result<Self, GroupError> {
        let like = (&self.membership.device(), self.membership.dtype());
        let renumbered = Self::hard(assignment, count, self.average, like)?;
        Ok(Self {
            spectrum: self.spectrum,
            estimates: self.estimates,
            ..renumbered
        })
    }

    /// Number of groups k, empty ones included.
    pub fn num_groups(&self) -> usize {
        self.membership.dims()[0]
    }

    /// Number of examples n.
    pub fn num_examples(&self) -> usize {
        self.membership.dims()[1]
    }

    /// Membership M, `[k, n]`.
    pub fn membership(&self) -> &Tensor<2> {
        &self.membership
    }

    /// Group weights s, `[k]`: 1 for hard groups (0 if empty), σ^q for singular directions, times the
    /// prior where [`with_priors`](Self::with_priors) gave one.
    pub fn weights(&self) -> &Tensor<1> {
        &self.weights
    }

    /// Whether memberships, and so coefficients, can be negative, as those of
    /// [`SingularVectors`](crate::SingularVectors) are by default.
    ///
    /// The sign of such a group's loss means nothing, and the groups may be given up to a rotation: Σ_g s_g ℓ̄_g² is
    /// all that is defined. The sum of the coefficients may be anything, so that a scale must not divide by it.
    pub fn is_signed(&self) -> bool {
        self.signed
    }

    /// Number (for soft groups: mass) of examples in each group, `[k]`. Waits for the device if they are
    /// [unread](Self::unread).
    pub fn sizes(&self) -> &[f64] {
        &self.known().sizes
    }

    /// The group of each example, where groups are hard. Waits for the device if they are [unread](Self::unread).
    pub fn assignment(&self) -> Option<&[Option<usize>]> {
        self.known().assignment.as_deref()
    }

    /// What is still on the device: numbers to be read together with others and passed to
    /// [`settled`](Self::settled), `[n]`. None where it knows everything.
    pub fn unread(&self) -> Option<Tensor<1>> {
        match &self.members {
            Members::Unread(unread, _) => Some(unread.codes()),
            Members::Known(_) => None,
        }
    }

    /// The same groups with their assignment known to the host, from the numbers that were [unread](Self::unread),
    /// `[n]`.
    ///
    /// # Errors
    ///
    /// [`GroupError::NotFinite`] naming the first example whose gradient holds NaN or infinity, and
    /// [`GroupError::Shape`] unless there is one number for each example.
    pub fn settled(mut self, read: &[f32]) -> Result<Self, GroupError> {
        if let Members::Unread(unread, _) = &self.members {
            let known = KnownMembers::hard(unread.assignment(read)?, self.num_groups());
            self.members = Members::Known(known);
        }
        Ok(self)
    }

    /// The same groups, [settled](Self::settled) by a read of their own.
    ///
    /// # Errors
    ///
    /// [`GroupError::NotFinite`], and [`GroupError::Read`] with the backend's message.
    pub(crate) fn known_now(self) -> Result<Self, GroupError> {
        let Members::Unread(unread, _) = &self.members else {
            return Ok(self);
        };
        let read = unread.read()?;
        self.settled(&read)
    }

    fn known(&self) -> &KnownMembers {
        match &self.members {
            Members::Known(known) => known,
            // What went wrong in a draw is said when it is settled; up to there such examples are in no group.
            Members::Unread(unread, known) => known.get_or_init(|| {
                let read = unread.read().unwrap_or_default();
                KnownMembers::hard(unread.groups_of(&read), self.num_groups())
            }),
        }
    }

    /// Singular values of what was grouped, largest first; empty where no spectrum was taken. For
    /// [`SingularVectors`](crate::SingularVectors) these are the gradients; where a matrix of cosines
    /// or similarities was clustered, the roots of its eigenvalues.
    pub fn spectrum(&self) -> &[f64] {
        match &self.lazy_spectrum {
            Some(lazy_spectrum) => &lazy_spectrum.get().0,
            None => &self.spectrum,
        }
    }

    /// What each cheap estimator of the number of groups said of the spectrum, by name: see
    /// [`estimates`](crate::estimates()). Empty where no spectrum was taken.
    pub fn estimates(&self) -> &[(&'static str, usize)] {
        match &self.lazy_spectrum {
            Some(lazy_spectrum) => &lazy_spectrum.get().1,
            None => &self.estimates,
        }
    }

    /// A number for each group `[k]` that it keeps as long as it lives and that no other group ever
    /// gets; an empty group has that of the last one in its place. Empty where groups are not
    /// followed from draw to draw: see [`Tracked`](crate::Tracked).
    pub fn identities(&self) -> &[u64] {
        &self.identities
    }

    /// What changed since the previous draw, where groups are followed.
    pub fn churn(&self) -> Option<&Churn> {
        self.churn.as_ref()
    }

    /// Group losses ℓ̄ = Mℓ, `[n]` → `[k]`, in double precision for losses in double precision and in single precision
    /// for all others. Differentiable in the losses.
    pub fn losses(&self, losses: Tensor<1>) -> Tensor<1> {
        let [n] = losses.dims();
        let k = self.num_groups();
        let membership = self.for_losses(&losses).membership.clone();
        let losses = losses.cast(membership.dtype());
        membership.matmul(losses.reshape([n, 1])).reshape([k])
    }
}

/// The precision in which losses of precision `losses` are averaged.
pub(crate) fn averaging(losses: DType) -> DType {
    match losses {
        DType::F64 => DType::F64,
        _ => DType::F32,
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn membership(groups: &Groups) -> Vec<f32> {
        let values = groups.membership().clone().into_data();
        values.try_to_vec().unwrap()
    }

    #[test]
    fn groups_among_others() {
        let device = Device::flex();
        let hard = Groups::hard(vec![Some(1), Some(0), Some(1)], 2, Average::Mean, &device);
        let all = hard.unwrap().among(&[0, 2, 3], 5).unwrap();
        let expected = [Some(1), None, Some(0), Some(1), None];
        assert_eq!(all.assignment().unwrap(), expected);
        assert_eq!((all.num_examples(), all.sizes()), (5, &[1.0, 2.0][..]));
        let rows = [0.0, 0.0, 1.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.5, 0.0];
        assert_eq!(membership(&all), rows);

        let soft = Groups::soft(vec![0.25, 0.75], vec![1.0], vec![2.0], &device).unwrap();
        let all = soft.clone().among(&[2, 0], 3).unwrap();
        assert_eq!(membership(&all), [0.75, 0.0, 0.25]);
        assert!(all.assignment().is_none());
        for wrong in [&[0][..], &[0, 3], &[0, 1, 2]] {
            assert!(soft.clone().among(wrong, 3).is_err());
        }
    }
}
