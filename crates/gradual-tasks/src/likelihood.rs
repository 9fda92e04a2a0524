//! Log-probabilities of what is right.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};

/// Of the right class, from logits `[n, classes]`: `[n]`.
pub(crate) fn of_classes(logits: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<1> {
    let [n, _] = logits.dims();
    log_softmax(logits, 1)
        .gather(1, classes.reshape([n, 1]))
        .reshape([n])
}

/// Of the right token in each place, from logits `[n, t, v]`: `[n, t]`.
pub(crate) fn of_tokens(logits: Tensor<3>, tokens: Tensor<2, Int>) -> Tensor<2> {
    let [n, t] = tokens.dims();
    log_softmax(logits, 2)
        .gather(2, tokens.reshape([n, t, 1]))
        .reshape([n, t])
}
