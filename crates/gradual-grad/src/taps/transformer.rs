//! Burn's transformer encoder and decoder, and the blocks that they are made of.

use burn::nn::transformer::{
    PositionWiseFeedForward, TransformerDecoder, TransformerDecoderInput, TransformerDecoderLayer,
    TransformerEncoder, TransformerEncoderInput, TransformerEncoderLayer,
};
use burn::tensor::{Bool, Tensor};

use crate::taps::activation::activated;
use crate::taps::attention::AttentionInput;
use crate::taps::tap::Tap;
use crate::taps::tap::traced;

/// `[n, …, d]` → `[n, …, d]`.
impl<const D: usize> Tap<Tensor<D>> for PositionWiseFeedForward {
    type Output = Tensor<D>;

    fn tap(&self, input: Tensor<D>) -> Tensor<D> {
        let hidden = activated(&self.activation, self.linear_inner.tap(input));
        self.linear_outer.tap(self.dropout.forward(hidden))
    }
}

/// The input of a tapped [`TransformerEncoder`]: Burn's own [`TransformerEncoderInput`], whose
/// fields only Burn can read, under the same constructors.
#[derive(Debug, Clone)]
pub struct EncoderInput {
    tensor: Tensor<3>,
    mask_pad: Option<Tensor<2, Bool>>,
    mask_attn: Option<Tensor<3, Bool>>,
}

impl EncoderInput {
    /// A sequence of vectors `[n, t, d]`.
    pub fn new(tensor: Tensor<3>) -> Self {
        Self {
            tensor,
            mask_pad: None,
            mask_attn: None,
        }
    }

    /// Positions `[n, t]` that are padding (true) are not attended to.
    #[must_use]
    pub fn mask_pad(self, mask_pad: Tensor<2, Bool>) -> Self {
        Self {
            mask_pad: Some(mask_pad),
            ..self
        }
    }

    /// Pairs of positions `[n, t, t]` that are masked (true) do not attend.
    #[must_use]
    pub fn mask_attn(self, mask_attn: Tensor<3, Bool>) -> Self {
        Self {
            mask_attn: Some(mask_attn),
            ..self
        }
    }
}

impl From<EncoderInput> for TransformerEncoderInput {
    fn from(input: EncoderInput) -> Self {
        let mut own = TransformerEncoderInput::new(input.tensor);
        if let Some(mask) = input.mask_pad {
            own = own.mask_pad(mask);
        }
        if let Some(mask) = input.mask_attn {
            own = own.mask_attn(mask);
        }
        own
    }
}

impl Tap<EncoderInput> for TransformerEncoderLayer {
    type Output = Tensor<3>;

    fn tap(&self, input: EncoderInput) -> Tensor<3> {
        let EncoderInput {
            tensor: x,
            mask_pad,
            mask_attn,
        } = input;
        if !traced(self) {
            return self.forward(x, mask_pad, mask_attn);
        }
        let before = if self.norm_first {
            self.norm_2.tap(x.clone())
        } else {
            x.clone()
        };
        let attended = self
            .mha
            .tap(AttentionInput::self_attn(before).masked(mask_pad, mask_attn));
        let x = x + self.dropout.forward(attended.context);
        let normed = self.norm_1.tap(x.clone());
        let x = if self.norm_first { x } else { normed.clone() };
        let x = x + self.dropout.forward(self.pwff.tap(normed));
        if self.norm_first {
            x
        } else {
            self.norm_2.tap(x)
        }
    }
}

impl Tap<EncoderInput> for TransformerEncoder {
    type Output = Tensor<3>;

    fn tap(&self, input: EncoderInput) -> Tensor<3> {
        let EncoderInput {
            tensor,
            mask_pad,
            mask_attn,
        } = input;
        self.layers.iter().fold(tensor, |tensor, layer| {
            let (mask_pad, mask_attn) = (mask_pad.clone(), mask_attn.clone());
            layer.tap(EncoderInput {
                tensor,
                mask_pad,
                mask_attn,
            })
        })
    }
}

/// The input of a tapped [`TransformerDecoder`]: Burn's own [`TransformerDecoderInput`], whose
/// fields only Burn can read, under the same constructors.
#[derive(Debug, Clone)]
pub struct DecoderInput {
    target: Tensor<3>,
    target_mask_pad: Option<Tensor<2, Bool>>,
    target_mask_attn: Option<Tensor<3, Bool>>,
    memory: Tensor<3>,
    memory_mask_pad: Option<Tensor<2, Bool>>,
    memory_mask_attn: Option<Tensor<3, Bool>>,
}

impl DecoderInput {
    /// Target `[n, t, d]` and memory `[n, s, d]`.
    pub fn new(target: Tensor<3>, memory: Tensor<3>) -> Self {
        Self {
            target,
            target_mask_pad: None,
            target_mask_attn: None,
            memory,
            memory_mask_pad: None,
            memory_mask_attn: None,
        }
    }

    /// Positions `[n, s]` of the memory that are padding (true).
    #[must_use]
    pub fn memory_mask_pad(self, mask: Tensor<2, Bool>) -> Self {
        Self {
            memory_mask_pad: Some(mask),
            ..self
        }
    }

    /// Pairs of positions `[n, t, s]` that are masked (true).
    #[must_use]
    pub fn memory_mask_attn(self, mask: Tensor<3, Bool>) -> Self {
        Self {
            memory_mask_attn: Some(mask),
            ..self
        }
    }

    /// Positions `[n, t]` of the target that are padding (true).
    #[must_use]
    pub fn target_mask_pad(self, mask: Tensor<2, Bool>) -> Self {
        Self {
            target_mask_pad: Some(mask),
            ..self
        }
    }

    /// Pairs of positions `[n, t, t]` that are masked (true).
    #[must_use]
    pub fn target_mask_attn(self, mask: Tensor<3, Bool>) -> Self {
        Self {
            target_mask_attn: Some(mask),
            ..self
        }
    }
}

impl From<DecoderInput> for TransformerDecoderInput {
    fn from(input: DecoderInput) -> Self {
        let mut own = TransformerDecoderInput::new(input.target, input.memory);
        if let Some(mask) = input.memory_mask_pad {
            own = own.memory_mask_pad(mask);
        }
        if let Some(mask) = input.memory_mask_attn {
            own = own.memory_mask_attn(mask);
        }
        if let Some(mask) = input.target_mask_pad {
            own = own.target_mask_pad(mask);
        }
        if let Some(mask) = input.target_mask_attn {
            own = own.target_mask_attn(mask);
        }
        own
    }
}

/// Yields the new target.
impl Tap<DecoderInput> for TransformerDecoderLayer {
    type Output = Tensor<3>;

    fn tap(&self, input: DecoderInput) -> Tensor<3> {
        let x = input.target;
        let before = if self.norm_first {
            self.norm_3.tap(x.clone())
        } else {
            x.clone()
        };
        let own = AttentionInput::self_attn(before);
        let own = own.masked(input.target_mask_pad, input.target_mask_attn);
        let x = x + self.dropout.forward(self.self_attn.tap(own).context);

        let normed = self.norm_1.tap(x.clone());
        let x = if self.norm_first { x } else { normed.clone() };
        let cross = AttentionInput::new(normed, input.memory.clone(), input.memory);
        let cross = cross.masked(input.memory_mask_pad, input.memory_mask_attn);
        let x = x + self.dropout.forward(self.cross_attn.tap(cross).context);

        let normed = self.norm_2.tap(x.clone());
        let x = if self.norm_first { x } else { normed.clone() };
        let x = x + self.dropout.forward(self.pwff.tap(normed));
        if self.norm_first {
            x
        } else {
            self.norm_3.tap(x)
        }
    }
}

impl Tap<DecoderInput> for TransformerDecoder {
    type Output = Tensor<3>;

    fn tap(&self, input: DecoderInput) -> Tensor<3> {
        if !traced(self) {
            return self.forward(input.into());
        }
        self.layers
            .iter()
            .fold(input.target.clone(), |target, layer| {
                layer.tap(DecoderInput {
                    target,
                    ..input.clone()
                })
            })
    }
}
