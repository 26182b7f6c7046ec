//! `static-hello`: the smallest Linux program that writes a word and ends, as a whole command.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::process::Command;

use super::memory_executable::MemoryExecutable;
use super::static_elf;
use crate::contestant::{Contestant, Description};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;
use crate::whole_command::repeated;

/// Runs it, again and again.
#[derive(Default)]
pub struct StaticHello;

impl Contestant for StaticHello {
    fn describe(&self) -> Description {
        Description {
            name: "static-hello".to_owned(),
            configuration: "a static one-page ELF without libc, in a memfd; output to /dev/null; on all cores of the run, ordinary \
                            priority; until it has ended"
                .to_owned(),
            cores_used: 1,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let program = MemoryExecutable::new(&static_elf::that_says_hello())?;
        let path = OsString::from_vec(program.path().into_bytes());
        repeated(turn, || Command::new(&path))
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::play_twice;
    use super::*;
    use crate::turn::Sampling;
    use crate::whole_command::output;

    #[test]
    fn it_says_hello_and_ends() {
        let program = MemoryExecutable::new(&static_elf::that_says_hello()).expect("written");
        let path = OsString::from_vec(program.path().into_bytes());
        assert_eq!(output(&mut Command::new(path)).expect("it ends well"), b"hello\n");
        play_twice(&mut StaticHello, Sampling::Single, 3);
    }
}
