//! Threads of Linux's fair scheduler with the shortest slices that there are.

use crate::error::BenchError;

/// The shortest slice that Linux grants, in ns (`sched_setattr(2)`, since 6.12; before it is ignored).
pub const SLICE_NS: u64 = 100_000;

/// Asks for such slices for the calling thread, and for threads and processes that it starts: it runs sooner after it has woken, and not for longer in all.
///
/// # Errors
/// [`BenchError::System`] if Linux refuses.
pub fn ask_for_short_slices() -> Result<(), BenchError> {
    let attributes = SchedulingAttributes {
        size: size_of::<SchedulingAttributes>() as u32,
        runtime: SLICE_NS,
        ..Default::default()
    };
    // SAFETY: 0 means the calling thread; the structure states its own size; no flags.
    match unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) } {
        0 => Ok(()),
        _ => Err(BenchError::last_os("ask for short slices")),
    }
}

/// `struct sched_attr` in its first version, of `sched_setattr(2)`.
#[repr(C)]
#[derive(Default)]
struct SchedulingAttributes {
    size: u32,
    /// 0 is `SCHED_OTHER`.
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}
