//! The number of groups that come out again when part of the examples is left out.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::clustering::partition::CutProblem;
use crate::error::GroupError;
use crate::quality::recovery::adjusted_rand;

/// Pairs of parts that are compared.
const PAIRS: usize = 10;

/// Share of the examples in a part.
const SHARE: f64 = 0.8;

/// The k from 2 to `at_most` whose clusters of two parts agree best on the examples in both, of
/// equal ones the largest; 1 if none agree better than chance.
pub(crate) fn choose(problem: &CutProblem, at_most: usize, seed: u64) -> Result<usize, GroupError> {
    let n = problem.num_examples();
    let size = (SHARE * n as f64).round() as usize;
    let at_most = at_most.min(size.saturating_sub(1));
    if at_most < 2 {
        return Ok(1);
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut agreement = vec![0.0; at_most + 1];
    for _ in 0..PAIRS {
        let mut part = || {
            let mut chosen: Vec<usize> = (0..n).collect();
            chosen.shuffle(&mut random);
            chosen.truncate(size);
            chosen
        };
        let (first, second) = (part(), part());
        let (one, other) = (problem.restricted(&first)?, problem.restricted(&second)?);
        for (k, agreement) in agreement.iter_mut().enumerate().skip(2) {
            let one = spread(&first, one.cut(k, seed)?, n);
            let other = spread(&second, other.cut(k, seed)?, n);
            // Clusters that put all examples together tell nothing.
            *agreement += adjusted_rand(&one, &other).unwrap_or(0.0) / PAIRS as f64;
        }
    }
    let mut best = (1, 0.0);
    for (k, &agreement) in agreement.iter().enumerate().skip(2) {
        if agreement > 0.0 && agreement >= best.1 - 1e-9 {
            best = (k, agreement);
        }
    }
    Ok(best.0)
}

/// The clusters of a part as groups of the whole.
fn spread(part: &[usize], clusters: Vec<usize>, examples: usize) -> Vec<Option<usize>> {
    let mut groups = vec![None; examples];
    for (&example, cluster) in part.iter().zip(clusters) {
        groups[example] = Some(cluster);
    }
    groups
}
