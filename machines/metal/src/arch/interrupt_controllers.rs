//! Who brings interrupts to this core: the local APIC, the I/O APIC behind it, and the old 8259s, switched off.

use core::fmt;

use spin::Once;
use x86_64::{PhysAddr, VirtAddr, instructions::port::Port, registers::model_specific::Msr};

use super::interrupts::{SERIAL_VECTOR, SPURIOUS_VECTOR};
use crate::memory::{self, Device};

/// Says where the local APIC is and how it is spoken to (SDM vol. 3, 12.4.4).
const APIC_BASE_REGISTER: u32 = 0x1b;
const APIC_BASE_X2APIC: u64 = 1 << 10;
const APIC_BASE_ENABLED: u64 = 1 << 11;

/// Where the I/O APIC is on every PC whose firmware has not moved it; the first slice reads no ACPI tables.
const IO_APIC_ADDRESS: u64 = 0xfec0_0000;

/// Input of the I/O APIC that the first serial port is wired to: ISA interrupts keep their numbers, but for the timer's.
const SERIAL_INPUT: u32 = 4;

/// Registers of the local APIC, as offsets in bytes (SDM vol. 3, table 12-1).
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub enum LocalRegister {
    /// Highest priority class that is held back: 0 holds back nothing.
    TaskPriority = 0x80,
    EndOfInterrupt = 0xb0,
    SpuriousVector = 0xf0,
    TimerVector = 0x320,
    TimerInitialCount = 0x380,
    TimerCurrentCount = 0x390,
    TimerDivider = 0x3e0,
}

/// The local APIC answers on `SpuriousVector` with this bit set.
const SOFTWARE_ENABLE: u32 = 1 << 8;

static LOCAL_APIC: Once<VirtAddr> = Once::new();

/// The firmware left the controller in a state that this machine does not speak.
#[derive(Clone, Copy, Debug)]
pub struct UnsupportedController;

impl fmt::Display for UnsupportedController {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the local APIC is switched off or in x2APIC mode; boot without x2apic (QEMU: -cpu max,-x2apic)"
        )
    }
}

/// Makes this core ready to take interrupts, and routes the serial port's here. Nothing comes before interrupts are enabled.
///
/// # Errors
/// [`UnsupportedController`].
pub fn initialise() -> Result<(), UnsupportedController> {
    // SAFETY: every processor with 64-bit mode has this register; it is only read.
    let base = unsafe { Msr::new(APIC_BASE_REGISTER).read() };
    if base & APIC_BASE_ENABLED == 0 || base & APIC_BASE_X2APIC != 0 {
        return Err(UnsupportedController);
    }
    let address = PhysAddr::new_truncate(base).align_down(memory::PAGE_BYTES);
    LOCAL_APIC.call_once(|| memory::map_device(Device::LocalApic, address));
    silence_old_controllers();
    write_local(LocalRegister::TaskPriority, 0);
    write_local(LocalRegister::SpuriousVector, SOFTWARE_ENABLE | u32::from(SPURIOUS_VECTOR));
    route_serial_port();
    Ok(())
}

/// Tells the local APIC that the handler is done with what was delivered last.
pub fn end_of_interrupt() {
    write_local(LocalRegister::EndOfInterrupt, 0);
}

/// Reads a register of this core's local APIC.
///
/// # Panics
/// Before [`initialise`].
pub fn read_local(register: LocalRegister) -> u32 {
    // SAFETY: the page is mapped for the device, and the offset is that of a register in it.
    unsafe { local(register).read_volatile() }
}

/// Writes a register of this core's local APIC.
///
/// # Panics
/// Before [`initialise`].
pub fn write_local(register: LocalRegister, value: u32) {
    // SAFETY: as above; no register makes the device touch memory.
    unsafe { local(register).write_volatile(value) }
}

fn local(register: LocalRegister) -> *mut u32 {
    let base = LOCAL_APIC.get().expect("the local APIC is used before it is initialised");
    (*base + register as u64).as_mut_ptr()
}

/// The two 8259s would deliver on vectors that now mean exceptions.
fn silence_old_controllers() {
    for mask_port in [0x21, 0xa1] {
        // SAFETY: the interrupt mask registers of the 8259s; all ones masks all.
        unsafe { Port::<u8>::new(mask_port).write(0xff) };
    }
}

/// Sends the serial port's interrupt to core 0: edge-triggered, active high, fixed (82093AA data sheet, 3.2.4).
fn route_serial_port() {
    let io_apic = memory::map_device(Device::IoApic, PhysAddr::new(IO_APIC_ADDRESS));
    let write = |register: u32, value: u32| {
        // SAFETY: the page is mapped for the device: a register's number is written at offset 0, its value at 16.
        unsafe {
            io_apic.as_mut_ptr::<u32>().write_volatile(register);
            (io_apic + 0x10u64).as_mut_ptr::<u32>().write_volatile(value);
        }
    };
    let low_half = 0x10 + 2 * SERIAL_INPUT;
    // The upper half names the core; it goes first because the lower half unmasks.
    write(low_half + 1, 0);
    write(low_half, u32::from(SERIAL_VECTOR));
}
