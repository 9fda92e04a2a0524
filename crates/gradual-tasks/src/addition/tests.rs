use std::collections::HashSet;

use burn::module::Module;
use burn::tensor::Device;
use gradual::grad::{naive_rows, trace};
use gradual::train::Task;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::config::AdditionConfig;
use super::problem::{self, Problem};
use super::{Addition, MOST_HELD_OUT};

fn config(digits: usize) -> AdditionConfig {
    AdditionConfig {
        digits,
        width: 8,
        heads: 2,
        layers: 1,
        hidden: 8,
        ..AdditionConfig::default()
    }
}

/// By hand, as at school: the carry goes from the units up. Shares no arithmetic with the task.
fn at_school(a: &str, b: &str) -> Vec<(u32, bool)> {
    let digits = |text: &str| -> Vec<u32> {
        let digit = |one: char| one.to_digit(10).unwrap();
        text.chars().rev().map(digit).collect()
    };
    let mut carry = 0;
    let mut sum = Vec::new();
    for (one, other) in digits(a).into_iter().zip(digits(b)) {
        let written = one + other + carry;
        sum.push((written % 10, carry == 1));
        carry = written / 10;
    }
    sum.push((carry, carry == 1));
    sum
}

/// What a draw says in words is right, by the way that is taught at school, and so are its labels.
#[test]
fn every_digit_and_carry_is_that_of_school() {
    for digits in [2, 3, 6] {
        let task = Addition::new(&config(digits), 3).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let n = 3_000;
        let drawn = task.draw(n, &mut random, &Device::flex()).unwrap();
        let names = problem::names(digits);
        let mut counts = vec![0; names.len()];
        for (example, label) in drawn.labels.iter().enumerate() {
            let text = task.describe(&drawn.batch, example).unwrap();
            let (a, rest) = text.split_once('+').unwrap();
            let (b, rest) = rest.split_once('=').unwrap();
            let (before, rest) = rest.split_once('[').unwrap();
            let sum = at_school(a, b);
            let place = digits - before.len();
            let shown: String = sum
                .iter()
                .rev()
                .map(|(digit, _)| digit.to_string())
                .collect();
            assert!(shown.starts_with(before), "{text}: {shown}");
            assert_eq!(rest, format!("{}]", sum[place].0), "{text}");
            let name = &names[label.unwrap()];
            let inner = (1..digits).contains(&place);
            assert_eq!(
                name.ends_with(" with carry"),
                inner && sum[place].1,
                "{text}"
            );
            counts[label.unwrap()] += 1;
        }
        for (capability, count) in task.capabilities().iter().zip(counts) {
            let expected = capability.frequency * n as f64;
            let deviation = (expected * (1.0 - capability.frequency)).sqrt();
            assert!(
                (f64::from(count) - expected).abs() < 5.0 * deviation,
                "{}: {count}, expected {expected}",
                capability.name
            );
        }
        let all: f64 = task.capabilities().iter().map(|one| one.frequency).sum();
        assert!((all - 1.0).abs() < 1e-12);
    }
}

/// Frequencies and chance levels, counted over all sums of two digits.
#[test]
fn frequencies_and_chance_are_those_of_all_sums() {
    let task = Addition::new(&config(2), 0).unwrap();
    let mut counts = [0.0; 4];
    let mut answers = [[0.0; 10]; 4];
    for (a, b) in (0..100).flat_map(|a| (0..100).map(move |b| (a, b))) {
        for place in 0..3 {
            let problem = Problem { a, b, place };
            let capability = problem.capability(2);
            counts[capability] += 1.0;
            answers[capability][problem.answer() as usize] += 1.0;
        }
    }
    for (at, capability) in task.capabilities().iter().enumerate() {
        assert!((capability.frequency - counts[at] / 30_000.0).abs() < 1e-12);
        let most = answers[at].iter().copied().fold(0.0, f64::max);
        assert!(
            (capability.chance - most / counts[at]).abs() < 1e-12,
            "{}",
            capability.name
        );
    }
}

/// Nothing after the digit that is asked for can be read, and nothing of it reaches the loss.
#[test]
fn a_model_reads_what_comes_before() {
    let problem = |place| Problem {
        a: 468,
        b: 173,
        place,
    };
    let shown = |place: usize| {
        let letters = "0123456789+=_".as_bytes();
        let tokens = problem(place).tokens(3).into_iter();
        let text: Vec<u8> = tokens.map(|token| letters[token as usize]).collect();
        String::from_utf8(text).unwrap()
    };
    assert_eq!(shown(3), "468+173=___");
    assert_eq!(shown(2), "468+173=0__");
    assert_eq!(shown(0), "468+173=064");
    for place in 0..4 {
        let read = shown(place);
        assert_eq!(
            problem(place).scored(3),
            read.trim_end_matches('_').len() - 1
        );
    }
    assert_eq!(problem(1).text(3), "468+173=06[4]");
}

#[test]
fn what_is_held_out_is_never_drawn() {
    let task = Addition::new(&config(2), 5).unwrap();
    let most = 100 * 100 / MOST_HELD_OUT;
    for (at, problems) in task.held_out.iter().enumerate() {
        assert_eq!(problems.len(), most.min(200));
        assert!(problems.iter().all(|one| one.capability(2) == at));
    }
    let device = Device::flex();
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut seen = HashSet::new();
    for _ in 0..20 {
        let drawn = task.draw(1_000, &mut random, &device).unwrap();
        seen.extend(drawn.batch.problems.iter().map(|one| (one.a, one.b)));
        let of = task
            .draw_of(&[0, 1, 2, 3, 2], &mut random, &device)
            .unwrap();
        assert_eq!(of.labels, [0, 1, 2, 3, 2].map(Some));
        seen.extend(of.batch.problems.iter().map(|one| (one.a, one.b)));
    }
    assert!(seen.is_disjoint(&task.reserved));
    // Of 20 100 draws over some 9 000 pairs about one pair in nine is missing.
    assert!((7_500..8_600).contains(&seen.len()), "{}", seen.len());
    let other = Addition::new(&config(2), 6).unwrap();
    assert_ne!(other.held_out, task.held_out);
}

#[test]
fn one_digit_has_an_exact_gradient() {
    let task = Addition::new(&config(3), 0).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let model = task.model(&mut random, &Device::flex().autodiff());
    let drawn = task.draw(9, &mut random, &Device::flex()).unwrap();
    let losses = |m: &crate::Decoder| task.losses(m, &drawn.batch);
    let rows = trace(&model, losses).unwrap().gradients.rows();
    let expected = naive_rows(&model, losses);
    let size: f32 = expected.clone().abs().max().into_scalar();
    let off: f32 = (rows - expected).abs().max().into_scalar();
    assert!(off < 1e-4 * size, "{off} of {size}");
    for score in task.evaluate(&model.valid(), &Device::flex()).unwrap() {
        assert!((score.loss - 13_f64.ln()).abs() < 0.3, "{score:?}");
        assert!(score.accuracy < 0.7, "{score:?}");
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    type Change = fn(&mut AdditionConfig);
    let changes: [(Change, &str); 4] = [
        (
            |one| one.digits = 7,
            "digits = 7, but it is a whole number from 2 to 6",
        ),
        (
            |one| one.held_out = 0,
            "held_out = 0, but it is a whole number from 1 to 1000",
        ),
        (
            |one| one.heads = 3,
            "heads = 3, but it has to divide width = 8",
        ),
        (
            |one| one.width = 4_096,
            "width = 4096, but with layers = 64 and hidden = 8 the model then has",
        ),
    ];
    for (change, expected) in changes {
        let mut config = config(3);
        change(&mut config);
        if config.width == 4_096 {
            config.layers = 64;
        }
        let error = Addition::new(&config, 0).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
