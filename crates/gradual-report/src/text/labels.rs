//! Names cut to a length so that they can still be told apart.

use std::collections::{BTreeMap, BTreeSet};

/// Letters of about the width of a Latin one that a text takes: East Asian letters and emoji take two, what is set above
/// or below the letter before none.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(wide).sum()
}

fn wide(letter: char) -> usize {
    match letter {
        '\u{0300}'..='\u{036f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{2060}'..='\u{2064}' | '\u{20d0}'..='\u{20f0}' | '\u{e0000}'..='\u{e01ef}' => 0,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' => 2,
        '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' => 2,
        '\u{fffd}' | '\u{1f000}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// At most about `length` letters of a name: its beginning and its end.
pub(crate) fn shorten(name: &str, length: usize) -> String {
    let tail = length / 3;
    cut(name, length, tail)
}

/// Characters of a label for each letter of room: what takes no width is bounded too.
const STACKED: usize = 3;

/// Whether a name has room as it is.
fn fits(name: &str, length: usize) -> bool {
    name.chars().nth(length.saturating_mul(STACKED)).is_none() && width(name) <= length
}

/// At most about `length` letters of a name, up to `tail` of them from its end.
fn cut(name: &str, length: usize, tail: usize) -> String {
    if fits(name, length) {
        return name.to_owned();
    }
    let head = front(name.chars(), length.saturating_sub(1 + tail));
    let end: String = front(name.chars().rev(), tail).chars().rev().collect();
    format!("{head}…{end}")
}

/// The first letters, as many as have room.
fn front(letters: impl Iterator<Item = char>, room: usize) -> String {
    let mut left = room;
    letters
        .take(room.saturating_mul(STACKED))
        .take_while(|&letter| {
            let fits = wide(letter) <= left;
            left = left.saturating_sub(wide(letter));
            fits
        })
        .collect()
}

/// A label of at most about `length` letters for each of `names`; different names have different labels.
///
/// Long names lose their end, or their middle where ends alone tell them apart, or what all of them begin with. What is
/// equal even then is numbered.
pub(crate) fn labels(names: &[&str], length: usize) -> Vec<String> {
    let different = names.iter().collect::<BTreeSet<_>>().len();
    let shared = shared_start(names);
    let without = |name: &str| match name.get(shared..) {
        Some(rest) if shared > 0 && !fits(name, length) => format!("…{rest}"),
        _ => name.to_owned(),
    };
    let rules: [&dyn Fn(&str) -> String; 4] = [
        &|name| cut(name, length, 0),
        &|name| shorten(name, length),
        &|name| cut(name, length, length * 2 / 3),
        &|name| shorten(&without(name), length),
    ];
    for rule in rules {
        let labels: Vec<String> = names.iter().map(|name| rule(name)).collect();
        if labels.iter().collect::<BTreeSet<_>>().len() == different {
            return labels;
        }
    }
    numbered(names, length)
}

/// Labels of which the long ones end in a number.
fn numbered(names: &[&str], length: usize) -> Vec<String> {
    let mut labels: BTreeMap<&str, String> = BTreeMap::new();
    let short = names.iter().filter(|name| fits(name, length));
    labels.extend(short.map(|&name| (name, name.to_owned())));
    let mut taken: BTreeSet<String> = labels.values().cloned().collect();
    for (at, &name) in (1..).zip(names) {
        labels.entry(name).or_insert_with(|| {
            let numbers = (at..).map(|number: usize| format!("…{number}"));
            let labels = numbers.map(|number| {
                let room = length.saturating_sub(width(&number)).max(1);
                front(name.chars(), room) + &number
            });
            let mut free = labels.filter(|label| taken.insert(label.clone()));
            free.next().unwrap_or_default()
        });
    }
    names.iter().map(|name| labels[name].clone()).collect()
}

/// Bytes that all names begin with.
fn shared_start(names: &[&str]) -> usize {
    let Some((first, others)) = names.split_first() else {
        return 0;
    };
    let alike = |other: &str| -> usize {
        let same = first.chars().zip(other.chars()).take_while(|(a, b)| a == b);
        same.map(|(letter, _)| letter.len_utf8()).sum()
    };
    let others = others.iter().filter(|other| *other != first);
    others.map(|other| alike(other)).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_different(names: &[&str], length: usize) -> Vec<String> {
        let labels = labels(names, length);
        let different: BTreeSet<&String> = labels.iter().collect();
        assert_eq!(different.len(), names.len(), "{labels:?}");
        assert!(
            labels.iter().all(|label| width(label) <= length),
            "{labels:?}"
        );
        labels
    }

    #[test]
    fn short_names_stay() {
        assert_eq!(all_different(&["a", "b"], 14), ["a", "b"]);
    }

    #[test]
    fn long_names_can_be_told_apart() {
        let numbered: Vec<String> = (0..30).map(|at| format!("neighbourhood={at}")).collect();
        let names: Vec<&str> = numbered.iter().map(String::as_str).collect();
        assert!(all_different(&names, 14)[29].ends_with("=29"));
        let long = "x".repeat(300);
        let middles: Vec<String> = (0..9).map(|at| format!("{long}{at}{long}")).collect();
        let names: Vec<&str> = middles.iter().map(String::as_str).collect();
        all_different(&names, 14);
        let mut names = vec!["xxxxxxxxxxxx…2", "xxxxxxxxxxxx…3"];
        names.extend(middles.iter().map(String::as_str));
        all_different(&names, 14);
        all_different(&["漢字漢字漢字漢字漢字a", "漢字漢字漢字漢字漢字b"], 14);
    }

    #[test]
    fn letters_without_width_are_cut_too() {
        for letter in ['\u{301}', '\u{200d}', '\u{fe0f}', '\u{e0041}', '\u{2060}'] {
            let long = letter.to_string().repeat(60_000);
            let names = [
                format!("a{long}b"),
                format!("a{long}c"),
                long.clone(),
                long + "d",
            ];
            assert!(shorten(&names[0], 14).chars().count() <= 14 * STACKED);
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            for label in all_different(&names, 14) {
                assert!(label.chars().count() <= 14 * STACKED);
            }
        }
        // Accents of letters that have room stay.
        assert_eq!(
            shorten("e\u{301}a\u{308}\u{331}", 2),
            "e\u{301}a\u{308}\u{331}"
        );
    }

    #[test]
    fn equal_names_have_equal_labels() {
        let name = "y".repeat(50);
        let other = format!("{}z", "y".repeat(50));
        let labels = labels(&[&name, &other, &name], 14);
        assert_eq!(labels[0], labels[2]);
        assert_ne!(labels[0], labels[1]);
    }
}
