use burn::module::Module;
use burn::tensor::Device;
use gradual::train::Task;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::config::SubpopulationsConfig;
use super::{Point, Subpopulations};

/// The group of a point by where it lies, told the plain way: by the nearest of the ten published places.
fn nearest(point: &Point) -> (usize, bool) {
    let mut places = Vec::new();
    for (x, class) in [(0.0, 0), (1.0, 1)] {
        for y in [5.0, 3.0, 2.0, 1.0] {
            places.push((x, y, class, false));
        }
    }
    places.push((1.0, 4.0, 0, true));
    places.push((0.0, 4.0, 1, true));
    let away = |place: &(f64, f64, usize, bool)| {
        (f64::from(point.at[0]) - place.0).powi(2) + (f64::from(point.at[1]) - place.1).powi(2)
    };
    let nearest = places.iter().min_by(|a, b| away(a).total_cmp(&away(b)));
    let &(_, _, class, minority) = nearest.unwrap();
    (class, minority)
}

#[test]
fn points_lie_where_their_subpopulation_does_and_outliers_are_mislabelled() {
    let config = SubpopulationsConfig::default();
    let task = Subpopulations::new(&config, 1).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let drawn = task.draw(20_000, &mut random, &Device::flex()).unwrap();
    let points = &drawn.batch.points;
    let mut counts = [0; 4];
    let mut places = std::collections::BTreeMap::new();
    let mut outliers = 0;
    let mut square = 0.0;
    for (point, label) in points.iter().zip(&drawn.labels) {
        let (class, minority) = nearest(point);
        assert_eq!(*label, point.group);
        match label {
            Some(group) => {
                assert_eq!((*group % 2, *group >= 2), (class, minority));
                assert_eq!(point.class, class);
                counts[*group] += 1;
            }
            None => {
                assert_eq!(point.class, 1 - class);
                outliers += 1;
            }
        }
        let [x, y] = point.at.map(f64::from);
        *places
            .entry((x.round() as i64, y.round() as i64))
            .or_insert(0) += 1;
        square += (x - x.round()).powi(2) + (y - y.round()).powi(2);
    }
    // Five in a hundred of 20 000, and the rest by its frequencies, within four standard deviations.
    let near = |count: usize, share: f64| {
        let deviation = (20_000.0 * share * (1.0 - share)).sqrt();
        assert!(
            (count as f64 - 20_000.0 * share).abs() < 4.0 * deviation,
            "{count} {share}"
        );
    };
    near(outliers, 0.05);
    for (count, capability) in counts.into_iter().zip(task.capabilities()) {
        near(count, 0.95 * capability.frequency);
    }
    // All ten places are as frequent, as published.
    assert_eq!(places.len(), 10);
    for &count in places.values() {
        near(count, 0.1);
    }
    let variance = square / 40_000.0;
    assert!((variance - 0.001).abs() < 4e-5, "{variance}");
}

#[test]
fn what_is_held_out_has_no_outliers_and_groups_in_order() {
    let config = SubpopulationsConfig {
        held_out: 50,
        ..SubpopulationsConfig::default()
    };
    let device = Device::flex();
    let task = Subpopulations::new(&config, 3).unwrap();
    let names: Vec<&str> = task
        .capabilities()
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "majority of class 0",
            "majority of class 1",
            "minority of class 0",
            "minority of class 1"
        ]
    );
    for (at, point) in task.held_out.iter().enumerate() {
        assert_eq!(point.group, Some(at / 50));
        assert_eq!(nearest(point), (point.class, at / 50 >= 2));
    }
    let other = Subpopulations::new(&config, 4).unwrap();
    assert_ne!(task.held_out, other.held_out);
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let of = task.draw_of(&[2, 3, 0], &mut random, &device).unwrap();
    assert_eq!(of.labels, [2, 3, 0].map(Some));
    let told = task.describe(&of.batch, 0).unwrap();
    assert!(
        told.ends_with("), class 0") && told.starts_with('('),
        "{told}"
    );
    assert_eq!(task.describe(&of.batch, 3), None);
    let model = task.model(&mut random, &device.clone().autodiff());
    for score in task.evaluate(&model.valid(), &device).unwrap() {
        assert!(
            (0.0..=1.0).contains(&score.accuracy) && score.loss > 0.0,
            "{score:?}"
        );
    }
}

/// Logistic regression on these inputs gives a loss and a score that a loop over points gives, too.
#[test]
fn losses_and_scores_are_those_of_loops() {
    let config = SubpopulationsConfig {
        hidden: 0,
        held_out: 20,
        ..SubpopulationsConfig::default()
    };
    let device = Device::flex();
    let task = Subpopulations::new(&config, 0).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let model = task.model(&mut random, &device);
    let unit = |at: [f32; 2]| {
        let one = burn::tensor::Tensor::<2>::from_floats([at], &device);
        model
            .forward(one)
            .into_data()
            .convert::<f64>()
            .try_to_vec::<f64>()
            .unwrap()
    };
    // The model is linear: three points tell all of it.
    let zero = unit([0.0, 0.0]);
    let (x, y) = (unit([1.0, 0.0]), unit([0.0, 1.0]));
    let logits = |point: &Point| -> Vec<f64> {
        let [a, b] = point.at.map(f64::from);
        (0..2)
            .map(|class| zero[class] + a * (x[class] - zero[class]) + b * (y[class] - zero[class]))
            .collect()
    };
    let probability = |point: &Point| {
        let logits = logits(point);
        1.0 / (1.0 + (logits[1 - point.class] - logits[point.class]).exp())
    };
    let drawn = task.draw(64, &mut random, &device).unwrap();
    let losses = task
        .losses(&model, &drawn.batch)
        .into_data()
        .convert::<f64>();
    for (loss, point) in losses
        .try_to_vec::<f64>()
        .unwrap()
        .iter()
        .zip(&drawn.batch.points)
    {
        assert!(
            (loss + probability(point).ln()).abs() < 1e-5,
            "{loss} {point:?}"
        );
    }
    let scores = task.evaluate(&model, &device).unwrap();
    for (score, points) in scores.iter().zip(task.held_out.chunks(20)) {
        let right = points
            .iter()
            .filter(|point| probability(point) > 0.5)
            .count();
        assert!((score.accuracy - right as f64 / 20.0).abs() < 1e-9);
        let loss = points
            .iter()
            .map(|point| -probability(point).ln())
            .sum::<f64>()
            / 20.0;
        assert!((score.loss - loss).abs() < 1e-5);
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    type Change = fn(&mut SubpopulationsConfig);
    let changes: [(Change, &str); 5] = [
        (
            |one| one.minority = 0.0,
            "minority = 0, but it is a number from 0.001 to 0.5",
        ),
        (
            |one| one.outliers = f64::NAN,
            "outliers = NaN, but it is a number from 0 to 0.5",
        ),
        (
            |one| one.deviation = 2.0,
            "deviation = 2, but it is a number from 0.001 to 1",
        ),
        (
            |one| one.held_out = 0,
            "held_out = 0, but it is a whole number from 1 to 10000",
        ),
        (
            |one| one.hidden = 100_000,
            "hidden = 100000, but it is a whole number from 0 to 65536",
        ),
    ];
    for (change, expected) in changes {
        let mut config = SubpopulationsConfig::default();
        change(&mut config);
        let refused = Subpopulations::new(&config, 0).unwrap_err();
        assert_eq!(refused.to_string(), expected);
    }
}
