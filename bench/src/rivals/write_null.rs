//! `write-null`: the system call write(2) of one byte to `/dev/null`.

use std::fs::OpenOptions;
use std::io::Write;

use super::priority_text;
use crate::contestant::{Contestant, Description};
use crate::cores::{Priority, on_core};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;

/// Writes a byte, again and again.
#[derive(Default)]
pub struct WriteNull;

impl Contestant for WriteNull {
    fn describe(&self) -> Description {
        Description {
            name: "write-null".to_owned(),
            configuration: format!(
                "libc's write of one byte, unbuffered; one thread, pinned, {}",
                priority_text(Priority::RealtimeIfAllowed)
            ),
            cores_used: 1,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let mut null =
            OpenOptions::new().write(true).open("/dev/null").map_err(BenchError::system("open /dev/null"))?;
        on_core(turn.cores.first(), Priority::RealtimeIfAllowed, || {
            turn.measure(|| match null.write(b"x") {
                Ok(1) => Ok(()),
                Ok(_) => Err(BenchError::Wrong("/dev/null did not take a byte".to_owned())),
                Err(error) => Err(BenchError::system("write to /dev/null")(error)),
            })
        })?
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::play_twice;
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn bytes_are_written() {
        play_twice(&mut WriteNull, Sampling::BATCH, 5);
    }
}
