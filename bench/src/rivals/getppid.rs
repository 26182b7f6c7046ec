//! `getppid`: the cheapest system call that does something, made without a library.

use std::arch::asm;
use std::hint::black_box;

use super::priority_text;
use crate::contestant::{Contestant, Description};
use crate::cores::{Priority, on_core};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;

/// Asks the kernel for the parent's process number, again and again.
#[derive(Default)]
pub struct GetParent;

impl Contestant for GetParent {
    fn describe(&self) -> Description {
        Description {
            name: "getppid".to_owned(),
            configuration: format!(
                "one thread, pinned, {}; the syscall instruction inline",
                priority_text(Priority::RealtimeIfAllowed)
            ),
            cores_used: 1,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let expected = i64::from(nix::unistd::getppid().as_raw());
        on_core(turn.cores.first(), Priority::RealtimeIfAllowed, || {
            let mut last = expected;
            let samples = turn.measure(|| {
                last = black_box(parent());
                Ok(())
            })?;
            // Checked once: a comparison in the loop would be part of the figure.
            if last == expected {
                Ok(samples)
            } else {
                Err(BenchError::Wrong(format!("getppid gave {last}")))
            }
        })?
    }
}

#[inline]
fn parent() -> i64 {
    let result: i64;
    // SAFETY: getppid has no arguments and cannot fail; the instruction changes rax, rcx and r11 only.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") libc::SYS_getppid => result,
            out("rcx") _,
            out("r11") _,
            options(nostack, preserves_flags),
        );
    }
    result
}

#[cfg(test)]
mod tests {
    use super::super::test_support::play_twice;
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn the_inline_call_gives_our_parent() {
        assert_eq!(parent(), i64::from(nix::unistd::getppid().as_raw()));
        play_twice(&mut GetParent, Sampling::BATCH, 5);
    }
}
