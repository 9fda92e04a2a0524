//! Embeddings, and the read-out that shares their weight.

use burn::nn::Embedding;
use burn::tensor::{Int, Tensor};

use crate::Tap;
use crate::factor::{Factor, Inputs};
use crate::tap::{constant, leaf, recording};
use crate::tape::{self, Use};

/// Indices `[n, t]` → vectors `[n, t, d]`.
impl Tap<Tensor<2, Int>> for Embedding {
    type Output = Tensor<3>;

    fn tap(&self, input: Tensor<2, Int>) -> Tensor<3> {
        let [n, t] = input.dims();
        if !recording() || n * t == 0 {
            return self.forward(input);
        }
        let id = self.weight.id;
        let weight = constant(&self.weight);
        let [rows, d] = weight.dims();
        let vectors = self.forward(input.clone());
        let leaf = leaf(None, n * t, &weight.narrow(0, 0, 1).reshape([d]));
        let indices = input.inner();
        tape::record(Use {
            layer: "embedding",
            examples: n,
            parameters: vec![id],
            pair: None,
            leaf: leaf.clone(),
            resolve: Box::new(move |deltas| {
                let deltas = deltas.reshape([n, t, d]);
                vec![(id, Factor::scatter(indices, deltas, rows))]
            }),
        });
        vectors + leaf.reshape([n, t, d])
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
        let [v, d] = self.weight.val().dims();
        let mut output = dims;
        output[D - 1] = v;
        let positions = dims[..D - 1].iter().product::<usize>();
        let flat = hidden.reshape([positions, d]);
        if !recording() || D < 2 || dims.contains(&0) {
            return flat.matmul(self.weight.val().transpose()).reshape(output);
        }
        let id = self.weight.id;
        let (n, t) = (dims[0], positions / dims[0]);
        let weight = constant(&self.weight);
        let leaf = leaf(None, n * t, &weight.clone().narrow(1, 0, 1).reshape([v]));
        let kept = flat.clone().inner().reshape([n, t, d]);
        tape::record(Use {
            layer: "read-out",
            examples: n,
            parameters: vec![id],
            pair: None,
            leaf: leaf.clone(),
            resolve: Box::new(move |deltas| {
                let deltas = deltas.reshape([n, t, v]);
                vec![(id, Factor::of_sides(deltas, kept, Inputs::Right))]
            }),
        });
        (flat.matmul(weight.transpose()) + leaf).reshape(output)
    }
}
