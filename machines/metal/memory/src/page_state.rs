//! What a page of a reservation is, and how its page-table entry says so: a pure pair, read and write.

use x86_64::{
    PhysAddr,
    structures::paging::{PageTableFlags, page_table::PageTableEntry},
};

use crate::Protection;

/// The bits that the hardware leaves to us (SDM vol. 3, table 4-20). The entry owns its frame.
const OWNED: PageTableFlags = PageTableFlags::BIT_9;
/// The entry shows a frame that others may show too.
const SHARED: PageTableFlags = PageTableFlags::BIT_10;
/// The entry has no frame yet, but one is kept free for it.
const PROMISED: PageTableFlags = PageTableFlags::BIT_11;

/// Bits that the hardware sets by itself when a page is used.
#[cfg(test)]
const USED: PageTableFlags = PageTableFlags::ACCESSED.union(PageTableFlags::DIRTY);

/// Whose a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The page's alone.
    Page,
    /// An object's, which may be shown at other pages too.
    Object,
}

/// A frame at a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framed {
    /// Which frame.
    pub frame: PhysAddr,
    /// Whose it is.
    pub owner: Owner,
    /// What may be done with it; with [`Protection::None`], only the contents are kept.
    pub protection: Protection,
}

/// A page of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageState {
    /// Nothing: every access faults.
    Absent,
    /// Zeroes. The first access that the protection allows faults, finds the frame that is kept for it, and goes on.
    Promised(Protection),
    /// Contents.
    Framed(Framed),
}

impl PageState {
    /// Reads an entry; `None` if it is none of ours: a device's, or one of the machine's own image.
    pub fn read(entry: &PageTableEntry) -> Option<Self> {
        if entry.is_unused() {
            return Some(Self::Absent);
        }
        let flags = entry.flags();
        let protection = read_protection(flags);
        if flags.contains(PROMISED) {
            return Some(Self::Promised(protection));
        }
        let owner = match (flags.contains(OWNED), flags.contains(SHARED)) {
            (true, false) => Owner::Page,
            (false, true) => Owner::Object,
            _ => return None,
        };
        // A hidden page keeps no bits of its last protection.
        let protection = if flags.contains(PageTableFlags::PRESENT) { protection } else { Protection::None };
        Some(Self::Framed(Framed { frame: entry.addr(), owner, protection }))
    }

    /// Writes an entry.
    pub fn write(self, entry: &mut PageTableEntry) {
        match self {
            Self::Absent => entry.set_unused(),
            Self::Promised(protection) => {
                let flags = protection.leaf_flags().difference(PageTableFlags::PRESENT);
                // Zero is no frame: a promise must not look like one.
                entry.set_addr(PhysAddr::zero(), PROMISED | flags);
            }
            Self::Framed(framed) => {
                let owner = match framed.owner {
                    Owner::Page => OWNED,
                    Owner::Object => SHARED,
                };
                entry.set_addr(framed.frame, owner | framed.protection.leaf_flags());
            }
        }
    }
}

fn read_protection(flags: PageTableFlags) -> Protection {
    let executable = !flags.contains(PageTableFlags::NO_EXECUTE);
    match (flags.contains(PageTableFlags::WRITABLE), executable) {
        (true, _) => Protection::ReadWrite,
        (false, true) => Protection::ReadExecute,
        (false, false) => Protection::Read,
    }
}

/// The flags of an entry without what we and the hardware note there.
#[cfg(test)]
pub fn access_flags(flags: PageTableFlags) -> PageTableFlags {
    flags.difference(OWNED | SHARED | PROMISED | USED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_read_as_it_was_written() {
        let protections = [Protection::Read, Protection::ReadWrite, Protection::ReadExecute];
        let frame = PhysAddr::new(0x000f_1234_5678_9000);
        let mut states = vec![PageState::Absent];
        states.extend(protections.map(PageState::Promised));
        for owner in [Owner::Page, Owner::Object] {
            for protection in protections.into_iter().chain([Protection::None]) {
                states.push(PageState::Framed(Framed { frame, owner, protection }));
            }
        }
        for state in states {
            let mut entry = PageTableEntry::new();
            state.write(&mut entry);
            assert_eq!(PageState::read(&entry), Some(state));
            let present = entry.flags().contains(PageTableFlags::PRESENT);
            let accessible = matches!(state, PageState::Framed(Framed { protection, .. }) if protection != Protection::None);
            assert_eq!(present, accessible, "{state:?}");
            // What the processor notes by itself changes nothing.
            if present {
                entry.set_flags(entry.flags() | USED);
                assert_eq!(PageState::read(&entry), Some(state));
            }
        }
    }

    #[test]
    fn a_foreign_mapping_is_nobodys_page() {
        let mut entry = PageTableEntry::new();
        entry.set_addr(PhysAddr::new(0xfee0_0000), PageTableFlags::PRESENT | PageTableFlags::WRITABLE);
        assert_eq!(PageState::read(&entry), None);
    }
}
