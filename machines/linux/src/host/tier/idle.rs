//! Keeps idle cores out of sleep states from which waking takes tens of microseconds.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use super::report::Outcome;
use crate::host::files::FileError;

/// Holds the request; the kernel drops it when the descriptor closes, however the process ends.
#[derive(Debug)]
pub(super) struct IdleHold {
    _file: File,
}

/// What to do where that cannot be asked for.
pub(super) const REMEDY: &str = "boot Linux with `processor.max_cstate=1` instead";

/// The file to ask by, below `/`.
pub(super) const FILE: &str = "dev/cpu_dma_latency";

/// Asks for a wake-up latency of 0 µs through `/dev/cpu_dma_latency`
/// (kernel documentation: power/pm_qos_interface.rst). It holds for all cores of the host.
pub(super) fn hold(root: &Path) -> (Option<IdleHold>, Outcome) {
    let path = root.join(FILE);
    let request = OpenOptions::new().write(true).open(&path).and_then(|mut file| {
        file.write_all(&0i32.to_ne_bytes())?;
        Ok(file)
    });
    match request {
        Ok(file) => (Some(IdleHold { _file: file }), Outcome::done("/dev/cpu_dma_latency holds 0 µs")),
        Err(error) => {
            let error = FileError::new("ask for short idle states by", &path, error);
            (None, Outcome::missing(error.to_string(), REMEDY))
        }
    }
}
