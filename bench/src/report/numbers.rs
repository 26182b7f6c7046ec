//! Numbers as people read them.

/// Four significant digits: more would claim an accuracy that no turn repeats.
const DIGITS: i32 = 4;

/// Rounds to four significant digits, and large numbers to whole ones.
pub(crate) fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let decimals = (DIGITS - 1 - value.abs().log10().floor() as i32).clamp(0, 6);
    let factor = 10f64.powi(decimals);
    (value * factor).round() / factor
}

/// `3.69`, `40.1`, `2,640`: three digits or all of the whole ones, with separators.
pub(crate) fn figure(value: f64) -> String {
    match value.abs() {
        magnitude if !magnitude.is_finite() => "–".to_owned(),
        magnitude if magnitude < 10.0 && value.fract() != 0.0 => format!("{value:.2}"),
        magnitude if magnitude < 100.0 && value.fract() != 0.0 => format!("{value:.1}"),
        _ => grouped(value.round() as i64),
    }
}

fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::from(if value < 0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_three_digits_or_all_whole_ones() {
        for (value, text) in [
            (0.0, "0"),
            (3.687, "3.69"),
            (4.0, "4"),
            (40.12, "40.1"),
            (640.4, "640"),
            (2_640.2, "2,640"),
            (12_345_678.0, "12,345,678"),
            (-1_234.0, "-1,234"),
            (f64::INFINITY, "–"),
        ] {
            assert_eq!(figure(value), text);
        }
    }

    #[test]
    fn rounding_keeps_four_digits_and_never_cuts_whole_ones() {
        assert_eq!(rounded(3.687_41), 3.687);
        assert_eq!(rounded(40.123_4), 40.12);
        assert_eq!(rounded(123_456.7), 123_457.0);
        assert_eq!(rounded(0.0), 0.0);
    }
}
