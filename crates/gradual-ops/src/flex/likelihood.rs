//! Log-likelihoods of targets.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{Int, Tensor};
use pulp::Arch;

use super::{Gradients, in_order, numbers, plain, tensor, tracked};
use crate::kernels::in_parts;
use crate::kernels::likelihood;

/// Rows of a part.
const ROWS: usize = 64;

/// What the backward pass needs.
#[derive(Debug, Clone)]
struct State {
    logits: FlexTensor,
    targets: Arc<Vec<usize>>,
    /// ln Σ exp(z) of each row.
    normalisers: Arc<Vec<f32>>,
}

/// [`log_likelihoods`](crate::log_likelihoods), where both are of this backend.
pub(crate) fn log_likelihoods(logits: &Tensor<2>, targets: &Tensor<1, Int>) -> Option<Tensor<1>> {
    let [rows, classes] = logits.dims();
    if rows == 0 || classes == 0 {
        return None;
    }
    // On the processor already: nothing is waited for.
    let targets = targets.clone().inner().try_into_primitive::<Flex>().ok()?;
    let targets = in_order(&targets).into_data().convert::<i64>();
    let targets: Option<Vec<usize>> = (targets.iter::<i64>())
        .map(|target| usize::try_from(target).ok().filter(|&at| at < classes))
        .collect();
    // What is no class is refused by Burn's own operation.
    let targets = targets?;
    if let Some(logits) = tracked(logits) {
        let (state, output) = State::new(logits.primitive(), targets, classes);
        let prepared = Likelihoods.prepare::<NoCheckpointing>([logits.node()]);
        let output = match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(state, output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        };
        return Some(Tensor::from_primitive::<Autodiff<Flex>>(output));
    }
    let (_, output) = State::new(&plain(logits)?, targets, classes);
    Some(Tensor::from_primitive::<Flex>(output))
}

impl State {
    fn new(logits: &FlexTensor, targets: Vec<usize>, classes: usize) -> (Self, FlexTensor) {
        let logits = in_order(logits);
        let all = numbers(&logits);
        let rows = targets.len();
        let mut likelihoods = vec![0.0; rows];
        let mut normalisers = vec![0.0; rows];
        in_parts(
            (&mut likelihoods, ROWS),
            (&mut normalisers, ROWS),
            |scratch: &mut Vec<f32>, at, likelihoods, normalisers| {
                scratch.resize(classes, 0.0);
                let first = at * ROWS;
                let logits = &all[first * classes..][..likelihoods.len() * classes];
                let targets = &targets[first..][..likelihoods.len()];
                Arch::new().dispatch(likelihood::Forward {
                    logits,
                    targets,
                    scratch,
                    likelihoods,
                    normalisers,
                });
            },
        );
        let output = tensor(likelihoods, [rows]);
        let state = Self {
            logits,
            targets: Arc::new(targets),
            normalisers: Arc::new(normalisers),
        };
        (state, output)
    }

    /// Gradients of the logits from those of the likelihoods.
    fn gradients(&self, deltas: &FlexTensor) -> FlexTensor {
        let (logits, deltas) = (numbers(&self.logits), numbers(deltas));
        let rows = deltas.len();
        let classes = logits.len() / rows;
        let each = ROWS * classes;
        let mut into = vec![0.0; logits.len()];
        let mut nothing = vec![0.0; rows.div_ceil(ROWS)];
        in_parts(
            (&mut into, each),
            (&mut nothing, 1),
            |(): &mut (), at, into, _| {
                let rows = at * ROWS..at * ROWS + into.len() / classes;
                let logits = &logits[rows.start * classes..rows.end * classes];
                let targets = &self.targets[rows.clone()];
                let (normalisers, deltas) = (&self.normalisers[rows.clone()], &deltas[rows]);
                Arch::new().dispatch(likelihood::Backward {
                    logits,
                    targets,
                    normalisers,
                    deltas,
                    into,
                });
            },
        );
        tensor(into, [rows, classes])
    }
}

#[derive(Debug)]
struct Likelihoods;

impl Backward<Flex, 1> for Likelihoods {
    type State = State;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let deltas = in_order(&gradients.consume::<Flex>(&ops.node));
        if let [Some(parent)] = ops.parents {
            gradients.register::<Flex>(parent.id, ops.state.gradients(&deltas));
        }
    }
}
