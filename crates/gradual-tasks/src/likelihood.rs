//! Log-probabilities of what is right.

use burn::tensor::{Int, Tensor};
use gradual::train::{Score, TrainError};
use gradual_ops::log_likelihoods;

use crate::host::floats;

/// Of the right class, from logits `[n, classes]`: `[n]`.
pub(crate) fn of_classes(logits: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<1> {
    log_likelihoods(logits, classes)
}

/// Of the right token in each place, from logits `[n, t, v]`: `[n, t]`.
pub(crate) fn of_tokens(logits: Tensor<3>, tokens: Tensor<2, Int>) -> Tensor<2> {
    let [n, t, classes] = logits.dims();
    let rows = log_likelihoods(logits.reshape([n * t, classes]), tokens.reshape([n * t]));
    rows.reshape([n, t])
}

/// How well logits `[n, classes]` tell the right classes: share of right answers, mean loss, and mean probability of the right one.
pub(crate) fn score(
    logits: Tensor<2>,
    classes: Tensor<1, Int>,
    operation: &'static str,
) -> Result<Score, TrainError> {
    let [n, _] = logits.dims();
    let found = logits.clone().argmax(1).reshape([n]);
    let right = floats(found.equal(classes.clone()).float(), operation)?;
    let likely = floats(of_classes(logits, classes), operation)?;
    let mean = |sum: f64| sum / n as f64;
    Ok(Score {
        probability: Some(mean(likely.iter().map(|one| one.exp()).sum())),
        ..Score::new(mean(right.iter().sum()), mean(-likely.iter().sum::<f64>()))
    })
}
