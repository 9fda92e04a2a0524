//! A grouping that is written outside of the crate: the example program, by the public interface alone.

#[allow(unreachable_pub, reason = "a program of its own")]
#[path = "../../../examples/own_grouping.rs"]
mod example;

use crate::common::{Itself, device, numbers};
use example::HardAndEasy;
use gradual_group::{
    Damped, Draw, GroupError, Grouping, InMetric, Labels, Needs, OneGroup, State, Tracked,
};

/// Rows along one axis, of these lengths.
fn rows(lengths: &[f32]) -> Vec<Vec<f32>> {
    lengths.iter().map(|&length| vec![length, 0.0]).collect()
}

#[test]
fn the_program_runs() {
    example::main().expect("it runs");
}

#[test]
fn it_uses_gradients_labels_and_state() {
    let model = Itself::new(2);
    let labels = [Some(0), Some(0), Some(1), Some(1), None];
    let first = model.draw(&rows(&[1.0, 3.0, 10.0, 30.0, 5.0]), &[1.0; 5]);
    let second = model.draw(&rows(&[1.9, 2.9, 10.0, 19.0, 5.0]), &[1.0; 5]);
    let mut grouping: Box<dyn Grouping> = Box::new(HardAndEasy::new(2));
    assert!(grouping.needs().gradients() && grouping.needs().labels());
    let groups = grouping.group(&Draw::from(&first).with_labels(&labels));
    let groups = groups.expect("groups");
    let expected = [Some(1), Some(0), Some(3), Some(2), None];
    assert_eq!(groups.assignment(), Some(&expected[..]));
    assert_eq!(numbers(groups.weights()), [1.0; 4]);

    // Means so far: 2.2 and 17.25.
    let mut resumed = HardAndEasy::new(2);
    let state = grouping.state().expect("a state");
    resumed
        .restore(&state, &device())
        .expect("a state of its own");
    let second = Draw::from(&second).with_labels(&labels);
    for groups in [grouping.group(&second), resumed.group_ahead(&second)] {
        let groups = groups.expect("groups");
        assert_eq!(groups.assignment(), Some(&expected[..]));
    }
    assert_eq!(grouping.state().expect("a state"), resumed.state().unwrap());
}

#[test]
fn what_it_refuses_leaves_it_as_it_was() {
    let model = Itself::new(2);
    let traced = model.draw(&rows(&[1.0, 3.0]), &[1.0; 2]);
    let broken = model.draw(&rows(&[1.0, f32::NAN]), &[1.0; 2]);
    let losses = &traced.losses;
    let mut grouping = HardAndEasy::new(2);
    let labels = [Some(0), Some(1)];
    grouping
        .group(&Draw::from(&traced).with_labels(&labels))
        .expect("groups");
    let before = grouping.state().expect("a state");
    let far = [Some(0), Some(7)];
    let refused = [
        (
            Draw::new(losses).with_labels(&labels),
            "needs the gradients",
        ),
        (Draw::from(&traced), "needs the labels"),
        (Draw::from(&traced).with_labels(&far), "label 7"),
        (
            Draw::from(&broken).with_labels(&labels),
            "example 1 is not finite",
        ),
    ];
    for (draw, message) in refused {
        let error = grouping.group(&draw).unwrap_err().to_string();
        assert!(
            error.starts_with("hard and easy: ") && error.contains(message),
            "{error}"
        );
        assert_eq!(grouping.state().expect("a state"), before);
    }
    let other = HardAndEasy::new(3).state().expect("a state");
    let error = grouping.restore(&other, &device()).unwrap_err();
    assert!(matches!(error, GroupError::Other { .. }), "{error}");
    assert!(std::error::Error::source(&error).is_some());
    assert!(grouping.restore(&State::none(), &device()).is_err());
    assert!(HardAndEasy::new(0).check(2).is_err());
}

/// What is needed by a grouping and by what is around it, in sum.
#[test]
fn wrappers_need_what_both_need() {
    let metric = gradual_grad::Metric::euclidean;
    assert_eq!(InMetric::new(metric(), OneGroup).needs(), Needs::Gradients);
    let both = Needs::GradientsAndLabels;
    assert_eq!(InMetric::new(metric(), Labels::new(2)).needs(), both);
    assert_eq!(Tracked::new(Labels::new(2)).needs(), both);
    assert_eq!(Damped::new(Labels::new(2)).needs(), Needs::Labels);
    assert_eq!(Damped::new(HardAndEasy::new(2)).needs(), both);
}
