//! Recurrent layers: linear gates over time. All uses of a gate over time are uses of one parameter, and their
//! gradients are summed.

use burn::nn::{BiRnn, GateController, Rnn, RnnState};
use burn::tensor::Tensor;

use crate::taps::tap::Tap;
use crate::taps::tap::traced;

/// Input `[n, d]` and hidden state `[n, h]` → `[n, e]`: both linear layers of the gate.
impl Tap<(Tensor<2>, Tensor<2>)> for GateController {
    type Output = Tensor<2>;

    fn tap(&self, (input, hidden): (Tensor<2>, Tensor<2>)) -> Tensor<2> {
        self.input_transform.tap(input) + self.hidden_transform.tap(hidden)
    }
}

/// A gate over a whole sequence: what it makes of the inputs of all times at once, `[n, t, e]`.
pub(super) struct Gate<'a> {
    layer: &'a GateController,
    inputs: Tensor<3>,
}

impl<'a> Gate<'a> {
    pub(super) fn new(layer: &'a GateController, sequence: &Tensor<3>) -> Self {
        let inputs = layer.input_transform.tap(sequence.clone());
        Self { layer, inputs }
    }

    /// What it makes of the input at one time.
    pub(super) fn input(&self, time: usize) -> Tensor<2> {
        self.inputs.clone().narrow(1, time, 1).squeeze_dim(1)
    }

    /// What it makes of a hidden state `[n, h]`.
    pub(super) fn hidden(&self, state: &Tensor<2>) -> Tensor<2> {
        self.layer.hidden_transform.tap(state.clone())
    }

    /// The sum of both.
    pub(super) fn at(&self, time: usize, state: &Tensor<2>) -> Tensor<2> {
        self.input(time) + self.hidden(state)
    }
}

/// Steps through `times` in time or against it, and yields the outputs in time, `[n, times, h]`, with the last state.
pub(super) fn over_time<S>(
    times: usize,
    reverse: bool,
    mut state: S,
    mut step: impl FnMut(usize, S) -> (Tensor<2>, S),
) -> (Tensor<3>, S) {
    let mut outputs = Vec::with_capacity(times);
    for at in 0..times {
        let time = if reverse { times - 1 - at } else { at };
        let (output, next) = step(time, state);
        outputs.push(output);
        state = next;
    }
    if reverse {
        outputs.reverse();
    }
    (Tensor::stack(outputs, 1), state)
}

/// `[n, t, …]` from and to the layout of the layer, which may put time first.
pub(super) fn examples_first(sequence: Tensor<3>, batch_first: bool) -> Tensor<3> {
    match batch_first {
        true => sequence,
        false => sequence.swap_dims(0, 1),
    }
}

/// A state of zeros `[n, h]` for `[n, t, d]`.
pub(super) fn zeros(sequence: &Tensor<3>, width: usize) -> Tensor<2> {
    let n = sequence.dims()[0];
    Tensor::zeros([n, width], (&sequence.device(), sequence.dtype()))
}

/// Both directions of a state `[2, n, h]`.
pub(super) fn directions(state: Option<Tensor<3>>) -> [Option<Tensor<2>>; 2] {
    let one = |at| {
        let state = state.clone()?;
        Some(state.narrow(0, at, 1).squeeze_dim(0))
    };
    [one(0), one(1)]
}

/// `[n, t, d]` → `[n, t, h]` and the last state.
fn run(
    layer: &Rnn,
    sequence: &Tensor<3>,
    state: Option<Tensor<2>>,
    reverse: bool,
) -> (Tensor<3>, Tensor<2>) {
    let gate = Gate::new(&layer.gate, sequence);
    let state = state.unwrap_or_else(|| zeros(sequence, layer.d_hidden));
    over_time(sequence.dims()[1], reverse, state, |time, state| {
        let mut hidden = layer.hidden_activation.tap(gate.at(time, &state));
        if let Some(clip) = layer.clip {
            hidden = hidden.clamp(-clip, clip);
        }
        (hidden.clone(), hidden)
    })
}

/// Sequence `[n, t, d]` (`[t, n, d]` unless `batch_first`) and initial state → outputs and last state.
impl Tap<(Tensor<3>, Option<RnnState<2>>)> for Rnn {
    type Output = (Tensor<3>, RnnState<2>);

    fn tap(&self, (sequence, state): (Tensor<3>, Option<RnnState<2>>)) -> Self::Output {
        if !traced(self) || sequence.dims().contains(&0) {
            return self.forward(sequence, state);
        }
        let sequence = examples_first(sequence, self.batch_first);
        let state = state.map(|state| state.hidden);
        let (output, state) = run(self, &sequence, state, self.reverse);
        (
            examples_first(output, self.batch_first),
            RnnState::new(state),
        )
    }
}

/// Sequence `[n, t, d]` (`[t, n, d]` unless `batch_first`) and initial state `[2, n, h]` → outputs of both
/// directions, one beside the other, and last states.
impl Tap<(Tensor<3>, Option<RnnState<3>>)> for BiRnn {
    type Output = (Tensor<3>, RnnState<3>);

    fn tap(&self, (sequence, state): (Tensor<3>, Option<RnnState<3>>)) -> Self::Output {
        if !traced(self) || sequence.dims().contains(&0) {
            return BiRnn::forward(self, sequence, state);
        }
        let sequence = examples_first(sequence, self.batch_first);
        let [first, second] = directions(state.map(|state| state.hidden));
        let (there, first) = (self.forward).tap((sequence.clone(), first.map(RnnState::new)));
        let (back, second) = run(&self.reverse, &sequence, second, true);
        let output = Tensor::cat(vec![there, back], 2);
        (
            examples_first(output, self.batch_first),
            RnnState::new(Tensor::stack(vec![first.hidden, second], 0)),
        )
    }
}
