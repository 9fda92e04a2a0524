//! Soft groups around each example, from a kernel.

use burn::tensor::Tensor;

use super::OPERATION;
use crate::error::GroupError;
use crate::grouping::draw::Draw;
use crate::grouping::groups::Groups;
use crate::read::host_together;

/// The groups of a draw whose examples have these similarities to m examples with coordinates `[m, r]`. Each row of the
/// similarities `[n, m]` may have a factor of its own. `norms` `[n]` are those of the gradients: 0 for an example that
/// is in no group.
pub(super) fn groups(
    draw: &Draw<'_>,
    similarities: Tensor<2>,
    norms: Tensor<1>,
    coordinates: &Tensor<2>,
    power: f64,
) -> Result<Groups, GroupError> {
    let n = draw.num_examples();
    let places = similarities.matmul(coordinates.clone());
    let lengths = (places.clone() * places.clone()).sum_dim(1).sqrt();
    let nowhere = lengths.clone().equal_elem(0.0);
    let places = places / lengths.mask_fill(nowhere, 1.0);
    let cosines = places.clone().matmul(places.transpose()).clamp(0.0, 1.0);
    // An example is like itself wherever it is.
    let itself = Tensor::<2>::eye(n, &cosines.device()).cast(cosines.dtype());
    let there = norms
        .clone()
        .greater_elem(0.0)
        .float()
        .cast(cosines.dtype());
    let kernel =
        cosines.powf_scalar(power) * (itself.clone().neg() + 1.0) + itself * there.reshape([n, 1]);
    of_kernel(draw, kernel, norms)
}

/// The groups of a symmetric kernel K ≥ 0, `[n, n]`: with d = K1, memberships K / d and weights 1 / d.
fn of_kernel(draw: &Draw<'_>, kernel: Tensor<2>, norms: Tensor<1>) -> Result<Groups, GroupError> {
    let n = draw.num_examples();
    let kernel = kernel.cast(draw.precision());
    let degrees = kernel.clone().sum_dim(1);
    let empty = degrees.clone().equal_elem(0.0);
    let shares = degrees
        .clone()
        .mask_fill(empty.clone(), 1.0)
        .recip()
        .mask_fill(empty, 0.0);
    let membership = kernel * shares.clone();
    let [norms, sizes] = host_together(OPERATION, [norms, degrees.reshape([n])])?;
    if let Some(example) = norms.iter().position(|norm| !norm.is_finite()) {
        return Err(GroupError::NotFinite {
            operation: OPERATION,
            example,
        });
    }
    let sizes = sizes.into_iter().map(f64::from).collect();
    Ok(Groups::from_parts(membership, shares.reshape([n]), sizes))
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};
    use proptest::prelude::*;

    use super::*;
    use crate::grouping::Grouping;
    use crate::groupings::labels::Labels;

    /// c = 2 Mᵀ (s ∘ Mℓ), the derivative of Σ_j s_j ℓ̄_j².
    fn coefficients(groups: &Groups, losses: &[f64]) -> Vec<f64> {
        let n = losses.len();
        let data = groups.membership().clone().into_data().convert::<f64>();
        let membership: Vec<f64> = data.try_to_vec().unwrap();
        let weights = groups.weights().clone().into_data().convert::<f64>();
        let weights: Vec<f64> = weights.try_to_vec().unwrap();
        let mut coefficients = vec![0.0; n];
        for (row, weight) in membership.chunks(n).zip(weights) {
            let loss: f64 = row
                .iter()
                .zip(losses)
                .map(|(share, loss)| share * loss)
                .sum();
            for (coefficient, share) in coefficients.iter_mut().zip(row) {
                *coefficient += 2.0 * weight * loss * share;
            }
        }
        coefficients
    }

    proptest! {
        /// L = Σ_j ℓ̄_j² / d_j is Σ_g ℓ̄_g², whatever the groups.
        #[test]
        fn a_kernel_of_blocks_is_the_known_labels(
            examples in prop::collection::vec((0usize..5, 0.0f64..4.0), 1..24),
        ) {
            let (labels, losses): (Vec<usize>, Vec<f64>) = examples.into_iter().unzip();
            let n = labels.len();
            let device = Device::flex();
            let pairs = labels.iter().flat_map(|a| labels.iter().map(move |b| (a == b) as u8 as f64));
            let kernel = TensorData::new(pairs.collect::<Vec<f64>>(), [n, n]);
            let kernel = Tensor::<2>::from_data(kernel, (&device, burn::tensor::DType::F64));
            let held = Tensor::<1>::from_data(
                TensorData::new(losses.clone(), [n]),
                (&device, burn::tensor::DType::F64),
            );
            let labels: Vec<Option<usize>> = labels.into_iter().map(Some).collect();
            let draw = Draw::new(&held).with_labels(&labels);
            let norms = held.ones_like();
            let soft = of_kernel(&draw, kernel, norms).unwrap();
            let hard = Labels::new(5).group(&draw).unwrap();
            let (soft, hard) = (coefficients(&soft, &losses), coefficients(&hard, &losses));
            for (soft, hard) in soft.iter().zip(&hard) {
                prop_assert!((soft - hard).abs() < 1e-12, "{soft} {hard}");
            }
        }
    }
}
