//! Random numbers of the host.

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

/// Fills bytes from Linux's generator.
///
/// # Panics
///
/// If the host has none: a machine that went on would give out keys that can be guessed.
pub(crate) fn fill(bytes: &mut [u8]) {
    let mut filled = 0;
    while filled < bytes.len() {
        // It blocks only before the host's pool is ready, long before any machine; an interrupted call is tried again.
        match getrandom(&mut bytes[filled..], GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(error) => panic!("the host has no random numbers: {error}"),
        }
    }
}
