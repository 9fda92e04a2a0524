//! Dictionary learning: orthogonal matching pursuit and K-SVD.

use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

/// A part of an example that is this small against it is rounding.
const ROUNDING: f64 = 1e-12;

/// Power iterations for the leading singular pair of what an atom has to explain.
const POWERS: usize = 5;

/// The code of an example: which atoms, and how much of each.
pub(super) type Code = Vec<(usize, f64)>;

/// At most `sparsity` atoms that explain an example best, one after another: the atom that is most like what is left, then the
/// best amounts of all atoms so far (orthogonal matching pursuit, Pati, Rezaiifar & Krishnaprasad 1993). `products` `[k]` are
/// the example's inner products with the unit atoms, and `gram` `[k, k]` those of the atoms with each other, which is all
/// that the pursuit needs (Rubinstein, Zibulevsky & Elad 2008).
pub(super) fn pursue(products: &[f64], gram: &[f64], sparsity: usize) -> Code {
    let k = products.len();
    let mut chosen: Vec<usize> = Vec::new();
    let mut amounts: Vec<f64> = Vec::new();
    let largest = products
        .iter()
        .fold(0.0f64, |most, one| most.max(one.abs()));
    let mut left = products.to_vec();
    while chosen.len() < sparsity.min(k) {
        let others = (0..k).filter(|atom| !chosen.contains(atom));
        let best = others.max_by(|&a, &b| left[a].abs().total_cmp(&left[b].abs()).then(b.cmp(&a)));
        let Some(best) = best.filter(|&best| left[best].abs() > 1e-6 * largest) else {
            break;
        };
        chosen.push(best);
        let Some(next) = solve(&chosen, products, gram) else {
            // It is a sum of those before.
            chosen.pop();
            break;
        };
        amounts = next;
        for (atom, left) in left.iter_mut().enumerate() {
            let pairs = chosen.iter().zip(&amounts);
            *left = products[atom] - pairs.map(|(&of, by)| by * gram[of * k + atom]).sum::<f64>();
        }
    }
    chosen.into_iter().zip(amounts).collect()
}

/// Solves G_SS c = b_S by the Cholesky decomposition; none where G_SS is singular.
fn solve(chosen: &[usize], products: &[f64], gram: &[f64]) -> Option<Vec<f64>> {
    let (s, k) = (chosen.len(), products.len());
    let mut lower = vec![0.0; s * s];
    for i in 0..s {
        for j in 0..=i {
            let held: f64 = (0..j).map(|at| lower[i * s + at] * lower[j * s + at]).sum();
            let rest = gram[chosen[i] * k + chosen[j]] - held;
            lower[i * s + j] = match i == j {
                true if rest <= 1e-9 => return None,
                true => rest.sqrt(),
                false => rest / lower[j * s + j],
            };
        }
    }
    let mut solution: Vec<f64> = chosen.iter().map(|&atom| products[atom]).collect();
    for i in 0..s {
        let held: f64 = (0..i).map(|at| lower[i * s + at] * solution[at]).sum();
        solution[i] = (solution[i] - held) / lower[i * s + i];
    }
    for i in (0..s).rev() {
        let held: f64 = (i + 1..s).map(|at| lower[at * s + i] * solution[at]).sum();
        solution[i] = (solution[i] - held) / lower[i * s + i];
    }
    Some(solution)
}

/// Unit atoms `[k][r]` of points `[n][r]`, by K-SVD (Aharon, Elad & Bruckstein 2006, doi:10.1109/TSP.2006.881199), from points
/// drawn at random: in each round every point is coded, and then every atom becomes the leading singular vector of what the
/// points that use it have left without it. An atom that no point uses becomes the point that is explained worst.
pub(super) fn learn(
    points: &[Vec<f64>],
    atoms: usize,
    sparsity: usize,
    rounds: usize,
    random: &mut ChaCha8Rng,
) -> Vec<Vec<f64>> {
    let present: Vec<usize> = (0..points.len())
        .filter(|&j| square(&points[j]) > ROUNDING)
        .collect();
    let r = points.first().map_or(0, Vec::len);
    let mut dictionary: Vec<Vec<f64>> = sample(random, present.len(), atoms.min(present.len()))
        .iter()
        .map(|at| unit(&points[present[at]]))
        .collect();
    // More atoms than points: nothing is like these.
    dictionary.resize(atoms, vec![0.0; r]);
    for _ in 0..rounds {
        round(points, &mut dictionary, sparsity);
    }
    dictionary
}

fn round(points: &[Vec<f64>], dictionary: &mut [Vec<f64>], sparsity: usize) {
    let gram = gram(dictionary);
    let mut codes: Vec<Code> = points
        .iter()
        .map(|point| {
            let products: Vec<f64> = dictionary.iter().map(|atom| dot(atom, point)).collect();
            pursue(&products, &gram, sparsity)
        })
        .collect();
    let mut left: Vec<Vec<f64>> = points.to_vec();
    for (left, code) in left.iter_mut().zip(&codes) {
        for &(atom, amount) in code {
            add(left, &dictionary[atom], -amount);
        }
    }
    for (atom, direction) in dictionary.iter_mut().enumerate() {
        let users: Vec<(usize, usize)> = codes
            .iter()
            .enumerate()
            .filter_map(|(j, code)| Some((j, code.iter().position(|part| part.0 == atom)?)))
            .collect();
        if users.is_empty() {
            let worst =
                (0..left.len()).max_by(|&a, &b| square(&left[a]).total_cmp(&square(&left[b])));
            if let Some(worst) = worst.filter(|&worst| square(&left[worst]) > ROUNDING) {
                *direction = unit(&points[worst]);
                // Taken, so that the next unused atom becomes another.
                left[worst].fill(0.0);
            }
            continue;
        }
        for &(j, at) in &users {
            add(&mut left[j], direction, codes[j][at].1);
        }
        for _ in 0..POWERS {
            let mut next = vec![0.0; direction.len()];
            for &(j, _) in &users {
                add(&mut next, &left[j], dot(&left[j], direction));
            }
            if square(&next) > 0.0 {
                *direction = unit(&next);
            }
        }
        for &(j, at) in &users {
            let amount = dot(&left[j], direction);
            codes[j][at].1 = amount;
            add(&mut left[j], direction, -amount);
        }
    }
}

/// Inner products of atoms, `[k, k]` row-major.
pub(super) fn gram(atoms: &[Vec<f64>]) -> Vec<f64> {
    let pairs = atoms
        .iter()
        .flat_map(|a| atoms.iter().map(move |b| dot(a, b)));
    pairs.collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn square(a: &[f64]) -> f64 {
    dot(a, a)
}

fn add(to: &mut [f64], direction: &[f64], by: f64) {
    to.iter_mut()
        .zip(direction)
        .for_each(|(to, one)| *to += by * one);
}

fn unit(of: &[f64]) -> Vec<f64> {
    let length = square(of).sqrt();
    of.iter().map(|entry| entry / length).collect()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;

    fn random_units(count: usize, r: usize, random: &mut ChaCha8Rng) -> Vec<Vec<f64>> {
        let one = |random: &mut ChaCha8Rng| -> Vec<f64> {
            (0..r).map(|_| random.random_range(-1.0..1.0)).collect()
        };
        (0..count).map(|_| unit(&one(random))).collect()
    }

    /// Codes by residual vectors, the best amounts by gradient descent: slow, and nothing in common.
    fn plain(point: &[f64], dictionary: &[Vec<f64>], sparsity: usize) -> Code {
        let (mut chosen, mut amounts): (Vec<usize>, Vec<f64>) = (Vec::new(), Vec::new());
        let mut left = point.to_vec();
        for _ in 0..sparsity {
            let free = (0..dictionary.len()).filter(|atom| !chosen.contains(atom));
            let like = |atom: usize| dot(&dictionary[atom], &left).abs();
            chosen.push(free.max_by(|&a, &b| like(a).total_cmp(&like(b))).unwrap());
            amounts.push(0.0);
            for _ in 0..20_000 {
                left = point.to_vec();
                for (&atom, &amount) in chosen.iter().zip(&amounts) {
                    add(&mut left, &dictionary[atom], -amount);
                }
                for (&atom, amount) in chosen.iter().zip(&mut amounts) {
                    *amount += 0.2 * dot(&dictionary[atom], &left);
                }
            }
        }
        chosen.into_iter().zip(amounts).collect()
    }

    #[test]
    fn pursuit_by_inner_products_is_that_by_residuals() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..10 {
            let dictionary = random_units(9, 5, &mut random);
            let point = &random_units(1, 5, &mut random)[0];
            let products: Vec<f64> = dictionary.iter().map(|atom| dot(atom, point)).collect();
            let fast = pursue(&products, &gram(&dictionary), 3);
            for ((atom, amount), (other, plain)) in fast.iter().zip(plain(point, &dictionary, 3)) {
                assert_eq!(*atom, other);
                assert!((amount - plain).abs() < 1e-6, "{amount} {plain}");
            }
            assert_eq!(fast.len(), 3);
        }
    }

    #[test]
    fn atoms_that_repeat_are_used_once() {
        let gram = [1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        assert_eq!(pursue(&[2.0, 2.0, 0.0], &gram, 3), [(0, 2.0)]);
        assert_eq!(pursue(&[0.0; 3], &gram, 3), []);
    }

    /// Points of two planted atoms each, of either sign: nearly every atom comes out again.
    #[test]
    fn planted_atoms_are_learned() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let planted = random_units(8, 16, &mut random);
        let points: Vec<Vec<f64>> = (0..400)
            .map(|_| {
                let mut point = vec![0.0; 16];
                for atom in sample(&mut random, 8, 2) {
                    let sign = if random.random::<bool>() { 1.0 } else { -1.0 };
                    let amount: f64 = random.random_range(0.5..1.5);
                    add(&mut point, &planted[atom], sign * amount);
                }
                point
            })
            .collect();
        let learned = learn(&points, 8, 2, 30, &mut random);
        let found = planted.iter().filter(|atom| {
            let best = learned
                .iter()
                .map(|one| dot(one, atom).abs())
                .fold(0.0, f64::max);
            best > 0.98
        });
        assert!(found.count() >= 7);
    }
}
