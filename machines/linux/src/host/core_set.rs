//! Sets of CPU cores, in the notations that people and the Linux kernel use for them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use rustix::thread::CpuSet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One core, numbered as Linux numbers its CPUs (a hardware thread, in Linux's terms a "cpu").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CoreId(pub u16);

impl fmt::Display for CoreId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The greatest number of cores that a set can hold: the size of the C library's `cpu_set_t`, which the affinity
/// calls take.
pub const MAX_CORES: u16 = CpuSet::MAX_CPU as u16;

/// A set of cores. Its text form is the kernel's list format: `1-3,5`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CoreSet(BTreeSet<CoreId>);

/// Why a text is not a set of cores.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoreSetError {
    /// No core at all.
    #[error("no core is named; write for example `1-3,5`")]
    Empty,
    /// A part that is neither a number nor a range.
    #[error("`{0}` is neither a core number nor a range; write for example `1-3,5`")]
    Malformed(String),
    /// A range from a higher to a lower number.
    #[error("the range `{0}` runs backwards; write the lower core first")]
    Backwards(String),
    /// A core number beyond [`MAX_CORES`].
    #[error("core {0} is beyond the highest number that Linux's affinity calls take ({last})", last = MAX_CORES - 1)]
    TooHigh(u64),
}

impl CoreSet {
    /// The set without cores.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether `core` is a member.
    pub fn contains(&self, core: CoreId) -> bool {
        self.0.contains(&core)
    }

    /// Adds a core.
    pub fn insert(&mut self, core: CoreId) {
        self.0.insert(core);
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Members, lowest number first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = CoreId> + '_ {
        self.0.iter().copied()
    }

    /// The member with the lowest number.
    pub fn first(&self) -> Option<CoreId> {
        self.0.first().copied()
    }

    /// The member with the highest number.
    pub fn last(&self) -> Option<CoreId> {
        self.0.last().copied()
    }

    /// Members of either set.
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).copied().collect())
    }

    /// Members of both sets.
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).copied().collect())
    }

    /// Members of this set that are not in `other`.
    pub fn without(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).copied().collect())
    }

    /// Whether every member is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Reads the kernel's list format, in which an empty line is the empty set.
    ///
    /// # Errors
    /// As [`FromStr`], except for [`CoreSetError::Empty`].
    pub fn parse_list(text: &str) -> Result<Self, CoreSetError> {
        let text = text.trim();
        let mut cores = BTreeSet::new();
        for part in text.split(',').map(str::trim).filter(|_| !text.is_empty()) {
            let (first, last) = parse_range(part)?;
            cores.extend((first..=last).map(CoreId));
        }
        Ok(Self(cores))
    }

    /// Reads the kernel's mask format: groups of 32 bits in hexadecimal, the highest first (`00000000,00000003`).
    ///
    /// # Errors
    /// A part that is not hexadecimal, or a core beyond [`MAX_CORES`].
    pub fn parse_mask(text: &str) -> Result<Self, CoreSetError> {
        let mut cores = BTreeSet::new();
        for (group, digits) in text.trim().rsplit(',').enumerate() {
            let bits =
                u32::from_str_radix(digits, 16).map_err(|_| CoreSetError::Malformed(digits.to_owned()))?;
            for bit in (0..32).filter(|bit| bits & (1 << bit) != 0) {
                cores.insert(core_number(group as u64 * 32 + bit)?);
            }
        }
        Ok(Self(cores))
    }

    /// Writes the kernel's mask format.
    pub fn to_mask(&self) -> String {
        let groups = self.last().map_or(1, |core| usize::from(core.0) / 32 + 1);
        let mut words = vec![0u32; groups];
        for core in self.iter() {
            words[usize::from(core.0) / 32] |= 1 << (core.0 % 32);
        }
        words.iter().rev().map(|word| format!("{word:08x}")).collect::<Vec<_>>().join(",")
    }

    /// The form that the affinity calls take.
    pub fn to_cpu_set(&self) -> CpuSet {
        let mut cpu_set = CpuSet::new();
        for core in self.iter() {
            cpu_set.set(usize::from(core.0));
        }
        cpu_set
    }

    /// From the form that the affinity calls give.
    pub fn from_cpu_set(cpu_set: &CpuSet) -> Self {
        Self((0..MAX_CORES).filter(|core| cpu_set.is_set(usize::from(*core))).map(CoreId).collect())
    }
}

fn parse_range(part: &str) -> Result<(u16, u16), CoreSetError> {
    let malformed = || CoreSetError::Malformed(part.to_owned());
    let number = |digits: &str| -> Result<u16, CoreSetError> {
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed());
        }
        Ok(core_number(digits.parse().map_err(|_| malformed())?)?.0)
    };
    let Some((first, last)) = part.split_once('-') else {
        let core = number(part)?;
        return Ok((core, core));
    };
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        return Err(CoreSetError::Backwards(part.to_owned()));
    }
    Ok((first, last))
}

fn core_number(number: u64) -> Result<CoreId, CoreSetError> {
    u16::try_from(number)
        .ok()
        .filter(|core| *core < MAX_CORES)
        .map(CoreId)
        .ok_or(CoreSetError::TooHigh(number))
}

impl FromStr for CoreSet {
    type Err = CoreSetError;

    fn from_str(text: &str) -> Result<Self, CoreSetError> {
        let cores = Self::parse_list(text)?;
        if cores.is_empty() { Err(CoreSetError::Empty) } else { Ok(cores) }
    }
}

impl From<CoreId> for CoreSet {
    fn from(core: CoreId) -> Self {
        Self(BTreeSet::from([core]))
    }
}

impl FromIterator<CoreId> for CoreSet {
    fn from_iter<Cores: IntoIterator<Item = CoreId>>(cores: Cores) -> Self {
        Self(cores.into_iter().collect())
    }
}

impl fmt::Display for CoreSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut cores = self.iter().peekable();
        let mut separator = "";
        while let Some(first) = cores.next() {
            let mut last = first;
            while let Some(next) = cores.next_if(|next| next.0 == last.0 + 1) {
                last = next;
            }
            match last == first {
                true => write!(formatter, "{separator}{first}")?,
                false => write!(formatter, "{separator}{first}-{last}")?,
            }
            separator = ",";
        }
        Ok(())
    }
}

impl Serialize for CoreSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CoreSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse_list(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> CoreSet {
        CoreSet::parse_list(text).unwrap()
    }

    #[test]
    fn lists_are_read_and_written_back() {
        for (text, written) in
            [("1-3,5", "1-3,5"), ("5, 1-3", "1-3,5"), ("0", "0"), ("0,1", "0-1"), ("2,3,4", "2-4")]
        {
            assert_eq!(text.parse::<CoreSet>().unwrap().to_string(), written);
        }
        assert_eq!(set("").to_string(), "");
    }

    #[test]
    fn bad_lists_are_refused_with_the_reason() {
        use CoreSetError::*;
        for (text, error) in [
            ("", Empty),
            ("  ", Empty),
            ("1,,2", Malformed(String::new())),
            ("a", Malformed("a".into())),
            ("-1", Malformed("-1".into())),
            ("1-", Malformed("1-".into())),
            ("+1", Malformed("+1".into())),
            ("1-2-3", Malformed("1-2-3".into())),
            ("3-1", Backwards("3-1".into())),
            ("1024", TooHigh(1024)),
            ("0-99999", TooHigh(99999)),
            ("99999999999999999999999", Malformed("99999999999999999999999".into())),
        ] {
            assert_eq!(text.parse::<CoreSet>(), Err(error), "{text:?}");
        }
    }

    #[test]
    fn masks_are_read_and_written_back() {
        assert_eq!(CoreSet::parse_mask("3").unwrap(), set("0-1"));
        assert_eq!(CoreSet::parse_mask("00000001,80000000\n").unwrap(), set("31-32"));
        assert_eq!(set("31-32").to_mask(), "00000001,80000000");
        assert_eq!(CoreSet::new().to_mask(), "00000000");
        assert!(CoreSet::parse_mask("xyz").is_err());
    }

    #[test]
    fn the_affinity_form_holds_the_same_cores() {
        let cores = set("0,5,1023");
        assert_eq!(CoreSet::from_cpu_set(&cores.to_cpu_set()), cores);
    }
}
