//! Rank correlations.

use std::cmp::Ordering;

/// Kendall's τ-b (Kendall 1945) of the pairs `(a[i], b[i])`: `(C − D) / √((C + D + Tₐ)(C + D + T_b))`
/// with C concordant and D discordant pairs of pairs, Tₐ those tied in a alone and T_b those in b alone.
///
/// 1 for the same order, −1 for the reverse. Infinity is a rank like any other: the last. `None` when the
/// lengths differ, a number is NaN, or all of a or all of b are equal.
#[must_use]
pub fn kendall_tau(a: &[f64], b: &[f64]) -> Option<f64> {
    sound(a, b)?;
    let (mut same, mut opposite, mut tied_a, mut tied_b) = (0_u64, 0_u64, 0_u64, 0_u64);
    for i in 0..a.len() {
        for j in 0..i {
            match (a[i].total_cmp(&a[j]), b[i].total_cmp(&b[j])) {
                (Ordering::Equal, Ordering::Equal) => {}
                (Ordering::Equal, _) => tied_a += 1,
                (_, Ordering::Equal) => tied_b += 1,
                (one, other) if one == other => same += 1,
                _ => opposite += 1,
            }
        }
    }
    let ordered = (same + opposite) as f64;
    let scale = ((ordered + tied_a as f64) * (ordered + tied_b as f64)).sqrt();
    (scale > 0.0).then(|| (same as f64 - opposite as f64) / scale)
}

/// Spearman's rank correlation: Pearson's of the ranks, ties sharing their mean rank.
///
/// `None` as for [`kendall_tau`].
#[must_use]
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    sound(a, b)?;
    let (a, b) = (ranks(a), ranks(b));
    let middle = (a.len() as f64 + 1.0) / 2.0;
    let product = |a: &[f64], b: &[f64]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| (a - middle) * (b - middle))
            .sum()
    };
    let scale = (product(&a, &a) * product(&b, &b)).sqrt();
    (scale > 0.0).then(|| (product(&a, &b) / scale).clamp(-1.0, 1.0))
}

fn sound(a: &[f64], b: &[f64]) -> Option<()> {
    let nan = a.iter().chain(b).any(|number| number.is_nan());
    (a.len() == b.len() && !nan).then_some(())
}

/// Ranks from 1 on, ties with their mean.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut ranks = vec![0.0; values.len()];
    let mut done = 0;
    for tied in order.chunk_by(|&i, &j| values[i] == values[j]) {
        let rank = done as f64 + (tied.len() as f64 + 1.0) / 2.0;
        for &index in tied {
            ranks[index] = rank;
        }
        done += tied.len();
    }
    ranks
}
