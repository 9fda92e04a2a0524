//! Each composition against its published definition, on numbers worked out by hand.

use burn::tensor::{Device, Tensor};
use gradual_group::{Average, Draw, EachExample, Grouping, Groups, Labels, Priors};
use gradual_loss::{
    Composition, Cvar, ExcessLoss, Focal, GroupDro, LeaveOneOut, LossError, Max, Mean, PowerMean,
    RunningMeans, Shifted, SumOfSquares, Tilted,
};
use proptest::prelude::*;

use crate::common::all;

const LN_2: f32 = std::f32::consts::LN_2;

fn vector(values: &[f32]) -> Tensor<1> {
    Tensor::from_floats(values, &Device::flex())
}

fn numbers(tensor: Tensor<1>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("f32")
}

/// Example j alone in group j.
fn singles(k: usize) -> Groups {
    Groups::hard(
        (0..k).map(Some).collect(),
        k,
        Average::Mean,
        &Device::flex(),
    )
    .unwrap()
}

fn close(found: &[f32], expected: &[f32]) -> bool {
    found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() <= 2e-6 * (1.0 + b.abs()))
}

/// Value and coefficients of one draw, both as expected.
fn check(
    composition: &mut dyn Composition,
    losses: &[f32],
    groups: &Groups,
    value: f32,
    coefficients: &[f32],
) {
    let composed = composition.compose(&vector(losses), groups).unwrap();
    let (found, c) = (numbers(composed.value), numbers(composed.coefficients));
    assert!(close(&found, &[value]), "value {found:?}, not {value}");
    assert!(close(&c, coefficients), "{c:?}, not {coefficients:?}");
}

/// Group means 2 and 1 of losses (1, 3) and (1):
/// Σ ℓ̄⁴ = 16 + 1 and c = 4 ℓ̄³/n_g = (32/2, 32/2, 4); Σ ℓ̄ = 3 and c = 1/n_g.
#[test]
fn powers() {
    let labels = vec![Some(0), Some(0), Some(1)];
    let groups = Groups::hard(labels, 2, Average::Mean, &Device::flex()).unwrap();
    let losses = [1.0, 3.0, 1.0];
    let power = |p| PowerMean::new(p).unwrap();
    check(&mut power(4.0), &losses, &groups, 17.0, &[16.0, 16.0, 4.0]);
    check(&mut power(1.0), &losses, &groups, 3.0, &[0.5, 0.5, 1.0]);
    check(&mut power(2.0), &losses, &groups, 5.0, &[2.0, 2.0, 2.0]);
    check(&mut SumOfSquares, &losses, &groups, 5.0, &[2.0, 2.0, 2.0]);
    assert_eq!(power(4.0).power(), 4.0);
}

/// √4 + √0 = 2 with slope 1/(2·√4) at 4; the infinite slope at 0 counts as none.
#[test]
fn powers_below_one() {
    let mut half = PowerMean::new(0.5).unwrap();
    check(&mut half, &[4.0, 0.0], &singles(2), 2.0, &[0.25, 0.0]);
}

/// √((3² + 4²)/2) = 5/√2, slopes ℓ/(2L) = 3/(5√2), 4/(5√2). At p = 300 (1, 2) is nearly the worst
/// alone: 2·(½)^(1/300), where the plain sum 2^300 would overflow.
#[test]
fn power_means_proper() {
    let root = std::f32::consts::SQRT_2;
    let mut two = PowerMean::new(2.0).unwrap().rooted();
    let slopes = [3.0 / (5.0 * root), 4.0 / (5.0 * root)];
    check(&mut two, &[3.0, 4.0], &singles(2), 5.0 / root, &slopes);
    let mut worst = PowerMean::new(300.0).unwrap().rooted();
    let share = 0.5f32.powf(1.0 / 300.0);
    check(
        &mut worst,
        &[1.0, 2.0],
        &singles(2),
        2.0 * share,
        &[0.0, share],
    );
}

/// A soft group of weight 0 has no part, however large its loss is beside the others'.
#[test]
fn power_means_leave_out_groups_without_weight() {
    let shares = vec![1.0, 0.0, 0.0, 1.0];
    let groups = Groups::soft(shares, vec![1.0, 0.0], vec![1.0; 2], &Device::flex()).unwrap();
    let mut thirtieth = PowerMean::new(30.0).unwrap().rooted();
    check(&mut thirtieth, &[0.0, 3.0], &groups, 0.0, &[0.0, 0.0]);
    check(&mut thirtieth, &[2.0, 3.0], &groups, 2.0, &[1.0, 0.0]);
}

/// Three groups of mass 1, α = ½: a mass of 1.5 is taken, 3 whole and 2 by half:
/// (3 + 2/2)/1.5 = 8/3. With α = 0.1 only the worst, with α = 1 all.
#[test]
fn cvar_takes_the_worst() {
    let (losses, groups) = ([3.0, 1.0, 2.0], singles(3));
    let cvar = |alpha| Cvar::new(alpha).unwrap();
    let thirds = [2.0 / 3.0, 0.0, 1.0 / 3.0];
    check(&mut cvar(0.5), &losses, &groups, 8.0 / 3.0, &thirds);
    check(&mut cvar(0.1), &losses, &groups, 3.0, &[1.0, 0.0, 0.0]);
    check(&mut cvar(1.0), &losses, &groups, 2.0, &[1.0 / 3.0; 3]);
}

/// Masses 1, 3: α = ½ takes a mass of 2, that of the worse group (1) and 1 of the other:
/// (3·1 + 1·1)/2 = 2. An empty group has no mass, so it changes nothing.
#[test]
fn cvar_counts_masses() {
    let groups = singles(2).with_priors(&[1.0, 3.0]).unwrap();
    let mut half = Cvar::new(0.5).unwrap();
    check(&mut half, &[3.0, 1.0], &groups, 2.0, &[0.5, 0.5]);
    let with_empty = Groups::hard(vec![Some(0), Some(2)], 3, Average::Mean, &Device::flex());
    let (losses, with_empty) = ([3.0, 1.0], with_empty.unwrap());
    check(&mut half, &losses, &with_empty, 3.0, &[1.0, 0.0]);
}

/// The worst alone, the first of equals, whatever the masses; a group that the draw lacks is not the worst, even where
/// all losses are negative.
#[test]
fn max_takes_the_worst() {
    let mut max = Max;
    check(
        &mut max,
        &[3.0, 1.0, 2.0],
        &singles(3),
        3.0,
        &[1.0, 0.0, 0.0],
    );
    check(
        &mut max,
        &[1.0, 2.0, 2.0],
        &singles(3),
        2.0,
        &[0.0, 1.0, 0.0],
    );
    let heavy = singles(2).with_priors(&[9.0, 1.0]).unwrap();
    check(&mut max, &[-3.0, -1.0], &heavy, -1.0, &[0.0, 1.0]);
    let with_empty = Groups::hard(vec![Some(0), Some(2)], 3, Average::Mean, &Device::flex());
    check(
        &mut max,
        &[-3.0, -1.0],
        &with_empty.unwrap(),
        -1.0,
        &[0.0, 1.0],
    );
}

/// e^ℓ = (2, 4): t = 1 gives ln((2 + 4)/2) = ln 3 with shares (1/3, 2/3); t = −1 gives
/// −ln((1/2 + 1/4)/2) = ln(8/3) with shares (2/3, 1/3).
#[test]
fn tilted_by_hand() {
    let (losses, groups) = ([LN_2, 2.0 * LN_2], singles(2));
    let (third, tilted) = (1.0 / 3.0, |t| Tilted::new(t).unwrap());
    check(
        &mut tilted(1.0),
        &losses,
        &groups,
        3f32.ln(),
        &[third, 2.0 * third],
    );
    let eight_thirds = (8.0f32 / 3.0).ln();
    check(
        &mut tilted(-1.0),
        &losses,
        &groups,
        eight_thirds,
        &[2.0 * third, third],
    );
    check(&mut tilted(0.0), &losses, &groups, 1.5 * LN_2, &[0.5, 0.5]);
}

/// Exponents of ±10 000: (1/t) ln(e^(tm)/2) = m − (ln 2)/t for the dominating loss m. The empty group,
/// whose loss of 0 would dominate for t < 0, is left out.
#[test]
fn tilted_does_not_overflow() {
    let groups = Groups::hard(vec![Some(0), Some(2)], 3, Average::Mean, &Device::flex()).unwrap();
    let losses = [1000.0, 2000.0];
    let mut up = Tilted::new(10.0).unwrap();
    check(&mut up, &losses, &groups, 2000.0 - LN_2 / 10.0, &[0.0, 1.0]);
    let mut down = Tilted::new(-10.0).unwrap();
    check(
        &mut down,
        &losses,
        &groups,
        1000.0 + LN_2 / 10.0,
        &[1.0, 0.0],
    );
}

/// Against double precision, for tilts over nine orders of magnitude: at t = 0.01 the value was off by 4e-4.
#[test]
fn tilted_keeps_its_digits() {
    let losses = [0.1f32, 0.7, 2.3, 0.0, -0.4];
    let priors = [1.0f32, 0.5, 2.0, 0.0, 1.0];
    let groups = singles(5).with_priors(&priors.map(f64::from)).unwrap();
    let pairs = || {
        losses
            .iter()
            .zip(&priors)
            .map(|(&l, &s)| (f64::from(l), f64::from(s) / 4.5))
    };
    for size in [
        1e-30, 1e-9, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0, 1e3,
    ] {
        for t in [size, -size] {
            let composed = Tilted::new(t)
                .unwrap()
                .compose(&vector(&losses), &groups)
                .unwrap();
            let present = pairs()
                .filter(|(_, p)| *p > 0.0)
                .map(|(l, _)| l * t.signum());
            let worst = present.fold(f64::NEG_INFINITY, f64::max) * t.signum();
            let sum: f64 = pairs()
                .map(|(l, p)| p * (t * (l - worst)).min(0.0).exp_m1())
                .sum();
            let value = worst + sum.ln_1p() / t;
            let found = f64::from(numbers(composed.value)[0]);
            assert!(
                (found - value).abs() < 1e-6,
                "t = {t}: {found}, not {value}"
            );
            let c = numbers(composed.coefficients);
            for ((l, p), c) in pairs().zip(c) {
                let share = if p > 0.0 {
                    p * (t * (l - value)).exp()
                } else {
                    0.0
                };
                assert!(
                    (f64::from(c) - share).abs() < 1e-6,
                    "t = {t}: {c}, not {share}"
                );
            }
        }
    }
}

/// p = e^(−ln 2) = ½, γ = 2: (½)² ln 2, slope (½)² + 2·½·½·ln 2. Over n = 2 examples, half of it
/// each. An example without loss has neither value nor slope.
#[test]
fn focal_by_hand() {
    let losses = vector(&[LN_2, 0.0]);
    let groups = EachExample.group(&Draw::new(&losses)).unwrap();
    let slope = (0.25 + 0.5 * LN_2) / 2.0;
    let mut focal = Focal::new(2.0).unwrap();
    check(&mut focal, &[LN_2, 0.0], &groups, LN_2 / 8.0, &[slope, 0.0]);
    // γ = 0 is the mean of losses.
    let mut plain = Focal::new(0.0).unwrap();
    check(&mut plain, &[3.0, 1.0], &groups, 2.0, &[0.5, 0.5]);
}

/// 1 − e^(−ℓ) ≈ ℓ, so the focal loss is ℓ³ and its slope 3ℓ²; written plainly, single precision
/// would know ℓ = 1e-5 to two digits.
#[test]
fn focal_keeps_its_digits_near_zero() {
    let groups = singles(1);
    let mut focal = Focal::new(2.0).unwrap();
    let composed = focal.compose(&vector(&[1e-5]), &groups).unwrap();
    let slope = numbers(composed.coefficients)[0];
    assert!((slope / 3e-10 - 1.0).abs() < 1e-4, "{slope}");
}

/// Mean of squares over single examples: (1 + 9)/2, slopes 2ℓ/2.
#[test]
fn compositions_of_single_examples() {
    let losses = vector(&[1.0, 3.0]);
    let groups = EachExample.group(&Draw::new(&losses)).unwrap();
    check(&mut SumOfSquares, &[1.0, 3.0], &groups, 5.0, &[1.0, 3.0]);
    check(&mut Mean, &[1.0, 3.0], &groups, 2.0, &[0.5, 0.5]);
}

/// η = ln 2, losses (1, 2): q ∝ (2, 4), so q = (1/3, 2/3) and L = 1/3 + 4/3. Then a draw without
/// group 0, and ℓ_1 = 1: q ∝ (1/3, 2/3·2) = (1/5, 4/5), L = 4/5.
#[test]
fn group_dro_by_hand() {
    let mut dro = GroupDro::new(f64::from(LN_2)).unwrap();
    assert_eq!(dro.weights(2), [0.5, 0.5]);
    let thirds = [1.0 / 3.0, 2.0 / 3.0];
    check(&mut dro, &[1.0, 2.0], &singles(2), 5.0 / 3.0, &thirds);
    let without = Groups::hard(vec![Some(1)], 2, Average::Mean, &Device::flex()).unwrap();
    check(&mut dro, &[1.0], &without, 0.8, &[0.8]);
    let weights = dro.weights(2);
    assert!((weights[0] - 0.2).abs() < 1e-6 && (weights[1] - 0.8).abs() < 1e-6);
}

/// C = 2 and sizes (1, 4): losses (1, 2) count as (3, 3), so q stays even; (1, 1) as (3, 2), and q ∝ (2, 1) at
/// η = ln 2. The value holds the adjustment, the coefficients do not.
#[test]
fn group_dro_adjusts_for_sizes() {
    let dro = GroupDro::new(f64::from(LN_2)).unwrap();
    let mut dro = dro.with_size_adjustment(2.0, &[1.0, 4.0]).unwrap();
    check(&mut dro, &[1.0, 2.0], &singles(2), 3.0, &[0.5, 0.5]);
    let (two, one) = (2.0 / 3.0, 1.0 / 3.0);
    check(&mut dro, &[1.0, 1.0], &singles(2), 8.0 / 3.0, &[two, one]);
    // A group that a draw lacks is not adjusted either.
    let without = Groups::hard(vec![Some(1)], 2, Average::Mean, &Device::flex()).unwrap();
    check(&mut dro, &[0.0], &without, 1.0 * 0.5, &[0.5]);

    let other = dro
        .compose(&vector(&[1.0; 3]), &singles(3))
        .map(drop)
        .unwrap_err();
    assert!(
        matches!(
            other,
            LossError::Groups {
                expected: 2,
                got: 3,
                ..
            }
        ),
        "{other}"
    );
    let fresh = || GroupDro::new(0.1).unwrap();
    assert!(fresh().with_size_adjustment(-1.0, &[1.0]).is_err());
    assert!(fresh().with_size_adjustment(1.0, &[]).is_err());
    assert!(fresh().with_size_adjustment(1.0, &[1.0, 0.0]).is_err());
    let mut none = fresh().with_size_adjustment(0.0, &[1.0, 9.0]).unwrap();
    let (mut plain, losses) = (fresh(), [1.0, 2.0]);
    let composed = plain.compose(&vector(&losses), &singles(2)).unwrap();
    check(
        &mut none,
        &losses,
        &singles(2),
        numbers(composed.value)[0],
        &numbers(composed.coefficients),
    );
}

/// A weight of e^(−20 000) is no number, but comes back: after as many draws the other way round
/// the weights are equal again.
#[test]
fn group_dro_forgets_nothing() {
    let mut dro = GroupDro::new(1.0).unwrap();
    for losses in [[10.0, 0.0], [0.0, 10.0]] {
        for _ in 0..2_000 {
            dro.observe(&losses, &[1.0, 1.0]).unwrap();
        }
    }
    let weights = dro.weights(2);
    assert!((weights[0] - 0.5).abs() < 1e-6, "{weights:?}");
}

/// η = 1, c = 0.1, references (1, 1), losses (1 + ln 2, ½): excess (ln 2, 0), α' = (2/3, 1/3),
/// α = 0.9 α' + 0.05 = (0.65, 0.35), L = 0.65 ln 2 − 0.35·½. Then no excess: α' = α,
/// α = 0.9 (0.65, 0.35) + 0.05 = (0.635, 0.365), L = 0.
#[test]
fn excess_loss_by_hand() {
    let excess = ExcessLoss::new(vec![1.0, 1.0]).unwrap();
    let mut excess = excess.with_smoothing(0.1).unwrap();
    assert_eq!(excess.mean_weights(), [0.5, 0.5]);
    let (groups, value) = (singles(2), 0.65 * LN_2 - 0.175);
    check(
        &mut excess,
        &[1.0 + LN_2, 0.5],
        &groups,
        value,
        &[0.65, 0.35],
    );
    check(&mut excess, &[1.0, 1.0], &groups, 0.0, &[0.635, 0.365]);
    let mean = excess.mean_weights();
    assert!((mean[0] - 0.6425).abs() < 1e-6 && (mean[1] - 0.3575).abs() < 1e-6);
}

/// Without a reference and without smoothing it is group DRO.
#[test]
fn excess_over_nothing_is_group_dro() {
    let excess = ExcessLoss::new(vec![0.0; 3]).unwrap();
    let excess = excess.with_eta(0.3).unwrap();
    let mut excess = excess.with_smoothing(0.0).unwrap();
    let mut dro = GroupDro::new(0.3).unwrap();
    for losses in [[1.0, 2.0, 0.5], [0.2, 0.1, 3.0]] {
        let composed = dro.compose(&vector(&losses), &singles(3)).unwrap();
        let (value, c) = (numbers(composed.value), numbers(composed.coefficients));
        check(&mut excess, &losses, &singles(3), value[0], &c);
    }
}

/// Priors (2, 0.5): 2·1² + 0.5·3² = 6.5, c = 2 π ℓ̄.
#[test]
fn priors_weigh_groups() {
    let losses = vector(&[1.0, 3.0]);
    let mut grouping = Priors::new(Labels::new(2), vec![2.0, 0.5]).unwrap();
    let labels = [Some(0), Some(1)];
    let groups = grouping
        .group(&Draw::new(&losses).with_labels(&labels))
        .unwrap();
    check(&mut SumOfSquares, &[1.0, 3.0], &groups, 6.5, &[4.0, 3.0]);
    check(&mut Mean, &[1.0, 3.0], &groups, 3.5 / 2.5, &[0.8, 0.2]);
}

/// A state written down and taken up again goes on to the same bits.
#[test]
fn states_go_round() {
    for ((name, mut first), (_, mut second)) in all(3).into_iter().zip(all(3)) {
        let groups = singles(3);
        let draw = |composition: &mut dyn Composition, losses: [f32; 3]| {
            let composed = composition.compose(&vector(&losses), &groups).unwrap();
            numbers(composed.coefficients)
        };
        second.restore(&first.state()).unwrap();
        draw(first.as_mut(), [1.0, 2.0, 3.0]);
        draw(first.as_mut(), [0.1, 0.2, 0.9]);
        second.restore(&first.state()).unwrap();
        for losses in [[0.5, 0.4, 0.3], [1.0, 0.0, 2.0]] {
            assert_eq!(draw(first.as_mut(), losses), draw(second.as_mut(), losses));
        }
        assert_eq!(first.state(), second.state());
        assert_eq!(first.keeps_state(), !first.state().is_empty(), "{name}");
    }
}

#[test]
fn settings_are_checked() {
    let message = |result: Result<(), gradual_loss::LossError>| result.unwrap_err().to_string();
    assert_eq!(
        message(PowerMean::new(0.0).map(drop)),
        "power mean: p must be above 0 and at most 1e6, got 0"
    );
    assert!(PowerMean::new(f64::INFINITY).is_err() && PowerMean::new(f64::NAN).is_err());
    assert_eq!(
        message(Cvar::new(1.5).map(drop)),
        "CVaR: alpha must be above 0 and at most 1, got 1.5"
    );
    assert!(Cvar::new(0.0).is_err() && Cvar::new(f64::NAN).is_err());
    assert_eq!(
        message(Tilted::new(f64::NAN).map(drop)),
        "tilted: t must be from -1e30 to 1e30, got NaN"
    );
    assert_eq!(
        message(Focal::new(-1.0).map(drop)),
        "focal: gamma must be from 0 to 1e6, got -1"
    );
    assert_eq!(
        message(GroupDro::new(-0.1).map(drop)),
        "group DRO: eta must be finite and at least 0, got -0.1"
    );
    let excess = || ExcessLoss::new(vec![1.0]).unwrap();
    assert_eq!(
        message(ExcessLoss::new(vec![]).map(drop)),
        "excess loss: number of references must be at least 1, got 0"
    );
    assert_eq!(
        message(ExcessLoss::new(vec![1.0, f64::NAN]).map(drop)),
        "excess loss: reference must be finite, got NaN"
    );
    assert!(excess().with_eta(f64::INFINITY).is_err());
    assert_eq!(
        message(excess().with_smoothing(2.0).map(drop)),
        "excess loss: smoothing must be from 0 to 1, got 2"
    );
}

/// An error names what is wrong and leaves the state as it was.
#[test]
fn refused_draws_and_states_change_nothing() {
    let mut dro = GroupDro::new(1.0).unwrap();
    dro.observe(&[1.0, 2.0], &[1.0, 1.0]).unwrap();
    let before = dro.state();
    let other = dro
        .compose(&vector(&[1.0, 2.0, 3.0]), &singles(3))
        .unwrap_err();
    assert_eq!(
        other.to_string(),
        "group DRO: knows 2 groups, by its settings or by earlier draws, but the draw has 3; groups must keep their identity from draw to draw"
    );
    let forward = dro.forward(vector(&[1.0, 2.0, 3.0]), &singles(3));
    assert_eq!(forward.unwrap_err().to_string(), other.to_string());
    let infinite = dro.observe(&[1.0, f64::INFINITY], &[1.0, 1.0]).unwrap_err();
    assert_eq!(
        infinite.to_string(),
        "group DRO: the loss of group 1 is inf"
    );
    let torn = dro.restore(&[0.0, f64::NAN]).unwrap_err();
    assert_eq!(
        torn.to_string(),
        "group DRO: can't restore 2 numbers; its state is one finite number per group, or a count, one number per group and its \
         identity"
    );
    assert_eq!(dro.state(), before);

    let mut excess = ExcessLoss::new(vec![1.0, 1.0]).unwrap();
    assert!(excess.restore(&[0.0; 4]).is_err());
    assert!(excess.compose(&vector(&[1.0]), &singles(1)).is_err());
    assert!(excess.observe(&[f64::NAN, 0.0], &[1.0, 1.0]).is_err());
    assert!(excess.state().is_empty());
    assert_eq!(
        Mean.restore(&[1.0]).unwrap_err().to_string(),
        "composition: can't restore 1 numbers; its state is empty"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// CVaR_α = min_τ τ + E[max(ℓ − τ, 0)]/α, and the minimum is at one of the losses.
    #[test]
    fn cvar_is_its_variational_form(
        losses in prop::collection::vec(0.0f32..3.0, 1..10),
        alpha in 0.02f64..1.0,
    ) {
        let k = losses.len();
        let priors: Vec<f32> = (0..k).map(|group| 0.5 + (group % 3) as f32).collect();
        let total: f32 = priors.iter().sum();
        let weights: Vec<f64> = priors.iter().copied().map(f64::from).collect();
        let groups = singles(k).with_priors(&weights).unwrap();
        let at = |tau: f32| {
            let tail = losses.iter().zip(&priors).map(|(l, s)| s * (l - tau).max(0.0));
            tau + tail.sum::<f32>() / total / alpha as f32
        };
        let least = losses.iter().map(|&tau| at(tau)).fold(f32::INFINITY, f32::min);
        let composed = Cvar::new(alpha).unwrap().compose(&vector(&losses), &groups).unwrap();
        let sum: f32 = numbers(composed.coefficients).iter().sum();
        prop_assert!((numbers(composed.value)[0] - least).abs() < 1e-4);
        prop_assert!((sum - 1.0).abs() < 1e-4, "the coefficients of a mean add up to one: {}", sum);
    }

    /// M_p = (Σ ℓ^p / k)^(1/p) has slopes (ℓ/M_p)^(p−1) / k; in double precision.
    #[test]
    fn slopes_of_power_means(
        losses in prop::collection::vec(0.05f32..3.0, 1..8),
        p in 0.2f64..60.0,
    ) {
        let k = losses.len() as f64;
        let mut rooted = PowerMean::new(p).unwrap().rooted();
        let composed = rooted.compose(&vector(&losses), &singles(losses.len())).unwrap();
        let powers: f64 = losses.iter().map(|&loss| f64::from(loss).powf(p)).sum();
        let mean = (powers / k).powf(1.0 / p);
        prop_assert!((f64::from(numbers(composed.value)[0]) / mean - 1.0).abs() < 1e-4);
        for (&loss, found) in losses.iter().zip(numbers(composed.coefficients)) {
            let slope = (f64::from(loss) / mean).powf(p - 1.0) / k;
            prop_assert!((f64::from(found) - slope).abs() < 1e-3 * (1e-3 + slope));
        }
    }

    /// The published slope of the focal loss, in double precision.
    #[test]
    fn focal_slopes(loss in 1e-3f32..20.0, gamma in 0.0f64..5.0) {
        let composed = Focal::new(gamma).unwrap().compose(&vector(&[loss]), &singles(1)).unwrap();
        let (l, p) = (f64::from(loss), (-f64::from(loss)).exp());
        let slope = (1.0 - p).powf(gamma) + gamma * (1.0 - p).powf(gamma - 1.0) * p * l;
        let found = f64::from(numbers(composed.coefficients)[0]);
        prop_assert!((found - slope).abs() < 1e-5 * (1e-3 + slope), "{} against {}", found, slope);
    }
}

/// Losses (1, 3, 2) and (5): the pairs of the first group have the mean product (3 + 2 + 6)/3 and
/// c = 2 · (mean of the others) / 3; the second is alone, 5² and c = 10.
#[test]
fn pairs_of_different_examples() {
    let labels = vec![Some(0), Some(0), Some(0), Some(1)];
    let losses = [1.0, 3.0, 2.0, 5.0];
    let mean = Groups::hard(labels.clone(), 3, Average::Mean, &Device::flex()).unwrap();
    let others = [5.0 / 3.0, 1.0, 4.0 / 3.0, 10.0];
    check(&mut LeaveOneOut, &losses, &mean, 11.0 / 3.0 + 25.0, &others);
    // Sums are three times the mean, their squares nine times.
    let sum = Groups::hard(labels, 3, Average::Sum, &Device::flex()).unwrap();
    let nine = [15.0, 9.0, 12.0, 10.0];
    check(&mut LeaveOneOut, &losses, &sum, 33.0 + 25.0, &nine);
}

/// Over all draws of three from four losses, with replacement, the mean of Q is the square of the
/// mean loss, and that of ℓ̄² is larger by Var/3.
#[test]
fn pairs_have_no_bias() {
    let all = [0.0, 1.0, 2.0, 5.0f32];
    let one = Groups::one(3, &Device::flex());
    let over_draws = |composition: &mut dyn Composition| {
        let draws = (0..64).map(|draw| [draw % 4, draw / 4 % 4, draw / 16].map(|i: usize| all[i]));
        let values = draws.map(|losses| {
            let composed = composition.compose(&vector(&losses), &one).unwrap();
            f64::from(numbers(composed.value)[0])
        });
        values.sum::<f64>() / 64.0
    };
    let (mean, variance) = (2.0, 3.5);
    assert!((over_draws(&mut LeaveOneOut) - mean * mean).abs() < 1e-5);
    assert!((over_draws(&mut SumOfSquares) - mean * mean - variance / 3.0).abs() < 1e-5);
}

/// At memory ½ the means after losses (4, 1) and (1, 1) are (½·4 + 1)/1½ = 2 and 1, so the squares
/// pull by (4, 2), and L = 4·1 + 2·1.
#[test]
fn pulls_at_running_means() {
    let mut running = RunningMeans::new(SumOfSquares, 0.5).unwrap();
    let groups = singles(2);
    check(&mut running, &[4.0, 1.0], &groups, 34.0, &[8.0, 2.0]);
    let before = running.clone();
    check(&mut running, &[1.0, 1.0], &groups, 6.0, &[4.0, 2.0]);
    assert_eq!(running.means(), [2.0, 1.0]);

    // A group that a draw lacks keeps its mean and has no part in the step.
    let lacks = Groups::hard(vec![Some(0)], 2, Average::Mean, &Device::flex()).unwrap();
    let mut lacking = running.clone();
    check(&mut lacking, &[2.0], &lacks, 8.0, &[4.0]);
    assert_eq!(lacking.means()[1], 1.0);

    // The state is all that there is to remember.
    let mut restored = RunningMeans::new(SumOfSquares, 0.5).unwrap();
    restored.restore(&before.state()).unwrap();
    assert_eq!(restored.state(), before.state());
    check(&mut restored, &[1.0, 1.0], &groups, 6.0, &[4.0, 2.0]);
    let counts = [[-1.0], [f64::MAX], [f64::NAN], [f64::INFINITY], [9.3e18]];
    let counts = counts.iter().map(|count| count.as_slice());
    for wrong in [&[][..], &[2.0, 1.0], &[0.5], &[1.0, f64::NAN, 1.0]]
        .into_iter()
        .chain(counts)
    {
        assert!(restored.restore(wrong).is_err(), "{wrong:?}");
    }
    let other = restored.compose(&vector(&[1.0; 3]), &singles(3));
    assert!(matches!(
        other,
        Err(LossError::Groups {
            expected: 2,
            got: 3,
            ..
        })
    ));
    assert!(RunningMeans::new(Mean, 1.0).is_err());
}

/// What is kept of a group goes with its identity to its new number; a new group begins as at first, and a lost one is forgotten.
#[test]
fn what_is_remembered_goes_with_identities() {
    let of = |identities: &[u64]| singles(identities.len()).with_identities(identities.to_vec());
    let mut running = RunningMeans::new(SumOfSquares, 0.5).unwrap();
    running.compose(&vector(&[4.0, 1.0]), &of(&[7, 9])).unwrap();
    let before = running.clone();
    // The other way round, with a third: (½·1 + 3)/1½, (½·4 + 1)/1½, and 5.
    running
        .compose(&vector(&[3.0, 1.0, 5.0]), &of(&[9, 7, 12]))
        .unwrap();
    for (found, expected) in running.means().into_iter().zip([7.0 / 3.0, 2.0, 5.0]) {
        assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
    }
    let mut restored = RunningMeans::new(SumOfSquares, 0.5).unwrap();
    restored.restore(&before.state()).unwrap();
    restored
        .compose(&vector(&[3.0, 1.0, 5.0]), &of(&[9, 7, 12]))
        .unwrap();
    assert_eq!(restored.state(), running.state());
    // One is lost.
    running.compose(&vector(&[5.0]), &of(&[12])).unwrap();
    assert_eq!(running.means(), [5.0]);
    running
        .compose(&vector(&[1.0, 5.0]), &of(&[7, 12]))
        .unwrap();
    assert_eq!(running.means(), [1.0, 5.0]);

    // η = 1, s = 1: the weights of losses 0 and ln 3 are a quarter and three.
    let mut dro = GroupDro::new(1.0).unwrap();
    let third = 3f64.ln() as f32;
    dro.compose(&vector(&[0.0, third]), &of(&[3, 4])).unwrap();
    let before = dro.clone();
    let kept = dro.weights(2);
    let ratio = kept[1] / kept[0];
    dro.compose(&vector(&[0.0, 0.0]), &of(&[4, 3])).unwrap();
    let turned = dro.weights(2);
    assert!((turned[0] / turned[1] - ratio).abs() < 1e-6, "{turned:?}");
    let mut restored = GroupDro::new(1.0).unwrap();
    restored.restore(&before.state()).unwrap();
    restored
        .compose(&vector(&[0.0, 0.0]), &of(&[4, 3]))
        .unwrap();
    assert_eq!(restored, dro);
    // A new group begins with an even share of all.
    dro.compose(&vector(&[0.0, 0.0, 0.0]), &of(&[4, 3, 5]))
        .unwrap();
    let weights = dro.weights(3);
    assert!((weights[2] - 0.25).abs() < 1e-6 && (weights[0] / weights[1] - ratio).abs() < 1e-6);
    // What is refused leaves all as it was: no group is forgotten for a draw that is no good.
    let before = (dro.state(), running.state());
    let endless = vector(&[f32::INFINITY, 1.0]);
    assert!(dro.compose(&endless, &of(&[8, 9])).is_err());
    assert!(running.compose(&endless, &of(&[8, 9])).is_err());
    assert_eq!((dro.state(), running.state()), before);
    for wrong in [
        &[1.0, -0.5][..],
        &[2.0, -1.0, -1.0, 3.0],
        &[0.5, -1.0, 1.0],
        &[1.0, -0.5, -1.0],
    ] {
        assert!(dro.restore(wrong).is_err(), "{wrong:?}");
    }
}

/// Pairs of examples are no means of groups.
#[test]
fn running_means_are_of_group_losses() {
    let error = RunningMeans::new(LeaveOneOut, 0.5).unwrap_err().to_string();
    assert_eq!(
        error,
        "running means: goes by means of group losses, and leave one out looks at the losses of single examples: leave one of \
         the two out"
    );
    let shifted = Shifted::new(LeaveOneOut, -1.0).unwrap();
    assert!(RunningMeans::new(shifted, 0.5).is_err());
}

/// A larger tilt times a loss is no number in single precision.
#[test]
fn tilts_have_bounds() {
    assert!(Tilted::new(1e39).is_err() && Tilted::new(-1e200).is_err());
    let composed = Tilted::new(1e30)
        .unwrap()
        .compose(&vector(&[1.0, 2.0]), &singles(2));
    assert_eq!(numbers(composed.unwrap().coefficients), [0.0, 1.0]);
}

/// With no memory it is the composition itself.
#[test]
fn no_memory_no_change() {
    let losses = [0.5, 2.0, 1.5];
    let groups = singles(3);
    let plain = SumOfSquares.compose(&vector(&losses), &groups).unwrap();
    let mut running = RunningMeans::new(SumOfSquares, 0.0).unwrap();
    let found = running.compose(&vector(&losses), &groups).unwrap();
    assert!(close(
        &numbers(found.coefficients),
        &numbers(plain.coefficients)
    ));
}
