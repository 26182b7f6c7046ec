//! `posix-spawn-static`: Linux starting a static program in the fastest known way; the smallest possible one, and one
//! with libc.

use std::ffi::CStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::ptr;

use super::memory_executable::MemoryExecutable;
use super::{priority_text, static_elf, static_libc};
use crate::clock;
use crate::contestant::{Contestant, Description};
use crate::cores::{Priority, on_core};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Starts {
    /// From before `posix_spawn` to the program's first instruction, which reads the clock.
    UntilFirstInstruction,
    /// Start, exit and wait, one after another: how many a core sustains.
    Sustained,
}

/// What is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// One page without libc: no process starts faster, and no real program is like this.
    Bare,
    /// What `cc -static` makes of an empty `main`.
    WithLibc,
}

/// Starts a static program from memory.
pub struct PosixSpawn {
    starts: Starts,
    program: Program,
}

impl PosixSpawn {
    /// A rival that times this.
    #[must_use]
    pub const fn new(starts: Starts, program: Program) -> Self {
        Self { starts, program }
    }
}

impl Contestant for PosixSpawn {
    fn describe(&self) -> Description {
        let timed = match self.starts {
            Starts::UntilFirstInstruction => {
                "from before the call to the program's first instruction (its own rdtsc)"
            }
            Starts::Sustained => "start, exit and waitpid",
        };
        let (name, program) = match self.program {
            Program::Bare => ("posix-spawn-static", "a static one-page ELF without libc"),
            Program::WithLibc => ("posix-spawn-static-libc", "an (almost) empty main, by cc -O2 -static"),
        };
        Description {
            name: name.to_owned(),
            configuration: format!(
                "glibc's posix_spawn (CLONE_VM | CLONE_VFORK) of {program}, in a memfd, empty environment; {timed}; \
                 parent and child pinned to one core, {}",
                priority_text(Priority::RealtimeIfAllowed)
            ),
            cores_used: 1,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        match self.starts {
            Starts::UntilFirstInstruction => {
                // Without close-on-exec: the child writes to it.
                let (reports, report_end) = nix::unistd::pipe().map_err(BenchError::system("make a pipe"))?;
                let image = match self.program {
                    Program::Bare => static_elf::that_reports_its_start(report_end.as_raw_fd()),
                    Program::WithLibc => static_libc::compile(Some(report_end.as_raw_fd()))?,
                };
                let program = MemoryExecutable::new(&image)?;
                on_core(turn.cores.first(), Priority::RealtimeIfAllowed, || {
                    until_first_instruction(turn, &program.path(), &mut reports.into())
                })?
            }
            Starts::Sustained => {
                let image = match self.program {
                    Program::Bare => static_elf::that_exits(),
                    Program::WithLibc => static_libc::compile(None)?,
                };
                let program = MemoryExecutable::new(&image)?;
                let path = program.path();
                on_core(turn.cores.first(), Priority::RealtimeIfAllowed, || {
                    turn.measure(|| reap(spawn(&path)?))
                })?
            }
        }
    }
}

/// `reports` is the reading end of the pipe that the program writes its first reading of the clock to.
fn until_first_instruction(turn: &Turn<'_>, path: &CStr, reports: &mut File) -> Result<Samples, BenchError> {
    let mut ticks = turn.sample_buffer();
    let budget = turn.clock.ticks(turn.budget);
    let until = clock::glance() + budget;
    // The first few only warm up.
    let mut warm_ups = 10u32;
    loop {
        let begin = clock::begin();
        let child = spawn(path)?;
        reap(child)?;
        // Read after its end: the eight bytes wait in the pipe, and no reader delays the child.
        let mut started = [0; 8];
        reports.read_exact(&mut started).map_err(BenchError::system("read a child's report"))?;
        let took = u64::from_le_bytes(started).checked_sub(begin).ok_or_else(|| {
            BenchError::Wrong("a child's first instruction lies before its start".to_owned())
        })?;
        if warm_ups > 0 {
            warm_ups -= 1;
            continue;
        }
        ticks.push(took);
        if ticks.len() == turn.sample_limit || clock::glance() >= until {
            return Ok(turn.single(ticks));
        }
    }
}

fn spawn(path: &CStr) -> Result<libc::pid_t, BenchError> {
    let mut child = 0;
    let arguments = [path.as_ptr().cast_mut(), ptr::null_mut()];
    let environment = [ptr::null_mut()];
    // SAFETY: the path and both null-terminated arrays outlive the call; no attributes or file actions are given.
    let error = unsafe {
        libc::posix_spawn(
            &raw mut child,
            path.as_ptr(),
            ptr::null(),
            ptr::null(),
            arguments.as_ptr(),
            environment.as_ptr(),
        )
    };
    match error {
        0 => Ok(child),
        _ => Err(BenchError::system("start a static program")(std::io::Error::from_raw_os_error(error))),
    }
}

fn reap(child: libc::pid_t) -> Result<(), BenchError> {
    let mut status = 0;
    // SAFETY: `status` is writable.
    if unsafe { libc::waitpid(child, &raw mut status, 0) } != child {
        return Err(BenchError::last_os("wait for a static program"));
    }
    // Zero is a normal exit with status 0.
    if status == 0 {
        Ok(())
    } else {
        Err(BenchError::Wrong(format!("a static program ended with status {status:#x}")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{play, play_twice};
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn programs_start_and_end_in_both_measures() {
        play_twice(&mut PosixSpawn::new(Starts::UntilFirstInstruction, Program::Bare), Sampling::Single, 5);
        play_twice(&mut PosixSpawn::new(Starts::Sustained, Program::Bare), Sampling::BATCH, 2);
    }

    #[test]
    fn a_program_with_libc_starts_too_or_says_what_is_missing() {
        for starts in [Starts::UntilFirstInstruction, Starts::Sustained] {
            match play(&mut PosixSpawn::new(starts, Program::WithLibc), Sampling::Single, 2) {
                Ok(samples) => assert!(samples.len() == 2 && samples.values().all(|value| value > 0.0)),
                Err(error) => assert!(error.to_string().contains("install gcc"), "{error}"),
            }
        }
    }

    #[test]
    fn what_is_no_program_is_an_error() {
        assert!(spawn(c"/nonexistent").is_err());
    }
}
