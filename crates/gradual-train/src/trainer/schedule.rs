//! When to evaluate.

/// The steps after which a run of `steps` steps is evaluated: 0, 1, 2, 5, 10, 20, 50, … up to
/// `every`, then every `every` steps, and the last.
///
/// Early evaluations are close because learning is fast there. The grid depends on nothing else,
/// so that curves of different arms share it. With `every` 0 there are the first and the last alone.
pub fn evaluation_steps(steps: u64, every: u64) -> Vec<u64> {
    let mut grid = vec![0];
    grid.extend(early().take_while(|&step| step < every.min(steps)));
    if let Some(times) = steps.checked_div(every) {
        grid.extend((1..=times).map(|i| i * every));
    }
    if grid.last() != Some(&steps) {
        grid.push(steps);
    }
    grid
}

/// Whether `step` is one of the [`evaluation_steps`], without a list of them.
pub(super) fn is_evaluation_step(step: u64, steps: u64, every: u64) -> bool {
    let is_early = || {
        early()
            .take_while(|&each| each < every)
            .any(|each| each == step)
    };
    step <= steps
        && (step.is_multiple_of(every.max(1)) && (every > 0 || step == 0)
            || step == steps
            || is_early())
}

/// 1, 2, 5, 10, 20, 50, … as far as they can be counted.
fn early() -> impl Iterator<Item = u64> {
    let powers = (0..).map_while(|power| 10u64.checked_pow(power));
    powers.flat_map(|power| [1, 2, 5].map(|digit| power.saturating_mul(digit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn early_then_linear_then_last() {
        assert_eq!(
            evaluation_steps(200, 60),
            [0, 1, 2, 5, 10, 20, 50, 60, 120, 180, 200]
        );
        assert_eq!(evaluation_steps(120, 60), [0, 1, 2, 5, 10, 20, 50, 60, 120]);
        assert_eq!(evaluation_steps(3, 60), [0, 1, 2, 3]);
        assert_eq!(evaluation_steps(0, 60), [0]);
        assert_eq!(evaluation_steps(2, 0), [0, 2]);
    }

    #[test]
    fn a_step_is_asked_for_as_it_is_listed() {
        for (steps, every) in [
            (0, 60),
            (2, 0),
            (3, 60),
            (120, 60),
            (200, 60),
            (211, 7),
            (100, 1),
        ] {
            let grid = evaluation_steps(steps, every);
            for step in 0..=steps + 10 {
                let listed = grid.contains(&step);
                assert_eq!(
                    is_evaluation_step(step, steps, every),
                    listed,
                    "{step} of {steps}, {every}"
                );
            }
        }
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let grid = evaluation_steps(u64::MAX, u64::MAX);
        assert_eq!(grid.last(), Some(&u64::MAX));
        assert!(is_evaluation_step(u64::MAX, u64::MAX, u64::MAX));
        assert!(!is_evaluation_step(u64::MAX - 1, u64::MAX, u64::MAX));
    }
}
