//! Amounts of memory as people write them: `2G`, `512M`, `1.5GiB`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An amount of memory in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ByteSize(pub u64);

/// Units by their first letter. All are powers of 1024, as everywhere where memory is meant.
const UNITS: [(char, u64); 4] = [('K', 1 << 10), ('M', 1 << 20), ('G', 1 << 30), ('T', 1 << 40)];

/// Why a text is not an amount of memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ByteSizeError {
    /// A number without a unit; bytes are hardly ever meant.
    #[error("`{0}` has no unit; write for example `{0}M` or `{0}G` (or `{0}B` if you mean bytes)")]
    NoUnit(String),
    /// Neither number nor unit.
    #[error("`{0}` is not an amount of memory; write a number and B, K, M, G or T, for example `2G`")]
    Malformed(String),
    /// Zero, or more than 64 bits can count.
    #[error("`{0}` is out of range; memory is between 1 byte and 16 million TiB")]
    OutOfRange(String),
}

impl FromStr for ByteSize {
    type Err = ByteSizeError;

    fn from_str(text: &str) -> Result<Self, ByteSizeError> {
        let text = text.trim();
        let malformed = || ByteSizeError::Malformed(text.to_owned());
        let digits_end =
            text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(digits_end);
        let factor = unit_factor(unit.trim()).ok_or_else(malformed)?;
        let Some(factor) = factor else {
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            return Err(if is_number { ByteSizeError::NoUnit(text.to_owned()) } else { malformed() });
        };
        let bytes = scale(number, factor).ok_or_else(malformed)?;
        match u64::try_from(bytes) {
            Ok(0) | Err(_) => Err(ByteSizeError::OutOfRange(text.to_owned())),
            Ok(bytes) => Ok(Self(bytes)),
        }
    }
}

/// `None`: not a unit. `Some(None)`: no unit given.
fn unit_factor(unit: &str) -> Option<Option<u64>> {
    let upper = unit.to_ascii_uppercase();
    if upper.is_empty() {
        return Some(None);
    }
    if upper == "B" {
        return Some(Some(1));
    }
    let letter = upper.chars().next()?;
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == letter)?;
    matches!(&upper[1..], "" | "B" | "IB").then_some(Some(*factor))
}

/// A decimal number times `factor`, in whole bytes (rounded down); `None` when it is no number.
fn scale(number: &str, factor: u64) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    // 18 digits of fraction are more than any unit can use, and keep the product inside 128 bits.
    if whole.is_empty() || whole.len() > 20 || fraction.is_empty() || fraction.len() > 18 {
        return None;
    }
    let divisor = 10u128.pow(fraction.len() as u32);
    let (whole, fraction) = (whole.parse::<u128>().ok()?, fraction.parse::<u128>().ok()?);
    Some(whole * u128::from(factor) + fraction * u128::from(factor) / divisor)
}

impl fmt::Display for ByteSize {
    /// The largest unit that leaves at least one whole, with one decimal when it is not even.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((unit, factor)) = UNITS.iter().rev().find(|(_, factor)| self.0 >= *factor) else {
            return write!(formatter, "{} B", self.0);
        };
        let tenths = u128::from(self.0) * 10 / u128::from(*factor);
        match tenths % 10 {
            0 => write!(formatter, "{} {unit}iB", tenths / 10),
            tenth => write!(formatter, "{}.{tenth} {unit}iB", tenths / 10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_in_powers_of_1024() {
        for (text, bytes) in [
            ("2G", 2 << 30),
            ("512M", 512 << 20),
            ("1.5GiB", 3 << 29),
            ("4k", 4096),
            ("7 MB", 7 << 20),
            ("100B", 100),
            ("0.5K", 512),
            ("16777215T", 16_777_215 << 40),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
    }

    #[test]
    fn bad_amounts_are_refused_with_the_reason() {
        use ByteSizeError::*;
        for text in ["", "G", "x2G", "2X", "1..5G", "1.G", ".5G", "-1G", "2Gi5"] {
            assert_eq!(text.parse::<ByteSize>(), Err(Malformed(text.into())), "{text:?}");
        }
        assert_eq!("2048".parse::<ByteSize>(), Err(NoUnit("2048".into())));
        for text in ["0G", "16777216T", "99999999999999999999T"] {
            assert_eq!(text.parse::<ByteSize>(), Err(OutOfRange(text.into())), "{text:?}");
        }
    }

    #[test]
    fn amounts_are_written_with_a_fitting_unit() {
        for (bytes, text) in [(100, "100 B"), (4096, "4 KiB"), (3 << 29, "1.5 GiB"), (2 << 40, "2 TiB")] {
            assert_eq!(ByteSize(bytes).to_string(), text);
        }
    }
}
