//! Landmarks of which the oldest make room for newer examples.

use crate::common::{Itself, along};
use gradual_grad::{Metric, Traced};
use gradual_group::{Draw, GroupError, Grouping, HowMany, Landmarks, Standing, adjusted_rand};

const DIM: usize = 24;

fn landmarks(share: f64) -> Landmarks {
    Landmarks::new(HowMany::Eigengap, Metric::euclidean(), 0)
        .with_examples(40)
        .unwrap()
        .with_every(1)
        .unwrap()
        .with_refresh(share)
        .expect("a share")
}

/// The standing examples as a trainer keeps them: a queue.
struct Queue {
    model: Itself,
    rows: Vec<Vec<f32>>,
    axes: Vec<usize>,
    seed: u64,
}

impl Queue {
    fn new() -> Self {
        Self {
            model: Itself::new(DIM),
            rows: Vec::new(),
            axes: Vec::new(),
            seed: 0,
        }
    }

    fn fresh(&mut self, examples: usize, axes: &[usize]) {
        self.seed += 1;
        let axes: Vec<usize> = (0..examples).map(|j| axes[j % axes.len()]).collect();
        self.rows.extend(along(&axes, DIM, 6.0, true, self.seed));
        self.axes.extend(axes);
    }

    fn traced(&self) -> Traced {
        self.model.draw(&self.rows, &vec![1.0; self.rows.len()])
    }

    /// Does what the grouping wants, with fresh examples along these axes.
    fn show(&mut self, grouping: &mut impl Grouping, axes: &[usize]) {
        match grouping.wants() {
            Some(Standing::Fresh(examples)) => {
                (self.rows, self.axes) = (Vec::new(), Vec::new());
                self.fresh(examples, axes);
            }
            Some(Standing::Replace(examples)) => {
                self.rows.drain(..examples);
                self.axes.drain(..examples);
                self.fresh(examples, axes);
            }
            Some(Standing::Again) => {}
            None => return,
        }
        let traced = self.traced();
        grouping.stand(&Draw::from(&traced)).expect("stands");
    }

    fn known(&self) -> Vec<Option<usize>> {
        self.axes.iter().copied().map(Some).collect()
    }
}

fn group(grouping: &mut impl Grouping, traced: &Traced) -> Vec<Option<usize>> {
    let groups = grouping.group(&Draw::from(traced)).expect("groups");
    groups.assignment().expect("hard groups").to_vec()
}

#[test]
fn fresh_examples_keep_the_group_that_they_joined() {
    for mut grouping in [
        landmarks(0.25),
        landmarks(0.25).with_kept(usize::MAX).unwrap(),
        landmarks(0.25).with_kept(6).unwrap(),
        landmarks(0.25).with_axes(2, 2).unwrap(),
    ] {
        let mut queue = Queue::new();
        queue.show(&mut grouping, &[0, 1, 2, 3]);
        let first = grouping.found().expect("found").to_vec();
        assert_eq!(adjusted_rand(&first, &queue.known()), Some(1.0));
        // Ten rounds: every example has been replaced more than twice.
        for _ in 0..10 {
            let before = grouping.found().expect("found").to_vec();
            group(&mut grouping, &queue.traced());
            assert_eq!(grouping.wants(), Some(Standing::Replace(10)));
            queue.show(&mut grouping, &[0, 1, 2, 3]);
            let found = grouping.found().expect("found");
            assert_eq!(found[..30], before[10..], "first in, first out");
            // The groups have the numbers of the first draw.
            for (group, axis) in found.iter().zip(&queue.axes) {
                assert_eq!(*group, first[*axis]);
            }
            assert_eq!(
                group(&mut grouping, &queue.traced()),
                grouping.found().expect("found")
            );
        }
    }
}

/// A group whose landmarks have all gone is there when its examples come back.
#[test]
fn a_group_without_landmarks_waits() {
    let mut grouping = landmarks(0.5);
    let mut queue = Queue::new();
    queue.show(&mut grouping, &[0, 1, 2, 3]);
    let first = grouping.found().expect("found").to_vec();
    for axes in [&[0, 1, 2][..], &[0, 1, 2], &[0, 1, 2], &[0, 1, 2, 3]] {
        group(&mut grouping, &queue.traced());
        queue.show(&mut grouping, axes);
        for (group, axis) in grouping.found().expect("found").iter().zip(&queue.axes) {
            assert_eq!(*group, first[*axis]);
        }
    }
    let mut others = Queue::new();
    others.model = queue.model.clone();
    others.fresh(8, &[3]);
    assert_eq!(group(&mut grouping, &others.traced()), [first[3]; 8]);
}

#[test]
fn shares_and_sets_that_do_not_fit() {
    assert_eq!(landmarks(0.0).wants(), Some(Standing::Fresh(40)));
    let refused = landmarks(0.5).with_refresh(1.5);
    assert!(matches!(refused, Err(GroupError::Parameter { .. })));
    for share in [0.0, 1e-9, 1.0] {
        let mut grouping = landmarks(share);
        let mut queue = Queue::new();
        queue.show(&mut grouping, &[0, 1]);
        group(&mut grouping, &queue.traced());
        let expected = match share {
            0.0 => Standing::Again,
            1.0 => Standing::Replace(40),
            _ => Standing::Replace(1),
        };
        assert_eq!(grouping.wants(), Some(expected));
        queue.rows.pop();
        let before = grouping.state().expect("a state");
        let error = grouping.stand(&Draw::from(&queue.traced())).unwrap_err();
        assert!(matches!(
            error,
            GroupError::Standing {
                expected: 40,
                got: 39,
                ..
            }
        ));
        assert_eq!(grouping.state().expect("a state"), before);
    }
    // All at once, and all of them zero: nobody is a landmark any more, the axes stay.
    for mut grouping in [landmarks(1.0), landmarks(1.0).with_kept(4).unwrap()] {
        let mut queue = Queue::new();
        queue.show(&mut grouping, &[0, 1]);
        let alive = queue.traced();
        let first = group(&mut grouping, &alive);
        queue.rows = vec![vec![0.0; DIM]; 40];
        grouping
            .stand(&Draw::from(&queue.traced()))
            .expect("defined");
        assert_eq!(group(&mut grouping, &queue.traced()), [None; 40]);
        // Without landmarks all are one group, and trained on.
        let after = group(&mut grouping, &alive);
        assert!(after == first || after == vec![Some(0); 40]);
    }
}
