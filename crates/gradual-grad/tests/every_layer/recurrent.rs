use burn::nn::activation::{ActivationConfig, PReluConfig};
use burn::nn::{
    BiGru, BiGruConfig, BiLstm, BiLstmConfig, BiRnn, BiRnnConfig, GateController, Gru, GruConfig,
    Initializer, Lstm, LstmConfig, LstmState, Rnn, RnnConfig, RnnState,
};
use burn::tensor::Tensor;
use gradual_grad::Tap;
use proptest::prelude::*;

use crate::support::{After, device, exact, values};

/// A sequence that depends on parameters, in the layout of the layer; the second use is two longer.
fn sequence<L: burn::module::Module>(
    m: &After<L>,
    n: usize,
    t: usize,
    batch_first: bool,
    seed: u64,
) -> Tensor<3> {
    let x = m
        .before
        .tap(values([n, t + 2 * (seed as usize - 1), 3], seed));
    if batch_first { x } else { x.swap_dims(0, 1) }
}

/// A state that depends on parameters.
fn state<L: burn::module::Module>(m: &After<L>, n: usize, h: usize, seed: u64) -> Tensor<2> {
    let level = m.before.tap(values([n, 3], seed + 6)).mean_dim(1);
    values([n, h], seed + 5) + level
}

/// States of both directions.
fn states<L: burn::module::Module>(m: &After<L>, n: usize, h: usize, seed: u64) -> Tensor<3> {
    Tensor::stack(vec![state(m, n, h, seed), state(m, n, h, seed + 3)], 0)
}

/// Outputs and last states of each example, side by side.
fn beside(output: Tensor<3>, batch_first: bool, states: Vec<Tensor<2>>) -> Tensor<2> {
    let output = if batch_first {
        output
    } else {
        output.swap_dims(0, 1)
    };
    let [n, t, h] = output.dims();
    let mut parts: Vec<Tensor<2>> = vec![output.reshape([n, t * h])];
    parts.extend(states);
    Tensor::cat(parts, 1)
}

/// `[2, n, h]` as two.
fn both(states: Tensor<3>) -> Vec<Tensor<2>> {
    let at = |at| states.clone().narrow(0, at, 1).squeeze_dim(0);
    vec![at(0), at(1)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn gate(n in 1usize..5, d in 1usize..4, h in 1usize..4, bias: bool) {
        let layer = GateController::new(d, h, bias, Initializer::Zeros, &device());
        exact(3, d, layer, n, |m: &After<GateController>, n, seed| {
            m.layer.tap((m.before.tap(values([n, 3], seed)), state(m, n, h, seed)))
        });
    }

    #[test]
    fn rnn(
        n in 1usize..4, t in 1usize..4, d in 1usize..4, h in 1usize..4, bias: bool, batch_first: bool, reverse: bool,
        clip: bool, slopes: bool, given: bool,
    ) {
        let activation = if slopes { ActivationConfig::PRelu(PReluConfig::new()) } else { ActivationConfig::Tanh };
        let layer = RnnConfig::new(d, h, bias).with_batch_first(batch_first).with_reverse(reverse)
            .with_clip(clip.then_some(0.4)).with_hidden_activation(activation).init(&device());
        exact(3, d, layer, n, |m: &After<Rnn>, n, seed| {
            let x = sequence(m, n, t, batch_first, seed);
            let first = given.then(|| RnnState::new(state(m, n, h, seed)));
            let (output, last) = m.layer.tap((x, first));
            beside(output, batch_first, vec![last.hidden])
        });
    }

    #[test]
    fn bidirectional_rnn(
        n in 1usize..4, t in 1usize..4, d in 1usize..4, h in 1usize..4, bias: bool, batch_first: bool, given: bool,
    ) {
        let layer = BiRnnConfig::new(d, h, bias).with_batch_first(batch_first).init(&device());
        exact(3, d, layer, n, |m: &After<BiRnn>, n, seed| {
            let x = sequence(m, n, t, batch_first, seed);
            let first = given.then(|| RnnState::new(states(m, n, h, seed)));
            let (output, last) = m.layer.tap((x, first));
            beside(output, batch_first, both(last.hidden))
        });
    }

    #[test]
    fn gru(
        n in 1usize..4, t in 1usize..4, d in 1usize..4, h in 1usize..4, bias: bool, reset_after: bool, clip: bool,
        slopes: bool, given: bool,
    ) {
        let activation = if slopes { ActivationConfig::PRelu(PReluConfig::new()) } else { ActivationConfig::Tanh };
        let layer = GruConfig::new(d, h, bias).with_reset_after(reset_after)
            .with_clip(clip.then_some(0.4)).with_hidden_activation(activation).init(&device());
        exact(3, d, layer, n, |m: &After<Gru>, n, seed| {
            let first = given.then(|| state(m, n, h, seed));
            m.layer.tap((sequence(m, n, t, true, seed), first))
        });
    }

    #[test]
    fn bidirectional_gru(
        n in 1usize..4, t in 1usize..4, d in 1usize..4, h in 1usize..4, bias: bool, reset_after: bool,
        batch_first: bool, given: bool,
    ) {
        let layer = BiGruConfig::new(d, h, bias).with_reset_after(reset_after)
            .with_batch_first(batch_first).init(&device());
        exact(3, d, layer, n, |m: &After<BiGru>, n, seed| {
            let x = sequence(m, n, t, batch_first, seed);
            let (output, last) = m.layer.tap((x, given.then(|| states(m, n, h, seed))));
            beside(output, batch_first, both(last))
        });
    }

    #[test]
    fn lstm(
        n in 1usize..4, t in 1usize..4, d in 1usize..4, h in 1usize..4, bias: bool, batch_first: bool, reverse: bool,
        clip: bool, coupled: bool, slopes: bool, given: bool,
    ) {
        let activation = if slopes { ActivationConfig::PRelu(PReluConfig::new()) } else { ActivationConfig::Tanh };
        let layer = LstmConfig::new(d, h, bias).with_batch_first(batch_first).with_reverse(reverse)
            .with_clip(clip.then_some(0.3)).with_input_forget(coupled).with_cell_activation(activation)
            .init(&device());
        exact(3, d, layer, n, |m: &After<Lstm>, n, seed| {
            let x = sequence(m, n, t, batch_first, seed);
            let first = given.then(|| LstmState::new(state(m, n, h, seed), state(m, n, h, seed + 1)));
            let (output, last) = m.layer.tap((x, first));
            beside(output, batch_first, vec![last.cell, last.hidden])
        });
    }

    #[test]
    fn bidirectional_lstm(
        n in 1usize..4, t in 1usize..4, d in 1usize..4, h in 1usize..4, bias: bool, batch_first: bool,
        coupled: bool, given: bool,
    ) {
        let layer = BiLstmConfig::new(d, h, bias).with_batch_first(batch_first).with_input_forget(coupled)
            .init(&device());
        exact(3, d, layer, n, |m: &After<BiLstm>, n, seed| {
            let x = sequence(m, n, t, batch_first, seed);
            let first = given.then(|| LstmState::new(states(m, n, h, seed), states(m, n, h, seed + 1)));
            let (output, last) = m.layer.tap((x, first));
            let ends = both(last.cell).into_iter().chain(both(last.hidden)).collect();
            beside(output, batch_first, ends)
        });
    }
}
