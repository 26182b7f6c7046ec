//! Lengths of time as people write them: `500ns`, `0.5us`, `2ms`, `1s`.

/// Nanoseconds in each unit, the longest name first: `s` is the end of all.
const UNITS: [(&str, f64); 5] = [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)];
/// No request takes longer: 10 s, in ns.
pub const LONGEST_NS: u64 = 10_000_000_000;

/// Reads a length of time; nanoseconds, at least 1 and at most 10 s.
///
/// # Errors
/// What is wrong with the text.
pub fn nanoseconds(text: &str) -> Result<u64, String> {
    let unit = UNITS.iter().find(|(unit, _)| text.ends_with(unit));
    let (unit, factor) =
        unit.ok_or_else(|| format!("'{text}' has no unit; write for example 500ns, 0.5us, 2ms"))?;
    let number = text.strip_suffix(unit).unwrap_or(text);
    let value: f64 =
        number.parse().map_err(|_| format!("'{text}' is no length of time; write for example 0.5us"))?;
    let nanoseconds = (value * factor).round();
    if (1.0..=LONGEST_NS as f64).contains(&nanoseconds) {
        Ok(nanoseconds as u64)
    } else {
        Err(format!("'{text}' is no time that a request can take: 1ns at least, 10s at most"))
    }
}

/// `500ns`, `1.5us`, `2ms`: so that [`nanoseconds`] reads it as the same.
#[must_use]
pub fn written(nanoseconds: u64) -> String {
    let whole = |unit: f64| nanoseconds as f64 / unit;
    match nanoseconds {
        0..1_000 => format!("{nanoseconds}ns"),
        1_000..1_000_000 => format!("{}us", whole(1e3)),
        1_000_000..1_000_000_000 => format!("{}ms", whole(1e6)),
        _ => format!("{}s", whole(1e9)),
    }
}

/// The same for reading only: three digits. `–` for what is not known.
#[must_use]
pub fn shown(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        value if !value.is_finite() => return "–".to_owned(),
        value if value < 1e3 => (value, "ns"),
        value if value < 1e6 => (value / 1e3, "us"),
        value if value < 1e9 => (value / 1e6, "ms"),
        value => (value / 1e9, "s"),
    };
    let decimals = if value >= 100.0 || unit == "ns" {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_their_units_and_written_so_that_they_are_read_again() {
        for (text, expected) in [
            ("500ns", 500),
            ("0.5us", 500),
            ("1µs", 1_000),
            ("2ms", 2_000_000),
            ("10s", LONGEST_NS),
            ("1.25us", 1_250),
        ] {
            assert_eq!(nanoseconds(text), Ok(expected), "{text}");
            assert_eq!(nanoseconds(&written(expected)), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_of_a_request_is_refused() {
        for text in ["", "5", "us", "-1us", "0ns", "0.1ns", "11s", "nanus", "infs", "1 2us"] {
            assert!(nanoseconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_shown_with_three_digits() {
        for (value, text) in [
            (12.0, "12 ns"),
            (1_234.0, "1.23 us"),
            (45_678.0, "45.7 us"),
            (500_000.0, "500 us"),
            (3e9, "3.00 s"),
        ] {
            assert_eq!(shown(value), text);
        }
    }
}
