//! How many examples of each class are held out.

/// The classes of some examples in the order in which they come, and how many of each there are. Without classes all
/// examples are of one.
pub(crate) fn classes_of(examples: &[u32], classes: &[i32]) -> Vec<(i32, usize)> {
    let mut found: Vec<(i32, usize)> = Vec::new();
    for &example in examples {
        let class = classes.get(example as usize).copied().unwrap_or_default();
        match found.iter_mut().find(|(other, _)| *other == class) {
            Some((_, size)) => *size += 1,
            None => found.push((class, 1)),
        }
    }
    found
}

/// Shares of `out` in proportion to the `sizes` of classes, in whole numbers by the largest remainders. Of equal
/// remainders the one of the smaller class comes first, then the one that stands first.
pub(crate) fn quotas(sizes: &[usize], out: usize) -> Vec<usize> {
    let all: usize = sizes.iter().sum::<usize>().max(1);
    let mut shares: Vec<usize> = sizes.iter().map(|size| size * out / all).collect();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&at| (std::cmp::Reverse(sizes[at] * out % all), sizes[at]));
    let left = out.saturating_sub(shares.iter().sum());
    for at in order.into_iter().take(left) {
        shares[at] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_are_in_proportion() {
        for (sizes, out, expected) in [
            (&[40, 60][..], 25, &[10, 15][..]),
            (&[98, 2], 25, &[24, 1]),
            (&[2, 98], 25, &[1, 24]),
            (&[3], 1, &[1]),
            (&[1, 1], 1, &[1, 0]),
            (&[1, 1, 1, 1], 1, &[1, 0, 0, 0]),
            (&[7, 1], 2, &[2, 0]),
            (&[], 1, &[]),
        ] {
            assert_eq!(quotas(sizes, out), expected, "{sizes:?} {out}");
        }
        // Against what a share is: within one of the exact number, and all together what was asked for.
        for a in 1..30 {
            for b in 1..30 {
                let (sizes, out) = ([a, b, 5], ((a + b + 5) / 4).max(1));
                let shares = quotas(&sizes, out);
                assert_eq!(shares.iter().sum::<usize>(), out);
                for (share, size) in shares.iter().zip(sizes) {
                    let exact = (size * out) as f64 / (a + b + 5) as f64;
                    assert!((*share as f64 - exact).abs() < 1.0 && *share <= size);
                }
            }
        }
    }
}
