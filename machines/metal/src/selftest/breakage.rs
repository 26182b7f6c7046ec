//! Ways to break the machine: each must end it with a message that names the reason.

use alloc::boxed::Box;
use core::{arch::asm, hint::black_box, ptr::NonNull};

use hallows_engine::{Platform, Protection};

use crate::{
    arch::stacks::GUARD_BYTES,
    console::println,
    exit::{ExitCode, exit},
    memory::PAGE_BYTES,
    platform::Metal,
};

/// What to break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breakage {
    /// Panic.
    Panic,
    /// Call without end on the boot stack.
    StackOverflow,
    /// Call without end on a fiber's stack.
    FiberOverflow,
    /// Store through a null pointer.
    NullPointer,
    /// Store to the machine's own code.
    WriteCode,
    /// Run bytes of the heap.
    RunHeap,
    /// Run bytes of a program's memory.
    RunProgramData,
    /// Use an address that cannot be.
    NonCanonical,
}

impl Breakage {
    /// All of them, by the name that the command line has for them.
    pub const ALL: [(&str, Self); 8] = [
        ("panic", Self::Panic),
        ("stack-overflow", Self::StackOverflow),
        ("fiber-overflow", Self::FiberOverflow),
        ("null-pointer", Self::NullPointer),
        ("write-code", Self::WriteCode),
        ("run-heap", Self::RunHeap),
        ("run-program-data", Self::RunProgramData),
        ("non-canonical", Self::NonCanonical),
    ];
}

/// The instruction `ret`: what is run where nothing may run, so that a machine that allows it lives on and is found out.
const RETURN: u8 = 0xc3;

/// Breaks the machine, and reports failure if it is still whole afterwards.
pub fn break_on_purpose(breakage: Breakage) -> ! {
    println!("breaking: {breakage:?}");
    match breakage {
        Breakage::Panic => panic!("a panic, as asked for"),
        Breakage::StackOverflow => drop(black_box(dig(u64::MAX))),
        Breakage::FiberOverflow => overflow_a_fiber(),
        // SAFETY: none, and that is the purpose; so below.
        Breakage::NullPointer => unsafe { black_box(core::ptr::null_mut::<u64>()).write_volatile(1) },
        // SAFETY: see above.
        Breakage::WriteCode => unsafe { black_box(dig as *mut u8).write_volatile(RETURN) },
        Breakage::RunHeap => run(Box::leak(Box::new(RETURN))),
        Breakage::RunProgramData => {
            let (page, _) = accessible(PAGE_BYTES as usize);
            // SAFETY: the check's own, writable.
            unsafe { page.write_volatile(RETURN) };
            run(page.as_ptr());
        }
        // SAFETY: see above.
        Breakage::NonCanonical => unsafe { black_box(0x1234_5678_9abc_def0 as *mut u64).write_volatile(1) },
    }
    println!("breaking: nothing happened");
    exit(ExitCode::Failure)
}

/// Calls itself with a frame that every level really has.
extern "sysv64" fn dig(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    if depth == 0 { 0 } else { black_box(dig(depth - 1)) + frame[3] }
}

/// Runs `dig` on a stack like a fiber's: a reservation whose lowest page is not accessible.
fn overflow_a_fiber() {
    let (start, bytes) = accessible(64 << 10);
    // SAFETY: the guard page is the check's own.
    unsafe { Metal.protect(start, GUARD_BYTES, Protection::None) }
        .expect("taking access away needs no memory");
    // SAFETY: the stack is the check's own and aligned to 16; the old one comes back if the function returns.
    unsafe {
        asm!(
            "mov r12, rsp",
            "mov rsp, {top}",
            "call {dig}",
            "mov rsp, r12",
            top = in(reg) start.as_ptr().add(bytes),
            dig = sym dig,
            in("rdi") u64::MAX,
            out("r12") _,
            clobber_abi("sysv64"),
        );
    }
}

/// So many bytes of memory, for loads and stores.
fn accessible(bytes: usize) -> (NonNull<u8>, usize) {
    let start = Metal.reserve(bytes, GUARD_BYTES).expect("there are addresses");
    // SAFETY: reserved above, for nobody else.
    unsafe { Metal.protect(start, bytes, Protection::ReadWrite) }.expect("there is memory");
    (start, bytes)
}

fn run(code: *const u8) {
    // SAFETY: were it allowed, the instruction would return at once.
    let function: extern "C" fn() = unsafe { core::mem::transmute(black_box(code)) };
    function();
}
