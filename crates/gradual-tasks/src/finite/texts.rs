//! The distinct texts of a column.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;

/// Largest whole number below which double precision tells all whole numbers apart: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Distinct texts in the order in which they were first seen.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    of: HashMap<Box<str>, u32>,
    seen: Vec<Box<str>>,
}

impl Texts {
    /// The place of a text among those seen so far.
    pub(crate) fn place(&mut self, text: &str) -> u32 {
        if let Some(&place) = self.of.get(text) {
            return place;
        }
        let place = self.seen.len() as u32;
        self.of.insert(text.into(), place);
        self.seen.push(text.into());
        place
    }

    pub(crate) fn len(&self) -> usize {
        self.seen.len()
    }

    /// The texts that are one number, such as 1 and 1.0, for the first number of which there are several.
    pub(crate) fn same_number(&self) -> Vec<&str> {
        let mut numbers: HashMap<u64, Vec<&str>> = HashMap::new();
        let mut first = None;
        for text in &self.seen {
            let number = text.parse::<f64>().ok();
            // −0 and 0 are one number.
            let small = number
                .filter(|number| number.abs() < EXACT)
                .map(|number| (number + 0.0).to_bits());
            let Some(number) = small else { continue };
            let same = numbers.entry(number).or_default();
            same.push(text);
            if same.len() > 1 {
                first.get_or_insert(number);
            }
        }
        first
            .and_then(|number| numbers.remove(&number))
            .unwrap_or_default()
    }

    /// Two texts that look the same, as their letters are composed in two ways, if there are such.
    pub(crate) fn same_letters(&self) -> Option<(&str, &str)> {
        let mut composed: HashMap<String, &str> = HashMap::new();
        self.seen.iter().find_map(|text| {
            let before = composed.insert(text.nfc().collect(), text)?;
            Some((before, &**text))
        })
    }

    /// The texts in order, and the rank in that order of each place: by their numbers where all are finite numbers, by
    /// their letters otherwise.
    pub(crate) fn ranked(self) -> (Vec<String>, Vec<u32>) {
        let numbers: Option<Vec<f64>> = self
            .seen
            .iter()
            .map(|text| text.parse().ok().filter(|number: &f64| number.is_finite()))
            .collect();
        let mut order: Vec<usize> = (0..self.seen.len()).collect();
        order.sort_by(|&a, &b| {
            let by_letters = self.seen[a].cmp(&self.seen[b]);
            match &numbers {
                Some(numbers) => numbers[a].total_cmp(&numbers[b]).then(by_letters),
                None => by_letters,
            }
        });
        let mut ranks = vec![0; order.len()];
        for (rank, &place) in order.iter().enumerate() {
            ranks[place] = rank as u32;
        }
        let texts = order.into_iter().map(|place| self.seen[place].to_string());
        (texts.collect(), ranks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(texts: &[&str]) -> Vec<String> {
        let mut all = Texts::default();
        for text in texts {
            all.place(text);
        }
        all.ranked().0
    }

    #[test]
    fn numbers_are_in_the_order_of_numbers() {
        assert_eq!(ranked(&["10", "9", "-1.5", "9"]), ["-1.5", "9", "10"]);
        assert_eq!(
            ranked(&["9007199254740993", "9007199254740992"]),
            ["9007199254740992", "9007199254740993"]
        );
        assert_eq!(ranked(&["10", "9", "isle"]), ["10", "9", "isle"]);
        assert_eq!(ranked(&["9", "10", "inf"]), ["10", "9", "inf"]);
    }

    #[test]
    fn numbers_that_are_written_in_two_ways_are_seen() {
        let same = |texts: &[&str]| {
            let mut all = Texts::default();
            for text in texts {
                all.place(text);
            }
            !all.same_number().is_empty()
        };
        assert!(same(&["1", "2", "1.0"]) && same(&["0", "-0"]) && same(&["07", "7"]));
        assert!(!same(&["1", "2", "red"]) && !same(&["9007199254740992", "9007199254740993"]));
    }
}
