//! What a machine is tuned for.

use core::fmt;
use core::str::FromStr;

/// Parts of all calls.
pub const ALL: u64 = 1_000_000;

/// What a machine is tuned for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objective {
    /// All but a few calls take no longer than a bound: `p99.9 < 50us`. As long as that holds, times that cost less are better.
    Tail {
        /// How many of a million calls may take longer.
        beyond: u64,
        /// The bound, in ns.
        bound_ns: u64,
    },
    /// As many calls as can be: `throughput`.
    Throughput,
}

/// A text is no objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoObjective;

impl fmt::Display for NoObjective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an objective is 'throughput', or a percentile and a bound such as 'p99.9 < 50us' (ns, us, ms, s)")
    }
}

impl core::error::Error for NoObjective {}

impl FromStr for Objective {
    type Err = NoObjective;

    fn from_str(text: &str) -> Result<Self, NoObjective> {
        if text.trim() == "throughput" {
            return Ok(Self::Throughput);
        }
        let (percentile, bound) = text.split_once('<').ok_or(NoObjective)?;
        let percentile = percentile.trim().strip_prefix('p').and_then(percent).ok_or(NoObjective)?;
        let bound_ns = duration_ns(bound.trim()).filter(|bound| *bound > 0).ok_or(NoObjective)?;
        let beyond = ALL.checked_sub(percentile).filter(|beyond| (1..ALL).contains(beyond));
        Ok(Self::Tail { beyond: beyond.ok_or(NoObjective)?, bound_ns })
    }
}

/// Percent with up to four decimals, in parts of a million.
fn percent(text: &str) -> Option<u64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if decimals.len() > 4 || whole.is_empty() || !are_digits(whole) || !are_digits(decimals) {
        return None;
    }
    let scale = 10_u64.pow(4 - decimals.len() as u32);
    let decimals: u64 = if decimals.is_empty() { 0 } else { decimals.parse().ok()? };
    whole.parse::<u64>().ok()?.checked_mul(10_000)?.checked_add(decimals * scale)
}

fn duration_ns(text: &str) -> Option<u64> {
    let unit = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(unit)?;
    let scale = match unit.trim() {
        "ns" => 1,
        "us" | "µs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(scale)
}

/// A duration as people write it.
#[derive(Clone, Copy, Debug)]
pub struct Ns(pub u64);

impl fmt::Display for Ns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            u64::MAX => f.write_str("until it waits"),
            ns if ns < 1_000 => write!(f, "{ns} ns"),
            ns if ns < 10_000_000 && ns % 1_000 == 0 => write!(f, "{} µs", ns / 1_000),
            ns if ns < 10_000_000 => write!(f, "{}.{:03} µs", ns / 1_000, ns % 1_000),
            ns => write!(f, "{} ms", ns / 1_000_000),
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Throughput => f.write_str("throughput"),
            Self::Tail { beyond, bound_ns } => {
                let within = ALL - beyond;
                let (whole, decimals) = (within / 10_000, within % 10_000);
                write!(f, "p{whole}")?;
                if decimals > 0 {
                    let text = alloc::format!("{decimals:04}");
                    write!(f, ".{}", text.trim_end_matches('0'))?;
                }
                write!(f, " < {}", Ns(*bound_ns))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn objectives_are_read_and_said() {
        let tail = |beyond, bound_ns| Ok(Objective::Tail { beyond, bound_ns });
        for (text, objective) in [
            ("throughput", Ok(Objective::Throughput)),
            ("p99.9 < 50us", tail(1_000, 50_000)),
            ("p99<1ms", tail(10_000, 1_000_000)),
            (" p99.99 < 7 s ", tail(100, 7_000_000_000)),
            ("p50 < 800ns", tail(500_000, 800)),
            ("p99.9999<2µs", tail(1, 2_000)),
        ] {
            assert_eq!(text.parse(), objective, "{text}");
            let objective: Objective = objective.unwrap();
            assert_eq!(objective.to_string().parse(), Ok(objective), "{objective}");
        }
        assert_eq!("p99.9<50us".parse::<Objective>().unwrap().to_string(), "p99.9 < 50 µs");
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            "fast",
            "p99.9",
            "p99.9 <",
            "p < 5us",
            "p99.9 < 5",
            "p99.9 < us",
            "p100 < 5us",
            "p0 < 5us",
            "p99.99999 < 5us",
            "p-1 < 5us",
            "p99.9 < 0us",
            "99.9 < 5us",
            "p99.9 < 99999999999999999999s",
            "p99.+9 < 5us",
            "p101<1us",
        ] {
            assert_eq!(text.parse::<Objective>(), Err(NoObjective), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*", percentile in "p?[0-9.]{0,12}", bound in "[0-9]{0,25}[a-zµ]{0,3}") {
            let _ = text.parse::<Objective>();
            let _ = alloc::format!("{percentile}<{bound}").parse::<Objective>();
        }
    }
}
