//! Embeddings, and the read-out that shares their weight.

use burn::nn::Embedding;
use burn::tensor::module::embedding;
use burn::tensor::{Int, Tensor};

use crate::gradients::factor::outer::Inputs;
use crate::taps::adapter::{AdaptedWeight, parameters};
use crate::taps::tap::Tap;
use crate::taps::tap::{constant, leaf, traced_on};
use crate::trace::tape::{self, Use};

/// Indices `[n, t]` → vectors `[n, t, d]`. The weight may carry a LoRA adapter.
impl Tap<Tensor<2, Int>> for Embedding {
    type Output = Tensor<3>;

    fn tap(&self, input: Tensor<2, Int>) -> Tensor<3> {
        let [n, t] = input.dims();
        if !traced_on(self, &input.device()) || n * t == 0 {
            return self.forward(input);
        }
        let weight = constant(&self.weight);
        let [rows, d] = weight.dims();
        let vectors = embedding(weight.clone(), input.clone()).reshape([n * t, d]);
        let leaf = leaf(None, n * t, &weight.narrow(0, 0, 1).reshape([d]));
        let indices = input.inner();
        let behind = AdaptedWeight::of(&self.weight);
        tape::record(Use {
            layer: "embedding",
            examples: n,
            parameters: parameters(&self.weight),
            pair: None,
            leaf: leaf.clone(),
            resolve: Box::new(move |deltas| {
                behind.looked_up(indices, deltas.reshape([n, t, d]), rows)
            }),
        });
        (vectors + leaf).reshape([n, t, d])
    }
}

/// The read-out of a model whose embedding and read-out share one weight W `[v, d]`.
pub trait TiedReadout {
    /// Logits h Wᵀ, `[n, …, d]` → `[n, …, v]`, seen by a trace. The gradients of both uses of W are
    /// summed.
    ///
    /// # Panics
    ///
    /// Where a matrix product does, on vectors of the wrong width.
    fn readout<const D: usize>(&self, hidden: Tensor<D>) -> Tensor<D>;
}

impl TiedReadout for Embedding {
    fn readout<const D: usize>(&self, hidden: Tensor<D>) -> Tensor<D> {
        let dims = hidden.dims();
        let [v, d] = self.weight.base().dims();
        let mut output = dims;
        output[D - 1] = v;
        let positions = dims[..D - 1].iter().product::<usize>();
        let flat = hidden.reshape([positions, d]);
        if !traced_on(self, &flat.device()) || D < 2 || dims.contains(&0) {
            return flat.matmul(self.weight.val().transpose()).reshape(output);
        }
        let (n, t) = (dims[0], positions / dims[0]);
        let weight = constant(&self.weight);
        let leaf = leaf(None, n * t, &weight.clone().narrow(1, 0, 1).reshape([v]));
        let kept = flat.clone().inner().reshape([n, t, d]);
        let behind = AdaptedWeight::of(&self.weight);
        tape::record(Use {
            layer: "read-out",
            examples: n,
            parameters: parameters(&self.weight),
            pair: None,
            leaf: leaf.clone(),
            resolve: Box::new(move |deltas| {
                behind.outer(deltas.reshape([n, t, v]), kept, Inputs::Right)
            }),
        });
        (flat.matmul(weight.transpose()) + leaf).reshape(output)
    }
}
