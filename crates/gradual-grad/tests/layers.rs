//! Layers over shapes against the example-by-example reference, on a device of single precision: to 1e-4 in single and
//! 1e-10 in double precision. `every_layer` has those whose `forward` needs a device of the same precision.

use crate::common::{agree, device, double, squares, values};
use burn::module::{Module, Param};
use burn::nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use burn::nn::conv::{Conv1d, Conv1dConfig, Conv2d, Conv2dConfig};
use burn::nn::transformer::{
    PositionWiseFeedForward, PositionWiseFeedForwardConfig, TransformerDecoder,
    TransformerDecoderConfig, TransformerEncoder, TransformerEncoderConfig,
};
use burn::nn::{
    Embedding, EmbeddingConfig, GroupNorm, GroupNormConfig, LayerNorm, LayerNormConfig, Linear,
    LinearConfig, Lstm, LstmConfig, PaddingConfig1d, PaddingConfig2d, RmsNorm, RmsNormConfig,
};
use burn::tensor::{Bool, FloatDType, Int, Tensor, TensorData};
use gradual_grad::{
    AttentionInput, DecoderInput, EncoderInput, GradError, Tap, TiedReadout, Tracer, conv1d_fault,
    naive_rows, per_example, trace,
};
use proptest::prelude::*;

/// A layer between two linear ones, so that its input and its output-gradients are both made by
/// the network.
#[derive(Module, Debug)]
struct Between<L: Module> {
    before: Linear,
    layer: L,
}

impl<L: Module> Between<L> {
    fn new(inputs: usize, width: usize, layer: L) -> Self {
        Self {
            before: LinearConfig::new(inputs, width).init(&device()),
            layer,
        }
    }
}

/// Checks a layer's model in both precisions.
fn both<M: Module>(model: M, losses: impl Fn(&M, FloatDType) -> Tensor<1>) {
    agree(&model, |m| losses(m, FloatDType::F32), 1e-4);
    agree(&double(model), |m| losses(m, FloatDType::F64), 1e-10);
}

/// Token indices below `vocabulary`, with repetitions.
fn tokens(n: usize, t: usize, vocabulary: usize) -> Tensor<2, Int> {
    let data: Vec<i64> = (0..n * t)
        .map(|i| (i * i / 2 + i) as i64 % vocabulary as i64)
        .collect();
    Tensor::from_data(TensorData::new(data, [n, t]), &device())
}

/// Positions that are padding: example j keeps at least one.
fn padding(n: usize, t: usize) -> Tensor<2, Bool> {
    let data: Vec<bool> = (0..n * t).map(|i| i % t > (i / t) % t).collect();
    Tensor::from_data(TensorData::new(data, [n, t]), &device())
}

/// Positions after one's own.
fn future(n: usize, t: usize) -> Tensor<3, Bool> {
    let data: Vec<bool> = (0..n * t * t).map(|i| i % t > (i / t) % t).collect();
    Tensor::from_data(TensorData::new(data, [n, t, t]), &device())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn linear(n in 1usize..7, t in 1usize..5, s in 1usize..3, d in 1usize..6, e in 1usize..6, bias: bool) {
        let layer = LinearConfig::new(4, e).with_bias(bias).init(&device());
        both(Between::new(d, 4, layer), |m, dtype| {
            let x = values([n, s, t, d], 1, dtype);
            squares(m.layer.tap(m.before.tap(x)))
        });
    }

    #[test]
    fn embedding(n in 1usize..7, t in 1usize..6, vocabulary in 1usize..30, d in 1usize..6) {
        let model = Between::new(d, 3, EmbeddingConfig::new(vocabulary, d).init(&device()));
        both(model, |m: &Between<Embedding>, _| {
            squares(m.before.tap(m.layer.tap(tokens(n, t, vocabulary))))
        });
    }

    #[test]
    fn tied_embedding_and_readout(n in 1usize..6, t in 1usize..6, vocabulary in 1usize..20, d in 1usize..6) {
        let model = Between::new(d, d, EmbeddingConfig::new(vocabulary, d).init(&device()));
        both(model, |m: &Between<Embedding>, _| {
            squares(m.layer.readout(m.before.tap(m.layer.tap(tokens(n, t, vocabulary)))))
        });
    }

    #[test]
    fn layer_norm(n in 1usize..7, t in 1usize..5, d in 2usize..7, bias: bool) {
        let layer = LayerNormConfig::new(d).with_bias(bias).init(&device());
        both(Between::new(3, d, layer), |m: &Between<LayerNorm>, dtype| {
            squares(m.layer.tap(m.before.tap(values([n, t, 3], 1, dtype))))
        });
    }

    #[test]
    fn rms_norm(n in 1usize..7, t in 1usize..5, d in 1usize..7) {
        let layer = RmsNormConfig::new(d).init(&device());
        // Burn computes the root mean square in single precision, whatever its input.
        agree(&Between::new(3, d, layer), |m: &Between<RmsNorm>| {
            squares(m.layer.tap(m.before.tap(values([n, t, 3], 1, FloatDType::F32))))
        }, 1e-4);
    }

    #[test]
    fn group_norm(n in 1usize..6, t in 3usize..6, groups in 1usize..4, each in 1usize..3) {
        let layer = GroupNormConfig::new(groups, groups * each).init(&device());
        both(Between::new(3, t, layer), |m: &Between<GroupNorm>, dtype| {
            squares(m.layer.tap(m.before.tap(values([n, groups * each, 3], 1, dtype))))
        });
    }

    #[test]
    fn conv1d(
        n in 1usize..5, length in 5usize..9, groups in 1usize..3, kernel in 1usize..4,
        stride in 1usize..3, dilation in 1usize..3, pad in 0usize..4, bias: bool,
    ) {
        let padding = match pad {
            0 => PaddingConfig1d::Valid,
            1 if dilation == 1 => PaddingConfig1d::Same,
            _ => PaddingConfig1d::Explicit(pad - 1, pad),
        };
        let layer = Conv1dConfig::new(2 * groups, 3 * groups, kernel)
            .with_stride(stride).with_dilation(dilation).with_groups(groups)
            .with_padding(padding).with_bias(bias).init(&device());
        prop_assume!(conv1d_fault(&layer, length).is_none());
        both(Between::new(3, length, layer), |m: &Between<Conv1d>, dtype| {
            squares(m.layer.tap(m.before.tap(values([n, 2 * groups, 3], 1, dtype))))
        });
    }

    #[test]
    fn conv2d(
        n in 1usize..4, height in 5usize..7, width in 5usize..8, groups in 1usize..3,
        kernel in (1usize..4, 1usize..4), stride in (1usize..3, 1usize..3),
        dilation in (1usize..3, 1usize..3), pad in 0usize..4, bias: bool,
    ) {
        let padding = match pad {
            0 => PaddingConfig2d::Valid,
            1 if dilation == (1, 1) => PaddingConfig2d::Same,
            _ => PaddingConfig2d::Explicit(pad - 1, 1, 0, pad),
        };
        let layer = Conv2dConfig::new([2 * groups, 2 * groups], [kernel.0, kernel.1])
            .with_stride([stride.0, stride.1]).with_dilation([dilation.0, dilation.1])
            .with_groups(groups).with_padding(padding).with_bias(bias).init(&device());
        both(Between::new(3, width, layer), |m: &Between<Conv2d>, dtype| {
            squares(m.layer.tap(m.before.tap(values([n, 2 * groups, height, 3], 1, dtype))))
        });
    }

    #[test]
    fn multi_head_attention(n in 1usize..4, t in 1usize..5, heads in 1usize..3, quiet: bool) {
        let d = 2 * heads;
        let layer = MultiHeadAttentionConfig::new(d, heads).with_dropout(0.0)
            .with_quiet_softmax(quiet).init(&device());
        both(Between::new(3, d, layer), |m: &Between<MultiHeadAttention>, dtype| {
            let x = m.before.tap(values([n, t, 3], 1, dtype));
            let input = AttentionInput::self_attn(x).mask_pad(padding(n, t)).mask_attn(future(n, t));
            squares(m.layer.tap(input).context)
        });
    }

    #[test]
    fn feed_forward(n in 1usize..4, t in 1usize..4) {
        let layer = PositionWiseFeedForwardConfig::new(4, 6).with_dropout(0.0).init(&device());
        both(Between::new(3, 4, layer), |m: &Between<PositionWiseFeedForward>, dtype| {
            squares(m.layer.tap(m.before.tap(values([n, t, 3], 1, dtype))))
        });
    }

    #[test]
    fn transformer_encoder(n in 1usize..4, t in 1usize..4, norm_first: bool) {
        let layer = TransformerEncoderConfig::new(4, 6, 2, 2).with_dropout(0.0)
            .with_norm_first(norm_first).init(&device());
        both(Between::new(3, 4, layer), |m: &Between<TransformerEncoder>, dtype| {
            let x = m.before.tap(values([n, t, 3], 1, dtype));
            squares(m.layer.tap(EncoderInput::new(x).mask_pad(padding(n, t)).mask_attn(future(n, t))))
        });
    }

    #[test]
    fn transformer_decoder(n in 1usize..4, t in 1usize..4, s in 1usize..4, norm_first: bool) {
        let layer = TransformerDecoderConfig::new(4, 6, 2, 1).with_dropout(0.0)
            .with_norm_first(norm_first).init(&device());
        both(Between::new(3, 4, layer), |m: &Between<TransformerDecoder>, dtype| {
            let target = m.before.tap(values([n, t, 3], 1, dtype));
            let memory = m.before.tap(values([n, s, 3], 2, dtype));
            let input = DecoderInput::new(target, memory).memory_mask_pad(padding(n, s))
                .target_mask_attn(future(n, t));
            squares(m.layer.tap(input))
        });
    }

    #[test]
    fn expanded_parameter(n in 1usize..6, t in 1usize..4, d in 1usize..5) {
        let positions = Param::from_tensor(values([t, d], 5, FloatDType::F32));
        both(Between::new(3, d, positions), |m: &Between<Param<Tensor<2>>>, dtype| {
            let x = m.before.tap(values([n, t, 3], 1, dtype));
            squares(x * per_example::<2, 3>(&m.layer, n))
        });
    }
}

/// A layer applied over and over, with its own weights each time.
#[test]
fn shared_weights_are_summed_over_uses() {
    let shared = LinearConfig::new(4, 4).init(&device());
    both(Between::new(4, 4, shared), |m: &Between<Linear>, dtype| {
        let x = m.before.tap(values([5, 2, 4], 1, dtype));
        let twice = m.layer.tap(m.layer.tap(x).tanh()).tanh();
        // Once more at another number of positions.
        let pooled: Tensor<3> = twice.mean_dim(1);
        squares(m.layer.tap(pooled))
    });
    let shared = LayerNormConfig::new(4).init(&device());
    both(
        Between::new(4, 4, shared),
        |m: &Between<LayerNorm>, dtype| {
            let x = m.before.tap(values([5, 4], 1, dtype));
            squares(m.layer.tap(m.before.tap(m.layer.tap(x))))
        },
    );
}

/// Losses over some positions only, a different number for each example.
#[test]
fn masked_tokens_and_unequal_lengths() {
    let model = Between::new(4, 4, EmbeddingConfig::new(7, 4).init(&device()));
    both(model, |m: &Between<Embedding>, dtype| {
        let hidden = m.before.tap(m.layer.tap(tokens(5, 6, 7)));
        let scored = padding(5, 6).bool_not().float().cast(dtype);
        let each = hidden.powi_scalar(2).sum_dim(2).reshape([5, 6]) * scored.clone();
        (each.sum_dim(1) / scored.sum_dim(1)).reshape([5])
    });
}

/// Large sizes take the other routes: ghost products, blocks of rows.
#[test]
fn every_route_is_exact() {
    let wide = Between::new(40, 50, LinearConfig::new(50, 60).init(&device()));
    let gradients = agree(
        &wide,
        |m: &Between<Linear>| {
            squares(
                m.layer
                    .tap(m.before.tap(values([6, 3, 40], 1, FloatDType::F32))),
            )
        },
        1e-4,
    );
    let routes: Vec<_> = gradients
        .coverage()
        .covered()
        .iter()
        .map(|each| each.route)
        .collect();
    assert!(routes.contains(&"ghost product"), "{routes:?}");

    let narrow = Between::new(3, 4, LinearConfig::new(4, 2).init(&device()));
    let gradients = agree(
        &narrow,
        |m: &Between<Linear>| {
            squares(
                m.layer
                    .tap(m.before.tap(values([140, 5, 3], 1, FloatDType::F32))),
            )
        },
        1e-4,
    );
    let routes: Vec<_> = gradients
        .coverage()
        .covered()
        .iter()
        .map(|each| each.route)
        .collect();
    assert!(routes.contains(&"per-example matrices"), "{routes:?}");

    let vocabulary = Between::new(3, 2, EmbeddingConfig::new(90, 3).init(&device()));
    let gradients = agree(
        &vocabulary,
        |m: &Between<Embedding>| squares(m.before.tap(m.layer.tap(tokens(135, 4, 90)))),
        1e-4,
    );
    assert_eq!(gradients.coverage().covered()[2].route, "ghost product");
}

#[test]
fn two_draws_meet_in_cross_gram_and_concat() {
    let model = Between::new(4, 4, EmbeddingConfig::new(9, 4).init(&device()));
    let losses = |n, t| {
        move |m: &Between<Embedding>| {
            squares(m.layer.readout(m.before.tap(m.layer.tap(tokens(n, t, 9)))))
        }
    };
    let [a, b] = [(5, 3), (4, 6)].map(|(n, t)| trace(&model, losses(n, t)).unwrap().gradients);
    let [c, d] = [
        naive_rows(&model, losses(5, 3)),
        naive_rows(&model, losses(4, 6)),
    ];
    let cross = c.clone().matmul(d.clone().transpose());
    crate::common::close("cross_gram", a.cross_gram(&b).unwrap(), cross, 1e-4);
    let all = Tensor::cat(vec![c, d], 0);
    let both = gradual_grad::ExampleGradients::concat(&[a.clone(), b]).unwrap();
    crate::common::close(
        "gram of concat",
        both.gram(),
        all.clone().matmul(all.transpose()),
        1e-4,
    );

    let other = Between::new(4, 4, EmbeddingConfig::new(9, 4).init(&device()));
    let stranger = trace(&other, losses(5, 3)).unwrap().gradients;
    assert!(matches!(
        a.cross_gram(&stranger),
        Err(GradError::Parameters { .. })
    ));
    assert!(matches!(
        gradual_grad::ExampleGradients::concat(&[a, stranger]),
        Err(GradError::Parameters { .. })
    ));
    assert!(matches!(
        gradual_grad::ExampleGradients::concat(&[]),
        Err(GradError::EmptyDraw)
    ));
}

#[test]
fn sketches_repeat_and_fit_across_draws() {
    let model = Between::new(3, 4, LinearConfig::new(4, 2).init(&device()));
    let losses = |seed| {
        move |m: &Between<Linear>| {
            squares(
                m.layer
                    .tap(m.before.tap(values([4, 3], seed, FloatDType::F32))),
            )
        }
    };
    let [a, b] = [1, 2].map(|seed| trace(&model, losses(seed)).unwrap().gradients);
    assert_eq!(
        crate::common::numbers(a.sketch(8, 3)),
        crate::common::numbers(a.sketch(8, 3))
    );
    assert_ne!(
        crate::common::numbers(a.sketch(8, 3)),
        crate::common::numbers(a.sketch(8, 4))
    );
    let (s, t) = (a.sketch(4096, 0), b.sketch(4096, 0));
    let far = crate::common::distance(s.matmul(t.transpose()), a.cross_gram(&b).unwrap());
    assert!(far < 0.3, "{far}");
}

#[test]
fn parameters_are_selected_and_left_out_by_glob() {
    let model = Between::new(3, 4, LayerNormConfig::new(4).init(&device()));
    let losses = |m: &Between<LayerNorm>| {
        squares(
            m.layer
                .tap(m.before.tap(values([5, 3], 1, FloatDType::F32))),
        )
    };
    let gradients = trace(&model, losses).unwrap().gradients;
    let paths: Vec<&str> = gradients.paths().collect();
    assert_eq!(
        paths,
        ["before.weight", "before.bias", "layer.gamma", "layer.beta"]
    );
    let weights = gradients.select("before.*").unwrap();
    assert_eq!(weights.num_parameters(), 3 * 4 + 4);
    let rest = gradients.select("layer.*").unwrap();
    crate::common::close(
        "parts",
        weights.gram() + rest.gram(),
        gradients.gram(),
        1e-5,
    );
    let nothing = gradients.select("encoder.*").unwrap_err().to_string();
    assert!(nothing.starts_with("glob 'encoder.*': matches none of the parameters before.weight,"));
    assert!(matches!(
        gradients.select("[a"),
        Err(GradError::Glob { .. })
    ));

    // Left out: no tap is needed, and combine has nothing for it.
    let untapped = |m: &Between<LayerNorm>| {
        squares(
            m.layer
                .forward(m.before.tap(values([5, 3], 1, FloatDType::F32))),
        )
    };
    assert!(matches!(
        trace(&model, untapped),
        Err(GradError::Uncovered { .. })
    ));
    let traced = Tracer::default()
        .without("layer.*")
        .trace(&model, untapped)
        .unwrap();
    assert_eq!(traced.gradients.num_parameters(), 3 * 4 + 4);
    let combined = traced
        .gradients
        .combine(&values([5], 1, FloatDType::F32))
        .unwrap();
    assert_eq!(combined.len(), 2);
    let table = traced.gradients.coverage().to_string();
    assert!(
        table.contains("layer.beta") && table.contains("left out on purpose"),
        "{table}"
    );
    assert!(
        Tracer::default()
            .without("x")
            .trace(&model, untapped)
            .is_err()
    );
}

/// In another precision than the device's, where Burn's own `forward` panics, a trace works in that of the input.
#[test]
fn recurrent_layers_in_double_precision_on_a_device_of_single() {
    let layer = LstmConfig::new(3, 4, true).init(&device());
    let losses = |dtype| {
        move |m: &Lstm| {
            let (output, state) = m.tap((values([3, 5, 3], 1, dtype), None));
            squares(output) + squares(state.cell)
        }
    };
    let single = trace(&layer, losses(FloatDType::F32)).unwrap().gradients;
    let wide = trace(&double(layer), losses(FloatDType::F64))
        .unwrap()
        .gradients;
    let wide = wide.rows().cast(FloatDType::F32);
    crate::common::close("rows", single.rows(), wide, 1e-5);
}
