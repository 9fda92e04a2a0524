//! Linear layers.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use faer::Accum;
use pulp::Arch;

use super::{
    Kept, Tracked, in_graph, in_order, is_tracked, lifted, numbers, plain, shaped, tensor,
};
use crate::kernels::in_parts;
use crate::kernels::linear::{ColumnSums, Rows, product};

/// Rows of a part, however many threads there are.
const ROWS: usize = 256;

/// What the backward pass needs.
#[derive(Debug, Clone)]
struct State {
    x: FlexTensor,
    weight: FlexTensor,
    /// Columns of a row of `x`, and of the output.
    widths: [usize; 2],
}

/// [`linear`](crate::linear()), where all are of this backend.
pub(crate) fn linear<const D: usize>(
    x: &Tensor<D>,
    weight: &Tensor<2>,
    bias: Option<&Tensor<1>>,
) -> Option<Tensor<D>> {
    let widths = weight.dims();
    if x.dims().contains(&0) || widths.contains(&0) {
        return None;
    }
    let mut dims = x.dims();
    dims[D - 1] = widths[1];
    let state = |x: &FlexTensor, weight: &FlexTensor| State {
        x: in_order(x),
        weight: in_order(weight),
        widths,
    };
    if is_tracked(x) || is_tracked(weight) || bias.is_some_and(is_tracked) {
        let (x, weight) = (lifted(x)?, lifted(weight)?);
        let bias = match bias {
            Some(bias) => Some(lifted(bias)?),
            None => None,
        };
        let state = state(x.primitive(), weight.primitive());
        let output = state.output(bias.as_ref().map(Tracked::primitive), dims);
        return Some(match bias {
            Some(bias) => in_graph([&x, &weight, &bias], state, output),
            None => in_graph([&x, &weight], state, output),
        });
    }
    let bias = match bias {
        Some(bias) => Some(plain(bias)?),
        None => None,
    };
    let output = state(&plain(x)?, &plain(weight)?).output(bias.as_ref(), dims);
    Some(Tensor::from_primitive::<Flex>(output))
}

impl State {
    fn x(&self) -> Rows<'_> {
        Rows::new(numbers(&self.x), self.widths[0])
    }

    fn weight(&self) -> Rows<'_> {
        Rows::new(numbers(&self.weight), self.widths[1])
    }

    fn rows(&self) -> usize {
        numbers(&self.x).len() / self.widths[0]
    }

    fn output<const D: usize>(&self, bias: Option<&FlexTensor>, dims: [usize; D]) -> FlexTensor {
        let (x, weight) = (self.x(), self.weight().matrix());
        let (rows, width) = (self.rows(), self.widths[1]);
        let bias = bias.map(in_order);
        let (mut output, how) = match bias.as_ref().map(numbers) {
            Some(bias) => {
                let mut output = Vec::with_capacity(rows * width);
                (0..rows).for_each(|_| output.extend_from_slice(bias));
                (output, Accum::Add)
            }
            None => (vec![0.0; rows * width], Accum::Replace),
        };
        in_parts(&mut output, ROWS * width, |(): &mut (), at, to| {
            let first = at * ROWS;
            let x = x.part(first..first + to.len() / width).matrix();
            product(to, how, x, weight);
        });
        tensor(output, dims)
    }
}

impl Kept for State {
    fn gradients(&self, deltas: &FlexTensor, wanted: &[bool]) -> Vec<Option<FlexTensor>> {
        let [d, e] = self.widths;
        let numbers = numbers(deltas);
        let deltas = Rows::new(numbers, e);
        let of_x = || {
            let weight = self.weight().matrix().transpose();
            let mut into = vec![0.0; self.rows() * d];
            in_parts(&mut into, ROWS * d, |(): &mut (), at, to| {
                let first = at * ROWS;
                let deltas = deltas.part(first..first + to.len() / d).matrix();
                product(to, Accum::Replace, deltas, weight);
            });
            shaped(into, &self.x)
        };
        let of_weight = || {
            let mut into = vec![0.0; d * e];
            let x = self.x().matrix();
            in_parts(&mut into, ROWS * e, |(): &mut (), at, to| {
                let x = x.subcols(at * ROWS, to.len() / e).transpose();
                product(to, Accum::Replace, x, deltas.matrix());
            });
            tensor(into, [d, e])
        };
        let of_bias = || {
            let mut sums = vec![0.0; e];
            Arch::new().dispatch(ColumnSums {
                rows: numbers,
                sums: &mut sums,
            });
            tensor(sums, [e])
        };
        let wants = |at: usize| wanted.get(at) == Some(&true);
        vec![
            wants(0).then(of_x),
            wants(1).then(of_weight),
            wants(2).then(of_bias),
        ]
    }
}
