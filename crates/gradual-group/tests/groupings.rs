//! Groupings on draws whose groups are known, and on degenerate draws.

mod common;

use burn::tensor::{Distribution, Tensor};
use common::{Itself, device, draw, numbers, parallel};
use gradual_group::{
    Average, Draw, GroupError, Grouping, Groups, HowMany, KMeans, Labels, Membership, Needs,
    OneGroup, RandomGroups, SingularVectors, Spectrum, adjusted_rand,
};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

/// Clusters from a sketch are those of gradients that are the sketch, though no matrix of all pairs is made.
#[test]
fn kmeans_of_a_sketch_is_that_of_its_rows() {
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let mut noise = move || random.random_range(-1.0..1.0f32);
    let centres: Vec<Vec<f32>> = (0..5).map(|_| (0..60).map(|_| noise()).collect()).collect();
    for (n, dim) in [(200, 24), (30, 24), (12, 24), (3, 24)] {
        let mut rows: Vec<Vec<f32>> = (0..n)
            .map(|j| {
                centres[j * j % 5]
                    .iter()
                    .map(|x| x + 0.7 * noise())
                    .collect()
            })
            .collect();
        rows[n / 2] = vec![0.0; 60];
        // And some that are one but for their length.
        rows[0] = rows[n - 1].iter().map(|x| 3.0 * x).collect();
        rows[1] = rows[n - 1].clone();
        let losses = vec![1.0; n];
        let model = Itself::new(60);
        let traced = model.draw(&rows, &losses);
        let sketch = numbers(&traced.gradients.sketch(dim, 3));
        let sketch: Vec<Vec<f32>> = sketch.chunks(dim).map(<[f32]>::to_vec).collect();
        let plain = draw(&sketch, &losses);
        let k = 5.min(n);
        for grouping in [
            KMeans::new(k, 7),
            KMeans::new(1, 7),
            KMeans::new(HowMany::Eigengap, 7).with_at_most(k).unwrap(),
            KMeans::new(k, 7).with_dimensions(2).unwrap(),
            KMeans::new(k, 7).with_dimensions(usize::MAX).unwrap(),
            KMeans::new(k, 7)
                .with_restarts(1)
                .unwrap()
                .with_least_size(n / 4),
        ] {
            let mut sketched = grouping.clone().with_sketch(dim, 3).unwrap();
            let mut exact = grouping;
            // And again, for each draw has random numbers of its own.
            for _ in 0..2 {
                let found = sketched.group(&Draw::from(&traced)).unwrap();
                let expected = exact.group(&Draw::from(&plain)).unwrap();
                // Rounding may number the same clusters otherwise.
                let [these, those] = [&found, &expected].map(|one| one.assignment().unwrap());
                let none =
                    |of: &[Option<usize>]| of.iter().map(Option::is_none).collect::<Vec<_>>();
                assert_eq!(none(these), none(those));
                let index = adjusted_rand(these, those).unwrap_or(1.0);
                assert!(
                    (index - 1.0).abs() < 1e-12,
                    "{n} {sketched:?}: {these:?} {those:?}"
                );
                assert_eq!(found.num_groups(), expected.num_groups());
                let near = found.spectrum().iter().zip(expected.spectrum());
                assert!(
                    near.take(k).all(|(a, b)| (a - b).abs() < 1e-3 * b.max(0.1)),
                    "{n}"
                );
            }
            assert_eq!(sketched.state().unwrap(), exact.state().unwrap());
        }
    }
    assert!(KMeans::new(2, 0).with_sketch(0, 1).is_err());
}

#[test]
fn kmeans_finds_separate_directions() {
    let lengths: Vec<Vec<f32>> = (0..4).map(|g| vec![1.0 + g as f32; 5 + g]).collect();
    let (mut rows, labels) = parallel(8, &lengths);
    for (j, row) in rows.iter_mut().enumerate() {
        row[4 + j % 4] += 0.05;
    }
    let losses = vec![1.0; rows.len()];
    let traced = draw(&rows, &losses);
    let mut grouping = KMeans::new(4, 7).with_restarts(10).unwrap();
    let groups = grouping.group(&Draw::from(&traced)).unwrap();
    let labels: Vec<_> = labels.into_iter().map(Some).collect();
    assert_eq!(
        adjusted_rand(groups.assignment().unwrap(), &labels),
        Some(1.0)
    );
}

#[test]
fn the_same_seed_gives_the_same_groups() {
    let losses = Tensor::<1>::zeros([50], &device());
    let draws = |seed| {
        let mut grouping = RandomGroups::new(5, seed);
        let mut next = || {
            grouping
                .group(&Draw::new(&losses))
                .unwrap()
                .assignment()
                .unwrap()
                .to_vec()
        };
        (next(), next())
    };
    assert_eq!(draws(1), draws(1));
    assert_ne!(draws(1), draws(2));
    assert_ne!(draws(1).0, draws(1).1, "groups are drawn anew");
}

#[test]
fn means_and_sums() {
    let losses = Tensor::<1>::from_floats([1.0, 2.0, 3.0, 4.0], &device());
    let labels = [Some(1), None, Some(1), Some(0)];
    let draw = Draw::new(&losses).with_labels(&labels);
    let mean = Labels::new(3).group(&draw).unwrap();
    assert_eq!(numbers(&mean.losses(losses.clone())), [4.0, 2.0, 0.0]);
    assert_eq!(
        numbers(mean.weights()),
        [1.0, 1.0, 0.0],
        "an empty group weighs nothing"
    );
    assert_eq!(mean.sizes(), [1.0, 2.0, 0.0]);
    let sum = Labels::new(3)
        .with_average(Average::Sum)
        .group(&draw)
        .unwrap();
    assert_eq!(numbers(&sum.losses(losses.clone())), [4.0, 4.0, 0.0]);
    let one = OneGroup.group(&draw).unwrap();
    assert_eq!(numbers(&one.losses(losses)), [2.5]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// σ² are the eigenvalues of K: their sum is its trace.
    #[test]
    fn the_spectrum_keeps_the_trace(n in 1usize..30, p in 1usize..20) {
        let rows = Tensor::<2>::random([n, p], Distribution::Default, &device());
        let trace: f32 = numbers(&rows).iter().map(|value| value * value).sum();
        let spectrum = Spectrum::from_gram(&rows.clone().matmul(rows.transpose())).unwrap();
        let squares: f64 = spectrum.singular_values().iter().map(|sigma| sigma * sigma).sum();
        prop_assert!((squares - f64::from(trace)).abs() < 1e-4 * squares);
    }
}

/// Leading directions equal those of the full problem where the spectrum has a gap.
#[test]
fn leading_directions_equal_the_full_ones() {
    let lengths: Vec<Vec<f32>> = (0..6).map(|g| vec![1.0 + g as f32; 20 + g]).collect();
    let (mut rows, _) = parallel(40, &lengths);
    for (j, row) in rows.iter_mut().enumerate() {
        row[6 + j % 30] += 0.05;
    }
    let n = rows.len();
    let losses = vec![1.0; n];
    let gram = draw(&rows, &losses).gradients.gram();
    let (full, leading) = (
        Spectrum::from_gram(&gram).unwrap(),
        Spectrum::from_gram_leading(&gram, 6).unwrap(),
    );
    assert_eq!(leading.singular_values().len(), 6);
    for i in 0..6 {
        let (a, b) = (full.singular_values()[i], leading.singular_values()[i]);
        assert!((a - b).abs() < 1e-4 * a, "σ_{i}: {a} against {b}");
        let inner: f64 = full
            .components(i)
            .zip(leading.components(i))
            .map(|(a, b)| a * b)
            .sum();
        assert!((inner.abs() - a * a).abs() < 1e-3 * a * a, "direction {i}");
    }
}

/// From rows, from their Gram matrix, and from a sketch of one dimension per direction.
#[test]
fn spectra_of_rows_and_of_their_gram_matrix_agree() {
    let rows = Tensor::<2>::random([40, 6], Distribution::Default, &device());
    let of_rows = Spectrum::from_rows(&rows).unwrap();
    let of_gram = Spectrum::from_gram(&rows.clone().matmul(rows.clone().transpose())).unwrap();
    assert_eq!(of_rows.singular_values().len(), 6);
    for i in 0..6 {
        let (a, b) = (of_rows.singular_values()[i], of_gram.singular_values()[i]);
        assert!((a - b).abs() < 1e-3 * a, "σ_{i}: {a} against {b}");
    }
    let lengths = vec![vec![3.0; 30], vec![1.0; 20]];
    let (rows, _) = parallel(2, &lengths);
    let traced = draw(&rows, &[1.0; 50]);
    let mut sketched = SingularVectors::squared().with_sketch(64, 3).unwrap();
    let groups = sketched.group(&Draw::from(&traced)).unwrap();
    assert_eq!(groups.num_groups(), 64);
    let sums = numbers(&groups.membership().clone().sum_dim(0));
    assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-4), "{sums:?}");
    let poison = draw(&[vec![1.0], vec![f32::NAN]], &[1.0, 1.0]);
    assert!(sketched.group(&Draw::from(&poison)).is_err());
}

#[test]
fn degenerate_draws_have_defined_results() {
    // One example.
    let one = draw(&[vec![2.0, 0.0]], &[1.0]);
    let groups = SingularVectors::squared().group(&Draw::from(&one)).unwrap();
    assert_eq!(numbers(groups.membership()), [1.0]);
    let groups = KMeans::new(1, 0).group(&Draw::from(&one)).unwrap();
    assert_eq!(groups.assignment().unwrap(), [Some(0)]);

    // All gradients zero: nobody belongs anywhere.
    let zero = draw(&[vec![0.0, 0.0], vec![0.0, 0.0]], &[1.0, 1.0]);
    let groups = SingularVectors::default()
        .group(&Draw::from(&zero))
        .unwrap();
    assert_eq!(numbers(groups.membership()), [0.0; 4]);
    let groups = KMeans::new(2, 0).group(&Draw::from(&zero)).unwrap();
    assert_eq!(groups.assignment().unwrap(), [None, None]);

    // Identical gradients, fewer distinct ones than groups.
    let same = draw(&vec![vec![1.0, 1.0]; 6], &[1.0; 6]);
    let groups = KMeans::new(3, 0).group(&Draw::from(&same)).unwrap();
    assert_eq!(groups.sizes().iter().sum::<f64>(), 6.0);
    let groups = SingularVectors::default()
        .group(&Draw::from(&same))
        .unwrap();
    assert!(
        numbers(groups.membership())
            .iter()
            .all(|value| value.is_finite())
    );

    // Equal singular values.
    let equal = draw(&[vec![1.0, 0.0], vec![0.0, 1.0]], &[1.0, 2.0]);
    let options = SingularVectors::default()
        .with_power(2)
        .with_membership(Membership::Absolute);
    let groups = { options }.group(&Draw::from(&equal)).unwrap();
    assert!(
        numbers(groups.membership())
            .iter()
            .all(|value| value.is_finite())
    );
}

#[test]
fn errors_name_what_was_wrong() {
    let losses = Tensor::<1>::zeros([2], &device());
    let bare = Draw::new(&losses);
    let message = |result: Result<Groups, GroupError>| match result {
        Ok(_) => panic!("an error was expected"),
        Err(error) => error.to_string(),
    };
    assert_eq!(
        message(Labels::new(2).group(&bare)),
        "labels: needs the labels of the draw; give them with `Draw::with_labels`"
    );
    assert_eq!(
        message(KMeans::new(2, 0).group(&bare)),
        "k-means: needs the gradients of the draw; run the model under `trace`"
    );
    assert_eq!(
        message(SingularVectors::default().group(&bare)),
        "singular vectors: needs the gradients of the draw; run the model under `trace`"
    );
    assert_eq!(
        message(Labels::new(2).group(&bare.with_labels(&[Some(0)]))),
        "labels: expected 2 labels, one per example, got 1"
    );
    assert_eq!(
        message(Labels::new(2).group(&bare.with_labels(&[Some(0), Some(2)]))),
        "groups: example 1 has label 2, but there are 2 groups"
    );
    let empty = Tensor::<1>::zeros([0], &device());
    assert_eq!(
        message(OneGroup.group(&Draw::new(&empty))),
        "one group: the draw is empty; at least one example is needed"
    );
    assert_eq!(
        message(RandomGroups::new(0, 0).group(&bare)),
        "random groups: zero groups were asked for; at least one is needed"
    );
    let traced = draw(&[vec![1.0], vec![f32::NAN]], &[1.0, 1.0]);
    assert_eq!(
        message(KMeans::new(3, 0).group(&Draw::from(&traced))),
        "k-means: 3 groups were asked for, but a draw has 2 examples; draw at least 3 or ask for fewer \
         groups"
    );
    assert!(message(SingularVectors::default().group(&Draw::from(&traced))).contains("not finite"));
    assert!(message(KMeans::new(1, 0).group(&Draw::from(&traced))).contains("not finite"));
    assert_eq!(OneGroup.needs(), Needs::Nothing);
}

/// A remainder group stands for the directions left out: its membership is the sum of theirs, and
/// its weight the root mean square of their singular values.
#[test]
fn leading_directions_and_a_remainder_equal_the_full_form() {
    let lengths: Vec<Vec<f32>> = (0..4).map(|g| vec![4.0 - g as f32; 30]).collect();
    let (mut rows, _) = parallel(60, &lengths);
    for (j, row) in rows.iter_mut().enumerate() {
        row[4 + j % 50] += 0.2;
        row[4 + (7 * j) % 50] -= 0.1;
    }
    rows.push(vec![0.0; 60]);
    let n = rows.len();
    let traced = draw(&rows, &vec![1.0; n]);
    let draw = Draw::from(&traced);
    for membership in [Membership::Squared, Membership::Absolute] {
        let options = SingularVectors::squared()
            .with_power(2)
            .with_membership(membership);
        let full = { options.clone() }.group(&draw).unwrap();
        let part = { options.with_leading(4).unwrap() }.group(&draw).unwrap();
        assert_eq!((part.num_groups(), part.spectrum().len()), (5, 4));
        let (full_rows, part_rows) = (numbers(full.membership()), numbers(part.membership()));
        for i in 0..4 {
            let pairs = full_rows[i * n..(i + 1) * n]
                .iter()
                .zip(&part_rows[i * n..]);
            assert!(
                { pairs }.all(|(a, b)| (a - b).abs() < 1e-3),
                "direction {i}"
            );
        }
        for j in 0..n {
            let left_out = (4..n).map(|i| full_rows[i * n + j]);
            let sum: f32 = match membership {
                Membership::Squared => left_out.sum(),
                _ => left_out.map(|alpha| alpha * alpha).sum::<f32>().sqrt(),
            };
            let found = part_rows[4 * n + j];
            assert!(
                (found - sum).abs() < 1e-3,
                "example {j}: {found} against {sum}"
            );
        }
        // min(n, p) = 60 singular values, of which 56 are left out.
        let squares: f64 = full.spectrum()[4..].iter().map(|sigma| sigma * sigma).sum();
        let weight = f64::from(numbers(part.weights())[4]);
        assert!((weight - squares / 56.0).abs() < 1e-3 * weight, "{weight}");
    }
    let sums = SingularVectors::squared()
        .with_leading(2)
        .unwrap()
        .group(&draw)
        .unwrap();
    let sums = numbers(&sums.membership().clone().sum_dim(0));
    assert!(sums[..n - 1].iter().all(|sum| (sum - 1.0).abs() < 1e-5));
    assert_eq!(sums[n - 1], 0.0, "a zero gradient belongs nowhere");
    // As many as there are leave no remainder.
    let all = SingularVectors::squared()
        .with_leading(n)
        .unwrap()
        .group(&draw)
        .unwrap();
    assert_eq!(all.num_groups(), n);
    let sketched = SingularVectors::squared()
        .with_sketch(40, 1)
        .unwrap()
        .with_leading(4)
        .unwrap();
    let sketched = { sketched }.group(&draw).unwrap();
    assert_eq!(sketched.num_groups(), 5);
}
