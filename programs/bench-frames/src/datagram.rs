//! Datagrams of UDP over IPv4 (RFC 768, RFC 791), as short as they are here: written, checked, and turned back.

use crate::device::PLACE_BYTES;

/// Heads of Ethernet, IPv4 and UDP.
const ETHERNET: usize = 14;
const IPV4: usize = 20;
const UDP: usize = 8;
/// All of them.
pub const OVERHEAD: usize = ETHERNET + IPV4 + UDP;
/// What a datagram carries at most.
pub const MOST_PAYLOAD: usize = PLACE_BYTES - OVERHEAD;

/// The port that answers (RFC 862), and the one that asks.
pub const ECHO: u16 = 7;
const ASKING: u16 = 7_777;
const EVERYBODY: [u8; 6] = [0xff; 6];
/// Who asks, and who answers.
const NEAR: [u8; 4] = [10, 99, 0, 1];
pub const FAR: [u8; 4] = [10, 99, 0, 2];

/// The sum of RFC 1071 over bytes, not folded.
fn sum(bytes: &[u8]) -> u32 {
    let (pairs, rest) = bytes.as_chunks();
    let whole: u32 = pairs.iter().map(|pair| u32::from(u16::from_be_bytes(*pair))).sum();
    whole + rest.first().map_or(0, |last| u32::from(*last) << 8)
}

fn folded(sum: u32) -> u16 {
    let sum = (sum & 0xffff) + (sum >> 16);
    !((sum + (sum >> 16)) as u16)
}

/// The sum of a datagram with its pseudo-header, of the frame from its addresses on.
fn datagram_sum(frame: &[u8]) -> u32 {
    let behind_head = frame.get(ETHERNET + 12..).unwrap_or_default();
    sum(behind_head) + 17 + (frame.len() - ETHERNET - IPV4) as u32
}

fn put(frame: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = frame.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// Writes a datagram that asks: whoever is at the other end of the wire hears it.
pub fn compose(frame: &mut [u8], address: [u8; 6], number: u64) {
    let length = frame.len();
    frame.fill(0xa5);
    put(frame, 0, &EVERYBODY);
    put(frame, 6, &address);
    put(frame, 12, &[0x08, 0x00, 0x45, 0]);
    put(frame, 16, &((length - ETHERNET) as u16).to_be_bytes());
    // No pieces, 64 steps, UDP.
    put(frame, 18, &[0, 0, 0x40, 0, 64, 17, 0, 0]);
    put(frame, 26, &NEAR);
    put(frame, 30, &FAR);
    put(frame, 34, &ASKING.to_be_bytes());
    put(frame, 36, &ECHO.to_be_bytes());
    put(frame, 38, &((length - ETHERNET - IPV4) as u16).to_be_bytes());
    put(frame, 40, &[0, 0]);
    put(frame, 42, &number.to_le_bytes());
    let head = folded(sum(frame.get(ETHERNET..ETHERNET + IPV4).unwrap_or_default()));
    put(frame, 24, &head.to_be_bytes());
    let datagram = folded(datagram_sum(frame));
    put(frame, 40, &datagram.to_be_bytes());
}

/// Whether a frame is a datagram to this address and port, with right lengths and sums.
fn is_datagram(frame: &[u8], to: [u8; 4], port: u16) -> bool {
    let word = |at: usize| frame.get(at..at + 2).map_or(0, |pair| u16::from_be_bytes([pair[0], pair[1]]));
    frame.len() >= OVERHEAD + size_of::<u64>()
        && word(12) == 0x0800
        && frame.get(14) == Some(&0x45)
        && usize::from(word(16)) == frame.len() - ETHERNET
        && frame.get(23) == Some(&17)
        && frame.get(30..34) == Some(&to[..])
        && word(36) == port
        && usize::from(word(38)) == frame.len() - ETHERNET - IPV4
        && folded(sum(frame.get(ETHERNET..ETHERNET + IPV4).unwrap_or_default())) == 0
        && folded(datagram_sum(frame)) == 0
}

/// The number of a datagram that answers; none, if it is something else.
pub fn is_answer(frame: &[u8]) -> Option<u64> {
    let number = frame.get(42..50)?.try_into().ok()?;
    is_datagram(frame, NEAR, ASKING).then_some(u64::from_le_bytes(number))
}

/// Makes a datagram that asks one that answers; false if it is something else. The sums stay: the same words stand in other places.
pub fn turn_back(frame: &mut [u8], address: [u8; 6]) -> bool {
    if !is_datagram(frame, FAR, ECHO) {
        return false;
    }
    let (to, from) = (frame.get_mut(..12), address);
    if let Some(addresses) = to {
        addresses.copy_within(6..12, 0);
        addresses[6..].copy_from_slice(&from);
    }
    for (first, second, length) in [(26, 30, 4), (34, 36, 2)] {
        let (before, behind) = frame.split_at_mut(second);
        before[first..first + length].swap_with_slice(&mut behind[..length]);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_turned_back_once_and_nothing_else_is() {
        let mut frame = [0; OVERHEAD + 64];
        compose(&mut frame, [2, 0, 0, 0, 0, 1], 77);
        assert_eq!(is_answer(&frame), None);
        for place in 12..frame.len() {
            let mut other = frame;
            other[place] ^= 0x10;
            // Of what comes before, only the heads' fields are looked at.
            assert!(!turn_back(&mut other, [2; 6]), "byte {place}");
        }
        assert!(turn_back(&mut frame, [2, 0, 0, 0, 0, 2]));
        assert_eq!(frame[..12], [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
        assert_eq!(is_answer(&frame), Some(77));
        assert!(!turn_back(&mut frame, [2; 6]));
        assert!(!turn_back(&mut [0; 20], [2; 6]));
    }

    #[test]
    fn the_shortest_frame_carries_18_bytes() {
        let mut frame = [0; OVERHEAD + 18];
        compose(&mut frame, [2; 6], 1);
        assert_eq!(frame.len(), 60);
        assert!(turn_back(&mut frame, [2; 6]));
    }
}
