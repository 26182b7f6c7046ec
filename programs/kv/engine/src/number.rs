//! Numbers as text: read as strictly as redis reads them, written as it writes them.

use alloc::format;
use alloc::string::String;

/// A whole number in its shortest form: no sign `+`, no zeros or spaces in front.
pub fn integer(text: &[u8]) -> Option<i64> {
    let (digits, is_negative) = match text {
        [b'0'] => return Some(0),
        [b'-', digits @ ..] => (digits, true),
        digits => (digits, false),
    };
    if !matches!(digits, [b'1'..=b'9', ..]) || digits.len() > 19 {
        return None;
    }
    let mut value: u64 = 0;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(digit.into())?;
    }
    if is_negative { 0_i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

/// A number, `inf` and `-inf` among them.
pub fn double(text: &[u8]) -> Option<f64> {
    let value: f64 = core::str::from_utf8(text).ok()?.parse().ok()?;
    (!value.is_nan()).then_some(value)
}

/// Room for any whole number.
pub struct Digits([u8; 20], usize);

impl Digits {
    /// The digits of a number.
    pub fn of(value: i64) -> Self {
        let mut digits = Self([0; 20], 20);
        let mut rest = value.unsigned_abs();
        loop {
            digits.put(b'0' + u8::try_from(rest % 10).unwrap_or_default());
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            digits.put(b'-');
        }
        digits
    }

    fn put(&mut self, byte: u8) {
        self.1 = self.1.saturating_sub(1);
        if let Some(place) = self.0.get_mut(self.1) {
            *place = byte;
        }
    }

    /// As text.
    pub fn text(&self) -> &[u8] {
        self.0.get(self.1..).unwrap_or_default()
    }
}

/// A score as text: the shortest one that is the same number, in redis' layout (that of the library fpconv).
pub fn score(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.into();
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0" } else { "0" }.into();
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "whole numbers below 2⁵² are exact"
    )]
    if value.abs() < (1_u64 << 52) as f64 && value as i64 as f64 == value {
        return String::from_utf8_lossy(Digits::of(value as i64).text()).into_owned();
    }
    let text = format!("{:e}", value.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let digits: String = mantissa.chars().filter(|character| *character != '.').collect();
    let count = i32::try_from(digits.len()).unwrap_or_default();
    // The value is digits × 10^shift.
    let shift = exponent - count + 1;
    let sign = if value < 0.0 { "-" } else { "" };
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
    if shift >= 0 && exponent < count + 7 {
        return format!("{sign}{digits}{}", zeros(shift));
    }
    if shift < 0 && (shift > -7 || exponent.abs() < 4) {
        let point = count + shift;
        return match usize::try_from(point) {
            Ok(point @ 1..) => format!("{sign}{}.{}", &digits[..point], &digits[point..]),
            _ => format!("{sign}0.{}{digits}", zeros(-point)),
        };
    }
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{first}{point}{rest}e{}{}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_strictly_and_written_back() {
        for value in [0, 1, -1, 10, -99, i64::MAX, i64::MIN] {
            let digits = Digits::of(value);
            assert_eq!(integer(digits.text()), Some(value));
            assert_eq!(digits.text(), format!("{value}").as_bytes());
        }
        for text in [
            "",
            "-",
            "-0",
            "+1",
            "01",
            " 1",
            "1 ",
            "1.0",
            "9223372036854775808",
            "-9223372036854775809",
            "99999999999999999999",
        ] {
            assert_eq!(integer(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn scores_are_the_shortest_text_of_the_same_number() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (3.0e10, "30000000000"),
            (1e21, "1e+21"),
            (1e-9, "1e-9"),
            (0.000_123, "0.000123"),
            (123_456_789.125, "123456789.125"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(score(value), text);
            assert_eq!(double(text.as_bytes()), Some(value));
        }
        assert_eq!(double(b"nan"), None);
        assert_eq!(double(b""), None);
        assert_eq!(double(b" 1"), None);
    }
}
