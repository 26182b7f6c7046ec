//! Checksums that a sender on this host has left to its device, and that nobody has made.
//!
//! Where a device makes checksums, Linux's stack writes the sum of the pseudo-header alone into a segment's or datagram's field (`CHECKSUM_PARTIAL`). A
//! virtual device, as `veth`, makes none: the frame does not leave the host's memory. TAP tells so of each frame; AF_XDP has bytes alone.

/// Where a frame's head has its kind, and the head ends.
const KIND: usize = 12;
const HEAD_END: usize = 14;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// Makes a checksum that was left to the device: one that is the pseudo-header's sum. One that was made and is the same number by chance stays what it
/// is: so is the one that is made of all. (Of segments that were damaged on their way, one of 65,536 looks like that and is taken for good, as many as pass a
/// checksum anyway.)
pub(super) fn complete(frame: &mut [u8]) {
    let _ = complete_if_left(frame);
}

/// Whether it was left to the device; `None` of what has no checksum of TCP or UDP.
fn complete_if_left(frame: &mut [u8]) -> Option<bool> {
    let Segment { addresses, protocol, start, end } = segment(frame)?;
    let at = start
        + match protocol {
            TCP => 16,
            UDP => 6,
            _ => return None,
        };
    let pseudo = sum(frame.get(addresses)?) + u64::from(protocol) + u64::try_from(end - start).ok()?;
    let field = frame.get_mut(at..at + 2).filter(|_| at + 2 <= end)?;
    if [field[0], field[1]] != fold(pseudo).to_be_bytes() {
        return Some(false);
    }
    field.fill(0);
    let made = !fold(pseudo + sum(frame.get(start..end)?));
    // Of a datagram, 0 says that there is none.
    let made = if made == 0 && protocol == UDP { u16::MAX } else { made };
    frame.get_mut(at..at + 2)?.copy_from_slice(&made.to_be_bytes());
    Some(true)
}

/// What a checksum is of.
struct Segment {
    /// Both of them: the pseudo-header has them, too.
    addresses: std::ops::Range<usize>,
    protocol: u8,
    start: usize,
    end: usize,
}

/// The segment or datagram of a frame, if it is whole and right behind the head of IP.
fn segment(frame: &[u8]) -> Option<Segment> {
    let word = |at: usize| Some(u16::from_be_bytes(frame.get(at..at + 2)?.try_into().ok()?));
    let byte = |at: usize| frame.get(at).copied();
    let at = |offset: usize| HEAD_END + offset;
    let found = match word(KIND)? {
        IPV4 => {
            // More pieces, or a piece's place.
            const PIECE: u16 = 0x3fff;
            if word(at(6))? & PIECE != 0 {
                return None;
            }
            let head = usize::from(byte(HEAD_END)? & 0xf) * 4;
            let end = at(word(at(2))?.into());
            Segment { addresses: at(12)..at(20), protocol: byte(at(9))?, start: at(head), end }
        }
        IPV6 => {
            let end = at(40) + usize::from(word(at(4))?);
            Segment { addresses: at(8)..at(40), protocol: byte(at(6))?, start: at(40), end }
        }
        _ => return None,
    };
    (found.start <= found.end && found.end <= frame.len()).then_some(found)
}

/// The sum of RFC 1071, not folded: of words of 16 bits, the last with a 0 behind it if there is half of one. No frame is so long that it overflows.
fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<4>();
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    // A word of 32 bits is two of 16, of which the upper one is folded later.
    words.iter().chain([&last]).map(|word| u64::from(u32::from_be_bytes(*word))).sum()
}

fn fold(mut sum: u64) -> u16 {
    while sum > u64::from(u16::MAX) {
        sum = (sum >> 16) + (sum & u64::from(u16::MAX));
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// A frame of this protocol with its checksum left to the device: the place of its field, and the frame.
    fn left(is_ipv4: bool, protocol: u8, payload: &[u8]) -> (usize, Vec<u8>) {
        let (head, field) = if protocol == TCP { (20, 16) } else { (8, 6) };
        let length = u16::try_from(head + payload.len()).unwrap();
        let mut frame = vec![2; KIND];
        if is_ipv4 {
            frame.extend(IPV4.to_be_bytes());
            frame.extend([0x45, 0]);
            frame.extend((20 + length).to_be_bytes());
            frame.extend([0, 0, 0x40, 0, 64, protocol, 0, 0, 10, 99, 0, 1, 10, 99, 0, 2]);
        } else {
            frame.extend(IPV6.to_be_bytes());
            frame.extend([0x60, 0, 0, 0]);
            frame.extend(length.to_be_bytes());
            frame.extend([protocol, 64]);
            frame.extend((0..32).map(|byte| byte * 7));
        }
        let start = frame.len();
        let addresses = if is_ipv4 { 26..34 } else { 22..54 };
        let pseudo = fold(sum(&frame[addresses]) + u64::from(protocol) + u64::from(length));
        frame.extend(vec![9; head]);
        frame.extend(payload);
        frame[start + field..start + field + 2].copy_from_slice(&pseudo.to_be_bytes());
        (start + field, frame)
    }

    #[test]
    fn checksums_that_are_known_come_out() {
        // RFC 1071, section 3.
        assert_eq!(fold(sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7])), 0xddf2);
        // A datagram from 10.99.0.1:40000 to 10.99.0.2:7, `hello`: the pseudo-header's sum is 0x14e7, that of all 0xf50d.
        let mut frame = vec![0; KIND];
        frame.extend([0x08, 0, 0x45, 0, 0, 33, 0, 1, 0x40, 0, 64, 17, 0, 0, 10, 99, 0, 1, 10, 99, 0, 2]);
        frame.extend([0x9c, 0x40, 0, 7, 0, 13, 0x14, 0xe7]);
        frame.extend(b"hello");
        assert_eq!(complete_if_left(&mut frame), Some(true));
        assert_eq!(frame[40..42], [0x0a, 0xf2]);
        assert_eq!(complete_if_left(&mut frame), Some(false), "it is there now");
    }

    #[test]
    fn what_has_none_is_left_alone() {
        let (_, mut piece) = left(true, UDP, b"a piece");
        piece[20] = 0x20;
        let (_, mut other) = left(true, 1, b"an echo of ICMP");
        let (_, mut cut) = left(false, TCP, b"cut off on its way");
        cut.pop();
        let mut arp = vec![0; 60];
        arp[KIND..HEAD_END].copy_from_slice(&[8, 6]);
        for frame in [&mut piece, &mut other, &mut cut, &mut arp] {
            let before = frame.clone();
            assert_eq!(complete_if_left(frame), None);
            assert_eq!(*frame, before);
        }
    }

    proptest! {
        #[test]
        fn one_that_was_left_is_made_and_one_that_was_made_stays(
            is_ipv4: bool, is_tcp: bool, payload in vec(any::<u8>(), 0..1_400), padding in 0..20_usize, damage in 1..=u16::MAX,
        ) {
            let protocol = if is_tcp { TCP } else { UDP };
            let (field, mut frame) = left(is_ipv4, protocol, &payload);
            let start = if is_ipv4 { 34 } else { 54 };
            let end = frame.len();
            frame.extend(vec![0xee; padding]);
            prop_assert_eq!(complete_if_left(&mut frame), Some(true));
            let addresses = if is_ipv4 { 26..34 } else { 22..54 };
            let pseudo = sum(&frame[addresses]) + u64::from(protocol) + (end - start) as u64;
            prop_assert_eq!(fold(pseudo + sum(&frame[start..end])), u16::MAX);
            let made = frame.clone();
            complete(&mut frame);
            prop_assert_eq!(&frame, &made);
            // One that is wrong stays wrong, if it is not the one that says: left to the device.
            let wrong = u16::from_be_bytes([made[field], made[field + 1]]).wrapping_add(damage);
            prop_assume!(wrong != fold(pseudo));
            frame[field..field + 2].copy_from_slice(&wrong.to_be_bytes());
            let before = frame.clone();
            complete(&mut frame);
            prop_assert_eq!(frame, before);
        }

        #[test]
        fn arbitrary_bytes_are_no_reason_to_panic(mut frame in vec(any::<u8>(), 0..200), kind in 0..3_u8) {
            if let Some(place) = frame.get_mut(KIND..HEAD_END) {
                place.copy_from_slice(&[[8, 0], [0x86, 0xdd], [1, 1]][usize::from(kind)]);
            }
            complete(&mut frame);
        }
    }
}
