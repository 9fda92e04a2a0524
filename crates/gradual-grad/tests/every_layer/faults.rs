//! Where Burn's own backward pass is wrong, and that nothing else is said to be.

use burn::module::{Module, Param};
use burn::nn::PaddingConfig1d;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::tensor::Tensor;
use burn::tensor::module::{
    conv_transpose1d, conv_transpose2d, conv_transpose3d, conv1d, conv2d, conv3d,
};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use gradual_grad::{BurnFault, Tap, Warning, conv1d_fault, naive_rows, trace, verify};

use crate::common::{distance, squares};
use crate::support::{Fill, device, values};

/// Rows of the weight's gradients by central differences; the squares of the outputs make them exact.
fn differences(layer: &Conv1d, losses: impl Fn(&Conv1d) -> Tensor<1>) -> Tensor<2> {
    let weight = layer.weight.val().inner();
    let dims = weight.dims();
    let size = dims.iter().product::<usize>();
    let columns = (0..size).map(|entry| {
        let unit = Tensor::<1>::zeros([size], &device()).inner();
        let unit = unit.slice_fill(entry..entry + 1, 1.0).reshape(dims);
        let at = |step: f64| {
            let weight = Param::from_tensor(weight.clone() + unit.clone() * step);
            losses(&Conv1d {
                weight,
                ..layer.clone()
            })
            .inner()
        };
        ((at(0.5) - at(-0.5)).unsqueeze_dim::<2>(1)).autodiff()
    });
    Tensor::cat(columns.collect(), 1)
}

#[test]
fn grouped_conv1d_is_wrong_just_where_it_is_said_to_be() {
    let (mut wrong, mut right) = (0, 0);
    for groups in [1, 2] {
        for (kernel, stride, dilation) in [
            (3, 2, 1),
            (2, 3, 1),
            (2, 3, 2),
            (3, 2, 2),
            (1, 4, 3),
            (2, 4, 3),
        ] {
            for padding in [
                PaddingConfig1d::Valid,
                PaddingConfig1d::Explicit(1, 1),
                PaddingConfig1d::Explicit(2, 0),
                PaddingConfig1d::Same,
            ] {
                for length in 6..10 {
                    if padding == PaddingConfig1d::Same && dilation > 1 {
                        continue;
                    }
                    let config = Conv1dConfig::new(2 * groups, 3 * groups, kernel)
                        .with_stride(stride)
                        .with_dilation(dilation)
                        .with_groups(groups)
                        .with_padding(padding.clone())
                        .with_bias(false);
                    let layer = config.init(&device()).map(&mut Fill(0));
                    let losses = |m: &Conv1d| squares(m.tap(values([2, 2 * groups, length], 1)));
                    let exact = differences(&layer, losses);
                    let traced = trace(&layer, losses).expect("a tap").gradients.rows();
                    let case = format!("{layer} at length {length}");
                    assert!(
                        distance(traced, exact.clone()) < 1e-9,
                        "the trace of {case}"
                    );
                    let off = distance(naive_rows(&layer, losses), exact);
                    match conv1d_fault(&layer, length) {
                        Some(BurnFault::GroupedConv1d) => {
                            wrong += 1;
                            assert!(off > 1e-3, "Burn is right: {case}");
                        }
                        _ => {
                            right += 1;
                            assert!(off < 1e-9, "Burn is off by {off}: {case}");
                        }
                    }
                }
            }
        }
    }
    assert!(wrong > 20 && right > 20, "{wrong} wrong, {right} right");
}

/// The case that was found first.
#[test]
fn a_remainder_of_one_after_the_last_window() {
    let layer = Conv1dConfig::new(4, 6, 3).with_stride(2).with_groups(2);
    let layer = layer.with_bias(false).init(&device());
    assert_eq!(conv1d_fault(&layer, 6), Some(BurnFault::GroupedConv1d));
    assert_eq!(conv1d_fault(&layer, 7), None);
    assert_eq!(conv1d_fault(&layer, 2), None);
}

/// How far Burn's gradients of a convolution are from central differences, which are exact for a map that is linear in
/// each of its two arguments: input and weight.
fn off<const D: usize>(
    input: [usize; D],
    weight: [usize; D],
    map: impl Fn(Tensor<D>, Tensor<D>) -> Tensor<D>,
) -> [f64; 2] {
    let both = [values(input, 1), values(weight, 2)];
    let value = |[input, weight]: [Tensor<D>; 2]| {
        let output = map(input, weight);
        let seen = values(output.dims(), 3);
        (output * seen).sum()
    };
    let tracked = both.clone().map(Tensor::require_grad);
    let gradients = value(tracked.clone()).backward();
    [0, 1].map(|side| {
        let found = tracked[side].grad(&gradients).expect("a gradient");
        let dims = both[side].dims();
        let size = dims.iter().product::<usize>();
        let exact = (0..size).map(|entry| {
            let unit = Tensor::<1>::zeros([size], &device());
            let unit: Tensor<D> = unit.slice_fill(entry..entry + 1, 0.5).reshape(dims);
            let at = |sign: f64| {
                let mut moved = both.clone();
                moved[side] = moved[side].clone() + unit.clone() * sign;
                value(moved)
            };
            at(1.0) - at(-1.0)
        });
        let exact: Tensor<D> = Tensor::cat(exact.collect(), 0).reshape(dims);
        distance(found, exact)
    })
}

/// A trace takes the gradients of inputs from Burn, so these must be right everywhere; and no other convolution has the
/// fault of the grouped `Conv1d`, whatever is left after its last window.
#[test]
fn no_other_gradient_of_a_convolution_is_wrong() {
    let right = |what: String, [input, weight]: [f64; 2]| {
        assert!(
            input < 1e-9 && weight < 1e-9,
            "{what}: {input:e} and {weight:e}"
        );
    };
    for (groups, stride, dilation, pad) in [
        (1, 3, 1, 0),
        (2, 2, 1, 1),
        (2, 3, 1, 0),
        (2, 3, 2, 1),
        (3, 4, 1, 2),
    ] {
        for size in 4..8 {
            let case = format!(
                "groups {groups}, stride {stride}, dilation {dilation}, padding {pad}, size {size}"
            );
            let channels = [2 * groups, 2 * groups];
            let [c, _] = channels;

            let options = ConvOptions::new([stride], [pad], [dilation], groups);
            let [input, weight] = off([2, c, size], [c, 2, 2], |x, w| {
                conv1d(x, w, None, options.clone())
            });
            // The weight's gradient is the subject of the test above.
            right(
                format!("conv1d of {case}"),
                [input, if groups == 1 { weight } else { 0.0 }],
            );
            let options = ConvOptions::new([stride, 1], [pad, 0], [dilation, 2], groups);
            let found = off([1, c, size, 4], [c, 2, 2, 2], |x, w| {
                conv2d(x, w, None, options.clone())
            });
            right(format!("conv2d of {case}"), found);
            let options = ConvOptions::new([1, stride, 2], [0, pad, 1], [1, dilation, 1], groups);
            let found = off([1, c, 2, size, 3], [c, 2, 1, 2, 2], |x, w| {
                conv3d(x, w, None, options.clone())
            });
            right(format!("conv3d of {case}"), found);

            let (size, out) = (size - 3, size % 3);
            let options = ConvTransposeOptions::new([stride], [pad / 2], [out], [dilation], groups);
            let found = off([2, c, size], [c, 3, 2], |x, w| {
                conv_transpose1d(x, w, None, options.clone())
            });
            right(format!("conv_transpose1d of {case}"), found);
            let options = ConvTransposeOptions::new(
                [stride, 1],
                [pad / 2, 0],
                [out, 1],
                [dilation, 1],
                groups,
            );
            let found = off([1, c, size, 2], [c, 2, 2, 1], |x, w| {
                conv_transpose2d(x, w, None, options.clone())
            });
            right(format!("conv_transpose2d of {case}"), found);
            let options = ConvTransposeOptions::new(
                [1, stride, 1],
                [0, pad / 2, 0],
                [0, out, 0],
                [1, dilation, 1],
                groups,
            );
            let found = off([1, c, 1, size, 2], [c, 2, 2, 2, 1], |x, w| {
                conv_transpose3d(x, w, None, options.clone())
            });
            right(format!("conv_transpose3d of {case}"), found);
        }
    }
}

/// A check that compares with Burn's own backward pass names the fault instead of blaming the trace.
#[test]
fn verify_names_the_fault() {
    let config = Conv1dConfig::new(4, 6, 3).with_stride(2).with_groups(2);
    let layer = config.init(&device()).map(&mut Fill(0));
    let at = |length| {
        move |m: &Conv1d| {
            let x = values([3, 4, length], 1);
            squares(m.tap(x))
        }
    };
    let verified = verify(&layer, at(6)).expect("the trace is right");
    let fault = BurnFault::GroupedConv1d;
    let path = "weight".to_owned();
    assert_eq!(verified.warnings, [Warning::BurnFault { path, fault }]);
    let message = verified.warnings[0].to_string();
    assert!(
        message.starts_with("weight: Burn's own backward pass of a grouped Conv1d"),
        "{message}"
    );

    let verified = verify(&layer, at(7)).expect("right");
    assert!(verified.warnings.is_empty());
}
