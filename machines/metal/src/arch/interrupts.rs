//! What happens when the processor is interrupted: which vector goes where, and the frame that a handler sees.

use spin::Once;
use x86_64::{VirtAddr, structures::idt::InterruptDescriptorTable};

use super::{exceptions, interrupt_controllers, stacks::InterruptStack, timer};
use crate::{console, memory};

/// The first vector that is not an exception (SDM vol. 3, 6.2).
const FIRST_DEVICE_VECTOR: u8 = 32;
/// The local APIC's timer.
pub const TIMER_VECTOR: u8 = 0x40;
/// The serial port has received something.
pub const SERIAL_VECTOR: u8 = 0x41;
/// What the local APIC raises when an interrupt went away before it was delivered. Its low four bits must be set on old
/// processors (SDM vol. 3, 12.9).
pub const SPURIOUS_VECTOR: u8 = 0xff;

/// The registers of what was interrupted, as `interrupts.s` saved them.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InterruptFrame {
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub r11: u64,
    pub r10: u64,
    pub r9: u64,
    pub r8: u64,
    pub rbp: u64,
    pub rdi: u64,
    pub rsi: u64,
    pub rdx: u64,
    pub rcx: u64,
    pub rbx: u64,
    pub rax: u64,
    pub vector: u64,
    pub error_code: u64,
    pub rip: u64,
    pub cs: u64,
    pub rflags: u64,
    pub rsp: u64,
    pub ss: u64,
}

/// What the processor was doing when an interrupt came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupted {
    /// It ran a program's code. Then none of the machine's own is under way on this core: no lock is held.
    Program,
    /// It ran code of the machine, which may hold any lock.
    Machine,
}

impl InterruptFrame {
    fn interrupted(&self) -> Interrupted {
        if memory::is_program_address(self.rip) { Interrupted::Program } else { Interrupted::Machine }
    }
}

static VECTORS: Once<InterruptDescriptorTable> = Once::new();

unsafe extern "C" {
    /// 256 entries of 16 bytes, in `interrupts.s`.
    static interrupt_entries: [[u8; 16]; 256];
}

/// Lets this core deliver exceptions. Device interrupts stay off until somebody enables them.
pub fn load() {
    VECTORS.call_once(vectors).load();
}

fn vectors() -> InterruptDescriptorTable {
    let mut table = InterruptDescriptorTable::new();
    macro_rules! set {
        ($entry:expr, $vector:expr, $stack:expr) => {
            // SAFETY: the entry is code that saves all registers and ends with `iretq`, as the processor expects, and
            // copes with the vector's error code; the stack is in the task state segment.
            unsafe { $entry.set_handler_addr(entry_of($vector)).set_stack_index($stack as u16) }
        };
    }
    use InterruptStack::{Device, DoubleFault, Exception, MachineCheck, NonMaskable};
    set!(table.divide_error, 0, Exception);
    set!(table.debug, 1, Exception);
    set!(table.non_maskable_interrupt, 2, NonMaskable);
    set!(table.breakpoint, 3, Exception);
    set!(table.overflow, 4, Exception);
    set!(table.bound_range_exceeded, 5, Exception);
    set!(table.invalid_opcode, 6, Exception);
    set!(table.device_not_available, 7, Exception);
    set!(table.double_fault, 8, DoubleFault);
    set!(table.invalid_tss, 10, Exception);
    set!(table.segment_not_present, 11, Exception);
    set!(table.stack_segment_fault, 12, Exception);
    set!(table.general_protection_fault, 13, Exception);
    set!(table.page_fault, 14, Exception);
    set!(table.x87_floating_point, 16, Exception);
    set!(table.alignment_check, 17, Exception);
    set!(table.machine_check, 18, MachineCheck);
    set!(table.simd_floating_point, 19, Exception);
    set!(table.virtualization, 20, Exception);
    set!(table.cp_protection_exception, 21, Exception);
    for vector in FIRST_DEVICE_VECTOR..=u8::MAX {
        set!(table[vector], vector, Device);
    }
    table
}

fn entry_of(vector: u8) -> VirtAddr {
    VirtAddr::from_ptr((&raw const interrupt_entries).cast::<[u8; 16]>().wrapping_add(usize::from(vector)))
}

/// Every interrupt and exception comes here, with interrupts off and on one of the [`InterruptStack`]s.
#[unsafe(no_mangle)]
extern "C" fn handle_interrupt(frame: &mut InterruptFrame) {
    match u8::try_from(frame.vector) {
        Ok(TIMER_VECTOR) => {
            timer::expired(frame.interrupted());
            interrupt_controllers::end_of_interrupt();
        }
        Ok(SERIAL_VECTOR) => {
            console::receive();
            interrupt_controllers::end_of_interrupt();
        }
        // Nothing was delivered, so nothing is to be ended.
        Ok(SPURIOUS_VECTOR) => {}
        Ok(vector) if vector < FIRST_DEVICE_VECTOR => exceptions::handle(frame),
        _ => panic!("interrupt on vector {}, which nobody was given: {frame:#x?}", frame.vector),
    }
}
