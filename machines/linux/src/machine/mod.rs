//! The machine itself: the kernel and the engine on threads of Linux.

mod boot;
mod budget;
mod console;
mod faults;
mod interrupts;
mod lead;
mod linux_machine;
mod operator;
pub(crate) mod outlet;
pub mod paths;
pub mod plan;
pub mod process;
mod running;
mod status;
mod thread_clock;
mod timekeeping;

pub use boot::{BootError, Booted, Kernel, boot};
pub use budget::Budget;
pub use console::Console;
pub use linux_machine::LinuxMachine;
pub use running::{Running, StartError, make_kernel, make_kernel_with};
pub use timekeeping::{TimekeeperMeter, keep_time, keep_time_until};
