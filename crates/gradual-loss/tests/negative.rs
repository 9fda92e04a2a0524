//! Losses below zero: refused by name, or taken as they are, and never a coefficient that is no number.

use burn::tensor::{DType, Device, Tensor, TensorData};
use gradual_grad::host::reads;
use gradual_group::{Average, Groups};
use gradual_loss::{
    Composition, LeaveOneOut, LossError, Mean, PowerMean, RunningMeans, Scale, Shifted,
    SumOfSquares,
};
use proptest::prelude::*;

use crate::common::{Named, all};

fn vector(values: &[f64], dtype: DType) -> Tensor<1> {
    let data = TensorData::new(values.to_vec(), [values.len()]).convert_dtype(dtype);
    Tensor::from_data(data, (&Device::flex(), dtype))
}

fn single(values: &[f64]) -> Tensor<1> {
    vector(values, DType::F32)
}

fn numbers(tensor: Tensor<1>) -> Vec<f64> {
    let data = tensor.into_data().convert::<f64>();
    data.try_to_vec().expect("numbers")
}

/// Example j alone in group j.
fn singles(k: usize) -> Groups {
    hard((0..k).map(Some).collect(), k, Average::Mean)
}

fn hard(labels: Vec<Option<usize>>, k: usize, average: Average) -> Groups {
    Groups::hard(labels, k, average, &Device::flex()).expect("well formed")
}

fn power(p: f64) -> PowerMean {
    PowerMean::new(p).unwrap()
}

/// Compositions that are meant for losses that are not negative.
fn non_negative() -> Vec<Named> {
    let mut all = all(2);
    all.retain(|(_, composition)| composition.least(&singles(2)) == Some(0.0));
    all
}

/// Compositions for losses of any sign; for k groups.
fn any_sign(k: usize) -> Vec<Named> {
    let mut all = all(k);
    all.retain(|(_, composition)| composition.least(&singles(k)).is_none());
    all
}

#[test]
fn which_compositions_need_losses_that_are_not_negative() {
    let names: Vec<String> = non_negative().into_iter().map(|(name, _)| name).collect();
    let expected = [
        "squares",
        "power",
        "power(p = 0.5)",
        "power(p = 1.5)",
        "power(p = 4)",
        "power(p = 0.5, rooted = true)",
        "power(p = 3, rooted = true)",
        "power(p = 30, rooted = true)",
        "focal",
        "focal(gamma = 0.5)",
        "leave-one-out",
        "shifted of squares",
        "running-means of squares",
    ];
    assert_eq!(names, expected);
}

/// (−1, ½) was c = (−4.3e37, 2.1e37) after the scale, (−0.2, 1) a step up on the better group.
#[test]
fn a_negative_group_loss_is_refused_by_group_and_value() {
    for (losses, group, value) in [([0.5, -1.0], 1, -1.0), ([-0.25, 1.0], 0, -0.25)] {
        for (name, mut composition) in non_negative() {
            let state = composition.state();
            let error = composition.compose(&single(&losses), &singles(2));
            let error = error.map(drop).unwrap_err().to_string();
            let expected = format!(
                "{}: the loss of group {group} is {value}, but must not be below 0; wrap the composition in \
                 shifted(floor = …), a floor that no group loss comes below, or take one for losses of any sign (mean, \
                 tilted, cvar, dro, excess)",
                composition.name()
            );
            assert_eq!(error, expected);
            let forward = composition.forward(single(&losses), &singles(2));
            assert_eq!(forward.unwrap_err().to_string(), expected);
            assert_eq!(composition.state(), state, "{name}");
        }
    }
}

/// Single losses may be negative where their group's is not, and a group without examples has none.
#[test]
fn only_group_losses_count() {
    let two = hard(vec![Some(0), Some(0), Some(2)], 3, Average::Mean);
    for (name, mut composition) in non_negative() {
        let composed = composition.compose(&single(&[-0.5, 1.0, 1.0]), &two);
        let coefficients = numbers(composed.unwrap().coefficients);
        assert!(coefficients.iter().all(|c| c.is_finite()), "{name}");
    }
}

/// The estimate without bias weighs an example by the others, which may be negative: Q = −½ and c = (−½, 1).
#[test]
fn an_estimate_without_bias_may_be_negative() {
    let one = hard(vec![Some(0); 2], 1, Average::Mean);
    let composed = LeaveOneOut.compose(&single(&[1.0, -0.5]), &one).unwrap();
    assert_eq!(numbers(composed.value), [-0.5]);
    assert_eq!(numbers(composed.coefficients.clone()), [-0.5, 1.0]);
    let scaled = |scale: Scale| scale.apply(composed.coefficients.clone());
    assert_eq!(numbers(scaled(Scale::UnitSum).unwrap()), [-1.0, 2.0]);
    let absolute = numbers(scaled(Scale::UnitAbsolute).unwrap());
    assert!((absolute[0] + 1.0 / 3.0).abs() < 1e-6 && (absolute[1] - 2.0 / 3.0).abs() < 1e-6);
    // A soft group's coefficients can add up to less than zero: memberships (0.1, 0.9), losses (−1, 0.2).
    let soft = Groups::soft(vec![0.1, 0.9], vec![1.0], vec![1.0], &Device::flex()).unwrap();
    let composed = LeaveOneOut.compose(&single(&[-1.0, 0.2]), &soft).unwrap();
    let sum: f64 = numbers(composed.coefficients.clone()).iter().sum();
    assert!(sum < 0.0, "{sum}");
    assert!(matches!(
        Scale::UnitSum.apply(composed.coefficients),
        Err(LossError::Sum { .. })
    ));
}

/// A cross-entropy of −1e-8 is zero but for rounding: it pulls nowhere, and neither does a draw of such losses.
#[test]
fn what_rounding_made_negative_counts_as_zero() {
    for (name, mut composition) in non_negative() {
        let draw = |composition: &mut dyn Composition, losses: &[f64]| {
            let composed = composition.compose(&single(losses), &singles(2)).unwrap();
            numbers(Scale::UnitSum.apply(composed.coefficients).unwrap())
        };
        let state = composition.state();
        assert_eq!(
            draw(composition.as_mut(), &[-1e-8, 1.0]),
            [0.0, 1.0],
            "{name}"
        );
        composition.restore(&state).unwrap();
        assert_eq!(
            draw(composition.as_mut(), &[-1e-8, -1e-7]),
            [0.0, 0.0],
            "{name}"
        );
        composition.restore(&state).unwrap();
        for (losses, dtype) in [([-1e-5, 1.0], DType::F32), ([-1e-8, 1.0], DType::F64)] {
            let result = composition.compose(&vector(&losses, dtype), &singles(2));
            assert!(
                matches!(result, Err(LossError::Negative { group: 0, .. })),
                "{name}"
            );
        }
    }
    // An outlier in another group makes no loss of this one rounding; large losses of its own do.
    let outlier = SumOfSquares.compose(&single(&[-0.01, 1e6]), &singles(2));
    assert!(matches!(outlier, Err(LossError::Negative { group: 0, .. })));
    let cancelled = hard(vec![Some(0); 2], 1, Average::Mean);
    assert!(
        SumOfSquares
            .compose(&single(&[1e6, -1e6 - 0.25]), &cancelled)
            .is_ok()
    );
}

#[test]
fn a_power_of_two_is_a_square() {
    let square = |losses: &[f64]| SumOfSquares.compose(&single(losses), &singles(2));
    let power = |losses: &[f64]| power(2.0).compose(&single(losses), &singles(2));
    for losses in [[1.0, 0.3], [0.0, 2.0], [-1e-8, 1.0], [-1e-8, 0.0]] {
        let (a, b) = (square(&losses).unwrap(), power(&losses).unwrap());
        assert_eq!(numbers(a.value), numbers(b.value));
        assert_eq!(numbers(a.coefficients), numbers(b.coefficients));
    }
    for losses in [[-1.0, 0.5], [-0.2, 1.0]] {
        assert!(square(&losses).is_err() && power(&losses).is_err());
    }
}

/// Above a floor of −2 losses (−1, ½) are (1, 2½): squares 1 + 6¼, c = (2, 5).
#[test]
fn losses_above_a_floor() {
    let mut shifted = Shifted::new(SumOfSquares, -2.0).unwrap();
    let composed = shifted.compose(&single(&[-1.0, 0.5]), &singles(2)).unwrap();
    assert_eq!(numbers(composed.value), [7.25]);
    assert_eq!(numbers(composed.coefficients), [2.0, 5.0]);
    let below = shifted.compose(&single(&[-1.0, -2.5]), &singles(2));
    let message = below.unwrap_err().to_string();
    let expected = "sum of squares: the loss of group 1 is -2.5, but must not be below -2;";
    assert!(message.starts_with(expected), "{message}");
    assert!(Shifted::new(SumOfSquares, f64::NAN).is_err());

    // Floors add up.
    let mut twice = Shifted::new(Shifted::new(SumOfSquares, -1.5).unwrap(), -0.5).unwrap();
    let composed = twice.compose(&single(&[-1.0, 0.5]), &singles(2)).unwrap();
    assert_eq!(numbers(composed.coefficients), [2.0, 5.0]);
    assert!(twice.compose(&single(&[-2.5, 0.0]), &singles(2)).is_err());

    // State is the inner one's.
    let mut running = Shifted::new(RunningMeans::new(SumOfSquares, 0.5).unwrap(), -2.0).unwrap();
    running.compose(&single(&[2.0, -1.0]), &singles(2)).unwrap();
    let composed = running
        .compose(&single(&[-1.0, -1.0]), &singles(2))
        .unwrap();
    // Means of (4, 1) and (1, 1) at memory ½.
    assert_eq!(numbers(composed.coefficients), [4.0, 2.0]);
    let state = running.state();
    running.restore(&state).unwrap();
    assert_eq!(running.state(), state);
}

/// A floor for pairs of examples: that of the losses, in means and in sums.
#[test]
fn pairs_above_a_floor() {
    let labels = vec![Some(0), Some(0), Some(0), Some(1), None];
    let losses = [1.0, -3.0, 2.0, -1.5, 7.0];
    let above: Vec<f64> = losses.iter().map(|loss| loss + 4.0).collect();
    let check = |average, floor| {
        let groups = hard(labels.clone(), 3, average);
        let mut shifted = Shifted::new(LeaveOneOut, floor).unwrap();
        let found = shifted.compose(&single(&losses), &groups).unwrap();
        (found, groups)
    };
    let (found, groups) = check(Average::Mean, -4.0);
    let plain = LeaveOneOut.compose(&single(&above), &groups).unwrap();
    let close = |a: Tensor<1>, b: Tensor<1>| {
        let pairs = numbers(a).into_iter().zip(numbers(b)).collect::<Vec<_>>();
        assert!(pairs.iter().all(|(a, b)| (a - b).abs() < 1e-5), "{pairs:?}");
    };
    close(found.value, plain.value);
    close(found.coefficients, plain.coefficients);
    // The loss of a group is a sum of three above −12: −4 for each.
    let (found, groups) = check(Average::Sum, -12.0);
    let each: Vec<f64> = [5.0, 1.0, 6.0, -1.5 + 12.0, 7.0].to_vec();
    let plain = LeaveOneOut.compose(&single(&each), &groups).unwrap();
    close(found.value, plain.value);
    close(found.coefficients, plain.coefficients);
}

/// Without a wait the refusal comes when the numbers are there.
#[test]
fn ahead_of_the_host() {
    let before = reads();
    let ahead = SumOfSquares
        .compose_ahead(&single(&[-1.0, 0.5]), &singles(2))
        .unwrap();
    assert_eq!(reads(), before);
    let unread = ahead
        .unread()
        .unwrap()
        .into_data()
        .try_to_vec::<f32>()
        .unwrap();
    let error = ahead.clone().settled(&unread).map(drop).unwrap_err();
    assert!(matches!(error, LossError::Negative { group: 0, .. }));
    assert!(matches!(ahead.settled(&[]), Err(LossError::Read { .. })));
    assert!(
        Mean.compose_ahead(&single(&[-1.0]), &singles(1))
            .unwrap()
            .unread()
            .is_none()
    );
    // Nothing of what takes losses of any sign waits.
    for (name, composition) in any_sign(2) {
        let before = reads();
        composition
            .forward(single(&[-1.0, 0.5]), &singles(2))
            .unwrap();
        assert_eq!(reads(), before, "{name}");
    }
}

/// A Gaussian regression: losses −ln p come to −3.32 (sd 0.0145) and must not be held at zero.
#[test]
fn a_density_is_learned_above_a_floor() {
    // One parameter ρ = ln sd, residual² v = 0.0145²: ℓ = ½ ln 2π + ρ + v e^(−2ρ)/2, least at ρ = ln 0.0145.
    let v = 0.0145f64.powi(2);
    let loss = |rho: f64| 0.5 * std::f64::consts::TAU.ln() + rho + v * (-2.0 * rho).exp() / 2.0;
    let slope = |rho: f64| 1.0 - v * (-2.0 * rho).exp();
    let best = loss(0.0145f64.ln());
    let descend = |composition: &mut dyn Composition| {
        let mut rho = 0.0;
        for _ in 0..4_000 {
            let composed = composition.compose(&single(&[loss(rho)]), &singles(1))?;
            let c = numbers(Scale::UnitSum.apply(composed.coefficients)?)[0];
            rho -= 0.01 * c * slope(rho);
        }
        Ok::<f64, LossError>(loss(rho))
    };
    let refused = descend(&mut SumOfSquares).unwrap_err();
    assert!(matches!(refused, LossError::Negative { .. }), "{refused}");
    let reached = descend(&mut Shifted::new(SumOfSquares, -5.0).unwrap()).unwrap();
    assert!((reached - best).abs() < 1e-3, "{reached} of {best}");
}

/// Losses of n examples and a hard or soft grouping of them.
fn problem() -> impl Strategy<Value = (Vec<f64>, Groups)> {
    (1usize..12, 1usize..6, any::<bool>(), any::<bool>()).prop_flat_map(|(n, k, soft, sum)| {
        let losses = prop::collection::vec(-3.0f64..3.0, n);
        let lift = prop_oneof![Just(0.0f64), Just(3.05)];
        let labels = prop::collection::vec(prop::option::weighted(0.9, 0..k), n);
        let shares = prop::collection::vec(0.05f32..1.0, n * k);
        let weights = prop::collection::vec(prop_oneof![Just(0.0f32), 0.1f32..4.0], k);
        (losses, lift, labels, shares, weights).prop_map(
            move |(losses, lift, labels, shares, weights)| {
                let groups = match soft {
                    true => Groups::soft(shares, weights, vec![1.0; k], &Device::flex()).unwrap(),
                    false if sum => hard(labels, k, Average::Sum),
                    false => hard(labels, k, Average::Mean),
                };
                (losses.iter().map(|loss| loss + lift).collect(), groups)
            },
        )
    })
}

/// Whether a small step makes two groups change places, which CVaR and a group's turn at zero can't bear.
fn has_a_kink(losses: &[f64], groups: &Groups) -> bool {
    let mut sorted = numbers(
        groups
            .membership()
            .clone()
            .cast(DType::F64)
            .matmul(vector(losses, DType::F64).reshape([losses.len(), 1]))
            .flatten(0, 1),
    );
    sorted.sort_by(f64::total_cmp);
    sorted.windows(2).any(|pair| pair[1] - pair[0] < 1e-3) || sorted.iter().any(|l| l.abs() < 1e-3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the losses, a composition refuses them or gives coefficients that are numbers, and those are its
    /// derivative, in double precision.
    #[test]
    fn refused_or_right((losses, groups) in problem()) {
        let k = groups.num_groups();
        let shifted: [Named; 3] = [
            ("shifted squares".to_owned(), Box::new(Shifted::new(SumOfSquares, -1.0).unwrap())),
            ("shifted pairs".to_owned(), Box::new(Shifted::new(LeaveOneOut, -1.0).unwrap())),
            ("shifted power".to_owned(), Box::new(Shifted::new(power(0.5), -1.0).unwrap())),
        ];
        for (name, mut composition) in non_negative().into_iter().chain(any_sign(k)).chain(shifted) {
            let state = composition.state();
            let composed = match composition.compose(&vector(&losses, DType::F64), &groups) {
                Err(LossError::Negative { group, value, least, .. }) => {
                    prop_assert!(group < k && value < least, "{}", name);
                    prop_assert_eq!(composition.state(), state);
                    continue;
                }
                composed => composed.unwrap(),
            };
            let found = numbers(composed.coefficients.clone());
            prop_assert!(found.iter().all(|c| c.is_finite()), "{}: {:?}", name, found);
            for scale in [Scale::UnitSum, Scale::UnitAbsolute, Scale::Cap(0.5), Scale::RunningSum(0.9)] {
                match scale.apply(composed.coefficients.clone()) {
                    Err(LossError::Sum { .. }) => {}
                    scaled => prop_assert!(
                        numbers(scaled.unwrap()).iter().all(|c| c.is_finite() && c.abs() < 1e4),
                        "{} under {:?}", name, scale
                    ),
                }
            }
            if has_a_kink(&losses, &groups) {
                continue;
            }
            let value = |losses: &[f64]| {
                numbers(composition.forward(vector(losses, DType::F64), &groups).unwrap())[0]
            };
            let size = found.iter().fold(0.1f64, |size, c| size.max(c.abs()));
            for j in 0..losses.len() {
                let step = 1e-5;
                let (mut up, mut down) = (losses.clone(), losses.clone());
                up[j] += step;
                down[j] -= step;
                let slope = (value(&up) - value(&down)) / (2.0 * step);
                prop_assert!((slope - found[j]).abs() < 1e-5 * size, "{}: {} against {}", name, slope, found[j]);
            }
        }
    }
}
