//! The faults of a machine's cells that are remembered for its operator.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use hallows_abi::{FaultReport, Printable};

use crate::host::control::inspection::FaultRecord;

/// Faults that are kept: a screenful, several times over.
const KEPT: usize = 64;
/// Frames of a backtrace that are kept.
const FRAMES: usize = 16;
/// Bytes of a frame, and of a name, that are kept.
const TEXT_BYTES: usize = 256;

/// The last of them. Their times are of the machine's clock.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    last: u64,
    records: VecDeque<FaultRecord>,
}

impl Faults {
    /// A cell of that name has faulted.
    pub fn add(&self, name: &str, report: &FaultReport<'_>) {
        let cut = |text: &str| {
            let mut text = Printable(text).to_string();
            text.truncate(text.floor_char_boundary(TEXT_BYTES));
            text
        };
        // Made before the lock: it is short.
        let record = FaultRecord {
            sequence: 0,
            uptime_ns: report.at_ns,
            cell: u64::from(report.cell),
            name: cut(name),
            life: u64::from(report.generation),
            reason: report.kind.message().to_owned(),
            backtrace: report.backtrace.lines().take(FRAMES).map(|frame| cut(frame.trim())).collect(),
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.last += 1;
        let sequence = kept.last;
        kept.records.push_back(FaultRecord { sequence, ..record });
        if kept.records.len() > KEPT {
            kept.records.pop_front();
        }
    }

    /// Those that are remembered behind a sequence, oldest first, and the sequence of the last. Their times count from `began_ns`.
    #[must_use]
    pub fn since(&self, after: u64, began_ns: u64) -> (u64, Vec<FaultRecord>) {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = kept.records.iter().filter(|record| record.sequence > after).cloned();
        let told = newer
            .map(|record| FaultRecord { uptime_ns: record.uptime_ns.saturating_sub(began_ns), ..record });
        (kept.last, told.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Faults, KEPT};
    use hallows_abi::{FaultKind, FaultReport};

    #[test]
    fn the_last_faults_are_remembered_in_order_and_bounded() {
        let faults = Faults::default();
        assert_eq!(faults.since(0, 0), (0, vec![]));
        let backtrace = format!("one\n  two\n{}\n", "x".repeat(10_000)) + &"more\n".repeat(100);
        for number in 1..=100 {
            let (kind, at_ns) = (FaultKind::Arithmetic, 1_000 + u64::from(number));
            let report =
                FaultReport { kind, cell: 7, generation: number, detail: 0, at_ns, backtrace: &backtrace };
            faults.add("divides", &report);
        }
        let (last, all) = faults.since(0, 1_000);
        assert_eq!((last, all.len(), all[0].sequence), (100, KEPT, 37));
        let newest = &all[KEPT - 1];
        assert_eq!((newest.sequence, newest.life, newest.uptime_ns), (100, 100, 100));
        assert_eq!((&*newest.name, newest.cell, &*newest.backtrace[1]), ("divides", 7, "two"));
        assert!(newest.backtrace.len() == 16 && newest.backtrace[2].len() == 256);
        assert_eq!(faults.since(99, 0).1.len(), 1);
        let report = FaultReport {
            kind: FaultKind::Arithmetic,
            cell: 7,
            generation: 101,
            detail: 0,
            at_ns: 0,
            backtrace: "a\u{1b}[2J",
        };
        faults.add("\u{7}", &report);
        let newest = &faults.since(100, 0).1[0];
        assert_eq!((&*newest.name, &*newest.backtrace[0]), ("\\u{7}", "a\\u{1b}[2J"));
        assert_eq!(faults.since(101, 0), (101, vec![]));
    }
}
