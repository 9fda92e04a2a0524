//! Groups in the precision of the losses that they are for.

use crate::common::{device, draw, planted};
use burn::tensor::{DType, Device, Tensor, TensorData};
use gradual_grad::Metric;
use gradual_group::{
    Average, Centroids, Diffusion, Draw, EachExample, Grouping, Groups, KMeans, Labels, Landmarks,
    OneGroup, Priors, RandomGroups,
};

/// Losses of which no sum, mean or square is a number of single precision.
fn losses(n: usize) -> Vec<f64> {
    (0..n).map(|j| 1.0 + (j as f64 * 0.7).sin() / 3.0).collect()
}

fn double(values: &[f64]) -> Tensor<1> {
    let data = TensorData::new(values.to_vec(), [values.len()]);
    Tensor::from_data(data, (&Device::flex(), DType::F64))
}

fn doubles<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    assert_eq!(tensor.dtype(), DType::F64);
    tensor.into_data().try_to_vec().expect("f64")
}

/// Every third, fifth … example in a group of its own kind; some in none.
fn labels(n: usize) -> Vec<Option<usize>> {
    let group = |j: usize| match j % 7 {
        0 | 3 | 5 => Some(0),
        1 | 2 => Some(1),
        4 => Some(2),
        _ => None,
    };
    (0..n).map(group).collect()
}

/// ℓ̄_g by the definition.
fn means(
    losses: &[f64],
    assignment: &[Option<usize>],
    groups: usize,
    average: Average,
) -> Vec<f64> {
    let of = |group: usize| {
        let own = losses.iter().zip(assignment);
        let own: Vec<f64> = own
            .filter(|(_, g)| **g == Some(group))
            .map(|(l, _)| *l)
            .collect();
        match average {
            Average::Mean if !own.is_empty() => own.iter().sum::<f64>() / own.len() as f64,
            _ => own.iter().sum(),
        }
    };
    (0..groups).map(of).collect()
}

fn close(found: &[f64], right: &[f64], to: f64, place: &str) {
    assert_eq!(found.len(), right.len(), "{place}");
    for (a, b) in found.iter().zip(right) {
        let error = (a - b).abs() / b.abs().max(1.0);
        assert!(error <= to, "{place}: {a} against {b}, off by {error}");
    }
}

#[test]
fn losses_in_double_precision_are_averaged_in_double_precision() {
    const N: usize = 97;
    let values = losses(N);
    let losses = double(&values);
    let labels = labels(N);
    let draw = Draw::new(&losses).with_labels(&labels);
    for average in [Average::Mean, Average::Sum] {
        let groups = Labels::new(4).with_average(average).group(&draw).unwrap();
        let found = doubles(groups.losses(losses.clone()));
        close(
            &found,
            &means(&values, &labels, 4, average),
            1e-15,
            "labels",
        );
        assert_eq!(doubles(groups.weights().clone()), [1.0, 1.0, 1.0, 0.0]);
    }
    let one = OneGroup.group(&draw).unwrap();
    let all = vec![Some(0); N];
    close(
        &doubles(one.losses(losses.clone())),
        &means(&values, &all, 1, Average::Mean),
        1e-15,
        "one",
    );
    let each = EachExample.group(&draw).unwrap();
    close(&doubles(each.losses(losses.clone())), &values, 0.0, "each");
    close(
        &doubles(each.weights().clone()),
        &[1.0 / N as f64; N],
        0.0,
        "each",
    );
    let random = RandomGroups::new(5, 1).group(&draw).unwrap();
    let right = means(&values, random.assignment().unwrap(), 5, Average::Mean);
    close(
        &doubles(random.losses(losses.clone())),
        &right,
        1e-15,
        "random",
    );
    let both = [labels
        .iter()
        .map(|label| label.map(|g| g % 2))
        .collect::<Vec<_>>()];
    let several = Labels::new(3)
        .and(2)
        .group(&draw.with_more_labels(&both))
        .unwrap();
    let mut right = means(&values, &labels, 3, Average::Mean);
    right.extend(means(&values, &both[0], 2, Average::Mean));
    close(
        &doubles(several.losses(losses.clone())),
        &right,
        1e-15,
        "two labellings",
    );
    let weighed = Priors::new(Labels::new(3), vec![0.5, 2.0, 0.25])
        .unwrap()
        .group(&draw)
        .unwrap();
    assert_eq!(doubles(weighed.weights().clone()), [0.5, 2.0, 0.25]);
}

/// Groups that somebody made without a draw follow the losses, too.
#[test]
fn groups_of_another_precision_follow_the_losses() {
    const N: usize = 41;
    let values = losses(N);
    let labels = labels(N);
    let single = Groups::hard(labels.clone(), 3, Average::Mean, &device()).unwrap();
    let found = doubles(single.losses(double(&values)));
    close(
        &found,
        &means(&values, &labels, 3, Average::Mean),
        1e-15,
        "hard",
    );
    let one = Groups::one(N, &device());
    let all = vec![Some(0); N];
    close(
        &doubles(one.losses(double(&values))),
        &means(&values, &all, 1, Average::Mean),
        1e-15,
        "one",
    );
    let shares: Vec<f64> = (0..2 * N).map(|at| 1.0 / (3.0 + at as f64)).collect();
    let options = (&device(), DType::F64);
    let soft = Groups::soft(shares.clone(), vec![1.0f64; 2], vec![1.0; 2], options).unwrap();
    let right: Vec<f64> = shares
        .chunks(N)
        .map(|row| row.iter().zip(&values).map(|(m, l)| m * l).sum())
        .collect();
    close(
        &doubles(soft.losses(double(&values))),
        &right,
        1e-15,
        "soft",
    );
    // And back to single precision.
    let device = device();
    let three = Tensor::<1>::from_floats([1.0, 2.0, 4.0], &device);
    let groups = Groups::hard(
        vec![Some(0), Some(0), Some(1)],
        2,
        Average::Mean,
        (&device, DType::F64),
    );
    let found = groups.unwrap().losses(three);
    assert_eq!(found.dtype(), DType::F32);
}

/// A mean of 300 losses of 1 + 2⁻⁷ in bf16 would be off in the third digit.
#[test]
fn losses_in_half_precision_are_averaged_in_single_precision() {
    let device = device();
    for half in [DType::BF16, DType::F16] {
        const N: usize = 300;
        let values = vec![1.007_812_5f32; N];
        let losses = Tensor::<1>::from_floats(values.as_slice(), &device).cast(half);
        let labels: Vec<_> = (0..N).map(|j| Some(usize::from(j % 3 == 0))).collect();
        let groups = Labels::new(2)
            .group(&Draw::new(&losses).with_labels(&labels))
            .unwrap();
        let found = groups.losses(losses.clone());
        assert_eq!(found.dtype(), DType::F32);
        for mean in found.into_data().try_to_vec::<f32>().unwrap() {
            assert!((mean - 1.007_812_5).abs() < 1e-6, "{half:?}: {mean}");
        }
        let one = OneGroup.group(&Draw::new(&losses)).unwrap();
        assert_eq!(one.losses(losses).dtype(), DType::F32);
    }
}

/// Groups found in gradients, on the host or ahead of it.
#[test]
fn found_groups_follow_the_losses() {
    let (rows, _) = planted(3, 12, 8, 4.0, false, 1);
    let n = rows.len();
    let traced = draw(&rows, &vec![1.0; n]);
    let values = losses(n);
    let losses = double(&values);
    let draw = Draw::new(&losses).with_gradients(&traced.gradients);
    let landmarks = Landmarks::new(3, Metric::euclidean(), 0)
        .with_examples(n)
        .unwrap();
    let centroids = Centroids::new(3, Metric::euclidean(), 0)
        .with_examples(n)
        .unwrap();
    let mut groupings: [(&str, Box<dyn Grouping>); 3] = [
        ("k-means", Box::new(KMeans::new(3, 0))),
        ("landmarks", Box::new(landmarks)),
        ("centroids", Box::new(centroids)),
    ];
    for (name, grouping) in &mut groupings {
        if grouping.wants().is_some() {
            grouping.stand(&Draw::from(&traced)).unwrap();
        }
        let groups = grouping.group_ahead(&draw).unwrap();
        let found = doubles(groups.losses(losses.clone()));
        let assignment = groups.assignment().unwrap();
        close(
            &found,
            &means(&values, assignment, 3, Average::Mean),
            1e-15,
            name,
        );
        doubles(groups.weights().clone());
    }
}

/// A common length that no precision can represent changes no cosine, so it changes soft groups by no more than double
/// precision rounds.
#[test]
fn diffusion_of_inner_products_in_double_precision_is_in_double_precision() {
    const N: usize = 24;
    let angle = |j: usize| (j % 4) as f64 * 0.4 + 0.05 * (j as f64 * 1.3).sin();
    let gram = |length: f64| {
        let product = |at: usize| length * (angle(at / N) - angle(at % N)).cos();
        let data = TensorData::new((0..N * N).map(product).collect::<Vec<f64>>(), [N, N]);
        Tensor::<2>::from_data(data, (&Device::flex(), DType::F64))
    };
    let losses = double(&losses(N));
    let diffusion = Diffusion::new().in_the_draw().with_neighbours(5).unwrap();
    let memberships = [1.0, 1.0 / 3.0].map(|length| {
        let gram = gram(length);
        let mut grouping = diffusion.clone().with_time(3.0).unwrap();
        let draw = Draw::new(&losses).with_gram(&gram);
        doubles(grouping.group(&draw).unwrap().membership().clone())
    });
    let [one, third] = memberships;
    close(&third, &one, 1e-12, "a third of the length");
}
