//! Singular directions against the singular value decomposition of the gradients themselves, in double precision.

use crate::common::{Itself, device, draw, numbers, parallel};
use burn::tensor::{DType, FloatDType, Tensor};
use faer::Mat;
use gradual_group::{
    Average, Damped, Draw, GroupError, Grouping, Groups, Membership, Priors, SingularVectors,
    Spectrum,
};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const MEMBERSHIPS: [Membership; 3] = [
    Membership::Signed,
    Membership::Absolute,
    Membership::Squared,
];

/// σ and α̂ of rows, by the singular value decomposition of the rows.
struct Reference {
    sigma: Vec<f64>,
    /// A row for each direction.
    alpha: Vec<Vec<f64>>,
}

impl Reference {
    fn of(rows: &[Vec<f32>]) -> Self {
        let (n, p) = (rows.len(), rows[0].len());
        let matrix = Mat::from_fn(n, p, |j, i| f64::from(rows[j][i]));
        let svd = matrix.thin_svd().unwrap();
        let sigma: Vec<f64> = svd.S().column_vector().iter().copied().collect();
        let component = |i: usize, j: usize| {
            let norm = matrix.row(j).norm_l2();
            let along: f64 = (0..p).map(|at| svd.V()[(at, i)] * matrix[(j, at)]).sum();
            if norm > 0.0 { along / norm } else { 0.0 }
        };
        let alpha = (0..sigma.len()).map(|i| (0..n).map(|j| component(i, j)).collect());
        Self {
            alpha: alpha.collect(),
            sigma,
        }
    }

    /// L = Σ_i σ_i^q (Σ_j m(α̂_ij) ℓ_j)² and its derivative.
    fn loss(&self, membership: Membership, q: i32, losses: &[f32]) -> (f64, Vec<f64>) {
        let of = |alpha: f64| match membership {
            Membership::Signed => alpha,
            Membership::Absolute => alpha.abs(),
            Membership::Squared => alpha * alpha,
        };
        let mut value = 0.0;
        let mut coefficients = vec![0.0; losses.len()];
        for (sigma, row) in self.sigma.iter().zip(&self.alpha) {
            let pairs = row.iter().zip(losses);
            let loss: f64 = pairs
                .map(|(&alpha, &loss)| of(alpha) * f64::from(loss))
                .sum();
            value += sigma.powi(q) * loss * loss;
            for (coefficient, &alpha) in coefficients.iter_mut().zip(row) {
                *coefficient += 2.0 * sigma.powi(q) * loss * of(alpha);
            }
        }
        (value, coefficients)
    }
}

/// The sum of squares of groups and its derivative, in double precision.
fn sum_of_squares(groups: &Groups, losses: &[f32]) -> (f64, Vec<f64>) {
    let n = groups.num_examples();
    let membership = numbers(groups.membership());
    let mut value = 0.0;
    let mut coefficients = vec![0.0; n];
    for (row, &weight) in membership.chunks(n).zip(&numbers(groups.weights())) {
        let pairs = row.iter().zip(losses);
        let loss: f64 = pairs
            .map(|(&share, &loss)| f64::from(share) * f64::from(loss))
            .sum();
        value += f64::from(weight) * loss * loss;
        for (coefficient, &share) in coefficients.iter_mut().zip(row) {
            *coefficient += 2.0 * f64::from(weight) * loss * f64::from(share);
        }
    }
    (value, coefficients)
}

fn groups(grouping: &SingularVectors, rows: &[Vec<f32>]) -> Groups {
    let traced = draw(rows, &vec![1.0; rows.len()]);
    grouping.clone().group(&Draw::from(&traced)).unwrap()
}

/// What a loss and its coefficients may be off by: `share` of what they would be without cancelling.
fn close(rows: &[Vec<f32>], losses: &[f32], found: &(f64, Vec<f64>), right: &(f64, Vec<f64>)) {
    let norms: Vec<f64> = rows.iter().map(|row| norm(row)).collect();
    let size: f64 = norms
        .iter()
        .zip(losses)
        .map(|(norm, loss)| norm * f64::from(*loss))
        .sum();
    let largest = norms.iter().fold(0.0f64, |a, &b| a.max(b));
    let all: f64 = losses.iter().map(|&loss| f64::from(loss)).sum();
    let bound = 2.0 * largest * largest * all * rows.len() as f64;
    assert!((found.0 - right.0).abs() <= 2e-6 * bound * all.max(size / largest.max(1e-30)));
    for (j, (a, b)) in found.1.iter().zip(&right.1).enumerate() {
        assert!(
            (a - b).abs() <= 1e-6 * bound,
            "example {j}: {a} against {b}"
        );
        if norms[j] == 0.0 {
            assert_eq!(*a, 0.0, "example {j} has no gradient");
        }
    }
}

fn norm(row: &[f32]) -> f64 {
    row.iter()
        .map(|&x| f64::from(x) * f64::from(x))
        .sum::<f64>()
        .sqrt()
}

/// Random rows, some of which are zero, the same as another one, its opposite, or a millionth as long; losses.
fn problem() -> impl Strategy<Value = (Vec<Vec<f32>>, Vec<f32>)> {
    (
        1usize..24,
        1usize..12,
        any::<u64>(),
        prop::sample::select(vec![1e-12f32, 1.0, 1e12]),
    )
        .prop_map(|(n, p, seed, scale)| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let rank = random.random_range(1..=p);
            let mut rows: Vec<Vec<f32>> = Vec::new();
            for j in 0..n {
                let other = random.random_range(0..j.max(1));
                let row = match (random.random_range(0..8), rows.get(other)) {
                    (0, _) => vec![0.0; p],
                    (1, Some(other)) => other.clone(),
                    (2, Some(other)) => other.iter().map(|x| -x).collect(),
                    (kind, _) => {
                        let length = if kind == 3 { 1e-6 * scale } else { scale };
                        let entry = |i: usize| match i < rank {
                            true => length * random.random_range(-3i32..=3) as f32,
                            false => 0.0,
                        };
                        (0..p).map(entry).collect()
                    }
                };
                rows.push(row);
            }
            let losses = (0..n).map(|_| random.random_range(0.0f32..2.0)).collect();
            (rows, losses)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// L = ‖K D⁻¹ ℓ‖² without an eigenproblem, as by the directions themselves, is Σ_i (σ_i Σ_j α̂_ij ℓ_j)².
    #[test]
    fn the_published_loss_is_that_of_the_decomposition((rows, losses) in problem()) {
        let right = Reference::of(&rows).loss(Membership::Signed, 2, &losses);
        let closed = groups(&SingularVectors::default(), &rows);
        prop_assert!(closed.is_signed());
        close(&rows, &losses, &sum_of_squares(&closed, &losses), &right);
        let directions = SingularVectors::default().with_leading(usize::MAX).unwrap();
        let directions = groups(&directions, &rows);
        prop_assert!(directions.is_signed());
        prop_assert_eq!(directions.num_groups(), rows.len());
        close(&rows, &losses, &sum_of_squares(&directions, &losses), &right);
    }

    /// Σ_i α̂_ij² = 1 for every gradient but zero, whatever its length against the others; a remainder counts.
    #[test]
    fn squares_of_components_sum_to_one((rows, _) in problem(), leading in 1usize..30) {
        for membership in MEMBERSHIPS {
            for leading in [leading, usize::MAX] {
                let grouping = SingularVectors::default().with_leading(leading).unwrap();
                let groups = groups(&grouping.with_membership(membership), &rows);
                let n = rows.len();
                let found = numbers(groups.membership());
                for (j, row) in rows.iter().enumerate() {
                    let shares = (0..groups.num_groups()).map(|i| f64::from(found[i * n + j]));
                    let sum: f64 = match membership {
                        Membership::Squared => shares.sum(),
                        _ => shares.map(|share| share * share).sum(),
                    };
                    let expected = f64::from(u8::from(norm(row) > 0.0));
                    prop_assert!((sum - expected).abs() < 1e-5, "{:?}, example {}: {}", membership, j, sum);
                }
                prop_assert!(groups.spectrum().windows(2).all(|pair| pair[0] >= pair[1]));
            }
        }
    }

    /// A gradient's memberships depend on its direction alone.
    #[test]
    fn a_short_gradient_belongs_as_a_long_one_does(seed in any::<u64>()) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut rows: Vec<Vec<f32>> =
            (0..8).map(|_| (0..5).map(|_| random.random_range(-1.0f32..1.0)).collect()).collect();
        for shrink in [1e-3f32, 2e-6, 1e-9] {
            let row = rows[1].iter().map(|x| shrink * x).collect();
            rows.push(row);
        }
        let n = rows.len();
        for grouping in [SingularVectors::squared(), SingularVectors::squared().with_leading(3).unwrap()] {
            let found = numbers(groups(&grouping, &rows).membership());
            for row in found.chunks(n) {
                for short in 8..n {
                    prop_assert!((row[short] - row[1]).abs() < 1e-5, "{} against {}", row[short], row[1]);
                }
            }
        }
    }
}

/// Rows whose singular values are far apart, so that the directions are determined.
fn apart(seed: u64) -> (Vec<Vec<f32>>, Vec<f32>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let scales = [1.0f32, 0.4, 0.15, 0.05, 0.01];
    let mut rows: Vec<Vec<f32>> = (0..30)
        .map(|_| {
            scales
                .iter()
                .map(|scale| scale * random.random_range(-1.0f32..1.0))
                .collect()
        })
        .collect();
    rows[4] = vec![0.0; 5];
    rows[9] = rows[3].clone();
    rows[11] = rows[3].iter().map(|x| -x).collect();
    for at in [7, 8] {
        rows[at].iter_mut().for_each(|x| *x *= 1e-6);
    }
    let losses = (0..30).map(|_| random.random_range(0.0f32..2.0)).collect();
    (rows, losses)
}

#[test]
fn every_reading_is_that_of_the_decomposition() {
    for seed in 0..5 {
        let (rows, losses) = apart(seed);
        let reference = Reference::of(&rows);
        for membership in MEMBERSHIPS {
            for q in 0..3 {
                let grouping = SingularVectors::default()
                    .with_membership(membership)
                    .with_power(q);
                let groups = groups(&grouping, &rows);
                assert_eq!(groups.is_signed(), membership == Membership::Signed);
                let (value, coefficients) = sum_of_squares(&groups, &losses);
                let (right, expected) = reference.loss(membership, q as i32, &losses);
                let place = format!("{membership:?}, q = {q}, seed {seed}");
                assert!(
                    (value - right).abs() < 1e-4 * right,
                    "{place}: {value} against {right}"
                );
                let size = expected.iter().fold(0.0f64, |size, c| size.max(c.abs()));
                for (j, (c, expected)) in coefficients.iter().zip(&expected).enumerate() {
                    let error = (c - expected).abs();
                    assert!(error < 1e-4 * size, "{place}, {j}: {c} against {expected}");
                }
                for (sigma, right) in groups.spectrum().iter().zip(&reference.sigma) {
                    // As exact as the eigenvalues of a Gram matrix in single precision are.
                    let error = (sigma * sigma - right * right).abs();
                    assert!(
                        error < 1e-6 * reference.sigma[0].powi(2),
                        "{place}: σ {sigma}, {right}"
                    );
                }
                assert!(!groups.estimates().is_empty(), "{place}");
            }
        }
    }
}

/// With a remainder, the leading directions are those of the decomposition, and what is left of each example is one
/// membership more.
#[test]
fn leading_directions_of_every_reading() {
    let (rows, _) = apart(3);
    let (reference, n) = (Reference::of(&rows), rows.len());
    for membership in MEMBERSHIPS {
        let grouping = SingularVectors::default()
            .with_membership(membership)
            .with_leading(2)
            .unwrap();
        let groups = groups(&grouping, &rows);
        assert_eq!((groups.num_groups(), groups.spectrum().len()), (3, 2));
        let found = numbers(groups.membership());
        for j in 0..n {
            let alpha = |i: usize| reference.alpha[i][j];
            let squares: f64 = (0..2).map(|i| alpha(i) * alpha(i)).sum();
            let rest = if norm(&rows[j]) > 0.0 {
                1.0 - squares
            } else {
                0.0
            };
            for (i, component) in [alpha(0), alpha(1), rest.max(0.0).sqrt()]
                .into_iter()
                .enumerate()
            {
                let expected = match membership {
                    // Whatever the sign of the direction.
                    Membership::Signed | Membership::Absolute => component.abs(),
                    Membership::Squared => component * component,
                };
                let found = f64::from(found[i * n + j]);
                assert!(membership == Membership::Signed || found >= 0.0);
                let error = (found.abs() - expected).abs();
                assert!(
                    error < 2e-4,
                    "{membership:?}, {i} of {j}: {found} against {expected}"
                );
            }
        }
        let rest: f64 = reference.sigma[2..].iter().map(|sigma| sigma * sigma).sum();
        let weight = f64::from(numbers(groups.weights())[2]);
        assert!(
            (weight - rest / 3.0).abs() < 1e-4 * weight,
            "{weight} against {}",
            rest / 3.0
        );
    }
}

/// The draw of the first report: three gradients, and one that is zero.
#[test]
fn a_zero_gradient_has_no_part() {
    let rows = [
        [3.0, -1.0, -1.0],
        [0.0; 3],
        [0.0, -2.0, -3.0],
        [3.0, 2.0, -1.0],
    ]
    .map(Vec::from);
    let reference = Reference::of(&rows);
    let losses = [1.0; 4];
    for membership in MEMBERSHIPS {
        for q in 0..3 {
            let grouping = SingularVectors::default().with_membership(membership);
            let groups = groups(&grouping.with_power(q), &rows);
            let (_, found) = sum_of_squares(&groups, &losses);
            let (_, right) = reference.loss(membership, q as i32, &losses);
            assert_eq!(found[1], 0.0, "{membership:?}, q = {q}");
            let size = right.iter().fold(0.0f64, |size, c| size.max(c.abs()));
            for (found, right) in found.iter().zip(right) {
                assert!(
                    (found - right).abs() < 1e-5 * size,
                    "{membership:?}: {found}, {right}"
                );
            }
        }
    }
}

/// Orthogonal groups of parallel gradients of one sign: the singular groups are the hard ones with sum, weighted by
/// σ_g^q.
#[test]
fn parallel_orthogonal_groups_are_the_hard_groups() {
    let lengths = [vec![3.0, 4.0], vec![1.0, 1.0, 1.0], vec![0.5]];
    let (rows, labels) = parallel(5, &lengths);
    let losses = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let sigma = [5.0, 3.0f64.sqrt(), 0.5];
    let labels = labels.into_iter().map(Some).collect();
    let hard = Groups::hard(labels, 3, Average::Sum, &device()).unwrap();
    let sums = numbers(&hard.losses(Tensor::from_floats(losses, &device())));
    for membership in MEMBERSHIPS {
        for q in 0..3 {
            let grouping = SingularVectors::default().with_membership(membership);
            let (value, _) = sum_of_squares(&groups(&grouping.with_power(q), &rows), &losses);
            let weighed = sigma.iter().zip(&sums);
            let right: f64 = weighed
                .map(|(sigma, &sum)| sigma.powi(q as i32) * f64::from(sum).powi(2))
                .sum();
            assert!(
                (value - right).abs() < 1e-5 * right,
                "{membership:?}, {q}: {value}, {right}"
            );
        }
    }
}

/// With equal singular values the directions are arbitrary, but the published loss is not, and nothing is NaN.
#[test]
fn equal_singular_values_leave_the_loss_defined() {
    let rows: Vec<Vec<f32>> = (0..6)
        .map(|j| (0..6).map(|i| if i == j { 2.0 } else { 0.0 }).collect())
        .collect();
    let losses = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    // K = 4, D = 2: ‖K D⁻¹ ℓ‖² = 4 Σℓ².
    for grouping in [
        SingularVectors::default(),
        SingularVectors::default().with_leading(usize::MAX).unwrap(),
    ] {
        let (value, coefficients) = sum_of_squares(&groups(&grouping, &rows), &losses);
        assert!((value - 4.0 * 91.0).abs() < 1e-3, "{value}");
        for (coefficient, loss) in coefficients.iter().zip(losses) {
            assert!(
                (coefficient - 8.0 * f64::from(loss)).abs() < 1e-4,
                "{coefficient}"
            );
        }
    }
    for membership in MEMBERSHIPS {
        for grouping in [
            SingularVectors::default(),
            SingularVectors::default().with_leading(2).unwrap(),
        ] {
            let groups = groups(&grouping.with_membership(membership).with_power(0), &rows);
            assert!(
                numbers(groups.membership())
                    .iter()
                    .all(|share| share.is_finite())
            );
        }
    }
}

/// Directions from a sketch are those of gradients that are the sketch.
#[test]
fn a_sketch_is_taken_for_the_gradients() {
    let (rows, losses) = apart(1);
    let model = Itself::new(5);
    let traced = model.draw(&rows, &losses);
    let (dim, seed) = (32, 5);
    let sketch: Vec<Vec<f32>> = numbers(&traced.gradients.sketch(dim, seed))
        .chunks(dim)
        .map(<[f32]>::to_vec)
        .collect();
    let near = |grouping: &SingularVectors, tolerance: f64| {
        let mut sketched = grouping.clone().with_sketch(dim, seed).unwrap();
        let sketched = sketched.group(&Draw::from(&traced)).unwrap();
        assert_eq!(sketched.is_signed(), groups(grouping, &sketch).is_signed());
        let (value, found) = sum_of_squares(&sketched, &losses);
        let (right, expected) = sum_of_squares(&groups(grouping, &sketch), &losses);
        assert!(
            (value - right).abs() < tolerance * right,
            "{value} against {right}"
        );
        let size = expected.iter().fold(0.0f64, |size, c| size.max(c.abs()));
        for (c, expected) in found.iter().zip(expected) {
            assert!(
                (c - expected).abs() < tolerance * size,
                "{c} against {expected}"
            );
        }
    };
    near(&SingularVectors::default(), 1e-5);
    near(&SingularVectors::default().with_leading(2).unwrap(), 1e-3);
    for membership in MEMBERSHIPS {
        for q in 0..3 {
            let grouping = SingularVectors::default().with_membership(membership);
            near(&grouping.with_power(q), 1e-3);
        }
    }
}

/// One example: Ĝ = v₁, σ₁ = ‖g‖, so L = ‖g‖² ℓ². No example with a gradient: nothing.
#[test]
fn one_example_and_none_with_a_gradient() {
    let one = groups(&SingularVectors::default(), &[vec![3.0, 4.0]]);
    assert_eq!(sum_of_squares(&one, &[2.0]), (100.0, vec![100.0]));
    for grouping in [
        SingularVectors::default(),
        SingularVectors::squared(),
        SingularVectors::squared().with_leading(1).unwrap(),
    ] {
        let none = groups(&grouping, &[vec![0.0; 2], vec![0.0; 2]]);
        assert_eq!(sum_of_squares(&none, &[1.0, 2.0]), (0.0, vec![0.0; 2]));
        assert!(none.spectrum().iter().all(|&sigma| sigma == 0.0));
    }
}

/// The mean over a direction's examples divides by Σ_j |α̂_ij|.
#[test]
fn means_divide_by_the_mass() {
    let (rows, _) = apart(2);
    let n = rows.len();
    for membership in MEMBERSHIPS {
        let sums = SingularVectors::default()
            .with_leading(usize::MAX)
            .unwrap()
            .with_membership(membership);
        let means = groups(&sums.clone().with_average(Average::Mean), &rows);
        let sums = groups(&sums, &rows);
        let (means, sizes) = (numbers(means.membership()), sums.sizes());
        for ((mean, sum), size) in { means }
            .chunks(n)
            .zip(numbers(sums.membership()).chunks(n))
            .zip(sizes)
            .take(5)
        {
            let mass: f64 = sum.iter().map(|share| f64::from(share.abs())).sum();
            assert!((mass - size).abs() < 1e-5 * size);
            for (mean, sum) in mean.iter().zip(sum) {
                assert!((f64::from(*mean) * size - f64::from(*sum)).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn what_a_step_does_not_read_is_the_same() {
    let (rows, _) = apart(4);
    let traced = draw(&rows, &vec![1.0; rows.len()]);
    let draw = Draw::from(&traced);
    let before = gradual_grad::host::reads();
    let ahead = SingularVectors::default().group_ahead(&draw).unwrap();
    assert_eq!(gradual_grad::host::reads(), before);
    let read = SingularVectors::default().group(&draw).unwrap();
    assert_eq!(numbers(ahead.membership()), numbers(read.membership()));
    assert_eq!(ahead.spectrum(), read.spectrum());
    assert_eq!(ahead.estimates(), read.estimates());
}

/// The example at fault is named, not the first whose product with it is no number.
#[test]
fn errors_name_the_example_and_the_setting() {
    let rows = [
        vec![1.0, 0.0],
        vec![1.0, 2.0],
        vec![f32::NAN, 1.0],
        vec![0.0, 1.0],
    ];
    let traced = draw(&rows, &[1.0; 4]);
    let spectrum = Spectrum::from_gram(&traced.gradients.gram()).unwrap_err();
    assert!(
        matches!(spectrum, GroupError::NotFinite { example: 2, .. }),
        "{spectrum}"
    );
    for grouping in [
        SingularVectors::default(),
        SingularVectors::squared(),
        SingularVectors::default().with_leading(1).unwrap(),
        SingularVectors::default().with_sketch(8, 1).unwrap(),
        SingularVectors::squared().with_sketch(8, 1).unwrap(),
    ] {
        let error = { grouping.clone() }
            .group(&Draw::from(&traced))
            .unwrap_err();
        let named = matches!(error, GroupError::NotFinite { example: 2, .. });
        assert!(named, "{grouping:?}: {error}");
    }
    let huge = draw(&[vec![1e12, 0.0], vec![0.0, 1e12]], &[1.0; 2]);
    let mut fourth = SingularVectors::squared().with_power(4);
    let error = fourth.group(&Draw::from(&huge)).unwrap_err().to_string();
    assert!(
        error.contains("σ^4") && error.contains("1.000e12"),
        "{error}"
    );
}

/// A weight for each direction, or a clock: both need losses that have a sign and groups that last.
#[test]
fn wrappers_refuse_signed_groups() {
    let rows = vec![vec![1.0, 0.0], vec![0.0, 1.0]];
    let traced = draw(&rows, &[1.0; 2]);
    let draw = Draw::from(&traced);
    let priors = |grouping| Priors::new(grouping, vec![1.0; 2]).unwrap();
    for mut signed in [
        Box::new(priors(SingularVectors::default())) as Box<dyn Grouping>,
        Box::new(Damped::new(SingularVectors::default())),
    ] {
        let error = signed.group(&draw).unwrap_err();
        assert!(matches!(error, GroupError::Signed { .. }), "{error}");
    }
    assert!(priors(SingularVectors::squared()).group(&draw).is_ok());
}

/// For losses in double precision memberships are not rounded: they sum to one to its last digits.
#[test]
fn memberships_are_in_the_precision_of_the_losses() {
    let (rows, _) = apart(0);
    let traced = draw(&rows, &vec![1.0; rows.len()]);
    let losses = traced.losses.clone().cast(FloatDType::F64);
    let draw = Draw::new(&losses).with_gradients(&traced.gradients);
    for grouping in [
        SingularVectors::squared(),
        SingularVectors::squared().with_leading(2).unwrap(),
    ] {
        let groups = { grouping }.group(&draw).unwrap();
        assert_eq!(groups.membership().dtype(), DType::F64);
        let sums = groups.membership().clone().sum_dim(0);
        let sums: Vec<f64> = sums.into_data().try_to_vec().unwrap();
        for (sum, row) in sums.iter().zip(&rows) {
            let expected = f64::from(u8::from(norm(row) > 0.0));
            assert!((sum - expected).abs() < 1e-12, "{sum}");
        }
    }
}
