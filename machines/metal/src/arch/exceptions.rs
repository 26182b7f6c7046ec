//! Exceptions: a program's become traps of the engine, the machine's own end it.

use core::sync::atomic::{AtomicPtr, Ordering};

use hallows_engine::TrapHandler;
use hallows_metal_memory::Access;
use spin::Mutex;
use x86_64::{VirtAddr, registers::control::Cr2};

use super::interrupts::InterruptFrame;
use crate::memory;

/// Vectors of what compiled programs trap with: division, the instruction that cannot be, an access outside.
const DIVIDE_ERROR: u64 = 0;
const INVALID_OPCODE: u64 = 6;
const PAGE_FAULT: u64 = 14;

/// The engine's handler as a pointer, null until it sets one.
static TRAP_HANDLER: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// The last exception that went to the engine, to be shown if the engine does not know it.
static LAST_TRAP: Mutex<Option<Exception>> = Mutex::new(None);

#[derive(Clone, Copy)]
struct Exception {
    frame: InterruptFrame,
    address: u64,
}

unsafe extern "C" {
    /// In `interrupts.s`; never called, only returned to.
    fn trap_landing() -> !;
}

/// From now on, exceptions of programs go to `handler`.
pub fn set_trap_handler(handler: TrapHandler) {
    TRAP_HANDLER.store(handler as *mut (), Ordering::SeqCst);
}

/// An exception, on its own stack.
///
/// The first touch of a promised page is answered with its frame. A program's trap is not handled here: the interrupted registers are changed so that the return from the exception leads to
/// `trap_landing`. So the engine's handler runs on the program's stack with interrupts on, as an ordinary call would, and
/// may leave by a jump to where the program was entered.
pub fn handle(frame: &mut InterruptFrame) {
    let address = Cr2::read_raw();
    if frame.vector == PAGE_FAULT
        && let Ok(address) = VirtAddr::try_new(address)
        && memory::keep_promise(address, access(frame.error_code))
    {
        return;
    }
    let handler = TRAP_HANDLER.load(Ordering::SeqCst);
    if !is_trap(frame) || handler.is_null() {
        fatal(&Exception { frame: *frame, address });
    }
    *LAST_TRAP.lock() = Some(Exception { frame: *frame, address });
    frame.rdi = frame.rip;
    frame.rsi = frame.rbp;
    frame.rdx = u64::from(frame.vector == PAGE_FAULT);
    frame.rcx = address;
    frame.r8 = handler as u64;
    frame.rip = trap_landing as *const () as u64;
}

/// Whether the exception is of a kind that programs raise, and a program's code raised it.
fn is_trap(frame: &InterruptFrame) -> bool {
    matches!(frame.vector, DIVIDE_ERROR | INVALID_OPCODE | PAGE_FAULT)
        && memory::is_program_address(frame.rip)
}

/// The engine's handler has returned.
#[unsafe(no_mangle)]
extern "C" fn trap_not_recognised() -> ! {
    match *LAST_TRAP.lock() {
        Some(exception) => fatal(&exception),
        None => panic!("the trap landing was reached without a trap"),
    }
}

fn fatal(exception: &Exception) -> ! {
    let Exception { frame, address } = exception;
    if frame.vector == PAGE_FAULT {
        let what = VirtAddr::try_new(*address).map_or("a non-canonical address", memory::describe);
        let verb = match access(frame.error_code) {
            Access::Load => "a load from",
            Access::Store => "a store to",
            Access::Fetch => "running code at",
        };
        panic!("page fault: {verb} {address:#x}, {what}: {frame:#x?}");
    }
    panic!("{}: {frame:#x?}", name(frame.vector));
}

/// What a page fault's error code says was tried (SDM vol. 3, 5.7).
const fn access(error_code: u64) -> Access {
    if error_code & 1 << 4 != 0 {
        Access::Fetch
    } else if error_code & 1 << 1 != 0 {
        Access::Store
    } else {
        Access::Load
    }
}

fn name(vector: u64) -> &'static str {
    // SDM vol. 3, table 6-1.
    match vector {
        0 => "divide error",
        1 => "debug",
        2 => "non-maskable interrupt",
        3 => "breakpoint",
        6 => "invalid opcode",
        8 => "double fault",
        12 => "stack segment fault",
        13 => "general protection fault",
        17 => "alignment check",
        18 => "machine check",
        19 => "SIMD floating point",
        _ => "a rare exception",
    }
}
