//! Small quadratic programs over non-negative variables.

/// A slope below it counts as zero. Diagonals are about 1.
const SLOPE: f64 = 1e-10;
/// Added to the diagonal.
///
/// The matrices come from products in single precision, whose errors of about 1e-7 can make them
/// indefinite, and the program unbounded. This makes them definite; solutions of size one are off by
/// as much.
const RIDGE: f64 = 1e-6;
/// What a column adds beyond the others when it is not a combination of them.
const PIVOT: f64 = 1e-9;

/// The u ≥ 0 `[m]` that minimises ½ uᵀHu − bᵀu, for H `[m, m]` positive semi-definite (row-major, its
/// diagonal about 1) and b `[m]`.
///
/// The active-set method of Lawson & Hanson 1974 (non-negative least squares) on the normal
/// equations: one variable at a time, that of the steepest slope, becomes positive; the program
/// without bounds is solved on the positive ones; those that would turn negative are set to zero. It ends at the exact
/// optimum after finitely many changes, in practice about as many
/// as there are positive variables. Coordinate descent would do without factorisations, but takes 1/λ
/// sweeps for an eigenvalue λ, and conflicting gradients make small ones.
///
/// Each change costs m² operations, a removal up to m³/3.
pub(crate) fn nonnegative(h: &[f64], b: &[f64]) -> Vec<f64> {
    let m = b.len();
    let mut solution = vec![0.0; m];
    let mut positive = Positive::default();
    let mut refused = vec![false; m];
    // Every change lowers the objective, so no set comes twice; the bound is for rounding.
    for _ in 0..10 * m + 10 {
        let slope = |j: usize| b[j] - dot(&h[j * m..(j + 1) * m], &solution) - RIDGE * solution[j];
        let steepest = (0..m)
            .filter(|&j| !refused[j] && !positive.indices.contains(&j))
            .map(|j| (j, slope(j)))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((entering, slope)) = steepest else {
            break;
        };
        if slope <= SLOPE {
            break;
        }
        if !positive.push(h, m, entering) {
            refused[entering] = true;
            continue;
        }
        loop {
            let target = positive.solve(b);
            let at = |(place, &j): (usize, &usize)| {
                (target[place] <= 0.0).then(|| {
                    let now: f64 = solution[j];
                    (place, now / (now - target[place]).max(f64::MIN_POSITIVE))
                })
            };
            let first = positive.indices.iter().enumerate().filter_map(at);
            let first = first.min_by(|a, b| a.1.total_cmp(&b.1));
            let share = first.map_or(1.0, |(_, share)| share.clamp(0.0, 1.0));
            for (&j, target) in positive.indices.iter().zip(&target) {
                solution[j] += share * (target - solution[j]);
            }
            let Some((place, _)) = first else { break };
            let leaving = positive.indices[place];
            solution[leaving] = 0.0;
            positive.remove(h, m, place);
            if leaving == entering {
                // Its slope was rounding.
                refused[entering] = true;
            } else {
                // With fewer columns about, a refused one may be independent.
                refused.fill(false);
            }
        }
    }
    for value in &mut solution {
        *value = value.max(0.0);
    }
    solution
}

/// The positive variables, with the Cholesky factor of their part of H.
#[derive(Default)]
struct Positive {
    indices: Vec<usize>,
    /// Lower triangle, row by row.
    rows: Vec<Vec<f64>>,
}

impl Positive {
    /// Adds variable j, unless its column is a combination of those that are there.
    fn push(&mut self, h: &[f64], m: usize, j: usize) -> bool {
        let mut row: Vec<f64> = Vec::with_capacity(self.rows.len() + 1);
        for (&i, other) in self.indices.iter().zip(&self.rows) {
            let done = row.len();
            row.push((h[j * m + i] - dot(&row, &other[..done])) / other[done]);
        }
        let pivot = h[j * m + j] + RIDGE - dot(&row, &row);
        if pivot <= PIVOT {
            return false;
        }
        row.push(pivot.sqrt());
        self.rows.push(row);
        self.indices.push(j);
        true
    }

    /// Lets go of the variable at a place.
    fn remove(&mut self, h: &[f64], m: usize, place: usize) {
        let later = self.indices.split_off(place);
        self.rows.truncate(place);
        for j in later.into_iter().skip(1) {
            // With one column less all pivots grow, so none is refused.
            self.push(h, m, j);
        }
    }

    /// The solution of H u = b on the positive variables, in their order.
    fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut half: Vec<f64> = Vec::with_capacity(self.indices.len());
        for (&i, row) in self.indices.iter().zip(&self.rows) {
            let done = half.len();
            half.push((b[i] - dot(&row[..done], &half)) / row[done]);
        }
        let size = half.len();
        for place in (0..size).rev() {
            let above: f64 = (place + 1..size)
                .map(|later| self.rows[later][place] * half[later])
                .sum();
            half[place] = (half[place] - above) / self.rows[place][place];
        }
        half
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// H = 1, b = (1, −1): each variable alone.
    #[test]
    fn negative_slopes_stay_at_zero() {
        let found = nonnegative(&[1.0, 0.0, 0.0, 1.0], &[1.0, -1.0]);
        assert!(
            (found[0] - 1.0).abs() < 1e-5 && found[1] == 0.0,
            "{found:?}"
        );
    }

    /// H = (1 ½; ½ 1), b = (1, 0.8): u = H⁻¹b = (4/3)(1 − 0.4, 0.8 − 0.5) = (0.8, 0.4).
    /// With b = (1, 0.4) the second would be (4/3)(0.4 − 0.5) < 0: u = (1, 0).
    #[test]
    fn a_pair_by_hand() {
        let h = [1.0, 0.5, 0.5, 1.0];
        let near = |b: &[f64], expected: [f64; 2]| {
            let found = nonnegative(&h, b);
            let close = found
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-5);
            assert!(close, "{found:?}");
        };
        near(&[1.0, 0.8], [0.8, 0.4]);
        near(&[1.0, 0.4], [1.0, 0.0]);
    }

    #[test]
    fn nothing_and_zeros() {
        assert!(nonnegative(&[], &[]).is_empty());
        assert_eq!(nonnegative(&[0.0; 4], &[0.0; 2]), [0.0; 2]);
    }

    proptest! {
        /// The conditions of Karush, Kuhn and Tucker, also for singular H.
        #[test]
        fn optimal(
            m in 1usize..12,
            rank in 1usize..12,
            entries in prop::collection::vec(-1.0f64..1.0, 144),
            wish in prop::collection::vec(-1.0f64..1.0, 12),
        ) {
            let row = |i: usize| {
                let row = &entries[i * 12..i * 12 + rank];
                let norm = dot(row, row).sqrt().max(1e-9);
                row.iter().map(|x| x / norm).collect::<Vec<_>>()
            };
            let rows: Vec<_> = (0..m).map(row).collect();
            let h: Vec<f64> = rows.iter().flat_map(|a| rows.iter().map(|b| dot(a, b))).collect();
            let b: Vec<f64> = rows.iter().map(|a| dot(a, &wish[..rank])).collect();
            let u = nonnegative(&h, &b);
            let size = u.iter().fold(1.0f64, |size, &u| size.max(u));
            for j in 0..m {
                let slope = b[j] - dot(&h[j * m..(j + 1) * m], &u);
                prop_assert!(u[j] >= 0.0);
                prop_assert!(slope <= 1e-4 * size, "slope {} of {}", slope, j);
                prop_assert!(u[j] == 0.0 || slope.abs() <= 1e-4 * size, "slope {} of {}", slope, j);
            }
        }
    }
}
