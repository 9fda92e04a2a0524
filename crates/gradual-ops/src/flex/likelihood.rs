//! Log-likelihoods of targets.

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::{Int, Tensor};
use pulp::Arch;

use super::{Kept, in_graph, in_order, numbers, plain, tensor, tracked};
use crate::kernels::{in_pairs, in_parts, likelihood};

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
    if let Some(logits_in_graph) = tracked(logits) {
        let (state, output) = State::new(logits_in_graph.primitive(), targets, classes);
        return Some(in_graph([&logits_in_graph], state, output));
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
        in_pairs(
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
}

impl Kept for State {
    fn gradients(&self, deltas: &FlexTensor, _: &[bool]) -> Vec<Option<FlexTensor>> {
        let (logits, deltas) = (numbers(&self.logits), numbers(deltas));
        let rows = deltas.len();
        let classes = logits.len() / rows;
        let each = ROWS * classes;
        let mut into = vec![0.0; logits.len()];
        in_parts(&mut into, each, |(): &mut (), at, into| {
            let rows = at * ROWS..at * ROWS + into.len() / classes;
            Arch::new().dispatch(likelihood::Backward {
                logits: &logits[rows.start * classes..rows.end * classes],
                targets: &self.targets[rows.clone()],
                normalisers: &self.normalisers[rows.clone()],
                deltas: &deltas[rows],
                into,
            });
        });
        vec![Some(tensor(into, [rows, classes]))]
    }
}
