//! Linear layers: the gradient of the weight is X_jᵀΔ_j.

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::Tensor;
use gradual_ops::linear;

use crate::gradients::factor::Factor;
use crate::gradients::factor::outer::Inputs;
use crate::taps::adapter::{AdaptedWeight, parameters};
use crate::taps::tap::Tap;
use crate::taps::tap::{constant, leaf, traced_on};
use crate::trace::tape::{self, Use};

/// `[n, …, d]` → `[n, …, e]`. The weight may carry a LoRA adapter.
impl<const D: usize> Tap<Tensor<D>> for Linear {
    type Output = Tensor<D>;

    fn tap(&self, input: Tensor<D>) -> Tensor<D> {
        let dims = input.dims();
        let [d, e] = self.weight.base().dims();
        if dims[D - 1] != d || dims.contains(&0) {
            return self.forward(input);
        }
        if !traced_on(self, &input.device()) {
            let bias = self.bias.as_ref().map(Param::val);
            return linear(input, self.weight.val(), bias);
        }
        if D < 2 {
            let problem = format!("needs an input of [examples, …, width], got {dims:?}");
            tape::refuse(self.weight.id, problem);
            return self.forward(input);
        }
        let n = dims[0];
        let t = dims[1..D - 1].iter().product::<usize>();
        let weight = constant(&self.weight);

        // The expanded bias is itself the leaf: one addition, as in the layer's own forward.
        let inputs = input.reshape([n * t, d]);
        let row = weight.clone().narrow(0, 0, 1).reshape([e]);
        let leaf = leaf(self.bias.as_ref().map(constant), n * t, &row);
        let kept = inputs.clone().inner().reshape([n, t, d]);
        let bias_id = self.bias.as_ref().map(|bias| bias.id);
        let behind = AdaptedWeight::of(&self.weight);
        tape::record(Use {
            layer: "linear",
            examples: n,
            parameters: parameters(&self.weight)
                .into_iter()
                .chain(bias_id)
                .collect(),
            pair: bias_id.map(|bias| (self.weight.id, bias)),
            leaf: leaf.clone(),
            resolve: Box::new(move |deltas| {
                let deltas = deltas.reshape([n, t, e]);
                let bias = bias_id.map(|id| (id, Factor::sum(deltas.clone())));
                let weight = behind.outer(kept, deltas, Inputs::Left);
                weight.into_iter().chain(bias).collect()
            }),
        });

        let mut output = dims;
        output[D - 1] = e;
        (linear(inputs, weight, None) + leaf).reshape(output)
    }
}
