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
}

impl Device for Loopback {
    fn card(&self) -> Card {
        Card { kind: Kind::Loopback as u32, mtu: MTU, address: ADDRESS }
    }

    fn transmit(&mut self, frame: &[u8]) -> Result<(), Error> {
        if frame.len() < HEAD_BYTES {
            return Err(Error::BadArgument);
        }
        if self.frames.len() == MOST_FRAMES {
            return Err(Error::Busy);
        }
        self.frames.push_back(frame.to_vec());
        Ok(())
    }

    fn receive(&mut self, room: &mut [u8]) -> Result<Option<usize>, Error> {
        let Some(frame) = self.frames.pop_front() else { return Ok(None) };
        let place = room.get_mut(..frame.len()).ok_or(Error::TooLong)?;
        place.copy_from_slice(&frame);
        Ok(Some(frame.len()))
    }

    fn tell(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_comes_back_in_its_order_and_no_more_than_there_is_room_for() {
        let mut wire = Loopback::default();
        assert_eq!(wire.receive(&mut [0; 64]), Ok(None));
        assert_eq!(wire.transmit(&[1; HEAD_BYTES - 1]), Err(Error::BadArgument));
        for number in 0..MOST_FRAMES {
            assert_eq!(wire.transmit(&[u8::try_from(number % 256).unwrap(); 60]), Ok(()));
        }
        assert_eq!(wire.transmit(&[7; 60]), Err(Error::Busy));
        let mut room = [0; 64];
        for number in 0..MOST_FRAMES {
            assert_eq!(wire.receive(&mut room), Ok(Some(60)));
            assert_eq!(room[..60], [u8::try_from(number % 256).unwrap(); 60]);
        }
        wire.transmit(&[7; 65]).unwrap();
        wire.transmit(&[8; 64]).unwrap();
        assert_eq!(wire.receive(&mut room), Err(Error::TooLong), "dropped");
        assert_eq!(wire.receive(&mut room), Ok(Some(64)));
    }
}
