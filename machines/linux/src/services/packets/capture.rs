//! A copy of all frames of a device, in the format of pcap (draft-ietf-opsawg-pcap), for tcpdump and its kin.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use hallows_sdk::packets::Card;
use hallows_sdk::{Error, log};
use rustix::io::{Errno, write};

use super::device::Device;

/// Bytes of a frame that are kept: all of the longest.
const MOST_KEPT: u32 = 262_144;
/// Frames of Ethernet, without their checksums.
const ETHERNET: u32 = 1;
/// What a file begins with whose times are in nanoseconds, its version, 2.4, and what it has. In the order of bytes of this machine, little-endian.
pub const HEAD: [u8; 24] = head();

const fn head() -> [u8; 24] {
    let mut head = [0; 24];
    let (magic, most, kind) =
        (0xa1b2_3c4d_u32.to_le_bytes(), MOST_KEPT.to_le_bytes(), ETHERNET.to_le_bytes());
    let mut place = 0;
    while place < 4 {
        head[place] = magic[place];
        head[16 + place] = most[place];
        head[20 + place] = kind[place];
        place += 1;
    }
    (head[4], head[6]) = (2, 4);
    head
}

/// Bytes that are written at once, if nobody waits.
const BATCH_BYTES: usize = 64 << 10;
/// Bytes that wait for whoever reads a pipe; what comes then is not kept.
const MOST_BYTES: usize = 1 << 20;

/// A device, and the copy of its frames.
#[derive(Debug)]
pub(super) struct Captured<D> {
    device: D,
    copy: Copies,
    /// The frame that is being sent.
    frame: Vec<u8>,
}

/// Copies of frames, for a file.
#[derive(Debug)]
struct Copies {
    file: Arc<OwnedFd>,
    /// What is not written yet.
    waiting: Vec<u8>,
    /// Frames for which there was no room.
    missed: u64,
    /// That nothing is written any more was said.
    is_over: bool,
}

impl<D: Device> Captured<D> {
    pub const fn new(device: D, file: Arc<OwnedFd>) -> Self {
        let copy = Copies { file, waiting: Vec::new(), missed: 0, is_over: false };
        Self { device, copy, frame: Vec::new() }
    }
}

impl Copies {
    fn keep(&mut self, frame: &[u8]) {
        if self.is_over {
            return;
        }
        if self.waiting.len() + frame.len() + 16 > MOST_BYTES {
            self.missed += 1;
            return;
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // The format's seconds end in 2106.
        let seconds = u32::try_from(since.as_secs()).unwrap_or(u32::MAX);
        let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        for word in [seconds, since.subsec_nanos(), length, length] {
            self.waiting.extend_from_slice(&word.to_le_bytes());
        }
        self.waiting.extend_from_slice(frame);
        if self.waiting.len() >= BATCH_BYTES {
            self.flush();
        }
    }

    /// Writes what waits, as far as it is taken.
    fn flush(&mut self) {
        while !self.waiting.is_empty() {
            match write(&*self.file, &self.waiting) {
                Ok(written) => drop(self.waiting.drain(..written)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(error) => {
                    log!("the capture ends here: {error}");
                    self.is_over = true;
                    self.waiting = Vec::new();
                }
            }
        }
        if self.missed > 0 {
            log!("{} frames were not captured: nobody read them in time", self.missed);
            self.missed = 0;
        }
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        // In vain where nobody reads: it is said nowhere any more.
        let mut rest = &*self.waiting;
        while !rest.is_empty()
            && let Ok(written) = write(&*self.file, rest)
        {
            rest = &rest[written..];
        }
    }
}

impl<D: Device> Device for Captured<D> {
    fn card(&self) -> Card {
        self.device.card()
    }

    fn transmit(&mut self, length: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), Error> {
        let Self { device, copy, frame } = self;
        device.transmit(length, &mut |place| {
            write(place);
            frame.clear();
            frame.extend_from_slice(place);
        })?;
        copy.keep(frame);
        Ok(())
    }

    fn flush(&mut self) -> bool {
        self.device.flush()
    }

    fn has_some(&mut self) -> bool {
        self.device.has_some()
    }

    fn looks_by_call(&self) -> bool {
        self.device.looks_by_call()
    }

    fn receive(&mut self) -> Result<Option<&[u8]>, Error> {
        let Self { device, copy, .. } = self;
        let received = device.receive()?;
        match received {
            Some(frame) => copy.keep(frame),
            // There is time.
            None => copy.flush(),
        }
        Ok(received)
    }

    fn tell(&mut self) {
        self.copy.flush();
        self.device.tell();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::services::packets::loopback::Loopback;

    #[test]
    fn all_frames_are_kept_in_the_format_of_pcap_and_what_nobody_reads_is_bounded() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&writer, true).unwrap();
        let mut wire = Captured::new(Loopback::default(), Arc::new(OwnedFd::from(writer)));
        let send = |wire: &mut Captured<Loopback>, byte: u8, length| {
            wire.transmit(length, &mut |frame| frame.fill(byte)).unwrap();
        };
        send(&mut wire, 7, 60);
        assert_eq!(wire.receive(), Ok(Some(&[7; 60][..])));
        assert_eq!(wire.receive(), Ok(None));
        let mut written = [0; 2 * (16 + 60)];
        reader.read_exact(&mut written).unwrap();
        for record in written.chunks(76) {
            assert_eq!(&record[8..16], &[60, 0, 0, 0, 60, 0, 0, 0]);
            assert_eq!(&record[16..], [7; 60]);
        }
        for _ in 0..2_000 {
            send(&mut wire, 8, 1_500);
            wire.receive().unwrap();
        }
        assert!(wire.copy.waiting.len() <= MOST_BYTES && wire.copy.missed > 0);
        assert_eq!(wire.receive(), Ok(None));
        // Who read does so no more: the device goes on.
        drop(reader);
        assert_eq!(wire.receive(), Ok(None));
        assert!(wire.copy.is_over && wire.copy.waiting.is_empty());
        send(&mut wire, 9, 60);
        assert_eq!(wire.receive(), Ok(Some(&[9; 60][..])));
    }

    #[test]
    fn a_file_begins_as_the_format_says() {
        assert_eq!(HEAD[..8], [0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0]);
        assert_eq!(HEAD[20..], [1, 0, 0, 0]);
    }
}
