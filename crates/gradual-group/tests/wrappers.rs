//! Wrappers pass every call on, and what they refuse leaves them, and what they wrap, as they were.

use std::sync::{Arc, Mutex};

use crate::common::entries::{self, by_default, context};
use crate::common::{Itself, device};
use burn::tensor::{Device, Tensor};
use gradual_grad::{ExampleGradients, Metric, Traced};
use gradual_group::registry::WRAPPERS;
use gradual_group::{
    Average, Draw, GroupError, Grouping, Groups, InMetric, Look, Needs, Standing, State,
};
use gradual_registry::Value;

const N: usize = 6;

/// What the inner grouping does with a draw.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Does {
    /// Hard groups.
    Groups,
    /// Groups whose memberships have signs.
    SignedGroups,
    /// Groups of another number than usual.
    MoreGroups,
    /// It fails, after it has moved.
    Fails,
}

/// Writes down which of its methods are called, and counts its draws.
#[derive(Debug, Clone)]
struct Recorder {
    calls: Arc<Mutex<Vec<&'static str>>>,
    does: Does,
    seen: u64,
}

impl Recorder {
    fn new(does: Does) -> Self {
        Self {
            calls: Arc::default(),
            does,
            seen: 0,
        }
    }

    fn called(&self, method: &'static str) {
        self.calls.lock().unwrap().push(method);
    }

    fn groups(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        self.seen += 1;
        let assignment = |k: usize| (0..draw.num_examples()).map(|j| Some(j % k)).collect();
        let hard = |k| Groups::hard(assignment(k), k, Average::Mean, draw.options());
        match self.does {
            Does::Groups => hard(2),
            Does::SignedGroups => Ok(hard(2)?.signed()),
            Does::MoreGroups => hard(3),
            Does::Fails => Err(GroupError::other("recorder", "it was told to fail")),
        }
    }
}

// Every method, so that one that is added is passed on by all wrappers, or the test fails.
#[deny(clippy::missing_trait_methods)]
impl Grouping for Recorder {
    fn needs(&self) -> Needs {
        self.called("needs");
        Needs::Labels
    }

    fn goes_with_lens(&self) -> bool {
        self.called("goes_with_lens");
        true
    }

    fn looks_at(&self) -> Look {
        self.called("looks_at");
        Look::InnerProducts
    }

    fn check(&self, _: usize) -> Result<(), GroupError> {
        self.called("check");
        Ok(())
    }

    // Asked along with other calls.
    fn num_groups(&self, _: usize) -> Option<usize> {
        Some(2)
    }

    fn is_signed(&self) -> bool {
        self.does == Does::SignedGroups
    }

    fn wants(&self) -> Option<Standing> {
        self.called("wants");
        Some(Standing::Again)
    }

    fn stand(&mut self, _: &Draw<'_>) -> Result<(), GroupError> {
        self.called("stand");
        self.seen += 1;
        match self.does {
            Does::Fails => Err(GroupError::other("recorder", "it was told to fail")),
            _ => Ok(()),
        }
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        self.called("group");
        self.groups(draw)
    }

    fn group_ahead(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        self.called("group_ahead");
        self.groups(draw)
    }

    fn keeps_identity(&self) -> bool {
        true
    }

    // Wrappers do not ask: their groups may not last.
    fn is_lasting(&self) -> bool {
        true
    }

    fn regroup(
        &self,
        draw: &Draw<'_>,
        assignment: Vec<Option<usize>>,
    ) -> Result<Groups, GroupError> {
        Groups::hard(assignment, 2, Average::Mean, draw.options())
    }

    fn seen(&self, gradients: &ExampleGradients) -> Result<ExampleGradients, GroupError> {
        self.called("seen");
        Ok(gradients.clone())
    }

    fn state(&self) -> Result<State, GroupError> {
        self.called("state");
        State::new("recorder", &self.seen)
    }

    fn restore(&mut self, state: &State, _: &Device) -> Result<(), GroupError> {
        self.called("restore");
        self.seen = 1_000;
        self.seen = match self.does {
            Does::Fails => return Err(GroupError::other("recorder", "it was told to fail")),
            _ => state.read("recorder")?,
        };
        Ok(())
    }
}

/// Every wrapper of the registry, and what is not in it, around this grouping.
fn wrappers(inner: &Recorder) -> Vec<(String, Box<dyn Grouping>)> {
    // What is wrapped is a grouping whose type is not known, as by a recipe.
    let inner = || -> Box<dyn Grouping> { Box::new(inner.clone()) };
    let in_a_metric = InMetric::new(Metric::whitened(), inner());
    let mut all: Vec<(String, Box<dyn Grouping>)> = vec![
        ("box".to_owned(), inner()),
        ("in a metric".to_owned(), Box::new(in_a_metric)),
    ];
    for entry in WRAPPERS.iter() {
        let mut spec = by_default(entry, 2);
        if entries::has(entry, "draws") {
            // Without draws that it waits for.
            spec = spec.with("draws", Value::Count(0));
        }
        let wrapped = entries::wrapped(&spec, context(2, None), inner());
        all.push((entry.name.to_owned(), wrapped));
    }
    all
}

fn traced(bad: f32) -> Traced {
    let rows: Vec<Vec<f32>> = (0..N).map(|j| vec![1.0 + j as f32, 1.0, bad]).collect();
    Itself::new(3).draw(&rows, &[1.0; N])
}

#[test]
fn every_call_reaches_what_is_wrapped() {
    let traced = traced(0.0);
    let draw = Draw::from(&traced);
    let inner = Recorder::new(Does::Groups);
    for (name, mut wrapper) in wrappers(&inner) {
        let reached = |method: &str| {
            let calls = std::mem::take(&mut *inner.calls.lock().unwrap());
            assert_eq!(calls, [method], "{name}");
        };
        assert!(wrapper.needs().labels(), "{name}");
        reached("needs");
        // A wrapper looks at more, or passes it on.
        assert!(wrapper.looks_at() >= Look::InnerProducts, "{name}");
        reached("looks_at");
        wrapper.check(N).expect("checked");
        reached("check");
        // What it follows gets numbers of its own.
        let known = Some(2).filter(|_| name != "tracked");
        assert_eq!(wrapper.num_groups(N), known, "{name}");
        assert!(!wrapper.is_signed(), "{name}");
        assert_eq!(wrapper.wants(), Some(Standing::Again), "{name}");
        reached("wants");
        wrapper.stand(&draw).expect("stands");
        reached("stand");
        wrapper.group(&draw).expect("groups");
        reached("group");
        wrapper.seen(&traced.gradients).expect("seen");
        reached("seen");
        wrapper.group_ahead(&draw).expect("groups");
        reached("group_ahead");
        let state = wrapper.state().expect("a state");
        reached("state");
        wrapper.restore(&state, &device()).expect("its own");
        reached("restore");
        assert_eq!(wrapper.state().expect("a state"), state, "{name}");
        reached("state");
        let mut copy = wrapper.clone();
        copy.group(&draw).expect("groups");
        reached("group");
        assert_eq!(
            wrapper.state().expect("a state"),
            state,
            "{name}: a copy of its own"
        );
        reached("state");
    }
}

#[test]
fn signs_are_those_of_what_is_wrapped() {
    for (name, wrapper) in wrappers(&Recorder::new(Does::SignedGroups)) {
        assert!(wrapper.is_signed(), "{name}");
    }
}

/// Whatever a call fails by: what is inside, what is around it, or the draw.
#[test]
fn a_call_that_fails_changes_nothing() {
    let (fine, broken) = (traced(0.0), traced(f32::NAN));
    let nan = Tensor::<1>::full([N], f32::NAN, &device());
    let without_losses = Draw::new(&nan).with_gradients(&fine.gradients);
    let fine = Draw::from(&fine);
    let mut refused = 0;
    for does in [
        Does::Groups,
        Does::SignedGroups,
        Does::MoreGroups,
        Does::Fails,
    ] {
        for draw in [fine, Draw::from(&broken), without_losses] {
            let names = wrappers(&Recorder::new(does));
            for (at, (name, _)) in names.iter().enumerate().skip(1) {
                // After a good draw, of which something was learned.
                let (_, mut wrapper) = wrappers(&Recorder::new(Does::Groups)).remove(at);
                wrapper.group(&fine).expect("groups");
                let state = wrapper.state().expect("a state");
                let (_, mut wrapper) = wrappers(&Recorder::new(does)).remove(at);
                if does == Does::Fails {
                    let before = wrapper.state().expect("a state");
                    wrapper
                        .restore(&state, &device())
                        .expect_err("it was told to fail");
                    assert_eq!(wrapper.state().expect("a state"), before, "{name}");
                } else {
                    wrapper.restore(&state, &device()).expect("its own");
                }
                let before = wrapper.state().expect("a state");
                for result in [
                    wrapper.clone().group(&draw).map(drop),
                    wrapper.clone().group_ahead(&draw).map(drop),
                ] {
                    refused += usize::from(result.is_err());
                }
                for call in 0..3 {
                    let failed = match call {
                        0 => wrapper.group(&draw).is_err(),
                        1 => wrapper.group_ahead(&draw).is_err(),
                        _ => wrapper.stand(&draw).is_err(),
                    };
                    if failed {
                        assert_eq!(
                            wrapper.state().expect("a state"),
                            before,
                            "{name}, {does:?}"
                        );
                    } else {
                        wrapper.restore(&before, &device()).expect("its own");
                    }
                }
            }
        }
    }
    assert!(refused > 20, "{refused}");
}
