//! Gradients whose squares are out of the range of their precision.

use burn::tensor::DType;
use gradual_grad::ExampleGradients;
use gradual_grad::host::read_together;

use super::decided::CheckedStep;
use crate::error::TrainError;

/// The error of a draw whose gradients can't be compared, if they are finite and can't. Waits for the device.
pub(crate) fn out_of_range(gradients: &ExampleGradients) -> Result<Option<TrainError>, TrainError> {
    let (in_range, unit) = gradients.in_range();
    let norms = in_range.norms();
    let (least, most) = range(norms.dtype());
    let [norms, unit] =
        read_together::<f64, 2>([norms, unit]).map_err(|problem| TrainError::Read {
            operation: "step",
            problem,
        })?;
    let largest = norms
        .iter()
        .enumerate()
        .max_by(|(_, a), (_, b)| a.total_cmp(b));
    let (Some((example, norm)), Some(unit)) = (largest, unit.first()) else {
        return Ok(None);
    };
    let norm = norm * unit;
    let overflows = norm.is_finite() && norm > most;
    let vanishes = norm > 0.0 && norm < least;
    Ok((overflows || vanishes).then_some(TrainError::Range {
        example,
        norm,
        overflows,
    }))
}

/// From the root of the smallest number with all digits, times what a square may lose to rounding, to the root of the
/// largest number, divided by as many squares as a sum may have.
fn range(dtype: DType) -> (f64, f64) {
    let (smallest, epsilon, largest) = match dtype {
        DType::F64 => (f64::MIN_POSITIVE, f64::EPSILON, f64::MAX),
        _ => {
            let of = [f32::MIN_POSITIVE, f32::EPSILON, f32::MAX].map(f64::from);
            (of[0], of[1], of[2])
        }
    };
    ((smallest / epsilon).sqrt(), (largest * epsilon).sqrt())
}

/// Whether the gradients behind an update may be too small to be squared: of norms g_j no sum of an update's entries is
/// larger than √p Σ|c_j| max g_j.
pub(crate) fn may_vanish(checked: &CheckedStep, parameters: usize) -> bool {
    let (least, _) = range(DType::F32);
    let coefficients = checked.stepped.coefficients.iter();
    let mass: f64 = coefficients.map(|&c| f64::from(c).abs()).sum();
    let bound = (parameters as f64).sqrt() * mass * least;
    f64::from(checked.largest_sum) <= bound
}
