//! Measures of recovery against scikit-learn 1.9.1 (`normalized_mutual_info_score`,
//! `homogeneity_score`, `adjusted_rand_score`; purity from `cluster.contingency_matrix`).

use gradual_group::{adjusted_rand, homogeneity, normalised_mutual_information, purity};
use proptest::prelude::*;

fn groups(of: &[usize]) -> Vec<Option<usize>> {
    of.iter().copied().map(Some).collect()
}

/// Known labels, found groups; normalised mutual information, homogeneity, purity.
type Case = (&'static [usize], &'static [usize], [f64; 3]);

const CASES: [Case; 7] = [
    (&[0, 0, 1, 1, 2, 2], &[5, 5, 3, 3, 1, 1], [1.0, 1.0, 1.0]),
    (
        &[0, 0, 1, 1, 2, 2],
        &[0, 0, 1, 2, 2, 2],
        [0.739_667_376_801, 0.710_309_917_857, 0.833_333_333_333],
    ),
    (&[0, 0, 1, 1], &[0, 1, 0, 1], [0.0, 0.0, 0.5]),
    (
        &[0, 0, 0, 1, 1, 1, 2, 2, 2, 2],
        &[0, 0, 1, 1, 1, 1, 2, 2, 0, 3],
        [0.568_241_032_923, 0.618_065_646_292, 0.8],
    ),
    (&[0, 0, 0, 0], &[0, 1, 2, 3], [0.0, 1.0, 1.0]),
    (&[0, 1, 2, 3], &[0, 0, 0, 0], [0.0, 0.0, 0.25]),
    (&[0, 1, 1, 3], &[0, 0, 0, 0], [0.0, 0.0, 0.5]),
];

#[test]
fn values_of_scikit_learn() {
    for (known, found, [information, homogeneous, pure]) in CASES {
        let (known, found) = (groups(known), groups(found));
        let values = [
            (normalised_mutual_information(&found, &known), information),
            (homogeneity(&found, &known), homogeneous),
            (purity(&found, &known).map(|both| both.purity), pure),
        ];
        for (value, expected) in values {
            let value = value.unwrap();
            assert!(
                (value - expected).abs() < 1e-10,
                "{value} against {expected}"
            );
        }
    }
    let (known, found, _) = CASES[3];
    let rand = adjusted_rand(&groups(found), &groups(known)).unwrap();
    assert!((rand - 0.28).abs() < 1e-10, "{rand}");
}

#[test]
fn examples_without_a_group_are_left_out() {
    let found = [Some(0), None, Some(1), Some(1)];
    let known = [Some(3), Some(4), Some(4), None];
    assert_eq!(normalised_mutual_information(&found, &known), Some(1.0));
    assert_eq!(homogeneity(&found, &known), Some(1.0));
    assert_eq!(purity(&found, &known).unwrap().purity, 1.0);
    assert_eq!(normalised_mutual_information(&[None], &[Some(1)]), None);
    assert_eq!(homogeneity(&[], &[]), None);
    assert_eq!(purity(&[None], &[Some(1)]), None);
}

/// Worked out by hand: two groups of one and one label each way are pure by themselves; of pairs of
/// two labels, 1 in 3 permutations is pure and the others are half so.
#[test]
fn chance_levels_of_purity() {
    let apart = purity(&groups(&[0, 1]), &groups(&[0, 1])).unwrap();
    assert_eq!((apart.purity, apart.chance), (1.0, 1.0));
    let pairs = purity(&groups(&[0, 0, 1, 1]), &groups(&[7, 7, 8, 8])).unwrap();
    assert_eq!(pairs.purity, 1.0);
    assert!((pairs.chance - 2.0 / 3.0).abs() < 0.06, "{}", pairs.chance);
    let again = purity(&groups(&[0, 0, 1, 1]), &groups(&[7, 7, 8, 8])).unwrap();
    assert_eq!(pairs, again, "the same permutations every time");
}

proptest! {
    /// Between 0 and 1, unmoved by the names of groups, and 1 against themselves.
    #[test]
    fn measures_keep_their_range(
        pairs in prop::collection::vec((0usize..5, 0usize..5), 1..40), shift in 1usize..9
    ) {
        let (found, known): (Vec<usize>, Vec<usize>) = pairs.into_iter().unzip();
        let renamed: Vec<usize> = found.iter().map(|group| 3 * group + shift).collect();
        let (found, known, renamed) = (groups(&found), groups(&known), groups(&renamed));
        for measure in [normalised_mutual_information, homogeneity] {
            let value = measure(&found, &known).unwrap();
            prop_assert!((0.0..=1.0).contains(&value), "{}", value);
            prop_assert_eq!(measure(&renamed, &known), Some(value));
            prop_assert!((measure(&found, &found).unwrap() - 1.0).abs() < 1e-12);
        }
        let both = purity(&found, &known).unwrap();
        prop_assert!(both.purity > 0.0 && both.purity <= 1.0);
        prop_assert!(both.chance > 0.0 && both.chance <= 1.0 + 1e-12);
    }
}
