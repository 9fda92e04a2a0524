//! Whether examples that ask for one task under different codes look alike.
//!
//! Recovery depends on a clustering and on its number of groups. These measures ask the cosines
//! themselves, and know which examples belong to which code and task.
//!
//! **Joined.** With w, a and b the mean similarity of two examples of one code, of two aliases of one
//! task, and of two tasks, each the mean over tasks: (a − b) / (w − b). 0 when another code of the
//! same task is as far away as another task, 1 when the codes of a task can't be told apart.
//!
//! **Partners.** The share of codes whose most similar other code belongs to the same task; by chance
//! (aliases − 1) / (codes − 1).
//!
//! Both with squared cosines, as groups are formed, and with signed ones. Means of *signed* cosines
//! are inner products of mean unit gradients: what a step for one code does to another. For partners
//! they are divided by the lengths of these means.

use super::line::Joined;

/// Means over pairs of examples between every two codes, `[codes, codes]`.
struct Between {
    codes: usize,
    squared: Vec<f64>,
    signed: Vec<f64>,
    /// Number of pairs of distinct examples.
    pairs: Vec<f64>,
    /// Length of the mean unit gradient of each code.
    lengths: Vec<f64>,
    /// Whether a code has examples.
    shown: Vec<bool>,
}

/// Measures cosines `[n, n]` of examples of the given codes; those of task t are `aliases` codes from
/// t · `aliases` on. Only examples of tasks that are `wanted` count.
pub(super) fn joined(
    cosines: &[f32],
    codes: &[usize],
    aliases: usize,
    wanted: impl Fn(usize) -> bool,
) -> Joined {
    let between = Between::of(cosines, codes, |code| wanted(code / aliases));
    Joined {
        squared: between.share(&between.squared, aliases),
        squared_partners: between.partners(aliases, |a, b| between.at(&between.squared, a, b)),
        signed: between.share(&between.signed, aliases),
        signed_partners: between.partners(aliases, |a, b| {
            let lengths = between.lengths[a] * between.lengths[b];
            between
                .at(&between.signed, a, b)
                .filter(|_| lengths > 0.0)
                .map(|mean| mean / lengths)
        }),
    }
}

impl Between {
    fn of(cosines: &[f32], of: &[usize], wanted: impl Fn(usize) -> bool) -> Self {
        let (n, codes) = (of.len(), of.iter().max().map_or(0, |last| last + 1));
        let mut sums = Self {
            codes,
            squared: vec![0.0; codes * codes],
            signed: vec![0.0; codes * codes],
            pairs: vec![0.0; codes * codes],
            lengths: vec![0.0; codes],
            shown: vec![false; codes],
        };
        let mut sizes = vec![0.0f64; codes];
        let examples: Vec<usize> = (0..n).filter(|&j| wanted(of[j])).collect();
        for &i in &examples {
            sizes[of[i]] += 1.0;
            sums.shown[of[i]] = true;
            for &j in &examples {
                let cosine = f64::from(cosines[i * n + j]);
                if of[i] == of[j] {
                    sums.lengths[of[i]] += cosine;
                }
                if i != j {
                    let at = of[i] * codes + of[j];
                    sums.squared[at] += cosine * cosine;
                    sums.signed[at] += cosine;
                    sums.pairs[at] += 1.0;
                }
            }
        }
        for (length, size) in sums.lengths.iter_mut().zip(sizes) {
            *length = (*length / (size * size).max(1.0)).max(0.0).sqrt();
        }
        sums
    }

    fn at(&self, sums: &[f64], a: usize, b: usize) -> Option<f64> {
        let at = a * self.codes + b;
        (self.pairs[at] > 0.0).then(|| sums[at] / self.pairs[at])
    }

    /// (a − b) / (w − b).
    fn share(&self, sums: &[f64], aliases: usize) -> Option<f64> {
        let mean = |task: usize, wanted: &dyn Fn(usize, usize) -> bool| {
            let mut found = (0.0, 0.0);
            for own in (task * aliases..(task + 1) * aliases).filter(|&own| own < self.codes) {
                for other in (0..self.codes).filter(|&other| wanted(own, other)) {
                    let at = own * self.codes + other;
                    found.0 += sums[at];
                    found.1 += self.pairs[at];
                }
            }
            (found.1 > 0.0).then(|| found.0 / found.1)
        };
        let (mut joined, mut own) = (0.0, 0.0);
        for task in 0..self.codes.div_ceil(aliases) {
            let within = mean(task, &|a, b| a == b);
            let across = mean(task, &|a, b| a != b && a / aliases == b / aliases);
            let others = mean(task, &|a, b| a / aliases != b / aliases);
            if let (Some(within), Some(across), Some(others)) = (within, across, others) {
                joined += across - others;
                own += within - others;
            }
        }
        (own > 0.0).then(|| joined / own)
    }

    fn partners(&self, aliases: usize, alike: impl Fn(usize, usize) -> Option<f64>) -> Option<f64> {
        let (mut right, mut all) = (0.0, 0.0);
        for code in 0..self.codes {
            let others = (0..self.codes).filter(|&other| other != code);
            let others = others.filter_map(|other| Some((alike(code, other)?, other)));
            let others = others.filter(|(alike, _)| *alike != 0.0);
            let nearest = others.max_by(|a, b| a.0.total_cmp(&b.0));
            if !self.shown[code] {
                continue;
            }
            // A code without gradients has no partner, but counts.
            all += 1.0;
            if nearest.is_some_and(|(_, nearest)| nearest / aliases == code / aliases) {
                right += 1.0;
            }
        }
        (all > 0.0).then(|| right / all)
    }
}

#[cfg(test)]
mod tests {
    use super::joined;

    /// Cosines of unit vectors in the plane or in space.
    fn cosines(vectors: &[[f32; 3]]) -> Vec<f32> {
        let product = |a: &[f32; 3], b: &[f32; 3]| a.iter().zip(b).map(|(x, y)| x * y).sum();
        vectors
            .iter()
            .flat_map(|a| vectors.iter().map(move |b| product(a, b)))
            .collect()
    }

    #[test]
    fn aliases_that_share_their_direction_are_joined() {
        let (x, y) = ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]);
        // Two tasks of two codes, two examples each; a sign for each label.
        let minus = |v: [f32; 3]| v.map(|value| -value);
        let of = [x, minus(x), x, minus(x), y, y, y, y];
        let found = joined(&cosines(&of), &[0, 0, 1, 1, 2, 2, 3, 3], 2, |_| true);
        assert_eq!(found.squared, Some(1.0));
        assert_eq!(found.squared_partners, Some(1.0));
        // The mean gradients of the first task vanish: only the second's tell.
        assert_eq!(found.signed_partners, Some(0.5));
    }

    #[test]
    fn aliases_apart_are_not_joined() {
        let (x, y, z) = ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]);
        let found = joined(
            &cosines(&[x, x, y, y, z, z]),
            &[0, 0, 1, 1, 2, 2],
            2,
            |_| true,
        );
        assert_eq!(found.squared, Some(0.0));
        assert_eq!(found.signed, Some(0.0));
        let none = joined(&cosines(&[x, y]), &[0, 2], 2, |task| task > 5);
        assert_eq!(none.squared, None);
        assert_eq!(none.signed_partners, None);
    }
}
