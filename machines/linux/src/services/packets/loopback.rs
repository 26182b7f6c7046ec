//! A wire that ends where it begins: what is sent comes back.

use std::collections::VecDeque;

use hallows_sdk::Error;
use hallows_sdk::packets::{Card, HEAD_BYTES, Kind};

use super::device::Device;

/// Frames on the wire at once: as many as a card's queue usually has room for.
const MOST_FRAMES: usize = 256;
/// Bytes that a frame carries: those of Ethernet.
const MTU: u32 = 1_500;
/// Administered by us, and of one card.
const ADDRESS: [u8; 6] = [0x02, 0, 0, 0, 0, 1];

/// A loopback.
#[derive(Debug, Default)]
pub(super) struct Loopback {
    frames: VecDeque<Vec<u8>>,
    /// The one that came last.
    frame: Vec<u8>,
}

impl Device for Loopback {
    fn card(&self) -> Card {
        Card { kind: Kind::Loopback as u32, mtu: MTU, address: ADDRESS }
    }

    fn transmit(&mut self, length: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), Error> {
        if length < HEAD_BYTES {
            return Err(Error::BadArgument);
        }
        if self.frames.len() == MOST_FRAMES {
            return Err(Error::Busy);
        }
        let mut frame = vec![0; length];
        write(&mut frame);
        self.frames.push_back(frame);
        Ok(())
    }

    fn has_some(&mut self) -> bool {
        !self.frames.is_empty()
    }

    fn receive(&mut self) -> Result<Option<&[u8]>, Error> {
        let Some(frame) = self.frames.pop_front() else { return Ok(None) };
        self.frame = frame;
        Ok(Some(&self.frame))
    }

    fn tell(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_comes_back_in_its_order_and_no_more_than_there_is_room_for() {
        let mut wire = Loopback::default();
        let send =
            |wire: &mut Loopback, byte: u8, length| wire.transmit(length, &mut |frame| frame.fill(byte));
        assert_eq!(wire.receive(), Ok(None));
        assert_eq!(send(&mut wire, 1, HEAD_BYTES - 1), Err(Error::BadArgument));
        for number in 0..MOST_FRAMES {
            assert_eq!(send(&mut wire, u8::try_from(number % 256).unwrap(), 60), Ok(()));
        }
        assert_eq!(send(&mut wire, 7, 60), Err(Error::Busy));
        for number in 0..MOST_FRAMES {
            assert!(wire.has_some());
            assert_eq!(wire.receive(), Ok(Some(&[u8::try_from(number % 256).unwrap(); 60][..])));
        }
        assert!(!wire.has_some());
    }
}
