//! Numbers for people.

/// Three significant digits, thousands apart by a thin space: `0.0123`, `4.56`, `12 300`.
pub(crate) fn number(value: f64) -> String {
    decimals(value, digits(value))
}

/// `mean ± deviation`, both with the decimals of the mean.
pub(crate) fn with_deviation(mean: f64, deviation: f64) -> String {
    let digits = digits(mean).min(4);
    format!("{} ±\u{a0}{}", number(mean), decimals(deviation, digits))
}

/// Decimals for three significant digits; `1.00` for what rounds up to it.
fn digits(value: f64) -> usize {
    let size = value.abs();
    let places = |size: f64| (2.0 - size.log10().floor()).clamp(0.0, 12.0);
    if size == 0.0 {
        return 0;
    }
    let scale = 10_f64.powf(places(size));
    let rounded = (size * scale).round() / scale;
    places(if rounded > 0.0 { rounded } else { size }) as usize
}

/// From here on a number has a power of ten.
const HUGE: f64 = 1e15;

fn decimals(value: f64, digits: usize) -> String {
    if value.abs() >= HUGE {
        format!("{value:.1e}")
    } else if value.abs() >= 999.5 {
        grouped(value.round() as i64)
    } else if value != 0.0 && digits > 5 {
        format!("{value:.1e}")
    } else {
        format!("{value:.digits$}")
    }
}

fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = if value < 0 {
        "−".to_owned()
    } else {
        String::new()
    };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A whole number, thousands apart by a thin space.
pub(crate) fn whole(value: usize) -> String {
    grouped(i64::try_from(value).unwrap_or(i64::MAX))
}

/// A step count on an axis: `500`, `2k`, `1.5M`.
pub(crate) fn steps(value: f64) -> String {
    if value.abs() >= HUGE {
        return format!("{value:.1e}");
    }
    for (size, unit) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] {
        if value.abs() >= size {
            return format!("{}{unit}", (value / size * 100.0).round() / 100.0);
        }
    }
    format!("{}", (value * 100.0).round() / 100.0)
}

/// A number on an axis: `0.5`, `2`, `1k`, `1e-4`.
pub(crate) fn tick(value: f64) -> String {
    if value.abs() >= 1.0 || value == 0.0 {
        steps(value)
    } else if value.abs() < 1e-3 {
        format!("{value:.0e}")
    } else {
        format!("{}", (value * 1e5).round() / 1e5)
    }
}

/// A share on an axis: `0.0`, `0.5`, `0.25`.
pub(crate) fn share(value: f64) -> String {
    let text = format!("{value:.2}");
    match text.strip_suffix('0') {
        Some(shorter) => shorter.to_owned(),
        None => text,
    }
}

/// `1 run`, `2 runs`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", whole(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.000_123, "1.2e-4"),
            (0.012_34, "0.0123"),
            (0.999_6, "1.00"),
            (0.998, "0.998"),
            (999.9, "1\u{202f}000"),
            (4.567, "4.57"),
            (123.4, "123"),
            (-12_345.6, "−12\u{202f}346"),
            (1_234_567.0, "1\u{202f}234\u{202f}567"),
            (-1e150, "-1.0e150"),
            (5e-324, "4.9e-324"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn deviations_have_the_decimals_of_the_mean() {
        for (mean, deviation, text) in [
            (0.887, 3.2e-4, "0.887 ±\u{a0}0.000"),
            (2.04, 0.0566, "2.04 ±\u{a0}0.06"),
            (3035.0, 239.4, "3\u{202f}035 ±\u{a0}239"),
            (0.0, 0.0, "0 ±\u{a0}0"),
        ] {
            assert_eq!(with_deviation(mean, deviation), text);
        }
    }

    #[test]
    fn shares_are_what_they_are() {
        for (value, text) in [
            (0.0, "0.0"),
            (0.25, "0.25"),
            (0.5, "0.5"),
            (1.0, "1.0"),
            (-0.2, "-0.2"),
        ] {
            assert_eq!(share(value), text);
        }
    }

    #[test]
    fn steps_are_short() {
        for (value, text) in [(0.0, "0"), (500.0, "500"), (2500.0, "2.5k"), (1e6, "1M")] {
            assert_eq!(steps(value), text);
        }
        for (value, text) in [(0.1 + 0.2, "0.3"), (1e-4, "1e-4"), (5.0, "5"), (2e3, "2k")] {
            assert_eq!(tick(value), text);
        }
    }
}
