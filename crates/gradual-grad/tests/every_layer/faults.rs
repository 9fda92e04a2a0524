//! Where Burn's own backward pass is wrong, and that nothing else is said to be.

use burn::module::{Module, Param};
use burn::nn::PaddingConfig1d;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::tensor::Tensor;
use gradual_grad::{BurnFault, Tap, conv1d_fault, naive_rows, trace};

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
