use std::collections::{HashMap, HashSet};

use burn::tensor::Device;
use gradual::grad::{naive_rows, trace};
use gradual::train::Task as _;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::config::BiographiesConfig;
use super::world::{BIOGRAPHIES, TEXT};
use super::{Biographies, BiographiesBatch};

fn small() -> BiographiesConfig {
    BiographiesConfig {
        people: 10,
        attributes: 3,
        values: 5,
        share: 0.3,
        words: 7,
        held_out: 40,
        width: 8,
        heads: 2,
        layers: 1,
        hidden: 6,
        ..BiographiesConfig::default()
    }
}

/// What a draw says in words: a person and their attributes, or words.
fn said(task: &Biographies, batch: &BiographiesBatch, example: usize) -> String {
    task.describe(batch, example).unwrap()
}

/// A person has one value of each attribute for ever, whatever the order, and each is told once.
#[test]
fn what_is_told_of_a_person_is_always_the_same() {
    let task = Biographies::new(&small(), 3).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let drawn = task
        .draw_of(&[BIOGRAPHIES; 600], &mut random, &Device::flex())
        .unwrap();
    let mut known: HashMap<(String, String), String> = HashMap::new();
    let mut orders = HashSet::new();
    for example in 0..600 {
        let text = said(&task, &drawn.batch, example);
        let (person, facts) = text.split_once(": ").unwrap();
        let facts: Vec<&str> = facts.split(' ').collect();
        assert_eq!(facts.len(), 6, "{text}");
        let attributes: Vec<&str> = facts.iter().copied().step_by(2).collect();
        for fact in facts.chunks(2) {
            let key = (person.to_owned(), fact[0].to_owned());
            let before = known.insert(key, fact[1].to_owned());
            assert!(before.is_none_or(|value| value == fact[1]), "{text}");
        }
        orders.insert(attributes.concat());
    }
    assert_eq!((known.len(), orders.len()), (10 * 3, 6));
    // No two people have one name: the first two tokens.
    let names: HashSet<[u32; 2]> = drawn
        .batch
        .examples
        .iter()
        .map(|one| [one.tokens[0], one.tokens[1]])
        .collect();
    assert_eq!(names.len(), 10);
    let [n, t] = drawn.batch.tokens().dims();
    assert_eq!((n, t), (600, 7));
}

/// Of two words the same one follows so often as it is said to, and others by the law alone.
#[test]
fn words_follow_as_often_as_they_are_said_to() {
    let config = BiographiesConfig {
        fixed: 0.75,
        ..small()
    };
    let task = Biographies::new(&config, 3).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let n = 6_000;
    let drawn = task
        .draw_of(&vec![TEXT; n], &mut random, &Device::flex())
        .unwrap();
    let law: Vec<f64> = (1..=7).map(|rank| 1.0 / f64::from(rank)).collect();
    let all: f64 = law.iter().sum();
    let (mut followed, mut expected, mut variance, mut count) = (0.0, 0.0, 0.0, 0.0);
    let mut first = [0.0; 7];
    for example in &drawn.batch.examples {
        first[example.tokens[0] as usize] += 1.0;
        for three in example.tokens.windows(3) {
            let follower = task.world.follower(three[0], three[1]);
            followed += f64::from(u8::from(three[2] == follower));
            let chance = 0.75 + 0.25 * law[follower as usize] / all;
            expected += chance;
            variance += chance * (1.0 - chance);
            count += 1.0;
        }
    }
    assert_eq!(count, 6.0 * n as f64);
    assert!((followed - expected).abs() < 5.0 * f64::sqrt(variance));
    for (counted, weight) in first.iter().zip(&law) {
        let expected = weight / all * n as f64;
        assert!((counted - expected).abs() < 5.0 * expected.sqrt());
    }
}

#[test]
fn frequencies_are_those_of_draws_and_chance_is_guessing() {
    let task = Biographies::new(&small(), 3).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let n = 8_000;
    let drawn = task.draw(n, &mut random, &Device::flex()).unwrap();
    let of = |capability| {
        let labels = drawn.labels.iter();
        labels.filter(|&&label| label == Some(capability)).count() as f64 / n as f64
    };
    let names: Vec<&str> = task.capabilities().iter().map(|one| &*one.name).collect();
    assert_eq!(names, ["text", "biographies"]);
    assert!((of(BIOGRAPHIES) - 0.3).abs() < 0.03 && (of(TEXT) - 0.7).abs() < 0.03);
    let frequencies: Vec<f64> = task
        .capabilities()
        .iter()
        .map(|one| one.frequency)
        .collect();
    assert_eq!(frequencies, [0.7, 0.3]);
    assert_eq!(task.capabilities()[BIOGRAPHIES].chance, 0.2);
    // The best single guess for a word, whatever stands for what in a seed.
    let right = |seed: u64| {
        let task = Biographies::new(&small(), seed).unwrap();
        let words = task.evaluated[TEXT].iter().flat_map(|one| &one.tokens[2..]);
        let first = words.clone().filter(|&&word| word == 0).count();
        first as f64 / words.count() as f64
    };
    let mean = (0..200).map(right).sum::<f64>() / 200.0;
    let chance = task.capabilities()[TEXT].chance;
    // A word that is often there follows itself more often than others do: of seven words by two hundredths.
    assert!((mean - chance).abs() < 0.05, "{mean} of {chance}");
    assert!((chance - 1.0 / (1..=7).map(|rank| 1.0 / f64::from(rank)).sum::<f64>()).abs() < 1e-12);
}

/// Of a biography the values are learned, of a text all words with two before them: against a loop over logits.
#[test]
fn losses_and_scores_are_those_of_a_plain_loop() {
    let task = Biographies::new(&small(), 3).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let device = Device::flex();
    let model = task.model(&mut random, &device);
    let drawn = task.draw(24, &mut random, &device).unwrap();
    assert!(drawn.labels.contains(&Some(0)) && drawn.labels.contains(&Some(1)));
    let plain = |batch: &BiographiesBatch| -> Vec<(f64, f64)> {
        let logits = model.forward(batch.tokens().clone());
        let [_, t, v] = logits.dims();
        let logits = logits.into_data().try_to_vec::<f32>().unwrap();
        let examples = batch.examples.iter().enumerate();
        let of = examples.map(|(j, example)| {
            let asked: Vec<usize> = match example.person {
                None => (2..=t).collect(),
                Some(_) => (3..=t).step_by(2).collect(),
            };
            let (mut loss, mut right) = (0.0, 0.0);
            for &at in &asked {
                let row = &logits[(j * t + at - 1) * v..][..v];
                let all: f64 = row.iter().map(|&one| f64::from(one).exp()).sum();
                let answer = example.tokens[at] as usize;
                loss += all.ln() - f64::from(row[answer]);
                right += f64::from(u8::from(row.iter().all(|&one| one <= row[answer])));
            }
            let count = asked.len() as f64;
            (loss / count, right / count)
        });
        of.collect()
    };
    let losses = task.losses(&model, &drawn.batch);
    let losses = losses.into_data().try_to_vec::<f32>().unwrap();
    for (found, (expected, _)) in losses.iter().zip(plain(&drawn.batch)) {
        assert!((f64::from(*found) - expected).abs() < 1e-5);
    }
    let scores = task.evaluate(&model, &device).unwrap();
    for (score, examples) in scores.iter().zip(&task.evaluated) {
        let plain = plain(&BiographiesBatch::new(examples.clone(), &device));
        let n = plain.len() as f64;
        let [loss, right] = [
            plain.iter().map(|one| one.0).sum::<f64>() / n,
            plain.iter().map(|one| one.1).sum::<f64>() / n,
        ];
        assert!((score.loss - loss).abs() < 1e-5);
        assert!((score.accuracy - right).abs() < 1e-6);
    }
    assert_eq!(task.evaluated.each_ref().map(Vec::len), [40, 10]);
}

#[test]
fn gradients_are_those_of_single_examples() {
    let task = Biographies::new(&small(), 3).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let model = task.model(&mut random, &Device::flex().autodiff());
    let drawn = task.draw(12, &mut random, &Device::flex()).unwrap();
    let losses = |model: &_| task.losses(model, &drawn.batch);
    let traced = trace(&model, losses).unwrap();
    let expected = naive_rows(&model, losses);
    let rows = traced.gradients.rows();
    let difference: f32 = (rows.clone() - expected).abs().max().into_scalar();
    let size: f32 = rows.abs().max().into_scalar();
    assert!(difference < 1e-4 * size, "{difference} of {size}");
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let refused = |config: BiographiesConfig| config.check().unwrap_err().to_string();
    let text = refused(BiographiesConfig {
        share: 1.5,
        ..small()
    });
    assert_eq!(text, "share = 1.5, but it is a number from 0 to 1");
    let text = refused(BiographiesConfig {
        people: 1,
        ..small()
    });
    assert_eq!(text, "people = 1, but it is a whole number from 2 to 65536");
    let text = refused(BiographiesConfig {
        attributes: 0,
        ..small()
    });
    assert!(text.starts_with("attributes = 0"), "{text}");
    // All names fit, however many people there are.
    for people in [2, 3, 4, 5, 9, 10, 65_536] {
        let config = BiographiesConfig { people, ..small() };
        let names = config.names();
        assert!(names * names >= people && (names - 1) * (names - 1) < people);
    }
    // Nothing but one of them is no contradiction.
    for share in [0.0, 1.0] {
        let task = Biographies::new(&BiographiesConfig { share, ..small() }, 3).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let drawn = task.draw(50, &mut random, &Device::flex()).unwrap();
        let all = drawn
            .labels
            .iter()
            .all(|&label| label == Some(share as usize));
        assert!(all, "{share}");
    }
}
