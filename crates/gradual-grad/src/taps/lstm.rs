//! Long short-term memory.

use burn::nn::{BiLstm, Lstm, LstmState};
use burn::tensor::Tensor;

use crate::taps::rnn::{Gate, directions, examples_first, over_time, zeros};
use crate::taps::tap::Tap;
use crate::taps::tap::traced;

/// `[n, t, d]` → `[n, t, h]` and the last state.
fn run(
    layer: &Lstm,
    sequence: &Tensor<3>,
    state: Option<LstmState<2>>,
    reverse: bool,
) -> (Tensor<3>, LstmState<2>) {
    let gate = |layer| Gate::new(layer, sequence);
    let (input, output, cell) = (
        gate(&layer.input_gate),
        gate(&layer.output_gate),
        gate(&layer.cell_gate),
    );
    // A gate that is coupled to the input's is not used, even where it is there.
    let forget = layer.forget_gate.as_ref().filter(|_| !layer.input_forget);
    let forget = forget.map(gate);
    let state = state.unwrap_or_else(|| {
        let zeros = zeros(sequence, layer.d_hidden);
        LstmState::new(zeros.clone(), zeros)
    });
    over_time(sequence.dims()[1], reverse, state, |time, state| {
        let LstmState { cell: kept, hidden } = state;
        let activated = |gate: &Gate<'_>| layer.gate_activation.tap(gate.at(time, &hidden));
        let input = activated(&input);
        let forget = match &forget {
            Some(gate) => activated(gate),
            None => input.clone().neg().add_scalar(1.0),
        };
        let output = activated(&output);
        let candidate = layer.cell_activation.tap(cell.at(time, &hidden));
        let mut cell = forget * kept + input * candidate;
        if let Some(clip) = layer.clip {
            cell = cell.clamp(-clip, clip);
        }
        let hidden = output * layer.hidden_activation.tap(cell.clone());
        (hidden.clone(), LstmState::new(cell, hidden))
    })
}

/// Sequence `[n, t, d]` (`[t, n, d]` unless `batch_first`) and initial state → outputs and last state.
impl Tap<(Tensor<3>, Option<LstmState<2>>)> for Lstm {
    type Output = (Tensor<3>, LstmState<2>);

    fn tap(&self, (sequence, state): (Tensor<3>, Option<LstmState<2>>)) -> Self::Output {
        let lacks_a_gate = self.forget_gate.is_none() && !self.input_forget;
        if !traced(self) || sequence.dims().contains(&0) || lacks_a_gate {
            return self.forward(sequence, state);
        }
        let sequence = examples_first(sequence, self.batch_first);
        let (output, state) = run(self, &sequence, state, self.reverse);
        (examples_first(output, self.batch_first), state)
    }
}

/// Sequence `[n, t, d]` (`[t, n, d]` unless `batch_first`) and initial state `[2, n, h]` → outputs of both
/// directions, one beside the other, and last states.
impl Tap<(Tensor<3>, Option<LstmState<3>>)> for BiLstm {
    type Output = (Tensor<3>, LstmState<3>);

    fn tap(&self, (sequence, state): (Tensor<3>, Option<LstmState<3>>)) -> Self::Output {
        let lacks_a_gate = self.reverse.forget_gate.is_none() && !self.reverse.input_forget;
        if !traced(self) || sequence.dims().contains(&0) || lacks_a_gate {
            return BiLstm::forward(self, sequence, state);
        }
        let sequence = examples_first(sequence, self.batch_first);
        let (cells, hiddens) = match state {
            Some(state) => (Some(state.cell), Some(state.hidden)),
            None => (None, None),
        };
        let [first, second] = [0, 1].map(|at| {
            let cell = directions(cells.clone())[at].clone()?;
            let hidden = directions(hiddens.clone())[at].clone()?;
            Some(LstmState::new(cell, hidden))
        });
        let (there, first) = (self.forward).tap((sequence.clone(), first));
        let (back, second) = run(&self.reverse, &sequence, second, true);
        let output = Tensor::cat(vec![there, back], 2);
        let state = LstmState::new(
            Tensor::stack(vec![first.cell, second.cell], 0),
            Tensor::stack(vec![first.hidden, second.hidden], 0),
        );
        (examples_first(output, self.batch_first), state)
    }
}
