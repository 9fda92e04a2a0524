//! Moments of each form of factor, and the factors scaled by them.

use burn::tensor::{IndexingUpdateOp, Tensor};

use super::problem::Problem;
use super::vectors::{Running, Vectors, inverse_root};
use super::whitening::Whitening;
use crate::gradients::factor::lookups::Lookups;
use crate::gradients::factor::outer::{Inputs, Outer};
use crate::gradients::factor::{Factor, Tied};

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Only the gradient as a whole is scaled.
    Plain,
    Outer {
        left: Box<Vectors>,
        right: Box<Vectors>,
    },
    Scatter {
        frequency: Box<Running<1>>,
        right: Box<Vectors>,
    },
    Stack(Vec<Kind>),
    Rows(Box<Vectors>),
}

/// The share of positions that look up each row, `[rows]`.
fn frequency(lookups: &Lookups) -> Tensor<1> {
    let [n, t, _] = lookups.deltas.dims();
    let like = (&lookups.deltas.device(), lookups.deltas.dtype());
    let share = Tensor::<1>::full([n * t], 1.0 / (n * t) as f64, like);
    Tensor::<1>::zeros([lookups.rows], like).select_assign(
        0,
        lookups.indices.clone().reshape([n * t]),
        share,
        IndexingUpdateOp::Add,
    )
}

/// Look-ups whose rows and vectors are scaled: a one-hot input is not centred, to keep it one-hot.
fn scaled(lookups: &Lookups, rows: Tensor<1>, right: &Vectors) -> Lookups {
    let [n, t, _] = lookups.deltas.dims();
    let scale = rows.select(0, lookups.indices.clone().reshape([n * t]));
    let deltas = right.apply(lookups.deltas.clone());
    lookups.with_deltas(deltas * scale.reshape([n, t, 1]))
}

/// `[n, t, d]` as `[n t, d]`.
fn flat(side: &Tensor<3>) -> Tensor<2> {
    let [n, t, d] = side.dims();
    side.clone().reshape([n * t, d])
}

impl Kind {
    /// The moments after one more draw; where they have covariances, [`whiten`](super::moments::whiten) comes next.
    pub(super) fn after(
        before: Option<Self>,
        factor: &Factor,
        whitening: Whitening,
        memory: f64,
    ) -> Self {
        if whitening == Whitening::None {
            return Self::Plain;
        }
        let vectors = |before: Option<Box<Vectors>>, vectors, centred, whitening| {
            let before = before.map(|before| *before);
            Box::new(Vectors::after(before, vectors, centred, whitening, memory))
        };
        let sides = |before| match before {
            Some(Self::Outer { left, right }) => (Some(left), Some(right)),
            _ => (None, None),
        };
        match factor {
            Factor::Outer(Outer {
                left,
                right,
                inputs,
                ..
            }) => {
                let (l, r) = sides(before);
                Self::Outer {
                    left: vectors(l, flat(left), *inputs == Inputs::Left, whitening),
                    right: vectors(r, flat(right), *inputs == Inputs::Right, whitening),
                }
            }
            Factor::Scatter(lookups) => {
                let (hits, right) = match before {
                    Some(Self::Scatter { frequency, right }) => (Some(*frequency), Some(right)),
                    _ => (None, None),
                };
                Self::Scatter {
                    frequency: Box::new(Running::after(hits, frequency(lookups), memory)),
                    right: vectors(right, flat(&lookups.deltas), false, whitening),
                }
            }
            // The table's rows are scaled one by one, as those of look-ups alone: of all products of them there would
            // be rows². The moments are those of the one-hot inputs and the outer product's left side together.
            Factor::Tied(tied) => {
                let Tied { lookups, outer, .. } = &**tied;
                let (l, r) = sides(before);
                let (t, s) = (lookups.deltas.dims()[1] as f64, outer.left.dims()[1] as f64);
                let left = flat(&outer.left);
                let squares = (left.clone() * left).mean_dim(0).reshape([lookups.rows]);
                let squares = frequency(lookups) * (t / (t + s)) + squares * (s / (t + s));
                let both = Tensor::cat(vec![flat(&lookups.deltas), flat(&outer.right)], 0);
                Self::Outer {
                    left: Box::new(Vectors::of_squares(l.map(|left| *left), squares, memory)),
                    right: vectors(r, both, false, whitening),
                }
            }
            Factor::Stack(parts) => {
                let before = match before {
                    Some(Self::Stack(before)) => before,
                    _ => Vec::new(),
                };
                let mut before = before.into_iter();
                let parts = parts
                    .iter()
                    .map(|part| Self::after(before.next(), part, whitening, memory));
                Self::Stack(parts.collect())
            }
            // Of all products of their coordinates there would be p².
            Factor::Rows(rows) => {
                let before = match before {
                    Some(Self::Rows(before)) => Some(before),
                    _ => None,
                };
                Self::Rows(vectors(before, rows.clone(), false, Whitening::Coordinates))
            }
        }
    }

    /// The matrices that [`whiten`](super::moments::whiten) is to replace.
    pub(super) fn covariances<'a>(&'a mut self, found: &mut Vec<&'a mut Tensor<2>>) {
        let mut of = |vectors: &'a mut Vectors| {
            found.extend(vectors.product.as_mut().map(|(_, matrix)| matrix));
        };
        match self {
            Self::Plain => {}
            Self::Outer { left, right } => {
                of(left);
                of(right);
            }
            Self::Scatter { right, .. } => of(right),
            Self::Rows(rows) => of(rows),
            Self::Stack(kinds) => {
                for kind in kinds {
                    kind.covariances(found);
                }
            }
        }
    }

    /// Whether the moments are of the form and of as many coordinates as a factor.
    pub(super) fn fit(&self, factor: &Factor) -> Result<(), Problem> {
        let wide = |moments: &Vectors, vectors: usize| moments.square.sum.dims() == [vectors];
        let sides = factor.sides().unwrap_or_default();
        let fits = match (self, factor) {
            (Self::Plain, _) => true,
            (Self::Outer { left, right }, Factor::Outer(_) | Factor::Tied(_)) => {
                // The rows of a tied table are not whitened by each other.
                if left.product.is_some() && matches!(factor, Factor::Tied(_)) {
                    return Err(Problem::Form);
                }
                wide(left, sides.0) && wide(right, sides.1)
            }
            (Self::Scatter { frequency, right }, Factor::Scatter(_)) => {
                frequency.sum.dims() == [sides.0] && wide(right, sides.1)
            }
            (Self::Stack(kinds), Factor::Stack(parts)) if kinds.len() == parts.len() => {
                let mut pairs = kinds.iter().zip(parts);
                return pairs.try_for_each(|(kind, part)| kind.fit(part));
            }
            (Self::Rows(moments), Factor::Rows(rows)) => wide(moments, rows.dims()[1]),
            _ => return Err(Problem::Form),
        };
        match fits {
            true => Ok(()),
            false => Err(Problem::Shape),
        }
    }

    /// The factor scaled, which the moments [fit](Self::fit).
    pub(super) fn apply(&self, factor: Factor) -> Factor {
        match (self, factor) {
            (Self::Outer { left, right }, Factor::Outer(outer)) => Factor::of_sides(
                left.apply(outer.left),
                right.apply(outer.right),
                outer.inputs,
            ),
            (Self::Outer { left, right }, Factor::Tied(tied)) => {
                let Tied { lookups, outer, .. } = *tied;
                let rows = left.scale(lookups.deltas.dtype());
                let looked = scaled(&lookups, rows, right);
                let (x, deltas) = (left.apply(outer.left), right.apply(outer.right));
                Factor::tied(looked, Outer::new(x, deltas, outer.inputs))
            }
            (Self::Scatter { frequency, right }, Factor::Scatter(lookups)) => {
                let frequency = frequency.mean(lookups.deltas.dtype());
                let rows = inverse_root(frequency.clone(), frequency);
                Factor::Scatter(scaled(&lookups, rows, right))
            }
            (Self::Stack(kinds), Factor::Stack(parts)) => Factor::Stack(
                kinds
                    .iter()
                    .zip(parts)
                    .map(|(kind, part)| kind.apply(part))
                    .collect(),
            ),
            (Self::Rows(moments), Factor::Rows(rows)) => Factor::Rows(moments.apply(rows)),
            (_, factor) => factor,
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device, Distribution, Int, TensorData};

    use super::super::moments::whiten;
    use super::*;

    /// Look-ups as outer products with one-hot rows.
    fn dense(lookups: &Lookups) -> Factor {
        let [n, t, _] = lookups.deltas.dims();
        let one_hot: Tensor<3> = lookups.indices.clone().one_hot(lookups.rows).float();
        Factor::outer(
            one_hot
                .reshape([n, t, lookups.rows])
                .cast(lookups.deltas.dtype()),
            lookups.deltas.clone(),
        )
    }

    #[test]
    fn a_tied_table_is_scaled_as_its_dense_twin() {
        let device = Device::flex();
        let random = |n, t, d| {
            let like = (&device, DType::F64);
            Tensor::<3>::random([n, t, d], Distribution::Uniform(-1.0, 1.0), like)
        };
        let (n, t, s, rows, e) = (7, 5, 3, 6, 4);
        let indices = Tensor::<2, Int>::from_data(
            TensorData::new((0..n * t).map(|i| (i * i % 5) as i64).collect(), [n, t]),
            &device,
        );
        let looked = Lookups::new(indices, random(n, t, e), rows);
        let read = Factor::of_sides(random(n, s, rows), random(n, s, e), Inputs::Right);
        let tied = Factor::merge(vec![Factor::Scatter(looked.clone()), read.clone()]).unwrap();
        let twin = Factor::merge(vec![dense(&looked), read]).unwrap();
        assert!(matches!(
            (&tied, &twin),
            (Factor::Tied(_), Factor::Outer(_))
        ));

        let kronecker = Whitening::Kronecker { damping: 0.1 };
        let moments = |factor: &Factor, whitening| {
            let once = Kind::after(None, factor, whitening, 0.5);
            let mut kinds = vec![(
                "p".to_owned(),
                Kind::after(Some(once), factor, whitening, 0.5),
            )];
            whiten(&mut kinds, 0.1).unwrap();
            kinds.remove(0).1
        };
        for whitening in [Whitening::Coordinates, kronecker] {
            let found = moments(&tied, whitening).apply(tied.clone());
            // The table's rows are scaled one by one, whatever the whitening.
            let expected = match (
                moments(&twin, Whitening::Coordinates),
                moments(&twin, whitening),
            ) {
                (Kind::Outer { left, .. }, Kind::Outer { right, .. }) => {
                    Kind::Outer { left, right }
                }
                _ => unreachable!("the twin is an outer product"),
            };
            let expected = expected.apply(twin.clone()).rows();
            let off: f64 = (found.rows() - expected).abs().max().into_scalar();
            assert!(off < 1e-10, "{off}");
        }
    }
}
