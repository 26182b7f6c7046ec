//! The stacks that exist from the start: the one that the machine boots on, and those of interrupts.

use core::mem::offset_of;

use x86_64::VirtAddr;

/// Bytes of the boot stack, on which the core's loop runs. Programs have stacks of their own; what is deepest
/// here is deserialising an artefact (some 20 KiB), and a panic that prints.
const BOOT_STACK_BYTES: usize = 256 << 10;

/// Bytes of an interrupt stack: the handlers are shallow, except when they panic and print.
const INTERRUPT_STACK_BYTES: usize = 32 << 10;

/// Bytes below each stack that are never mapped once paging is in order.
pub const GUARD_BYTES: usize = 4096;

/// A stack and the page below it.
#[repr(C, align(4096))]
pub struct GuardedStack<const BYTES: usize> {
    guard: [u8; GUARD_BYTES],
    stack: [u8; BYTES],
}

impl<const BYTES: usize> GuardedStack<BYTES> {
    const EMPTY: Self = Self { guard: [0; GUARD_BYTES], stack: [0; BYTES] };

    const fn top(this: *const Self) -> *const u8 {
        this.cast::<u8>().wrapping_add(offset_of!(Self, stack) + BYTES)
    }
}

/// Interrupts that come with a stack of their own, in the order of the processor's interrupt stack table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum InterruptStack {
    /// A fault while a fault was being delivered: whatever stack was in use is not to be trusted.
    DoubleFault = 0,
    /// Non-maskable: comes at any time, also in the other handlers.
    NonMaskable = 1,
    /// A hardware error: like a non-maskable interrupt.
    MachineCheck = 2,
    /// All other exceptions: the faulting stack may be the reason, when it ran into its guard page.
    Exception = 3,
    /// Devices and timer: so that programs' stacks need no room for them.
    Device = 4,
}

/// How many stacks there are in [`InterruptStack`].
pub const INTERRUPT_STACKS: usize = 5;

static mut BOOT_STACK: GuardedStack<BOOT_STACK_BYTES> = GuardedStack::EMPTY;

static mut STACKS: [GuardedStack<INTERRUPT_STACK_BYTES>; INTERRUPT_STACKS] =
    [const { GuardedStack::EMPTY }; INTERRUPT_STACKS];

core::arch::global_asm!(
    ".globl boot_stack_top",
    ".set boot_stack_top, {stack} + {bytes}",
    stack = sym BOOT_STACK,
    bytes = const size_of::<GuardedStack<BOOT_STACK_BYTES>>(),
);

/// Where a push onto the empty interrupt stack begins.
pub fn interrupt_stack_top(stack: InterruptStack) -> VirtAddr {
    let stacks = (&raw const STACKS).cast::<GuardedStack<INTERRUPT_STACK_BYTES>>();
    VirtAddr::from_ptr(GuardedStack::top(stacks.wrapping_add(stack as usize)))
}

/// First addresses of all guard pages.
pub fn guard_pages() -> impl Iterator<Item = VirtAddr> {
    let boot = VirtAddr::from_ptr(&raw const BOOT_STACK);
    let stacks = VirtAddr::from_ptr(&raw const STACKS);
    let bytes = size_of::<GuardedStack<INTERRUPT_STACK_BYTES>>();
    core::iter::once(boot).chain((0..INTERRUPT_STACKS).map(move |index| stacks + (index * bytes) as u64))
}
