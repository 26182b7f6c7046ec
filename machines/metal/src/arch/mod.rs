//! The processor: how it starts, its tables, its exceptions and interrupts, its timer.

pub mod clock;
pub mod core_words;
pub mod descriptor_tables;
pub mod entropy;
pub mod exceptions;
pub mod features;
pub mod interrupt_controllers;
pub mod interrupts;
pub mod stacks;
pub mod timer;

use core::arch::global_asm;

global_asm!(include_str!("boot.s"), options(att_syntax));
global_asm!(include_str!("interrupts.s"), options(att_syntax));

unsafe extern "C" {
    /// The 32-bit entry, at its physical address. Never called from Rust.
    fn boot_entry() -> !;
}

pvh::xen_elfnote_phys32_entry!(boot_entry);
