//! Multi-head attention: four linear layers around a softmax.

use burn::nn::Linear;
use burn::nn::attention::{MhaInput, MhaOutput, MultiHeadAttention};
use burn::tensor::activation::{quiet_softmax, softmax};
use burn::tensor::{Bool, Tensor};

use crate::taps::tap::Tap;
use crate::taps::tap::traced;

/// The input of a tapped [`MultiHeadAttention`]: Burn's own [`MhaInput`], whose fields only Burn can
/// read, under the same constructors.
#[derive(Debug, Clone)]
pub struct AttentionInput {
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    mask_pad: Option<Tensor<2, Bool>>,
    mask_attn: Option<Tensor<3, Bool>>,
}

impl AttentionInput {
    /// Query, key and value are the same `[n, t, d]`.
    pub fn self_attn(tensor: Tensor<3>) -> Self {
        Self::new(tensor.clone(), tensor.clone(), tensor)
    }

    /// Query `[n, t, d]`, key and value `[n, s, d]`.
    pub fn new(query: Tensor<3>, key: Tensor<3>, value: Tensor<3>) -> Self {
        Self {
            query,
            key,
            value,
            mask_pad: None,
            mask_attn: None,
        }
    }

    /// Positions `[n, s]` that are padding (true) are not attended to.
    #[must_use]
    pub fn mask_pad(self, mask_pad: Tensor<2, Bool>) -> Self {
        Self {
            mask_pad: Some(mask_pad),
            ..self
        }
    }

    /// Pairs of positions `[n, t, s]` that are masked (true) do not attend.
    #[must_use]
    pub fn mask_attn(self, mask_attn: Tensor<3, Bool>) -> Self {
        Self {
            mask_attn: Some(mask_attn),
            ..self
        }
    }

    /// The same with masks that may be absent.
    pub(crate) fn masked(
        self,
        mask_pad: Option<Tensor<2, Bool>>,
        mask_attn: Option<Tensor<3, Bool>>,
    ) -> Self {
        Self {
            mask_pad,
            mask_attn,
            ..self
        }
    }
}

impl From<AttentionInput> for MhaInput {
    fn from(input: AttentionInput) -> Self {
        let mut own = MhaInput::new(input.query, input.key, input.value);
        if let Some(mask) = input.mask_pad {
            own = own.mask_pad(mask);
        }
        if let Some(mask) = input.mask_attn {
            own = own.mask_attn(mask);
        }
        own
    }
}

/// Its four linear layers are tapped; dropout draws one mask for the pass.
impl Tap<AttentionInput> for MultiHeadAttention {
    type Output = MhaOutput;

    fn tap(&self, input: AttentionInput) -> MhaOutput {
        if !traced(self) {
            return self.forward(input.into());
        }
        let [n, t, d] = input.query.dims();
        let heads = |layer: &Linear, x: Tensor<3>| {
            let [n, t, _] = x.dims();
            layer
                .tap(x)
                .reshape([n, t, self.n_heads, self.d_k])
                .swap_dims(1, 2)
        };
        let query = heads(&self.query, input.query);
        let key = heads(&self.key, input.key);
        let value = heads(&self.value, input.value);

        let mut scores = query
            .matmul(key.transpose())
            .div_scalar((self.d_k as f32).sqrt());
        if let Some(mask) = input.mask_pad {
            let [n, s] = mask.dims();
            scores = scores.mask_fill(mask.reshape([n, 1, 1, s]), self.min_float);
        }
        if let Some(mask) = input.mask_attn {
            let [n, t, s] = mask.dims();
            scores = scores.mask_fill(mask.reshape([n, 1, t, s]), self.min_float);
        }
        let weights = if self.quiet_softmax {
            quiet_softmax(scores, 3)
        } else {
            softmax(scores, 3)
        };
        let weights = self.dropout.forward(weights);

        let context = weights
            .clone()
            .matmul(value)
            .swap_dims(1, 2)
            .reshape([n, t, d]);
        MhaOutput {
            weights,
            context: self.output.tap(context),
        }
    }
}
