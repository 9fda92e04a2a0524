//! Gated recurrent units.

use burn::nn::{BiGru, Gru};
use burn::tensor::Tensor;

use crate::taps::rnn::{Gate, directions, examples_first, over_time, zeros};
use crate::taps::tap::Tap;
use crate::taps::tap::traced;

/// `[n, t, d]` → `[n, t, h]` and the last state.
fn run(
    layer: &Gru,
    sequence: &Tensor<3>,
    state: Option<Tensor<2>>,
    reverse: bool,
) -> (Tensor<3>, Tensor<2>) {
    let update = Gate::new(&layer.update_gate, sequence);
    let reset = Gate::new(&layer.reset_gate, sequence);
    let new = Gate::new(&layer.new_gate, sequence);
    let state = state.unwrap_or_else(|| zeros(sequence, layer.d_hidden));
    over_time(sequence.dims()[1], reverse, state, |time, state| {
        let update = layer.gate_activation.tap(update.at(time, &state));
        let reset = layer.gate_activation.tap(reset.at(time, &state));
        let candidate = match layer.reset_after {
            true => new.input(time) + reset * new.hidden(&state),
            false => new.at(time, &(state.clone() * reset)),
        };
        let candidate = layer.hidden_activation.tap(candidate);
        let mut hidden = candidate * update.clone().neg().add_scalar(1.0) + update * state;
        if let Some(clip) = layer.clip {
            hidden = hidden.clamp(-clip, clip);
        }
        (hidden.clone(), hidden)
    })
}

/// Sequence `[n, t, d]` and initial state `[n, h]` → outputs `[n, t, h]`.
impl Tap<(Tensor<3>, Option<Tensor<2>>)> for Gru {
    type Output = Tensor<3>;

    fn tap(&self, (sequence, state): (Tensor<3>, Option<Tensor<2>>)) -> Tensor<3> {
        if !traced(self) || sequence.dims().contains(&0) {
            return self.forward(sequence, state);
        }
        run(self, &sequence, state, false).0
    }
}

/// Sequence `[n, t, d]` (`[t, n, d]` unless `batch_first`) and initial state `[2, n, h]` → outputs of both
/// directions, one beside the other, and last states.
impl Tap<(Tensor<3>, Option<Tensor<3>>)> for BiGru {
    type Output = (Tensor<3>, Tensor<3>);

    fn tap(&self, (sequence, state): (Tensor<3>, Option<Tensor<3>>)) -> Self::Output {
        if !traced(self) || sequence.dims().contains(&0) {
            return BiGru::forward(self, sequence, state);
        }
        let sequence = examples_first(sequence, self.batch_first);
        let [first, second] = directions(state);
        let (there, first) = run(&self.forward, &sequence, first, false);
        let (back, second) = run(&self.reverse, &sequence, second, true);
        let output = Tensor::cat(vec![there, back], 2);
        (
            examples_first(output, self.batch_first),
            Tensor::stack(vec![first, second], 0),
        )
    }
}
