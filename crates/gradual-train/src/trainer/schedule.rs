//! When to evaluate.

/// The steps after which a run of `steps` steps is evaluated: 0, 1, 2, 5, 10, 20, 50, … up to
/// `every`, then every `every` steps, and the last.
///
/// Early evaluations are close because learning is fast there. The grid depends on nothing else,
/// so that curves of different arms share it.
pub fn evaluation_steps(steps: u64, every: u64) -> Vec<u64> {
    let every = every.max(1);
    let early = (0..).flat_map(|power| [1, 2, 5].map(|digit| digit * 10u64.pow(power)));
    let mut grid = vec![0];
    grid.extend(early.take_while(|&step| step < every.min(steps)));
    grid.extend((1..=steps / every).map(|i| i * every));
    if grid.last() != Some(&steps) {
        grid.push(steps);
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::evaluation_steps;

    #[test]
    fn early_then_linear_then_last() {
        assert_eq!(
            evaluation_steps(200, 60),
            [0, 1, 2, 5, 10, 20, 50, 60, 120, 180, 200]
        );
        assert_eq!(evaluation_steps(120, 60), [0, 1, 2, 5, 10, 20, 50, 60, 120]);
        assert_eq!(evaluation_steps(3, 60), [0, 1, 2, 3]);
        assert_eq!(evaluation_steps(0, 60), [0]);
        assert_eq!(evaluation_steps(2, 0), [0, 1, 2]);
    }
}
