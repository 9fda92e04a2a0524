//! Several factors as one: the uses of a parameter, the examples of several draws.

use burn::tensor::Tensor;

use super::Factor;
use super::lookups::Lookups;
use super::outer::Outer;
use crate::precision::widest;

impl Factor {
    /// The gradient over several uses of one parameter: uses are summed before any product, all at once. None
    /// without uses.
    pub(crate) fn merge(uses: Vec<Self>) -> Option<Self> {
        if uses.len() < 2 {
            return uses.into_iter().next();
        }
        let uses = in_one_precision(uses);
        match matrices(uses) {
            Ok(parts) => {
                let (lookups, outer): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
                Self::of_parts(
                    Lookups::sum(lookups.into_iter().flatten().collect()),
                    Outer::sum(outer.into_iter().flatten().collect()),
                )
            }
            Err(uses) => match stacks(uses) {
                Ok(parts) => {
                    let merged = parts.into_iter().map(Self::merge);
                    merged.collect::<Option<_>>().map(Self::Stack)
                }
                Err(uses) => uses
                    .into_iter()
                    .map(|each| each.wide().rows())
                    .reduce(|a, b| a + b)
                    .map(Self::Rows),
            },
        }
    }

    /// The examples of several draws, one after another, put together at once. None without draws.
    pub(crate) fn concat(draws: Vec<Self>) -> Option<Self> {
        if draws.len() < 2 {
            return draws.into_iter().next();
        }
        let draws = in_one_precision(draws);
        let sizes: Vec<usize> = draws.iter().map(Self::num_examples).collect();
        match matrices(draws) {
            Ok(parts) => {
                let (lookups, outer): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
                let lookups = padded(lookups, &sizes, Lookups::zeros);
                let outer = padded(outer, &sizes, Outer::zeros);
                Self::of_parts(Lookups::concat(lookups), Outer::concat(outer))
            }
            Err(draws) => match stacks(draws) {
                Ok(parts) => {
                    let joined = parts.into_iter().map(Self::concat);
                    joined.collect::<Option<_>>().map(Self::Stack)
                }
                Err(draws) => {
                    let rows = draws.iter().map(Self::rows);
                    Some(Self::Rows(Tensor::cat(rows.collect(), 0)))
                }
            },
        }
    }

    fn of_parts(lookups: Option<Lookups>, outer: Option<Outer>) -> Option<Self> {
        match (lookups, outer) {
            (Some(lookups), Some(outer)) => Some(Self::tied(lookups, outer)),
            (Some(lookups), None) => Some(Self::Scatter(lookups)),
            (None, Some(outer)) => Some(Self::Outer(outer)),
            (None, None) => None,
        }
    }
}

/// The look-ups and the outer products of a factor that is a matrix.
type Parts = (Option<Lookups>, Option<Outer>);

/// The parts of several factors, if all are matrices of the same sides; else the factors.
fn matrices(factors: Vec<Factor>) -> Result<Vec<Parts>, Vec<Factor>> {
    let sides = factors.first().and_then(Factor::sides);
    if sides.is_none() || factors.iter().any(|factor| factor.sides() != sides) {
        return Err(factors);
    }
    let parts = factors.into_iter().map(|factor| match factor {
        Factor::Scatter(lookups) => (Some(lookups), None),
        Factor::Outer(outer) => (None, Some(outer)),
        Factor::Tied(tied) => (Some(tied.lookups), Some(tied.outer)),
        Factor::Stack(_) | Factor::Rows(_) => (None, None),
    });
    Ok(parts.collect())
}

/// The parts at each place of several stacks, if all are stacks of as many; else the factors.
fn stacks(factors: Vec<Factor>) -> Result<Vec<Vec<Factor>>, Vec<Factor>> {
    let sizes = |factor: &Factor| match factor {
        Factor::Stack(parts) => Some(parts.iter().map(Factor::size).collect::<Vec<_>>()),
        _ => None,
    };
    let first = factors.first().and_then(sizes);
    let Some(places) = first.as_ref().map(Vec::len) else {
        return Err(factors);
    };
    if factors.iter().any(|factor| sizes(factor) != first) {
        return Err(factors);
    }
    let mut at: Vec<Vec<Factor>> = (0..places).map(|_| Vec::new()).collect();
    for factor in factors {
        if let Factor::Stack(parts) = factor {
            for (place, part) in at.iter_mut().zip(parts) {
                place.push(part);
            }
        }
    }
    Ok(at)
}

/// Several factors in the widest of their precisions.
fn in_one_precision(factors: Vec<Factor>) -> Vec<Factor> {
    let Some(wide) = factors.iter().map(Factor::dtype).reduce(widest) else {
        return factors;
    };
    factors.into_iter().map(|each| each.cast(wide)).collect()
}

/// A part of each of several draws, zeros where a draw has none; nothing where no draw has one.
fn padded<P: Clone>(
    parts: Vec<Option<P>>,
    sizes: &[usize],
    zeros: impl Fn(&P, usize) -> P,
) -> Vec<P> {
    let Some(like) = parts.iter().flatten().next().cloned() else {
        return Vec::new();
    };
    let filled = parts.into_iter().zip(sizes);
    let filled = filled.map(|(part, n)| part.unwrap_or_else(|| zeros(&like, *n)));
    filled.collect()
}
