//! Checksums over rings: the operation, and the checksum itself, which both sides compute.

use crc::{CRC_32_ISCSI, Crc, Digest};
use hallows_sdk::ring::{Part, operation};

/// The operation: the checksum of a part of the payload comes as the completion's `detail`, its length as the result.
pub const CHECKSUM: u16 = operation::FIRST_OWN;

/// The longest part, in bytes: a service that lets each client ask for 256 of them in a row stays with one client for some milliseconds.
pub const MOST_BYTES: u32 = 4_096;

/// CRC-32C (RFC 3720), by table.
static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// Words that are copied out of a part at a time.
const CHUNK_WORDS: usize = 32;

/// The checksum of bytes.
#[must_use]
pub fn of_bytes(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes)
}

/// The checksum of a part of a payload. If somebody writes there meanwhile, it is that of some mixture.
#[must_use]
pub fn of_part(part: Part<'_>) -> u32 {
    let mut digest: Digest<'_, u32> = CRC.digest();
    let mut chunk = [0; CHUNK_WORDS * size_of::<u64>()];
    let mut rest = part;
    while !rest.is_empty() {
        let count = rest.read(&mut chunk);
        digest.update(chunk.get(..count).unwrap_or_default());
        rest = rest.skip(CHUNK_WORDS);
    }
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::of_bytes;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        // The check value of CRC-32C, and the first of RFC 3720's examples (B.4).
        assert_eq!(of_bytes(b"123456789"), 0xe306_9283);
        assert_eq!(of_bytes(&[0; 32]), 0x8a91_36aa);
    }
}
