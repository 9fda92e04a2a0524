//! Log-likelihoods of targets.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};

/// The log-likelihood of each target under the softmax of its logits: logits `[rows, classes]`, targets `[rows]` from 0 to
/// below `classes`, `[rows]`. Its negative is the cross-entropy of each row.
///
/// # Panics
///
/// Where shapes do not fit, or a target is no class.
pub fn log_likelihoods(logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    let ([rows, classes], [m]) = (logits.dims(), targets.dims());
    assert!(
        rows == m,
        "log-likelihoods: {rows} rows of {classes} logits, but {m} targets"
    );
    #[cfg(feature = "flex")]
    if let Some(likelihoods) = crate::flex::likelihood::log_likelihoods(&logits, &targets) {
        return likelihoods;
    }
    log_softmax(logits, 1)
        .gather(1, targets.reshape([rows, 1]))
        .reshape([rows])
}
