//! Groupings that look at no gradient: single examples, noisy labels, prior weights.

use burn::tensor::{Device, Tensor};
use gradual_group::{
    Draw, EachExample, GroupError, Grouping, Groups, Labels, MergedLabels, Merging, Needs,
    NoisyLabels, Priors, SplitLabels,
};

fn losses(n: usize) -> Tensor<1> {
    Tensor::arange(1..n as i64 + 1, &Device::flex()).float()
}

fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.clone().into_data().try_to_vec().expect("f32")
}

fn refused(result: Result<Groups, GroupError>) -> String {
    result.map(drop).expect_err("refused").to_string()
}

#[test]
fn each_example_is_its_own_group() {
    let losses = losses(3);
    assert_eq!(EachExample.needs(), Needs::Nothing);
    let groups = EachExample.group(&Draw::new(&losses)).unwrap();
    assert_eq!((groups.num_groups(), groups.num_examples()), (3, 3));
    assert_eq!(numbers(&groups.losses(losses)), [1.0, 2.0, 3.0]);
    assert_eq!(numbers(groups.weights()), [1.0 / 3.0; 3]);
    assert_eq!(groups.sizes(), [1.0; 3]);
    assert!(groups.assignment().is_none());
    let none = Tensor::<1>::zeros([0], &Device::flex());
    assert_eq!(
        refused(EachExample.group(&Draw::new(&none))),
        "each example: the draw is empty; at least one example is needed"
    );
}

/// Of 10 groups a replaced label is another one in 9 of 10 cases: 30 % noise changes 27 % of the
/// labels, into each of the other groups equally often.
#[test]
fn noise_replaces_its_share_of_the_labels() {
    let n = 20_000;
    let labels: Vec<_> = (0..n).map(|i| (i % 11 < 10).then_some(i % 11)).collect();
    let losses = losses(n);
    let draw = Draw::new(&losses).with_labels(&labels);
    let mut noisy = NoisyLabels::new(10, 0.3, 5).unwrap();
    let mut again = noisy.clone();
    let groups = noisy.group(&draw).unwrap();
    let found = groups.assignment().unwrap();
    assert_eq!(again.group(&draw).unwrap().assignment().unwrap(), found);

    let labelled = labels.iter().flatten().count() as f64;
    let changed = found.iter().zip(&labels).filter(|(a, b)| a != b);
    let mut into = [0.0; 10];
    for (label, _) in changed.clone() {
        into[label.expect("an example without a label keeps none")] += 1.0;
    }
    let share = changed.count() as f64 / labelled;
    assert!((share - 0.27).abs() < 0.015, "{share}");
    let expected = 0.027 * labelled;
    assert!(
        into.iter()
            .all(|&count| (count - expected).abs() < 5.0 * expected.sqrt()),
        "{into:?}"
    );

    // Anew for every draw.
    assert_ne!(noisy.group(&draw).unwrap().assignment().unwrap(), found);
    let mut clean = NoisyLabels::new(10, 0.0, 5).unwrap();
    assert_eq!(clean.group(&draw).unwrap().assignment().unwrap(), labels);
}

#[test]
fn noisy_labels_refuse_what_labels_refuse() {
    let share = |share| {
        NoisyLabels::new(2, share, 0)
            .map(drop)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        share(1.5),
        "noisy labels: the share must be from 0 to 1, got 1.5"
    );
    assert!(share(f64::NAN).ends_with("got NaN"));
    let losses = losses(2);
    let draw = Draw::new(&losses);
    let mut noisy = NoisyLabels::new(2, 1.0, 0).unwrap();
    assert_eq!(noisy.needs(), Needs::Labels);
    assert!(refused(noisy.group(&draw)).starts_with("noisy labels: needs the labels"));
    let far = [Some(0), Some(7)];
    assert!(refused(noisy.group(&draw.with_labels(&far))).contains("example 1 has label 7"));
    let near = [Some(0), None];
    let mut none = NoisyLabels::new(0, 0.5, 0).unwrap();
    assert!(refused(none.group(&draw.with_labels(&near))).contains("zero groups"));
}

#[test]
fn merged_labels_share_groups() {
    let labels: Vec<_> = (0..7).map(Some).chain([None, Some(2)]).collect();
    let losses = losses(labels.len());
    let draw = Draw::new(&losses).with_labels(&labels);
    let merged = |groups, merging| {
        let groups = MergedLabels::new(7, groups, merging).group(&draw).unwrap();
        let assignment = groups.assignment().unwrap().to_vec();
        assignment
            .into_iter()
            .map(|group| group.map_or(9, |group| group))
            .collect::<Vec<_>>()
    };
    assert_eq!(merged(3, Merging::Remainder), [0, 1, 2, 0, 1, 2, 0, 9, 2]);
    assert_eq!(merged(3, Merging::Neighbours), [0, 0, 0, 1, 1, 2, 2, 9, 0]);
    assert_eq!(
        merged(1, Merging::Remainder),
        merged(1, Merging::Neighbours)
    );
    for merging in [Merging::Remainder, Merging::Neighbours] {
        // As many groups as labels, or more.
        for groups in [7, 10] {
            assert_eq!(merged(groups, merging), [0, 1, 2, 3, 4, 5, 6, 9, 2]);
        }
        let mut two = MergedLabels::new(7, 2, merging);
        assert_eq!((two.needs(), two.num_groups(9)), (Needs::Labels, Some(2)));
        assert!(
            refused(two.group(&Draw::new(&losses))).starts_with("merged labels: needs the labels")
        );
        let mut few = MergedLabels::new(6, 2, merging);
        assert_eq!(
            refused(few.group(&draw)),
            "merged labels: example 6 has label 6, but there are 6 groups"
        );
        assert!(refused(MergedLabels::new(7, 0, merging).group(&draw)).contains("zero groups"));
    }
}

/// The parts of a label differ by one example at most, hold no example of another, and are others in the next draw.
#[test]
fn split_labels_are_drawn_evenly_and_anew() {
    let n = 1_000;
    let labels: Vec<_> = (0..n)
        .map(|i| (i % 11 < 10).then_some(i % 11 / 3))
        .collect();
    let losses = losses(n);
    let draw = Draw::new(&losses).with_labels(&labels);
    let mut split = SplitLabels::new(4, 3, 7);
    let mut again = split.clone();
    let groups = split.group(&draw).unwrap();
    assert_eq!(groups.num_groups(), 12);
    let found = groups.assignment().unwrap().to_vec();
    assert_eq!(again.group(&draw).unwrap().assignment().unwrap(), found);
    let mut sizes = [0.0; 12];
    for (group, label) in found.iter().zip(&labels) {
        assert_eq!(group.map(|group| group / 3), *label);
        if let Some(group) = group {
            sizes[*group] += 1.0;
        }
    }
    for parts in sizes.chunks(3) {
        let least = parts.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(parts.iter().all(|size| size - least <= 1.0), "{sizes:?}");
    }
    // Two examples of one label share a part in about a third of the draws.
    let mut together = 0;
    for _ in 0..300 {
        let groups = split.group(&draw).unwrap();
        let found = groups.assignment().unwrap();
        together += u32::from(found[0] == found[1]);
    }
    assert!((60..140).contains(&together), "{together}");
    let mut one = SplitLabels::new(4, 1, 7);
    assert_eq!(one.group(&draw).unwrap().assignment().unwrap(), labels);
    assert!(refused(SplitLabels::new(3, 2, 0).group(&draw)).contains("has label 3"));
    assert!(
        refused(split.group(&Draw::new(&losses))).starts_with("split labels: needs the labels")
    );
}

#[test]
fn priors_multiply_weights() {
    let losses = losses(3);
    let labels = [Some(0), Some(2), Some(2)];
    let draw = Draw::new(&losses).with_labels(&labels);
    let mut priors = Priors::new(Labels::new(3), vec![0.5, 4.0, 2.0]).unwrap();
    assert_eq!(priors.needs(), Needs::Labels);
    let groups = priors.group(&draw).unwrap();
    // Group 1 is empty and stays without weight.
    assert_eq!(numbers(groups.weights()), [0.5, 0.0, 2.0]);
    assert_eq!(groups.assignment().unwrap(), labels);

    let wrong = |priors: &[f64]| refused(Groups::one(2, &Device::flex()).with_priors(priors));
    assert_eq!(
        wrong(&[1.0, 1.0]),
        "priors: 2 weights were given for 1 group"
    );
    assert_eq!(
        wrong(&[-1.0]),
        "priors: that of group 0 must be finite and at least 0, got -1"
    );
    let early = Priors::new(Labels::new(1), vec![f64::NAN])
        .map(drop)
        .unwrap_err();
    assert!(early.to_string().ends_with("got NaN"));
    for (priors, said) in [
        (vec![], "no weight is given"),
        (vec![0.0], "all of them are 0"),
    ] {
        let early = Priors::new(Labels::new(1), priors).map(drop).unwrap_err();
        assert!(early.to_string().contains(said), "{early}");
    }
}

/// By skill and by length: the rows of both side by side, each as if it were alone.
#[test]
fn several_labellings_stand_side_by_side() {
    let losses = losses(5);
    let skills = [Some(0), Some(1), Some(1), None, Some(0)];
    let lengths = vec![Some(2), None, Some(0), None, Some(2)];
    let both = [lengths.clone()];
    let draw = Draw::new(&losses).with_labels(&skills);
    let groups = Labels::new(2)
        .and(3)
        .group(&draw.with_more_labels(&both))
        .unwrap();
    assert_eq!((groups.num_groups(), groups.num_examples()), (5, 5));
    let alone = |labels: &[Option<usize>], k: usize| {
        let draw = Draw::new(&losses).with_labels(labels);
        Labels::new(k).group(&draw).unwrap()
    };
    let (one, other) = (alone(&skills, 2), alone(&lengths, 3));
    let rows = [numbers(one.membership()), numbers(other.membership())].concat();
    assert_eq!(numbers(groups.membership()), rows);
    assert_eq!(numbers(groups.weights()), [1.0, 1.0, 1.0, 0.0, 1.0]);
    assert_eq!(groups.sizes(), [2.0, 2.0, 1.0, 0.0, 2.0]);
    assert!(groups.assignment().is_none(), "an example is in two groups");
    let priors = vec![1.0, 1.0, 0.5, 0.5, 0.5];
    let weighed = Priors::new(Labels::new(2).and(3), priors);
    let weighed = weighed.unwrap().group(&draw.with_more_labels(&both));
    assert_eq!(
        numbers(weighed.unwrap().weights()),
        [1.0, 1.0, 0.5, 0.0, 0.5]
    );
    // A grouping of one labelling has no use for others, and one of two needs both.
    assert_eq!(
        alone(&skills, 2).assignment(),
        Labels::new(2)
            .group(&draw.with_more_labels(&both))
            .unwrap()
            .assignment()
    );
    assert_eq!(
        refused(Labels::new(2).and(3).group(&draw)),
        "labels: expected the labels of 2 groupings, got those of 1; a step takes several by a `Stepper`, a \
         task gives them by `Drawn::with_more_labels`"
    );
    let short = [vec![None; 4]];
    assert_eq!(
        refused(Labels::new(2).and(3).group(&draw.with_more_labels(&short))),
        "labels: expected 5 labels, one per example, got 4"
    );
    assert_eq!(
        refused(Labels::new(2).and(2).group(&draw.with_more_labels(&both))),
        "groups: example 0 has label 2, but there are 2 groups"
    );
    assert_eq!(
        refused(Labels::new(2).and(0).group(&draw.with_more_labels(&both))),
        "groups: zero groups were asked for; at least one is needed"
    );
}
