//! Numbers beside the reference's.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::numbers::Numbers;
use crate::parts::{PARTS, Results};
use crate::precision::{Precision, REFERENCE};

/// What came of one part.
enum Outcome {
    /// The largest relative difference, and under which name.
    Differs(f64, String),
    Failed(String),
}

/// One backend in one precision.
pub(crate) struct Row {
    name: String,
    precision: Precision,
    /// In the order of [`PARTS`].
    outcomes: Vec<Outcome>,
}

impl Row {
    pub(crate) fn compare(
        name: &str,
        precision: Precision,
        results: anyhow::Result<Results>,
        reference: &Results,
    ) -> Self {
        let results = results.map_err(|error| gradual::runs::message(error.as_ref()));
        let outcomes = PARTS.iter().map(|part| {
            let of = |results: &Results| match results.get(part.name) {
                Some(result) => result.clone(),
                None => Err("was not computed".to_owned()),
            };
            let both = || -> Result<(Numbers, Numbers), String> {
                let expected = of(reference).map_err(|error| format!("the reference: {error}"))?;
                let got = of(results.as_ref().map_err(String::clone)?)?;
                Ok((got, part.expected(&expected)))
            };
            match both() {
                Ok((got, expected)) => difference(&got, &expected),
                Err(problem) => Outcome::Failed(problem),
            }
        });
        Self {
            name: name.to_owned(),
            precision,
            outcomes: outcomes.collect(),
        }
    }

    /// The reference itself, which its own numbers can't judge, beside those that are stated.
    pub(crate) fn of_reference(reference: &Results) -> Self {
        let (name, precision) = REFERENCE;
        Self::compare(name, precision, Ok(reference.clone()), reference)
    }

    /// What did not agree, in words.
    pub(crate) fn failures(&self) -> Vec<String> {
        let parts = PARTS.iter().zip(&self.outcomes);
        let failures = parts.filter_map(|(part, outcome)| {
            let tolerance = part.tolerance(self.precision);
            let problem = match outcome {
                Outcome::Differs(size, _) if *size <= tolerance => return None,
                Outcome::Differs(size, under) => format!(
                    "{under} differs from what is expected by {size:.1e}; {tolerance:.0e} is allowed"
                ),
                Outcome::Failed(problem) => problem.clone(),
            };
            let (name, precision) = (&self.name, self.precision.name());
            Some(format!("{name}, {precision}, {}: {problem}", part.name))
        });
        failures.collect()
    }

    fn cells(&self) -> Vec<String> {
        let parts = PARTS.iter().zip(&self.outcomes);
        let cells = parts.map(|(part, outcome)| match outcome {
            Outcome::Differs(size, _) if *size <= part.tolerance(self.precision) => {
                format!("{size:.0e}")
            }
            Outcome::Differs(size, _) => format!("**{size:.0e}**"),
            Outcome::Failed(_) => "**failed**".to_owned(),
        });
        let head = [self.name.clone(), self.precision.name().to_owned()];
        head.into_iter().chain(cells).collect()
    }
}

/// The least scale of a difference, as a share of the largest number of the part: what is zero but for rounding can't
/// agree in its own scale.
const LEAST_SCALE: f64 = 1e-2;

/// The largest difference under any name, relative to the largest number there.
fn difference(got: &Numbers, expected: &Numbers) -> Outcome {
    if let Some(name) = got.keys().find(|name| !expected.contains_key(*name)) {
        return Outcome::Failed(format!("{name} is not expected"));
    }
    let most = expected.values().map(|values| largest(values));
    let most = most.fold(0.0, f64::max);
    let mut worst = (0.0, String::new());
    for (name, expected) in expected {
        let Some(got) = got.get(name) else {
            return Outcome::Failed(format!("{name} was not computed"));
        };
        if got.len() != expected.len() {
            let (got, expected) = (got.len(), expected.len());
            return Outcome::Failed(format!("{name} has {got} numbers in place of {expected}"));
        }
        let scale = largest(expected)
            .max(LEAST_SCALE * most)
            .max(f64::MIN_POSITIVE);
        for (got, expected) in got.iter().zip(expected) {
            // Written so that what is no number is a difference without bounds.
            let size = match (got - expected).abs() / scale {
                size if size.is_finite() => size,
                _ => f64::INFINITY,
            };
            if size > worst.0 {
                worst = (size, name.clone());
            }
        }
    }
    Outcome::Differs(worst.0, worst.1)
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, x| most.max(x.abs()))
}

/// All rows and, last, the tolerances, as a Markdown table.
pub(crate) fn table(rows: &[Row]) -> String {
    table_with(Vec::new(), rows)
}

/// The same with lines of an older table before the rows.
fn table_with(kept: Vec<String>, rows: &[Row]) -> String {
    let rule = ["---"; 2].into_iter().chain(PARTS.iter().map(|_| "---:"));
    let mut lines = vec![head(), line(rule)];
    lines.extend(kept);
    lines.extend(rows.iter().map(|row| line(row.cells())));
    for precision in [Precision::F32, Precision::F64] {
        let allowed = PARTS.iter().map(|part| part.tolerance(precision));
        let allowed = allowed.map(|allowed| format!("{allowed:.0e}"));
        let head = [ALLOWED, precision.name()].map(str::to_owned);
        lines.push(line(head.into_iter().chain(allowed)));
    }
    lines.concat()
}

/// What the rows of the tolerances are called.
const ALLOWED: &str = "*allowed*";

fn head() -> String {
    let parts = PARTS.iter().map(|part| part.name);
    line(["backend", "precision"].into_iter().chain(parts))
}

fn line(cells: impl IntoIterator<Item: AsRef<str>>) -> String {
    let cells: String = cells
        .into_iter()
        .map(|cell| format!(" {} |", cell.as_ref()))
        .collect();
    format!("|{cells}\n")
}

/// What the page begins with.
const HEAD: &str = "# Conformance\n\n";

/// The page in this file, to keep rows of; empty where there is none.
///
/// # Errors
///
/// Where the file holds anything else, or can't be read.
pub(crate) fn former(file: &Path) -> anyhow::Result<String> {
    let text = match fs::read(file) {
        Ok(bytes) => String::from_utf8(bytes).unwrap_or_else(|_| String::from("?")),
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| file.display().to_string()),
    };
    match text.is_empty() || (text.starts_with(HEAD) && text.contains(&head())) {
        true => Ok(text),
        false => bail!(
            "{} is no page that this command wrote, and stays as it is: name another file, or remove it first",
            file.display()
        ),
    }
}

/// The page that holds the table. Rows of other backends stay as they are in the page `before`, if that is of the same
/// parts: no machine has them all.
pub(crate) fn page(before: &str, rows: &[Row]) -> String {
    let table = table_with(kept(before, rows), rows);
    let parts = PARTS.iter();
    let parts: String = parts
        .map(|part| format!("- **{}**: {}\n", part.name, part.about))
        .collect();
    format!(
        "{HEAD}\
         The largest difference from `flex` in double precision, relative to the largest number of each tensor or to a\n\
         hundredth of the largest of the part; what is beyond the tolerance is **bold**. Written by\n\
         `cargo xtask test --backend A,B --page docs/conformance.md`, which leaves the rows of other backends alone.\n\n\
         {table}\n\
         What each part computes:\n\n{parts}"
    )
}

/// The lines of an older page that are of none of these backends.
fn kept(before: &str, rows: &[Row]) -> Vec<String> {
    let head = head();
    let table = before.lines().skip_while(|line| *line != head.trim_end());
    let lines = table.skip(2).take_while(|line| line.starts_with('|'));
    let others = lines.filter(|line| {
        let name = line
            .trim_start_matches('|')
            .split('|')
            .next()
            .unwrap_or_default();
        let name = name.trim();
        name != ALLOWED && rows.iter().all(|row| row.name != name)
    });
    others.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::Part;

    fn numbers(values: &[f64]) -> Numbers {
        [("x".to_owned(), values.to_vec())].into()
    }

    /// Results of all parts, off by a factor from what is stated and from a reference of `x = 1`.
    fn all(factor: f64) -> Results {
        let expected = |part: &Part| part.expected(&numbers(&[1.0]));
        let off = |part: &Part| {
            let scaled = expected(part).into_iter();
            scaled
                .map(|(name, values)| (name, values.iter().map(|x| x * factor).collect()))
                .collect()
        };
        PARTS
            .iter()
            .map(|part| (part.name.to_owned(), Ok(off(part))))
            .collect()
    }

    #[test]
    fn what_is_stated_holds_for_the_reference_too() {
        assert!(Row::of_reference(&all(1.0)).failures().is_empty());
        // A reference that waits twice as often as it should, as all others then do.
        for (name, under) in [
            ("waits", "x"),
            ("repeats", "x"),
            ("compositions", "hard: group losses"),
        ] {
            let mut wrong = all(1.0);
            for value in wrong
                .get_mut(name)
                .unwrap()
                .as_mut()
                .unwrap()
                .get_mut(under)
                .unwrap()
            {
                *value *= 1.5;
            }
            let failures = Row::of_reference(&wrong).failures();
            assert_eq!(failures.len(), 1, "{failures:?}");
            assert!(
                failures[0].starts_with(&format!("flex, f64, {name}: {under} differs")),
                "{failures:?}"
            );
        }
        // A number that is stated and that nobody computed.
        let mut fewer = all(1.0);
        let waits = fewer.get_mut("waits").unwrap().as_mut().unwrap();
        waits.remove("kmeans").unwrap();
        assert!(Row::of_reference(&fewer).failures()[0].ends_with("kmeans was not computed"));
    }

    fn size(got: &[f64], expected: &[f64]) -> f64 {
        match difference(&numbers(got), &numbers(expected)) {
            Outcome::Differs(size, _) => size,
            Outcome::Failed(problem) => panic!("{problem}"),
        }
    }

    #[test]
    fn differences_are_relative_to_the_largest_number() {
        assert_eq!(size(&[1.0, -4.0], &[1.0, -4.0]), 0.0);
        assert_eq!(size(&[1.0, -4.0], &[2.0, -4.0]), 0.25);
        assert_eq!(size(&[0.0], &[0.0]), 0.0);
        assert_eq!(size(&[f64::NAN], &[1.0]), f64::INFINITY);
        assert!(size(&[1e-9], &[0.0]) > 1e100);
    }

    #[test]
    fn what_is_missing_is_named() {
        let failed = |got: &Numbers, expected: &Numbers| match difference(got, expected) {
            Outcome::Failed(problem) => problem,
            Outcome::Differs(..) => panic!("not compared"),
        };
        let (one, none) = (numbers(&[1.0]), Numbers::new());
        assert_eq!(failed(&none, &one), "x was not computed");
        assert_eq!(failed(&one, &none), "x is not expected");
        let two = numbers(&[1.0, 2.0]);
        assert_eq!(failed(&one, &two), "x has 1 numbers in place of 2");
    }

    #[test]
    fn a_page_keeps_the_rows_of_other_backends() {
        let results = || all(1.0);
        let rows = |name: &str| {
            vec![Row::compare(
                name,
                Precision::F32,
                Ok(results()),
                &results(),
            )]
        };
        let first = page("", &rows("gpu"));
        let second = page(&first, &rows("flex"));
        assert_eq!(second.matches("| gpu | f32 |").count(), 1);
        assert_eq!(second.matches("| flex | f32 |").count(), 1);
        assert_eq!(second.matches(ALLOWED).count(), 2);
        assert_eq!(page(&second, &rows("flex")), second, "a row is replaced");
        let other = first.replace("gradients | gram", "gradients");
        assert!(!page(&other, &rows("flex")).contains("gpu"), "other parts");
    }

    #[test]
    fn a_row_that_is_off_is_bold_and_a_failure() {
        let row = |got| Row::compare("a", Precision::F32, got, &all(1.0));
        let good = row(Ok(all(1.0)));
        assert!(good.failures().is_empty(), "{:?}", good.failures());
        assert!(!table(&[good]).contains("**"));
        let off = row(Ok(all(1.1)));
        assert_eq!(off.failures().len(), PARTS.len());
        assert!(
            off.failures()[0]
                .starts_with("a, f32, gradients: x differs from what is expected by 1.0e-1")
        );
        assert!(table(&[off]).contains("| **1e-1** |"));
        let crashed = row(Err(anyhow::anyhow!("gone")));
        assert_eq!(crashed.failures()[0], "a, f32, gradients: gone");
    }
}
