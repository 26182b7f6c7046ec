//! Requests to an ordered key-value store in memory: GETs of one record, and SCANs of many.
//!
//! The mixes are those of the papers that the results are compared with: half of the requests SCANs (Shinjuku, NSDI 2019; Skyloft, SOSP 2024), and one
//! of 200 (Shinjuku; ghOSt, SOSP 2021). There the store is RocksDB, in memory.

use std::fmt;

use hallows_lab_work::Operation;
use rand::Rng;
use serde::Serialize;

use crate::LabError;

/// Records in a store, unless the text says how many: so many that a SCAN of them takes some hundreds of microseconds, as it does in the papers.
const RECORDS: u32 = 50_000;
/// The most: each cell of ours has a store of its own.
const MOST: u32 = 200_000;

/// A mix of requests to a store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeyValue {
    /// Which part of all requests are SCANs; the others are GETs.
    pub scans: f64,
    /// How many records the store has.
    pub records: u32,
    /// How many of them, one after another, a SCAN gets.
    pub length: u32,
    /// How long both take.
    pub times: OwnTimes,
}

/// How long operations on a store take natively when nothing else runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OwnTimes {
    /// A GET, in ns.
    pub get_ns: u64,
    /// A SCAN, in ns.
    pub scan_ns: u64,
}

impl OwnTimes {
    /// About what the papers have; for who does not measure.
    pub const NOMINAL: Self = Self { get_ns: 1_000, scan_ns: 500_000 };
}

impl KeyValue {
    /// The names of its classes, by number.
    pub(crate) const CLASSES: [&str; 2] = ["GET", "SCAN"];

    /// Reads `SCANS[:keys=NUMBER][:scan=NUMBER]`; the times are nominal.
    pub(crate) fn parse(text: &str) -> Result<Self, LabError> {
        let mut parts = text.split(':');
        let share = parts.next().unwrap_or_default();
        let scans = share.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| {
            LabError::Argument(format!(
                "'{share}' is no part of all requests that are SCANs; write for example kv:0.5"
            ))
        })?;
        let (mut records, mut length) = (RECORDS, None);
        for part in parts {
            let number = |text: &str, most: u32| {
                text.parse().ok().filter(|number| (1..=most).contains(number)).ok_or_else(|| foreign(part))
            };
            match part.split_once('=') {
                Some(("keys", text)) if length.is_none() => records = number(text, MOST)?,
                Some(("scan", text)) => length = Some(number(text, records)?),
                _ => return Err(foreign(part)),
            }
        }
        Ok(Self { scans, records, length: length.unwrap_or(records), times: OwnTimes::NOMINAL })
    }

    /// The mean time, in ns.
    pub(crate) fn mean_ns(&self) -> f64 {
        (1.0 - self.scans) * self.times.get_ns as f64 + self.scans * self.times.scan_ns as f64
    }

    /// A request at random: operation, time in ns, and class. All records are as likely.
    pub(crate) fn draw(&self, random: &mut impl Rng) -> (Operation, u64, u8) {
        if random.random::<f64>() < self.scans {
            (self.scan(random), self.times.scan_ns, 1)
        } else {
            (self.get(random), self.times.get_ns, 0)
        }
    }

    /// A GET of any record.
    pub(crate) fn get(&self, random: &mut impl Rng) -> Operation {
        Operation::Get(random.random_range(0..self.records))
    }

    /// A SCAN from any record on behind which there are enough.
    pub(crate) fn scan(&self, random: &mut impl Rng) -> Operation {
        Operation::Scan {
            first: random.random_range(0..=self.records.saturating_sub(self.length)),
            records: self.length,
        }
    }
}

/// What does not belong to a store.
fn foreign(part: &str) -> LabError {
    LabError::Argument(format!(
        "'{part}' does not belong to a store; there are keys=NUMBER (1 to {MOST}) and, behind it, scan=NUMBER (1 to as many as there are keys)"
    ))
}

/// As it is read, with all that it does not have to say.
impl fmt::Display for KeyValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:keys={}:scan={}", self.scans, self.records, self.length)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    #[test]
    fn a_mix_is_read_with_what_it_does_not_say_and_written_with_all() {
        for (text, written) in [
            ("0.5", "0.5:keys=50000:scan=50000"),
            ("0.005:keys=5000", "0.005:keys=5000:scan=5000"),
            ("0:keys=10:scan=3", "0:keys=10:scan=3"),
            ("1:scan=7", "1:keys=50000:scan=7"),
        ] {
            let mix = KeyValue::parse(text).expect(text);
            assert_eq!(mix.to_string(), written);
            assert_eq!(KeyValue::parse(written).expect(written), mix);
        }
    }

    #[test]
    fn what_is_no_mix_is_refused() {
        for text in [
            "",
            "half",
            "1.1",
            "nan",
            "0.5:",
            "0.5:keys",
            "0.5:keys=0",
            "0.5:keys=200001",
            "0.5:scan=0",
            "0.5:keys=10:scan=11",
            "0.5:scan=10:keys=20",
            "0.5:values=3",
        ] {
            assert!(KeyValue::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn requests_are_of_both_kinds_and_stay_within_the_store() {
        let mix = KeyValue::parse("0.25:keys=1000:scan=900").expect("a mix");
        let mut random = SmallRng::seed_from_u64(1);
        let (mut scans, mut got, mut firsts) = (0, vec![false; 1_000], vec![false; 101]);
        for _ in 0..100_000 {
            match mix.draw(&mut random) {
                (Operation::Get(number), 1_000, 0) => got[number as usize] = true,
                (Operation::Scan { first, records: 900 }, 500_000, 1) => {
                    scans += 1;
                    firsts[first as usize] = true;
                }
                other => panic!("{other:?}"),
            }
        }
        assert!((24_000..26_000).contains(&scans), "{scans}");
        assert!(got.iter().chain(&firsts).all(|seen| *seen), "all records are as likely");
        assert!((mix.mean_ns() - 125_750.0).abs() < 1e-6);
    }
}
