//! Which new singular direction is which old one.

use faer::Mat;

use crate::over_time::matching::best_matching;

/// How a new direction continues an old one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatchedDirection {
    /// Number of the old direction.
    pub previous: usize,
    /// 1, or −1 where the new direction must be reversed to point like the old one.
    pub sign: f64,
    /// Cosine of the angle between them, 0 to 1.
    pub cosine: f64,
}

/// Matches directions to earlier ones and fixes their signs.
///
/// Both sets are rows of length one in one common space of `dimensions`, row-major: `previous`
/// `[k, d]`, `next` `[m, d]`. For the directions of gradients that space may be a sketch with one
/// seed: Vᵀ = Σ⁻¹ Uᵀ S for a sketch S of the gradients. The matching has the largest sum of squared
/// cosines, of which the sum over all pairs is [`overlap`]'s. A direction that is orthogonal to all
/// old ones left for it gets none.
///
/// k m d operations. Where singular values are equal, directions turn freely within their subspace:
/// compare the subspaces then, with [`overlap`].
pub fn match_directions(
    previous: &[f64],
    next: &[f64],
    dimensions: usize,
) -> Vec<Option<MatchedDirection>> {
    let cosines = cosines(previous, next, dimensions);
    let cosine = |new: usize, old: usize| cosines[(new, old)].clamp(-1.0, 1.0);
    best_matching(cosines.nrows(), cosines.ncols(), |new, old| {
        cosine(new, old).powi(2)
    })
    .into_iter()
    .enumerate()
    .map(|(new, old)| {
        old.map(|previous| MatchedDirection {
            previous,
            sign: cosine(new, previous).signum(),
            cosine: cosine(new, previous).abs(),
        })
    })
    .collect()
}

/// How much two subspaces have in common: the mean of the squared cosines of their principal angles,
/// ‖V_previous V_nextᵀ‖_F² / min(k, m). 1 if one holds the other, 0 if they are orthogonal.
///
/// The rows of both sets must be orthonormal, as singular directions are. 0 for an empty set.
pub fn overlap(previous: &[f64], next: &[f64], dimensions: usize) -> f64 {
    let cosines = cosines(previous, next, dimensions);
    let smaller = cosines.nrows().min(cosines.ncols());
    if smaller == 0 {
        return 0.0;
    }
    cosines.squared_norm_l2() / smaller as f64
}

/// Inner products of the rows of `next` with those of `previous`, `[m, k]`.
fn cosines(previous: &[f64], next: &[f64], dimensions: usize) -> Mat<f64> {
    let d = dimensions.max(1);
    let rows = |of: &[f64]| Mat::from_fn(of.len() / d, d, |i, j| of[i * d + j]);
    rows(next) * rows(previous).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turned_and_reversed_directions_are_known_again() {
        let (c, s) = (0.1f64.cos(), 0.1f64.sin());
        let previous = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        // The second one first, reversed, and the first one turned by 0.1.
        let next = [0.0, -1.0, 0.0, c, 0.0, s];
        let matched = match_directions(&previous, &next, 3);
        let reversed = matched[0].unwrap();
        assert_eq!((reversed.previous, reversed.sign), (1, -1.0));
        let turned = matched[1].unwrap();
        assert_eq!((turned.previous, turned.sign), (0, 1.0));
        assert!((turned.cosine - c).abs() < 1e-12);
        let common = overlap(&previous, &next, 3);
        assert!((common - (1.0 + c * c) / 2.0).abs() < 1e-12);
    }

    #[test]
    fn orthogonal_and_empty_sets() {
        assert_eq!(match_directions(&[1.0, 0.0], &[0.0, 1.0], 2), [None]);
        assert_eq!(match_directions(&[], &[0.0, 1.0], 2), [None]);
        assert_eq!(match_directions(&[1.0, 0.0], &[], 2), []);
        assert_eq!(overlap(&[1.0, 0.0], &[0.0, 1.0], 2), 0.0);
        assert_eq!(overlap(&[], &[], 2), 0.0);
    }

    /// Within a subspace directions may turn at will.
    #[test]
    fn a_turned_basis_spans_the_same() {
        let (c, s) = (0.6, 0.8);
        let common = overlap(&[1.0, 0.0, 0.0, 1.0], &[c, s, -s, c], 2);
        assert!((common - 1.0).abs() < 1e-12);
    }
}
