//! The precision in which groups are composed: double where the losses are, single everywhere else.

use burn::tensor::{DType, Device, Tensor, TensorData};
use gradual_group::Groups;

/// Half precision holds neither a sum over many groups nor a share of one among them.
pub(crate) fn composing(dtype: DType) -> DType {
    match dtype {
        DType::F64 => DType::F64,
        _ => DType::F32,
    }
}

/// The distance from 1 to the next number.
pub(crate) fn epsilon(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::EPSILON,
        DType::F16 => 2f64.powi(-10),
        DType::BF16 => 2f64.powi(-7),
        _ => f64::from(f32::EPSILON),
    }
}

/// The least positive number of full precision and the largest one.
pub(crate) fn ordinary(dtype: DType) -> (f64, f64) {
    match dtype {
        DType::F64 => (f64::MIN_POSITIVE, f64::MAX),
        _ => (f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX)),
    }
}

/// Whether a device computes in double precision. Graphics interfaces (wgpu, Vulkan, Metal) report it where the
/// hardware can, but kernels fail in it all the same; only the `Debug` output of a device tells which backend it is
/// of.
pub(crate) fn has_double(device: &Device) -> bool {
    let named = format!("{:?}", device.as_dispatch());
    let graphics = named.contains("Cube") && !named.contains("Cuda");
    !graphics && device.supports_dtype(DType::F64)
}

/// The same numbers in the precision in which they are composed; differentiable.
pub(crate) fn wide<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    let dtype = composing(tensor.dtype());
    tensor.cast(dtype)
}

/// Group losses ℓ̄ = Mℓ, `[n]` → `[k]`, in the precision of the losses. Differentiable in them.
pub(crate) fn group_losses(losses: Tensor<1>, groups: &Groups) -> Tensor<1> {
    let ([n], k) = (losses.dims(), groups.num_groups());
    let membership = groups.membership().clone().cast(losses.dtype());
    membership.matmul(losses.reshape([n, 1])).reshape([k])
}

/// Group weights s, `[k]`, in the precision of `like`.
pub(crate) fn weights(groups: &Groups, like: &Tensor<1>) -> Tensor<1> {
    groups.weights().clone().cast(like.dtype())
}

/// Numbers on the device and in the precision of `like`.
pub(crate) fn vector(values: &[f64], like: &Tensor<1>) -> Tensor<1> {
    let data = TensorData::new(values.to_vec(), [values.len()]).convert_dtype(like.dtype());
    Tensor::from_data(data, (&like.device().inner(), like.dtype()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_computes_in_double_precision() {
        assert!(has_double(&Device::flex()));
        assert!(has_double(&Device::flex().autodiff()));
    }
}
