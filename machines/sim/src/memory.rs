//! The memories of simulated cells: pages that are a cell's own or show a region, as the slot pool's aliased pages do.

use std::collections::BTreeMap;

use hallows_kernel::{Access, Unmappable};

/// The size of a page, in bytes.
pub const PAGE: usize = 4_096;

/// Where a page's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    Own,
    Shared { region: u64, page: usize, access: Access },
}

/// One cell's memory, and which of the cell's lives it belongs to.
#[derive(Debug, Default)]
struct Memory {
    own: Vec<u8>,
    pages: Vec<Page>,
    incarnation: u64,
}

/// All memories and regions of a machine.
#[derive(Debug, Default)]
pub struct Memories {
    cells: BTreeMap<u32, Memory>,
    regions: BTreeMap<u64, Vec<u8>>,
    next_region: u64,
    incarnations: u64,
}

impl Memories {
    /// Gives a cell fresh zeroes.
    pub fn make(&mut self, cell: u32, bytes: usize) {
        self.incarnations += 1;
        let pages = vec![Page::Own; bytes.div_ceil(PAGE)];
        let memory = Memory { own: vec![0; pages.len() * PAGE], pages, incarnation: self.incarnations };
        self.cells.insert(cell, memory);
    }

    /// Takes a cell's memory away.
    pub fn drop_cell(&mut self, cell: u32) {
        self.cells.remove(&cell);
    }

    /// Bytes of a cell's memory, 0 if it has none.
    pub fn bytes(&self, cell: u32) -> usize {
        self.cells.get(&cell).map_or(0, |memory| memory.own.len())
    }

    /// Which memory a cell has now; 0 if none.
    pub fn incarnation(&self, cell: u32) -> u64 {
        self.cells.get(&cell).map_or(0, |memory| memory.incarnation)
    }

    fn memory(&self, cell: u32, incarnation: u64) -> &Memory {
        let memory = self.cells.get(&cell).filter(|memory| memory.incarnation == incarnation);
        memory.unwrap_or_else(|| panic!("the kernel touched memory of cell {cell} after it was released"))
    }

    /// Copies out of a cell's memory; the range lies inside.
    pub fn read(&self, cell: u32, incarnation: u64, offset: usize, to: &mut [u8]) {
        let memory = self.memory(cell, incarnation);
        let mut done = 0;
        while done < to.len() {
            let (number, start) = ((offset + done) / PAGE, (offset + done) % PAGE);
            let length = (to.len() - done).min(PAGE - start);
            let from = match memory.pages[number] {
                Page::Own => &memory.own[number * PAGE..],
                Page::Shared { region, page, .. } => &self.regions[&region][page * PAGE..],
            };
            to[done..done + length].copy_from_slice(&from[start..start + length]);
            done += length;
        }
    }

    /// Copies into a cell's memory; the range lies inside. False: a page of it is mapped for reading only.
    pub fn write(&mut self, cell: u32, incarnation: u64, offset: usize, from: &[u8]) -> bool {
        let _ = self.memory(cell, incarnation);
        let Some(memory) = self.cells.get_mut(&cell) else { return false };
        let mut done = 0;
        while done < from.len() {
            let (number, start) = ((offset + done) / PAGE, (offset + done) % PAGE);
            let length = (from.len() - done).min(PAGE - start);
            let to = match memory.pages[number] {
                Page::Own => &mut memory.own[number * PAGE..],
                Page::Shared { access: Access::Read, .. } => return false,
                Page::Shared { region, page, .. } => match self.regions.get_mut(&region) {
                    Some(bytes) => &mut bytes[page * PAGE..],
                    None => panic!("a destroyed region is still mapped into cell {cell}"),
                },
            };
            to[start..start + length].copy_from_slice(&from[done..done + length]);
            done += length;
        }
        true
    }

    /// Makes a region of zeroes.
    pub fn make_region(&mut self, bytes: usize) -> u64 {
        self.next_region += 1;
        self.regions.insert(self.next_region, vec![0; bytes]);
        self.next_region
    }

    /// Frees a region. Nothing may show it any more.
    pub fn drop_region(&mut self, region: u64) {
        for (cell, memory) in &self.cells {
            let mapped = memory
                .pages
                .iter()
                .any(|page| matches!(page, Page::Shared { region: shown, .. } if *shown == region));
            assert!(!mapped, "region {region} was destroyed while cell {cell} shows it");
        }
        self.regions.remove(&region);
    }

    /// Shows a region, or zeroes again.
    pub fn map(
        &mut self,
        cell: u32,
        address: usize,
        bytes: usize,
        region: Option<(u64, Access)>,
    ) -> Result<(), Unmappable> {
        let memory = self.cells.get_mut(&cell).ok_or(Unmappable::BadRange)?;
        let end = address.checked_add(bytes).filter(|end| *end <= memory.own.len());
        if !address.is_multiple_of(PAGE) || end.is_none() {
            return Err(Unmappable::BadRange);
        }
        for page in 0..bytes / PAGE {
            let number = address / PAGE + page;
            memory.pages[number] = match region {
                Some((region, access)) => Page::Shared { region, page, access },
                None => {
                    memory.own[number * PAGE..(number + 1) * PAGE].fill(0);
                    Page::Own
                }
            };
        }
        Ok(())
    }
}
