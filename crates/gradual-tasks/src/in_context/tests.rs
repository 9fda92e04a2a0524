use std::collections::BTreeSet;

use burn::module::Module;
use gradual::grad::{naive_rows, trace};
use gradual::train::Task as _;

use super::*;

fn small() -> InContextConfig {
    InContextConfig {
        dimensions: 12,
        classes: 32,
        labels: 8,
        pairs: 6,
        burstiness: 3,
        noise: 0.0,
        exponent: 1.0,
        groups: 4,
        held_out: 50,
        hidden: 10,
        ..InContextConfig::default()
    }
}

/// A sequence, read back from its numbers: items and labels as vectors, and the query.
struct Read {
    pairs: Vec<(Vec<f32>, Vec<f32>)>,
    query: Vec<f32>,
}

fn read(config: &InContextConfig, numbers: &[f32]) -> Read {
    let (places, d) = (config.places(), config.dimensions);
    let tokens: Vec<&[f32]> = numbers.chunks(places + d).collect();
    assert_eq!(tokens.len(), config.tokens());
    let first = tokens[0].iter().position(|&one| one == 1.0).unwrap();
    for (at, token) in tokens.iter().enumerate() {
        let ones: Vec<usize> = (0..places).filter(|&place| token[place] != 0.0).collect();
        assert_eq!(ones, [first + at], "one token after the other");
        assert_eq!(token[first + at], 1.0);
    }
    let content = |at: usize| tokens[at][places..].to_vec();
    Read {
        pairs: (0..config.pairs)
            .map(|pair| (content(2 * pair), content(2 * pair + 1)))
            .collect(),
        query: content(2 * config.pairs),
    }
}

/// Without noise, items of one class are one vector, and so are labels.
#[test]
fn contexts_hold_what_they_are_said_to_hold() {
    let config = small();
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let world = World::new(&config, &mut random);
    let vectors = |read: &Read| -> (usize, BTreeSet<Vec<u32>>, BTreeSet<Vec<u32>>) {
        let bits = |vector: &[f32]| vector.iter().map(|one| one.to_bits()).collect::<Vec<_>>();
        let same = read.pairs.iter().filter(|(item, _)| *item == read.query);
        (
            same.count(),
            read.pairs.iter().map(|(item, _)| bits(item)).collect(),
            read.pairs.iter().map(|(_, label)| bits(label)).collect(),
        )
    };
    for answer in [
        Answer::Both,
        Answer::Weights,
        Answer::Context,
        Answer::Swapped,
    ] {
        for class in 0..config.classes {
            let mut made = Sequences::default();
            world.add(&config, class, answer, &mut random, &mut made);
            let read = read(&config, &made.numbers);
            let (same, items, labels) = vectors(&read);
            let right = made.answers[0] as usize;
            let vector = |label: usize| world.label_vector(label, config.dimensions);
            match answer {
                Answer::Weights => {
                    assert_eq!((same, right), (0, world.label_of[class]));
                    continue;
                }
                Answer::Both => assert_eq!(right, world.label_of[class]),
                Answer::Swapped => assert_ne!(right, world.label_of[class]),
                Answer::Context => assert_eq!(made.classes, [None]),
            }
            assert_eq!((same, items.len(), labels.len()), (3, 2, 2), "{answer:?}");
            // Beside the query's class stands the right label, and nowhere else.
            for (item, label) in &read.pairs {
                assert_eq!(*item == read.query, *label == vector(right), "{answer:?}");
            }
        }
    }
}

#[test]
fn frequencies_are_those_of_draws() {
    let task = InContext::new(&small(), 3).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let drawn = task.draw(8_000, &mut random, &Device::flex()).unwrap();
    let frequencies: Vec<f64> = task.capabilities.iter().map(|one| one.frequency).collect();
    assert!((frequencies.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    assert_eq!(frequencies[4..], [0.0; 3]);
    for (group, &expected) in frequencies[..4].iter().enumerate() {
        let of = drawn.labels.iter().filter(|&&label| label == Some(group));
        let share = of.count() as f64 / 8_000.0;
        let error = (expected * (1.0 - expected) / 8_000.0).sqrt();
        assert!(
            (share - expected).abs() < 5.0 * error,
            "{group}: {share} of {expected}"
        );
    }
    // Asked for, a group is all there is, in the same proportions within.
    let asked = task
        .draw_of(&[2; 500], &mut random, &Device::flex())
        .unwrap();
    let classes = asked.batch.classes.iter().flatten();
    assert!(classes.clone().all(|class| (16..24).contains(class)));
    assert_eq!(classes.count(), 500);
}

/// However steep the law is, a group that is asked for has its classes.
#[test]
fn rare_classes_are_drawn_when_they_are_asked_for() {
    for exponent in [0.0, 3.0, 5.0] {
        let config = InContextConfig {
            exponent,
            ..small()
        };
        let task = InContext::new(&config, 3).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let drawn = task
            .draw_of(&[3; 400], &mut random, &Device::flex())
            .unwrap();
        let classes: Vec<usize> = drawn.batch.classes.iter().flatten().copied().collect();
        assert!(classes.iter().all(|class| (24..32).contains(class)));
        let first = classes.iter().filter(|&&class| class == 24).count() as f64 / 400.0;
        let all = (25..=32).map(|rank| f64::from(rank).powf(-exponent));
        let expected = 25_f64.powf(-exponent) / all.sum::<f64>();
        assert!(
            (first - expected).abs() < 0.12,
            "{exponent}: {first} for {expected}"
        );
        assert!(
            task.capabilities
                .iter()
                .all(|one| one.chance < 1.0 || exponent > 10.0)
        );
    }
}

#[test]
fn bursty_sequences_are_as_many_as_asked_for() {
    let config = InContextConfig {
        bursty: 0.25,
        grouped_by: GroupedBy::Burstiness,
        ..small()
    };
    let task = InContext::new(&config, 3).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let drawn = task.draw(4_000, &mut random, &Device::flex()).unwrap();
    let bursty = drawn
        .labels
        .iter()
        .filter(|&&label| label == Some(0))
        .count();
    assert!((850..1_150).contains(&bursty), "{bursty}");
    let names: Vec<&str> = task
        .capabilities
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "bursty",
            "not bursty",
            "in context",
            "swapped",
            "in weights"
        ]
    );
    let chances: Vec<f64> = task.capabilities.iter().map(|one| one.chance).collect();
    // Of 32 classes with frequencies 1/k the first alone has a quarter.
    let first = 1.0 / (1..=32).map(|rank| 1.0 / f64::from(rank)).sum::<f64>();
    assert_eq!([chances[0], chances[2], chances[3]], [0.5; 3]);
    assert!(
        (first..0.45).contains(&chances[1]) && chances[1] == chances[4],
        "{chances:?}"
    );
    let uniform = InContextConfig {
        exponent: 0.0,
        ..small()
    };
    let task = InContext::new(&uniform, 3).unwrap();
    assert!((task.capabilities.last().unwrap().chance - 0.125).abs() < 1e-12);
}

/// A fresh model is at chance or below: it has learned neither to look nor to know.
#[test]
fn fresh_models_know_nothing() {
    let config = InContextConfig {
        held_out: 2_000,
        ..small()
    };
    let task = InContext::new(&config, 4).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let device = Device::flex();
    let model = task.model(&mut random, &device);
    let scores = task.evaluate(&model, &device).unwrap();
    for (score, capability) in scores.iter().zip(&task.capabilities) {
        assert!(
            score.accuracy < capability.chance + 0.05,
            "{}: {}",
            capability.name,
            score.accuracy
        );
    }
    let again = InContext::new(&config, 4).unwrap();
    let same = again.evaluate(&model, &device).unwrap();
    assert_eq!(
        scores.iter().map(|one| one.loss).collect::<Vec<_>>(),
        same.iter().map(|one| one.loss).collect::<Vec<_>>()
    );
}

/// The model in loops, one sequence at a time.
#[test]
fn the_model_is_what_the_formula_says() {
    let config = small();
    let task = InContext::new(&config, 2).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let device = Device::flex();
    let model = task.model(&mut random, &device);
    let drawn = task.draw(3, &mut random, &device).unwrap();
    let floats = |data: TensorData| data.convert::<f32>().try_to_vec::<f32>().unwrap();
    let (t, d) = (config.tokens(), config.width());
    let weights = model.plain();
    let times = |x: &[f32], weight: &[f32], bias: Option<&[f32]>| -> Vec<f32> {
        let out = weight.len() / x.len();
        let dot = |column: usize| -> f32 {
            let sum: f32 = x
                .iter()
                .enumerate()
                .map(|(row, one)| one * weight[row * out + column])
                .sum();
            sum + bias.map_or(0.0, |bias| bias[column])
        };
        (0..out).map(dot).collect()
    };
    let logits = floats(model.forward(drawn.batch.sequences.clone()).into_data());
    let sequences = floats(drawn.batch.sequences.clone().into_data());
    for (example, sequence) in sequences.chunks(t * d).enumerate() {
        let mut x: Vec<Vec<f32>> = sequence.chunks(d).map(<[f32]>::to_vec).collect();
        for [query, key, value] in &weights.attention {
            let next = (0..t).map(|at| {
                let q = times(&x[at], query, None);
                // What comes later is not seen.
                let scores: Vec<f32> = (0..=at)
                    .map(|other| {
                        let k = times(&x[other], key, None);
                        let dot: f32 = q.iter().zip(&k).map(|(a, b)| a * b).sum();
                        (dot / (d as f32).sqrt()).exp()
                    })
                    .collect();
                let sum: f32 = scores.iter().sum();
                let mut out = x[at].clone();
                for (other, score) in scores.iter().enumerate() {
                    let v = times(&x[other], value, None);
                    out.iter_mut()
                        .zip(v)
                        .for_each(|(out, v)| *out += score / sum * v);
                }
                out
            });
            x = next.collect();
        }
        let mut hidden = x[t - 1].clone();
        for (at, (weight, bias)) in weights.perceptron.iter().enumerate() {
            if at > 0 {
                hidden.iter_mut().for_each(|one| *one = one.max(0.0));
            }
            hidden = times(&hidden, weight, Some(bias));
        }
        let own = &logits[example * config.labels..][..config.labels];
        for (found, expected) in own.iter().zip(&hidden) {
            assert!((found - expected).abs() < 1e-4, "{found} for {expected}");
        }
    }
}

#[test]
fn every_parameter_is_covered_exactly() {
    let task = InContext::new(&small(), 2).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let device = Device::flex();
    let model = task.model(&mut random, &device.clone().autodiff());
    let drawn = task.draw(5, &mut random, &device).unwrap();
    let losses = |m: &InContextNet| task.losses(m, &drawn.batch);
    let traced = trace(&model, losses).unwrap();
    let rows = traced.gradients.rows();
    assert_eq!(rows.dims(), [5, model.num_params()]);
    let expected = naive_rows(&model, losses);
    let size: f32 = expected.clone().abs().max().into_scalar();
    let off: f32 = (rows - expected).abs().max().into_scalar();
    assert!(off < 1e-4 * size, "{off} of {size}");
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let base = InContextConfig::default;
    for (config, expected) in [
        (
            InContextConfig {
                burstiness: 3,
                ..base()
            },
            "burstiness = 3, but it has to divide pairs = 8",
        ),
        (
            InContextConfig {
                burstiness: 8,
                ..base()
            },
            "burstiness = 8, but it is a whole number from 1 to 4",
        ),
        (
            InContextConfig {
                labels: 30,
                ..base()
            },
            "labels = 30, but it has to divide classes = 512",
        ),
        (
            InContextConfig {
                groups: 7,
                ..base()
            },
            "groups = 7, but it has to divide classes = 512",
        ),
        (
            InContextConfig {
                labels: 8,
                burstiness: 1,
                ..base()
            },
            "a context has 8 of them",
        ),
        (
            InContextConfig {
                grouped_by: GroupedBy::Burstiness,
                ..base()
            },
            "bursty = 1 leaves one group",
        ),
        (
            InContextConfig {
                bursty: 1.5,
                ..base()
            },
            "bursty = 1.5, but it is a number from 0 to 1",
        ),
    ] {
        let said = config.check().unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    }
    base().check().unwrap();
}
