//! Cells of a table.

/// Largest size of a number of a feature or a target: its square, and the sum of the squares of all rows, are finite.
const LARGEST: f64 = 1e100;
/// What stands for a missing cell, as spreadsheets, R, pandas, SQL and the UCI repository write it.
const MISSING: [&str; 11] = [
    "", "?", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null",
];
/// What is wrong with a cell of several lines where a word or a number is expected.
pub(super) const SEVERAL_LINES: &str = "spans several lines, so a quote may not be closed";

/// What a cell of a feature holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Missing,
    Number(f64),
    Text(&'a str),
}

/// Whether nothing is known of a cell.
pub(super) fn is_missing(text: &str) -> bool {
    MISSING.contains(&text)
}

impl<'a> Cell<'a> {
    /// What stands in the cell, or what is wrong with it.
    pub(super) fn new(text: &'a str) -> Result<Self, &'static str> {
        if is_missing(text) {
            return Ok(Self::Missing);
        }
        match text.parse::<f64>() {
            Ok(value) if !value.is_finite() => Err("is not a finite number"),
            Ok(value) if value.abs() > LARGEST => {
                Err("is larger than 1e100, the largest number that can be standardised")
            }
            // −0 and 0 are one number.
            Ok(value) => Ok(Self::Number(value + 0.0)),
            Err(_) if text.contains(['\n', '\r']) => Err(SEVERAL_LINES),
            Err(_) if has_thousands(text) => Err(
                "is a number with commas, for thousands or for decimals; write numbers with a decimal point and no commas",
            ),
            Err(_) if has_decimal_comma(text) => {
                Err("is a number with a decimal comma; write numbers with a decimal point")
            }
            Err(_) => Ok(Self::Text(text)),
        }
    }
}

/// Whether a text is a number as half of the world writes it: 1,5.
fn has_decimal_comma(text: &str) -> bool {
    let parts = text.split_once(',');
    parts.is_some_and(|(whole, fraction)| {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let whole = whole.strip_prefix(['-', '+']).unwrap_or(whole);
        !(whole.is_empty() && fraction.is_empty()) && digits(whole) && digits(fraction)
    })
}

/// Whether a text may be a number whose digits are in threes: 1,000 or 1,234,567.8.
fn has_thousands(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = whole.split(',');
    let first = parts.next().unwrap_or_default();
    let mut rest = parts.peekable();
    let begins = (1..=3).contains(&first.len()) && digits(first) && rest.peek().is_some();
    begins && rest.all(|part| part.len() == 3 && digits(part)) && digits(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_numbers_texts_or_missing() {
        assert_eq!(Cell::new("-0"), Ok(Cell::Number(0.0)));
        assert_eq!(Cell::new("1.7e9"), Ok(Cell::Number(1.7e9)));
        assert_eq!(Cell::new("None"), Ok(Cell::Text("None")));
        for text in ["a,b", "1,23,4", "1,2345,678", "1,,000"] {
            assert_eq!(Cell::new(text), Ok(Cell::Text(text)));
        }
        let said = |text| Cell::new(text).unwrap_err();
        assert!(said("1,000").contains("for thousands or for decimals"));
        assert!(said("1,50").contains("decimal comma"));
        for text in MISSING {
            assert_eq!(Cell::new(text), Ok(Cell::Missing));
        }
        for text in [
            "inf",
            "1e400",
            "1e101",
            "1,5",
            "-12,",
            ",5",
            "a\nb",
            "1,000",
            "1,234,567",
            "-12,345.6",
        ] {
            assert!(Cell::new(text).is_err(), "{text}");
        }
    }
}
