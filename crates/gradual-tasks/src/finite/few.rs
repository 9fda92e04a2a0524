//! Groups that have too few held-out examples to be measured well.

use gradual_registry::excerpt;

/// Held-out examples from which on a group is not named: the accuracy of a group that answers half of them right is known
/// within 20 points (1.96 √(¼ / n)).
const ENOUGH: usize = 25;
/// Most groups that are named, and most characters of such a name.
const NAMED: usize = 5;
const SHORT: usize = 60;

/// A sentence on the groups, each with its number of held-out examples, that have few of them, if there are such. `what` is
/// what examples are called; `whole` says whether each is right or wrong as a whole.
pub(crate) fn few_held_out<'a>(
    groups: impl Iterator<Item = (&'a str, usize)>,
    what: &str,
    whole: bool,
) -> Option<String> {
    let mut few: Vec<(&str, usize)> = groups.filter(|&(_, held)| held < ENOUGH).collect();
    few.sort_by_key(|&(_, held)| held);
    let fewest = few.first()?.1;
    let points = match whole {
        true => format!(
            ", by {fewest} within about {:.0} points of accuracy",
            98.0 / (fewest.max(1) as f64).sqrt()
        ),
        false => String::new(),
    };
    let named = few.iter().take(NAMED);
    let named: Vec<String> = named
        .map(|(name, held)| format!("{} ({held})", excerpt(name, SHORT)))
        .collect();
    let more = match few.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "groups with fewer than {ENOUGH} held-out {what}s are measured roughly{points}: {}{more}",
        named.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_named_from_the_fewest_on() {
        assert_eq!(
            few_held_out([("a", 25), ("b", 400)].into_iter(), "row", true),
            None
        );
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let groups = names.into_iter().zip([30, 24, 4, 9, 16, 20, 21]);
        assert_eq!(
            few_held_out(groups, "row", true).unwrap(),
            "groups with fewer than 25 held-out rows are measured roughly, by 4 within about 49 points of accuracy: c (4), \
             d (9), e (16), f (20), g (21) and 1 more"
        );
        assert_eq!(
            few_held_out([("a", 3)].into_iter(), "line", false).unwrap(),
            "groups with fewer than 25 held-out lines are measured roughly: a (3)"
        );
    }
}
