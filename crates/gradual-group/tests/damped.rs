//! Groups whose loss stands still weigh less.

use burn::tensor::{Device, Tensor};
use gradual_group::{Damped, Draw, GroupError, Grouping, Labels};
use proptest::prelude::*;

fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.clone().into_data().try_to_vec().expect("f32")
}

/// Weights after a draw with one example for each group, at these losses; NaN for a group that the
/// draw lacks.
fn weights(grouping: &mut impl Grouping, losses: &[f32]) -> Vec<f32> {
    let present = |(group, loss): (usize, &f32)| (!loss.is_nan()).then_some(group);
    let labels: Vec<_> = losses.iter().enumerate().map(present).collect();
    let losses: Vec<f32> = losses
        .iter()
        .map(|&l| if l.is_nan() { 0.0 } else { l })
        .collect();
    let losses = Tensor::<1>::from_floats(losses.as_slice(), &Device::flex());
    let draw = Draw::new(&losses).with_labels(&labels);
    numbers(grouping.group(&draw).expect("groups").weights())
}

fn damped(groups: usize, patience: u64) -> Damped<Labels> {
    Damped::new(Labels::new(groups))
        .with_memory(0.5)
        .and_then(|damped| damped.with_floor(0.1))
        .expect("settings")
        .with_patience(patience)
        .unwrap()
}

/// Worked out by hand: group 0 falls by a tenth in every draw, group 1 stands still.
#[test]
fn what_stands_still_is_halved_again_and_again() {
    let mut grouping = damped(2, 10);
    let mut found = Vec::new();
    for draw in 0..60 {
        found.push(weights(&mut grouping, &[0.9f32.powi(draw), 0.7]));
    }
    // The marks are set in draw 1, and group 0 first moves in draw 2: then the clock is at 1.
    let still = |draw: usize| draw as f32 - 1.0;
    for (draw, weights) in found.iter().enumerate() {
        assert_eq!(weights[0], 1.0, "draw {draw}");
        let over = (still(draw) - 10.0).max(0.0);
        let expected = (-over / 10.0).exp2().max(0.1);
        assert!(
            (weights[1] - expected).abs() < 1e-6,
            "draw {draw}: {}",
            weights[1]
        );
    }
    assert_eq!(found[59][1], 0.1, "the floor");
    // One move gives everything back.
    weights(&mut grouping, &[0.01, 0.3]);
    assert_eq!(grouping.factors(), [1.0, 1.0]);
}

/// On a plateau that all groups share nobody is damped, however long it takes, nor is a group that
/// rises in the place of falling.
#[test]
fn a_common_plateau_damps_nobody() {
    let mut grouping = damped(3, 5);
    for _ in 0..200 {
        assert_eq!(weights(&mut grouping, &[0.7, 0.69, 0.71]), [1.0; 3]);
    }
    for draw in 0..40 {
        let rising = 0.69 * 1.1f32.powi(draw);
        let falling = 0.7 * 0.9f32.powi(draw);
        let found = weights(&mut grouping, &[falling, rising, 0.71]);
        assert_eq!(found[..2], [1.0, 1.0]);
    }
    assert_eq!(grouping.factors(), [1.0, 1.0, 0.1]);
    // Once nothing moves any more, the clocks stop.
    let mut grouping = damped(2, 20);
    for draw in 0..30 {
        weights(&mut grouping, &[0.9f32.powi(draw), 0.7]);
    }
    let factors = |grouping: &Damped<Labels>| grouping.factors()[1];
    let before = factors(&grouping);
    for _ in 0..100 {
        weights(&mut grouping, &[0.05, 0.7]);
    }
    let stopped = factors(&grouping);
    for _ in 0..100 {
        weights(&mut grouping, &[0.05, 0.7]);
    }
    assert!(stopped < before);
    assert_eq!(factors(&grouping), stopped);
}

#[test]
fn absent_groups_keep_their_clock() {
    let mut grouping = damped(3, 4);
    for draw in 0..40 {
        let rare = if draw % 8 == 0 { 0.7 } else { f32::NAN };
        weights(&mut grouping, &[0.9f32.powi(draw), 0.7, rare]);
    }
    let [moving, still, rare] = grouping.factors()[..] else {
        panic!("three groups")
    };
    assert_eq!((moving, still, rare), (1.0, 0.1, 1.0));
}

#[test]
fn what_makes_no_sense_is_named() {
    let damped = || Damped::new(Labels::new(1));
    for refused in [
        damped().with_memory(1.0),
        damped().with_memory(f64::NAN),
        damped().with_floor(-0.1),
        damped().with_least_move(2.0),
    ] {
        assert!(matches!(refused, Err(GroupError::Parameter { .. })));
    }
    let mut grouping = damped();
    weights(&mut grouping, &[1.0]);
    let before = grouping.state().expect("a state");
    let losses = Tensor::<1>::from_floats([f32::INFINITY], &Device::flex());
    let error = grouping.group(&Draw::new(&losses).with_labels(&[Some(0)]));
    assert_eq!(
        error.map(drop).unwrap_err().to_string(),
        "damped groups: the loss of group 0 is not finite, got inf"
    );
    assert_eq!(grouping.state().expect("a state"), before);
}

proptest! {
    /// Factors are between the floor and 1, and a group that moves in every draw keeps 1.
    #[test]
    fn factors_keep_their_range(
        losses in prop::collection::vec(prop::collection::vec(0.0f32..2.0, 3), 1..80),
        patience in 1u64..6,
    ) {
        let mut grouping = damped(4, patience);
        for (draw, losses) in losses.iter().enumerate() {
            let falling = 0.8f32.powi(draw as i32);
            let all: Vec<f32> = losses.iter().copied().chain([falling]).collect();
            let found = weights(&mut grouping, &all);
            prop_assert!(found.iter().all(|&weight| (0.1..=1.0).contains(&weight)));
            prop_assert_eq!(found[3], 1.0);
        }
    }
}
