use std::collections::HashSet;

use burn::module::Module;
use burn::tensor::Device;
use gradual::train::Task;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::Digits;
use super::config::DigitsConfig;

#[test]
fn one_digit_is_rare_in_training_and_not_in_what_is_held_out() {
    let task = Digits::new(&DigitsConfig::default(), 1).unwrap();
    assert_eq!(task.data.digits.len(), 1_797);
    assert!(
        task.data
            .pixels
            .iter()
            .all(|pixel| (0.0..=1.0).contains(pixel))
    );
    let trained: HashSet<u32> = task.parts.training.iter().copied().collect();
    assert_eq!(trained.len(), task.parts.training.len());
    for digit in 0..10 {
        let all = task.data.digits.iter().filter(|&&its| its == digit).count();
        let held_out = &task.parts.held_out[digit];
        let members = task.parts.members[digit].clone();
        let kept = &task.parts.training[members.clone()];
        let of_digit = |image: &u32| task.data.digits[*image as usize] == digit;
        assert!(held_out.iter().all(of_digit) && kept.iter().all(of_digit));
        assert!(held_out.iter().all(|image| !trained.contains(image)));
        assert_eq!(held_out.len(), (all / 4).min(45));
        let left = all - held_out.len();
        let expected = if digit == 8 { left / 20 } else { left };
        assert!(
            kept.len().abs_diff(expected) <= 1,
            "{digit}: {}",
            kept.len()
        );
        let share = members.len() as f64 / trained.len() as f64;
        assert!((task.capabilities[digit].frequency - share).abs() < 1e-12);
    }
    let all: f64 = task.capabilities.iter().map(|one| one.frequency).sum();
    assert!((all - 1.0).abs() < 1e-12);
    let other = Digits::new(&DigitsConfig::default(), 2).unwrap();
    assert_ne!(other.parts.held_out, task.parts.held_out);
    // All of them, where none is to be rare.
    let whole = DigitsConfig {
        share: 1.0,
        ..DigitsConfig::default()
    };
    let whole = Digits::new(&whole, 1).unwrap();
    assert!(whole.parts.members[8].len() > 100);
    assert_eq!(whole.parts.held_out, task.parts.held_out);
}

#[test]
fn draws_are_what_their_labels_and_items_say() {
    let device = Device::flex();
    let task = Digits::new(&DigitsConfig::default(), 0).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let drawn = task.draw(300, &mut random, &device).unwrap();
    let again = task.pick(&drawn.items, &device).unwrap();
    assert_eq!(drawn.batch.images, again.batch.images);
    let classes = drawn.batch.classes.clone().into_data().convert::<i64>();
    let classes = classes.try_to_vec::<i64>().unwrap();
    for ((image, label), class) in drawn.batch.images.iter().zip(&drawn.labels).zip(classes) {
        let digit = task.data.digits[*image as usize];
        assert_eq!(*label, Some(digit));
        assert_eq!(class as usize, digit % 2);
    }
    let of = task.draw_of(&[8, 8, 3], &mut random, &device).unwrap();
    assert_eq!(of.labels, [8, 8, 3].map(Some));
    let shown = task.describe(&of.batch, 2).unwrap();
    assert!(
        shown.contains(", odd:\n") && shown.lines().count() == 9,
        "{shown}"
    );
    let model = task.model(&mut random, &device.clone().autodiff());
    for score in task.evaluate(&model.valid(), &device).unwrap() {
        assert!((score.loss - 2_f64.ln()).abs() < 0.3, "{score:?}");
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    type Change = fn(&mut DigitsConfig);
    let changes: [(Change, &str); 4] = [
        (
            |one| one.rare = 10,
            "rare = 10, but it is a whole number from 0 to 9",
        ),
        (
            |one| one.share = 0.0,
            "share = 0, but it is a number from 0.01 to 1",
        ),
        (
            |one| one.held_out = 0,
            "held_out = 0, but it is a whole number from 1 to 100",
        ),
        (
            |one| one.hidden = 0,
            "hidden = 0, but it is a whole number from 1 to 65536",
        ),
    ];
    for (change, expected) in changes {
        let mut config = DigitsConfig::default();
        change(&mut config);
        assert_eq!(Digits::new(&config, 0).unwrap_err().to_string(), expected);
    }
}
