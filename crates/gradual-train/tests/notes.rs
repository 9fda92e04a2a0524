//! What is unwise about a run is said before it begins.

use std::cell::RefCell;
use std::rc::Rc;

use burn::optim::SgdConfig;
use burn::tensor::Device;
use gradual_group::{KMeans, Labels, OneGroup};
use gradual_loss::{LeaveOneOut, Mean, PowerMean, RunningMeans, SumOfSquares};
use gradual_train::{Note, Objective, Observer, Stratified, TrainError, Trainer, TrainerConfig};

use crate::common::Regression;

/// The notes on a run with draws of so many examples, of which a tenth is of the rare capability.
fn notes(objective: Objective, draw: usize, stratified: bool) -> Vec<Note> {
    let task = Regression::new();
    let settings = TrainerConfig {
        draw,
        ..TrainerConfig::default()
    };
    let trainer = Trainer::new(
        &task,
        objective,
        SgdConfig::new().init(),
        &Device::flex(),
        settings,
    );
    match stratified {
        true => trainer.with_sampler(Stratified::new(0..2, 2).unwrap()),
        false => trainer,
    }
    .notes()
    .unwrap()
}

fn grouped() -> Objective {
    Objective::new(Labels::new(2), SumOfSquares)
}

#[test]
fn draws_with_few_examples_of_a_group_are_named_with_a_draw_that_has_enough() {
    let held = notes(grouped(), 32, false);
    let [
        Note::FewExamples {
            capability,
            expected,
            draw,
            enough,
        },
    ] = held.as_slice()
    else {
        panic!("{held:?}");
    };
    assert_eq!((capability.as_str(), *draw, *enough), ("rare", 32, 95));
    assert!((expected - 3.2).abs() < 1e-9);
    let said = held[0].to_string();
    for part in [
        "a draw of 32 has 3.2 examples of 'rare'",
        "draw 95",
        "stratified",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(notes(grouped(), 95, false).is_empty());
}

#[test]
fn what_no_small_group_can_mislead_has_no_note() {
    let few = 16;
    assert_eq!(notes(grouped(), few, false).len(), 1);
    assert!(notes(Objective::new(OneGroup, Mean), few, false).is_empty());
    assert!(notes(Objective::new(Labels::new(2), Mean), few, false).is_empty());
    let running = RunningMeans::new(Mean, 0.9).unwrap();
    assert!(notes(Objective::new(Labels::new(2), running), few, false).is_empty());
    // These do not help.
    assert_eq!(
        notes(Objective::new(Labels::new(2), LeaveOneOut), few, false).len(),
        1
    );
    let running = RunningMeans::new(SumOfSquares, 0.9).unwrap();
    assert_eq!(
        notes(Objective::new(Labels::new(2), running), few, false).len(),
        1
    );
    // The first power is a mean, and no other power is.
    let power = |p| Objective::new(Labels::new(2), PowerMean::new(p).unwrap());
    assert_eq!(
        [1.0, 1.5].map(|p| notes(power(p), few, false).len()),
        [0, 1]
    );
    // Groups that are found have no known size.
    assert!(notes(Objective::new(KMeans::new(2, 1), SumOfSquares), few, false).is_empty());
    // Eight of each in every draw are too few, ten are not.
    assert_eq!(notes(grouped(), 16, true).len(), 1);
    assert!(notes(grouped(), 20, true).is_empty());
}

#[test]
fn observers_are_told_before_the_first_step() {
    #[derive(Default)]
    struct Told(Rc<RefCell<Vec<String>>>);
    impl Observer for Told {
        fn noted(&mut self, note: &Note) -> Result<(), TrainError> {
            self.0.borrow_mut().push(note.to_string());
            Ok(())
        }
    }
    let told = Rc::new(RefCell::new(Vec::new()));
    let task = Regression::new();
    let settings = TrainerConfig {
        steps: 1,
        draw: 16,
        ..TrainerConfig::default()
    };
    Trainer::new(
        &task,
        grouped(),
        SgdConfig::new().init(),
        &Device::flex(),
        settings,
    )
    .observe(Told(Rc::clone(&told)))
    .run()
    .unwrap();
    assert_eq!(told.borrow().len(), 1);
}
