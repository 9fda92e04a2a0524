//! One optimizer for matrices, another for all other parameters.
//!
//! Burn's groups of parameters go by path and identity, which say nothing of a parameter's rank.

use burn::optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource, join_path};
use burn::tensor::{Device, Tensor};

/// `matrices` for parameters of rank 2, `others` for the rest.
#[derive(Clone)]
pub(super) struct ByRank<M, O> {
    pub(super) matrices: M,
    pub(super) others: O,
}

/// The state of one parameter.
#[derive(Clone)]
pub(super) enum ByRankState<M, O> {
    Matrix(M),
    Other(O),
}

const MATRIX: &str = "matrix";
const OTHER: &str = "other";

impl<M: RecordState, O: RecordState> RecordState for ByRankState<M, O> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        match self {
            Self::Matrix(state) => state.state_flatten(&join_path(prefix, MATRIX), out),
            Self::Other(state) => state.state_flatten(&join_path(prefix, OTHER), out),
        }
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        let (matrix, other) = (join_path(prefix, MATRIX), join_path(prefix, OTHER));
        match src.has_under(&matrix) {
            true => M::state_unflatten(&matrix, src, device).map(Self::Matrix),
            false => O::state_unflatten(&other, src, device).map(Self::Other),
        }
    }
}

impl<M: Optimizer, O: Optimizer> Optimizer for ByRank<M, O> {
    type State<const D: usize> = ByRankState<M::State<D>, O::State<D>>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        if D == 2 {
            let state = match state {
                Some(ByRankState::Matrix(state)) => Some(state),
                _ => None,
            };
            let (tensor, state) = self.matrices.step(lr, tensor, grad, state);
            return (tensor, state.map(ByRankState::Matrix));
        }
        let state = match state {
            Some(ByRankState::Other(state)) => Some(state),
            _ => None,
        };
        let (tensor, state) = self.others.step(lr, tensor, grad, state);
        (tensor, state.map(ByRankState::Other))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        match state {
            ByRankState::Matrix(state) => ByRankState::Matrix(M::to_device(state, device)),
            ByRankState::Other(state) => ByRankState::Other(O::to_device(state, device)),
        }
    }
}
