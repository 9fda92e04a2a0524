//! In which precision numbers of several meet.

use burn::tensor::{DType, Tensor};

/// The precision that numbers are summed in: at least single. Sums of squares of half precision overflow at norms
/// of 256.
pub(crate) fn at_least_single(dtype: DType) -> DType {
    match dtype {
        DType::F16 | DType::BF16 => DType::F32,
        other => other,
    }
}

/// The narrowest precision that holds the numbers of both.
pub(crate) fn widest(a: DType, b: DType) -> DType {
    match (a, b) {
        _ if a == b => a,
        (DType::F64, _) | (_, DType::F64) => DType::F64,
        // Neither half precision holds the other's numbers.
        _ => DType::F32,
    }
}

/// [`widest`] of several tensors; none for an empty list.
pub(crate) fn widest_of<const D: usize>(tensors: &[Tensor<D>]) -> Option<DType> {
    tensors.iter().map(Tensor::dtype).reduce(widest)
}
