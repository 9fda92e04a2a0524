//! What there is for each of Burn's modules with parameters: a tap, or a reason why not.

use std::any::type_name;

use burn::nn::activation::{Activation, PRelu, SwiGlu};
use burn::nn::attention::{CrossAttention, MultiHeadAttention};
use burn::nn::conv::{
    Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, DeformConv2d,
};
use burn::nn::norm::{InstanceNorm, Normalization};
use burn::nn::transformer::{
    PositionWiseFeedForward, TransformerDecoder, TransformerDecoderLayer, TransformerEncoder,
    TransformerEncoderLayer,
};
use burn::nn::{
    BatchNorm, BiGru, BiLstm, BiRnn, Embedding, GateController, GroupNorm, Gru, LayerNorm, Linear,
    Lstm, LstmState, RmsNorm, Rnn, RnnState,
};
use burn::tensor::{Bool, Int, Tensor};
use gradual_grad::{AttentionInput, DecoderInput, EncoderInput, Tap};

/// A module whose tap the compiler has seen.
pub struct Tapped {
    pub module: String,
    pub input: &'static str,
    pub gradient: &'static str,
    /// The test that holds it.
    pub test: &'static str,
}

/// A module that `Input` is tapped with.
fn tap<Input, Layer: Tap<Input>>(
    input: &'static str,
    gradient: &'static str,
    test: &'static str,
) -> Tapped {
    let path = type_name::<Layer>();
    let name = path.rsplit("::").next();
    Tapped {
        module: name.unwrap_or(path).to_owned(),
        input,
        gradient,
        test,
    }
}

type Masked = (Tensor<3>, Tensor<3>, Option<Tensor<2, Bool>>);
type Deformed = (Tensor<4>, Tensor<4>, Option<Tensor<4>>);

/// All modules with a tap.
pub fn tapped() -> Vec<Tapped> {
    let norm = "Σ_t δ_t ∘ x̂_t; shift Σ_t δ_t";
    let patches = "Σ_t δ_t ⊗ patch_t, linear over patches of the input; bias Σ_t δ_t";
    let spread = "Σ_t x_t ⊗ patch_t of the output-gradients; bias Σ_t δ_t";
    let gates = "its linear layers; all times are uses of one parameter";
    let sequence =
        "(`[n, t, d]`, or `[t, n, d]` unless `batch_first`; `Option` of the first state)";
    vec![
        tap::<Tensor<3>, Linear>("`[n, …, d]`", "Σ_t x_t ⊗ δ_t; bias Σ_t δ_t", "linear"),
        tap::<Tensor<2, Int>, Embedding>(
            "indices `[n, t]`",
            "δ_t added to row index_t",
            "embedding",
        ),
        tap::<Tensor<3>, LayerNorm>("`[n, …, d]`", norm, "layer_norm"),
        tap::<Tensor<3>, RmsNorm>("`[n, …, d]`", "Σ_t δ_t ∘ x̂_t", "rms_norm"),
        tap::<Tensor<3>, GroupNorm>("`[n, channels, …]`", norm, "group_norm"),
        tap::<Tensor<3>, InstanceNorm>("`[n, channels, …]`", norm, "instance_norm"),
        tap::<Tensor<3>, BatchNorm>(
            "`[n, channels, …]`, evaluation form",
            "as the other norms: there x̂ = (x − mean) / √(var + ε) is a fixed map",
            "batch_norm_in_evaluation_form",
        ),
        tap::<Tensor<3>, Normalization>("that of its norm", "that of its norm", "any_norm"),
        tap::<Tensor<3>, Conv1d>("`[n, channels, length]`", patches, "conv1d"),
        tap::<Tensor<4>, Conv2d>("`[n, channels, height, width]`", patches, "conv2d"),
        tap::<Tensor<5>, Conv3d>("`[n, channels, depth, height, width]`", patches, "conv3d"),
        tap::<Tensor<3>, ConvTranspose1d>("`[n, channels, length]`", spread, "conv_transpose1d"),
        tap::<Tensor<4>, ConvTranspose2d>(
            "`[n, channels, height, width]`",
            spread,
            "conv_transpose2d",
        ),
        tap::<Tensor<5>, ConvTranspose3d>(
            "`[n, channels, depth, height, width]`",
            spread,
            "conv_transpose3d",
        ),
        tap::<Deformed, DeformConv2d>(
            "(input, offset, `Option` of the mask), as in `forward`",
            "Σ_t δ_t ⊗ patch_t, patches sampled where the offsets say; bias Σ_t δ_t",
            "deform_conv2d",
        ),
        tap::<AttentionInput, MultiHeadAttention>(
            "`AttentionInput`",
            "its four linear layers",
            "multi_head_attention",
        ),
        tap::<Masked, CrossAttention>(
            "(query `[n, t, d]`, context `[n, s, c]`, `Option` of the mask `[n, s]`)",
            "its four linear layers",
            "cross_attention",
        ),
        tap::<Tensor<3>, PositionWiseFeedForward>(
            "`[n, …, d]`",
            "its two linear layers",
            "feed_forward",
        ),
        tap::<EncoderInput, TransformerEncoder>(
            "`EncoderInput`",
            "its layers",
            "transformer_encoder",
        ),
        tap::<EncoderInput, TransformerEncoderLayer>(
            "`EncoderInput`",
            "its parts",
            "transformer_encoder",
        ),
        tap::<DecoderInput, TransformerDecoder>(
            "`DecoderInput`",
            "its layers",
            "transformer_decoder",
        ),
        tap::<DecoderInput, TransformerDecoderLayer>(
            "`DecoderInput`",
            "its parts",
            "transformer_decoder",
        ),
        tap::<(Tensor<3>, Option<RnnState<2>>), Rnn>(sequence, gates, "rnn"),
        tap::<(Tensor<3>, Option<RnnState<3>>), BiRnn>(sequence, gates, "bidirectional_rnn"),
        tap::<(Tensor<3>, Option<Tensor<2>>), Gru>(
            "(`[n, t, d]`, `Option` of the first state)",
            gates,
            "gru",
        ),
        tap::<(Tensor<3>, Option<Tensor<3>>), BiGru>(sequence, gates, "bidirectional_gru"),
        tap::<(Tensor<3>, Option<LstmState<2>>), Lstm>(sequence, gates, "lstm"),
        tap::<(Tensor<3>, Option<LstmState<3>>), BiLstm>(sequence, gates, "bidirectional_lstm"),
        tap::<(Tensor<2>, Tensor<2>), GateController>(
            "(input `[n, d]`, hidden state `[n, h]`), in the place of `gate_product`",
            "its two linear layers",
            "gate",
        ),
        tap::<Tensor<3>, PRelu>(
            "`[n, …]`; `[n, channels, …]` for more slopes than one",
            "Σ δ ∘ min(x, 0), over all positions of a slope",
            "prelu",
        ),
        tap::<Tensor<3>, SwiGlu>("`[n, …, d]`", "its two linear layers", "swiglu"),
        tap::<Tensor<3>, Activation>(
            "that of its activation",
            "that of its activation",
            "any_activation",
        ),
    ]
}

/// Modules of Burn that have parameters and no tap, by crate; a crate's name stands for all that it has.
pub const WITHOUT: &[(&str, &str, &str)] = &[
    (
        "burn-core",
        "LoraAdapter",
        "is no layer: it belongs to the weight of a `Linear` or an `Embedding`, whose tap sees it, or to a matrix of `per_example`",
    ),
    (
        "burn-train",
        "*",
        "are fixed networks behind metrics of images (FID, LPIPS, DISTS, A-FINE); they are not trained, and as part \
         of a loss they are plain forward passes",
    ),
    (
        "burn-vision",
        "*",
        "are the fixed network behind a loss of images; it is not trained, and a plain forward pass",
    ),
];
