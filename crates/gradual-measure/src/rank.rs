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
    let mut order: Vec<usize> = (0..a.len()).collect();
    order.sort_by(|&i, &j| a[i].total_cmp(&a[j]).then(b[i].total_cmp(&b[j])));
    let equal_a = |i: &usize, j: &usize| a[*i].total_cmp(&a[*j]).is_eq();
    let equal_b = |i: &usize, j: &usize| b[*i].total_cmp(&b[*j]).is_eq();
    // What is out of order in b once a is in order, is discordant; pairs that are tied in a are in order in b.
    let tied_a = tied(&order, equal_a);
    let tied_both = tied(&order, |i, j| equal_a(i, j) && equal_b(i, j));
    let opposite = sort_counting(&mut order, &|&i, &j| b[i].total_cmp(&b[j]));
    let tied_b = tied(&order, equal_b);
    let n = a.len() as u64;
    let all = n * n.saturating_sub(1) / 2;
    let same = all + tied_both - tied_a - tied_b - opposite;
    let scale = ((all - tied_a) as f64 * (all - tied_b) as f64).sqrt();
    (scale > 0.0).then(|| (same as f64 - opposite as f64) / scale)
}

/// The number of pairs within runs of neighbours that are equal.
fn tied(order: &[usize], equal: impl Fn(&usize, &usize) -> bool) -> u64 {
    let runs = order
        .chunk_by(|i, j| equal(i, j))
        .map(|run| run.len() as u64);
    runs.map(|length| length * (length - 1) / 2).sum()
}

/// Sorts by merging, and counts the pairs that stood in the wrong order (Knight 1966, "A Computer Method for
/// Calculating Kendall's Tau with Ungrouped Data").
fn sort_counting(items: &mut [usize], compare: &impl Fn(&usize, &usize) -> Ordering) -> u64 {
    if items.len() < 2 {
        return 0;
    }
    let half = items.len() / 2;
    let mut wrong = {
        let (left, right) = items.split_at_mut(half);
        sort_counting(left, compare) + sort_counting(right, compare)
    };
    let mut merged = Vec::with_capacity(items.len());
    let (mut left, mut right) = (0, half);
    while left < half && right < items.len() {
        if compare(&items[right], &items[left]).is_lt() {
            merged.push(items[right]);
            right += 1;
            wrong += (half - left) as u64;
        } else {
            merged.push(items[left]);
            left += 1;
        }
    }
    merged.extend_from_slice(&items[left..half]);
    merged.extend_from_slice(&items[right..]);
    items.copy_from_slice(&merged);
    wrong
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
