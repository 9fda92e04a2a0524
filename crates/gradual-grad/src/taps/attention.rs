//! Multi-head attention: four linear layers around a softmax.

use burn::nn::attention::{MhaInput, MhaOutput, MultiHeadAttention};
use burn::tensor::{Bool, Tensor};
use gradual_ops::{AttentionMasks, AttentionSoftmax, attend, attention_weights};

use crate::taps::tap::Tap;

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
        let (query, key) = (self.query.tap(input.query), self.key.tap(input.key));
        let value = self.value.tap(input.value);
        let masks = AttentionMasks {
            padding: input.mask_pad,
            pairs: input.mask_attn,
            score: self.min_float,
        };
        let softmax = match self.quiet_softmax {
            true => AttentionSoftmax::Quiet,
            false => AttentionSoftmax::Usual,
        };
        let weights = attention_weights(query, key, self.n_heads, &masks, softmax);
        let weights = self.dropout.forward(weights);
        MhaOutput {
            context: self.output.tap(attend(weights.clone(), value)),
            weights,
        }
    }
}
