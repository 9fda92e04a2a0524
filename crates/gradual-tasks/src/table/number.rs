//! Numbers as cells hold them.

/// A finite number, or what is wrong with the cell.
pub(super) fn number(cell: &str) -> Result<f64, &'static str> {
    if cell.is_empty() {
        return Err(
            "is empty, but a number is needed; fill in missing values or leave out the row",
        );
    }
    let value: f64 = cell.parse().map_err(|_| match cell {
        _ if cell.contains(['\n', '\r']) => {
            "is not a finite number; it spans several lines, so a quote may not be closed"
        }
        _ => "is not a finite number",
    })?;
    match value.is_finite() {
        // −0 and 0 are one value.
        true => Ok(value + 0.0),
        false => Err("is not a finite number"),
    }
}

/// A finite number in single precision, or what is wrong with the cell.
pub(super) fn single(cell: &str) -> Result<f32, &'static str> {
    let value = number(cell)? as f32;
    match value.is_finite() {
        true => Ok(value),
        false => Err("is not a finite number in single precision, whose largest is 3.4e38"),
    }
}

/// A decimal number whatever way it is written: 1, 1.0, 10e-1 and +01 are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    /// Without zeros at either end.
    digits: Box<str>,
    /// Power of ten of the last digit.
    exponent: i64,
}

impl Decimal {
    /// Of a text that is a [`number`].
    pub(super) fn new(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: String = [whole, fraction].concat();
        let digits = digits.trim_start_matches(['+', '-']);
        let last = digits.trim_end_matches('0');
        let exponent: i64 = exponent.parse().unwrap_or(match exponent.starts_with('-') {
            true => i64::MIN / 2,
            false => i64::MAX / 2,
        });
        let (zeros, places) = (digits.len() - last.len(), fraction.len());
        let last = last.trim_start_matches('0');
        if last.is_empty() {
            return Self {
                negative: false,
                digits: Box::default(),
                exponent: 0,
            };
        }
        Self {
            negative: whole.starts_with('-'),
            digits: last.into(),
            exponent: exponent.saturating_add(zeros as i64 - places as i64),
        }
    }
}
