//! Words of a processor's own: a few machine words that every core has for itself, each one instruction away.
//!
//! Problem: a fiber may suspend on one thread of the host and go on on another, and a compiler may keep the address of
//! a thread-local in a register across the suspension. Rule: the words are reached by `asm!` that names the segment
//! register in the instruction itself. Consequence: no address is ever kept, and no call is needed either.
//!
//! On Linux they are thread-local storage of the executable (so this crate cannot be part of a shared library); on a bare
//! machine `gs` points to them: the machine's core block begins with [`WORDS`] zeroed words.

use core::arch::asm;

/// How many words there are.
pub const WORDS: usize = 3;

/// Which word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Word {
    /// wasmtime's only thread-local slot: the innermost entry into WebAssembly on this stack.
    Wasmtime = 0,
    /// The native program that runs on this stack, a `native::Frame`.
    Native = 1,
    /// The slot that the next linear memory goes to, its number plus one.
    Slot = 2,
}

#[cfg(not(target_os = "none"))]
core::arch::global_asm!(
    ".pushsection .tbss.hallows_local, \"awT\", @nobits",
    ".balign 8",
    ".globl hallows_local",
    ".hidden hallows_local",
    ".type hallows_local, @tls_object",
    ".size hallows_local, 24",
    "hallows_local:",
    ".zero 24",
    ".popsection",
);

/// Reads a word of this core.
#[inline(always)]
pub fn get<const WORD: usize>() -> *mut u8 {
    const { assert!(WORD < WORDS) };
    let value;
    // SAFETY: the instruction loads one of this thread's own words, which exist from the start of every thread (Linux) or
    // core (bare machine).
    unsafe {
        #[cfg(not(target_os = "none"))]
        asm!("mov {}, qword ptr fs:[hallows_local@tpoff + {}]", out(reg) value, const WORD * 8,
            options(nostack, preserves_flags, readonly));
        #[cfg(target_os = "none")]
        asm!("mov {}, qword ptr gs:[{}]", out(reg) value, const WORD * 8,
            options(nostack, preserves_flags, readonly));
    }
    value
}

/// Writes a word of this core.
#[inline(always)]
pub fn set<const WORD: usize>(value: *mut u8) {
    const { assert!(WORD < WORDS) };
    // SAFETY: as in `get`; nothing but this module reads or writes the words.
    unsafe {
        #[cfg(not(target_os = "none"))]
        asm!("mov qword ptr fs:[hallows_local@tpoff + {}], {}", const WORD * 8, in(reg) value,
            options(nostack, preserves_flags));
        #[cfg(target_os = "none")]
        asm!("mov qword ptr gs:[{}], {}", const WORD * 8, in(reg) value, options(nostack, preserves_flags));
    }
}
