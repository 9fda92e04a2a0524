//! Tensors as numbers to write down.

use anyhow::anyhow;
use burn::tensor::{DType, Tensor};
use gradual::grad::host::read;

/// The entries of a tensor, row-major. Those in single precision are the shortest decimals that are read back as the same
/// single-precision numbers: 0.3 and not 0.30000001192092896.
pub(crate) fn numbers<const D: usize>(tensor: &Tensor<D>) -> anyhow::Result<Vec<f64>> {
    let failed = |problem: String| anyhow!("could not read a tensor from its device: {problem}");
    match tensor.dtype() {
        DType::F64 => read(tensor.clone()).map_err(failed),
        _ => {
            let single: Vec<f32> = read(tensor.clone()).map_err(failed)?;
            Ok(single.into_iter().map(shortest).collect())
        }
    }
}

fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

#[cfg(test)]
mod tests {
    use super::shortest;

    #[test]
    fn decimals_are_short_and_exact() {
        assert_eq!(shortest(0.3).to_string(), "0.3");
        for number in [0.1_f32, 1e-30, 3.4e38, -7.25, 0.0, f32::MIN_POSITIVE] {
            assert_eq!(shortest(number) as f32, number);
        }
    }
}
