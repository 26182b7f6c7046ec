//! Where the kernel's records lie in memory: for the machine that counts which cache lines are touched (`machines/scale`), so that it can say whose
//! they are. Not part of the kernel of any other machine.

use alloc::vec;
use alloc::vec::Vec;
use core::mem::offset_of;

use crate::cell::CellRecord;
use crate::core_record::fields;
use crate::table::Table;
use crate::thread::Thread;
use crate::{Engine, Kernel};

/// Records of one kind that lie behind one another.
#[derive(Clone, Debug)]
pub struct Part {
    /// What they are.
    pub name: &'static str,
    /// Where the first one begins.
    pub address: usize,
    /// Bytes from one to the next.
    pub stride: usize,
    /// How many there are.
    pub count: usize,
    /// The fields of each that are told apart: names and offsets in bytes. What is behind one and before the next counts as the former.
    pub fields: &'static [(&'static str, usize)],
}

impl Part {
    fn of<T>(name: &'static str, records: &[T], fields: &'static [(&'static str, usize)]) -> Self {
        let address = records.as_ptr().addr();
        Self { name, address, stride: size_of::<T>(), count: records.len(), fields }
    }

    fn table<T>(name: &'static str, table: &Table<T>, fields: &'static [(&'static str, usize)]) -> Self {
        let address = core::ptr::from_ref(table.at(0)).addr();
        Self { name, address, stride: size_of::<T>(), count: table.capacity() as usize, fields }
    }

    fn one<T>(name: &'static str, record: &T) -> Self {
        Self::of(name, core::slice::from_ref(record), &[])
    }
}

const THREAD: &[(&str, usize)] = &[
    ("word", offset_of!(Thread, word)),
    ("state", offset_of!(Thread, state)),
    ("rank", offset_of!(Thread, rank)),
    ("standing", offset_of!(Thread, standing)),
    ("meter", offset_of!(Thread, meter)),
    ("core", offset_of!(Thread, core)),
    ("pinned", offset_of!(Thread, pinned)),
    ("links", offset_of!(Thread, next)),
    ("links", offset_of!(Thread, previous)),
    ("links", offset_of!(Thread, queued)),
    ("depth", offset_of!(Thread, depth)),
    ("used_ns", offset_of!(Thread, used_ns)),
    ("deadline_ns", offset_of!(Thread, deadline_ns)),
];

impl<E: Engine> Kernel<E> {
    /// All that cores touch while programs run.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        type Cell<E> = CellRecord<<E as Engine>::Bytes, <E as Engine>::Program>;
        vec![
            Part::of("core", &self.cores, fields::FIELDS),
            Part::table("thread", &self.threads, THREAD),
            Part::table(
                "cell",
                &self.cells,
                const {
                    &[
                        ("generation", offset_of!(Cell<E>, generation)),
                        ("passive", offset_of!(Cell<E>, passive)),
                        ("monitor", offset_of!(Cell<E>, monitor)),
                        ("tally", offset_of!(Cell<E>, tally)),
                        ("inbox", offset_of!(Cell<E>, inbox)),
                        ("control", offset_of!(Cell<E>, control)),
                    ]
                },
            ),
            Part::table("lane", &self.lanes, &[]),
            Part::table("endpoint", &self.endpoints, &[]),
            Part::one("timekeeper", &self.timekeeper),
            Part::one("plan", &self.plan),
            Part::one("stopping", &self.stopping),
            Part::one("parked", &self.parked),
            Part::one("capabilities", &self.capabilities),
        ]
    }
}
