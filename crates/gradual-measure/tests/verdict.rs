//! Verdicts over a table of claims.

use gradual_measure::{
    Answer, Direction, Doubt, Effect, Question, Verdict, holm, judge, paired_ratio,
};
use proptest::prelude::*;

/// The effect of log ratios around `ln ratio`, `scatter` apart.
fn effect(ratio: f64, scatter: f64, seeds: u64) -> Option<Effect> {
    let middle = (seeds - 1) as f64 / 2.0;
    let arm = (0..seeds).map(|seed| (seed, ratio * ((seed as f64 - middle) * scatter).exp()));
    paired_ratio(
        &arm.collect(),
        &(0..seeds).map(|seed| (seed, 1.0)).collect(),
    )
}

fn alone(effect: Option<Effect>, direction: Direction, smallest_effect: f64) -> Answer {
    judge(&[Question {
        effect,
        direction,
        smallest_effect,
    }])[0]
}

#[test]
fn by_the_side_of_the_smallest_effect() {
    use Direction::{Higher, Lower};
    use Verdict::{Inconclusive, NotSupported, Supported};
    for (ratio, scatter, direction, smallest, expected) in [
        (0.5, 0.05, Lower, 0.8, Supported),
        (0.7, 0.3, Lower, 0.8, Inconclusive),
        (0.9, 0.01, Lower, 0.8, NotSupported),
        (1.5, 0.05, Higher, 1.25, Supported),
        (1.3, 0.1, Higher, 1.25, Inconclusive),
        (1.0, 0.05, Higher, 1.25, NotSupported),
        (0.8, 0.0, Lower, 0.8, Inconclusive),
        (0.79, 0.0, Lower, 0.8, Supported),
    ] {
        let answer = alone(effect(ratio, scatter, 5), direction, smallest);
        assert_eq!(answer.verdict, expected, "{ratio} ± {scatter} {answer:?}");
        assert_eq!(answer.p, answer.adjusted_p);
    }
}

#[test]
fn alone_it_is_the_t_interval() {
    let effect = effect(0.7, 0.05, 6).unwrap();
    let (low, high) = (effect.low.unwrap(), effect.high.unwrap());
    for end in [low, high] {
        assert!((effect.p_value(end).unwrap() - 0.05).abs() < 1e-9);
    }
    let verdict = |smallest| alone(Some(effect), Direction::Lower, smallest).verdict;
    assert_eq!(verdict(high * 1.001), Verdict::Supported);
    assert_eq!(verdict(high * 0.999), Verdict::Inconclusive);
    assert_eq!(verdict(low * 0.999), Verdict::NotSupported);
}

#[test]
fn few_seeds_decide_nothing() {
    for seeds in 1..5 {
        let answer = alone(effect(0.1, 0.001, seeds), Direction::Lower, 0.8);
        assert_eq!(answer.verdict, Verdict::Inconclusive, "{seeds} seeds");
        assert_eq!(answer.p.is_some(), seeds > 1);
    }
    let none = alone(None, Direction::Lower, 0.8);
    assert_eq!((none.verdict, none.p), (Verdict::Inconclusive, None));
}

#[test]
fn many_claims_ask_for_more() {
    let question = |effect| Question {
        effect,
        direction: Direction::Lower,
        smallest_effect: 0.8,
    };
    let close = question(effect(0.73, 0.04, 5));
    let one = judge(&[close]);
    assert_eq!(one[0].verdict, Verdict::Supported);
    // Nineteen others about which nothing is known well.
    let mut table = vec![question(effect(0.8, 0.3, 5)); 19];
    table.push(close);
    table.insert(3, question(None));
    let answers = judge(&table);
    assert_eq!(answers[20].verdict, Verdict::Inconclusive);
    assert_eq!(answers[20].p, one[0].p);
    // The claim without a number is one of the 21.
    assert!((answers[20].adjusted_p.unwrap() - 21.0 * one[0].p.unwrap()).abs() < 1e-12);
    assert_eq!((answers[3].p, answers[3].adjusted_p), (None, None));
}

/// Whether the others got there makes no claim easier.
#[test]
fn claims_that_never_got_there_are_counted() {
    let question = |effect| Question {
        effect,
        direction: Direction::Lower,
        smallest_effect: 0.8,
    };
    let close = question(effect(0.73, 0.02, 5));
    let p = judge(&[close])[0].p.unwrap();
    for (without, with) in [(14, 0), (14, 1), (13, 2), (0, 14)] {
        let mut table = vec![question(None); without];
        table.extend(vec![question(effect(0.8, 0.3, 5)); with]);
        table.push(close);
        let answer = judge(&table)[without + with];
        let m = (without + with + 1) as f64;
        assert!(
            (answer.adjusted_p.unwrap() - m * p).abs() < 1e-12,
            "{without} {with}"
        );
    }
    // One seed has no p-value either.
    let single = question(effect(0.1, 0.0, 1));
    let answers = judge(&[single, close]);
    assert_eq!(answers[0].adjusted_p, None);
    assert!((answers[1].adjusted_p.unwrap() - 2.0 * p).abs() < 1e-12);
}

fn of_logs(logs: &[f64]) -> Option<Effect> {
    let arm = (0..).zip(logs.iter().map(|log| log.exp())).collect();
    paired_ratio(
        &arm,
        &(0..logs.len() as u64).map(|seed| (seed, 1.0)).collect(),
    )
}

#[test]
fn a_pair_of_five_on_the_other_side_asks_for_more_seeds() {
    // t = −2.9 against a ratio of 1, and the interval of the bootstrap is below.
    let logs = [0.02, -0.2, -0.22, -0.25, -0.14];
    let answer = alone(of_logs(&logs), Direction::Lower, 1.0);
    assert!(
        answer.adjusted_p.unwrap() < 0.05 && of_logs(&logs).unwrap().bootstrap.unwrap().high < 1.0
    );
    assert_eq!(
        (answer.verdict, answer.doubt),
        (Verdict::Inconclusive, Some(Doubt::SignFlip))
    );
    // Three more like them, and it is decided.
    let more = [0.02, -0.2, -0.22, -0.25, -0.14, -0.3, -0.08, -0.33];
    let answer = alone(of_logs(&more), Direction::Lower, 1.0);
    assert_eq!((answer.verdict, answer.doubt), (Verdict::Supported, None));
}

#[test]
fn visible_skewness_asks_for_more_seeds() {
    // The longer tail points to the claimed ratio, where a few seeds are easily missing.
    let logs = [-0.3, -0.29, -0.28, -0.3, -0.27, -0.29, -0.26, -0.02];
    let effect = of_logs(&logs).unwrap();
    assert!(
        effect.is_skewed() && effect.skewness.unwrap() > 2.0,
        "{effect:?}"
    );
    let smallest = 0.87;
    assert!(
        effect.p_value(smallest).unwrap() < 0.05 && effect.skewed_p_value(smallest).unwrap() > 0.05
    );
    let answer = alone(Some(effect), Direction::Lower, smallest);
    assert_eq!(
        (answer.verdict, answer.doubt),
        (Verdict::Inconclusive, Some(Doubt::Skewed))
    );
    // Further away nothing is in doubt.
    assert_eq!(
        alone(Some(effect), Direction::Lower, 2.0).verdict,
        Verdict::Supported
    );
    // Without skewness the transformed t is Student's.
    let even = effect_without_skewness();
    assert_eq!(even.skewed_p_value(0.7), even.p_value(0.7));
    assert!(!even.is_skewed());
}

fn effect_without_skewness() -> Effect {
    let mut even = effect(0.8, 0.1, 6).unwrap();
    assert!(even.skewness.unwrap().abs() < 1e-9);
    even.skewness = Some(0.0);
    even
}

proptest! {
    #[test]
    fn correction_keeps_the_order_and_never_helps(p in prop::collection::vec(0.0..=1.0_f64, 0..12)) {
        let adjusted = holm(&p);
        for (i, one) in p.iter().enumerate() {
            prop_assert!(adjusted[i] >= *one && adjusted[i] <= 1.0);
            for (j, other) in p.iter().enumerate() {
                prop_assert!(one > other || adjusted[i] <= adjusted[j] + 1e-15);
            }
        }
    }
}
