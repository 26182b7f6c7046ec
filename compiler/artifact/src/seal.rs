//! The seal: proof that an artefact came out of this user's compiler.
use crate::{Digest, Header, PAGE_BYTES, Refusal, header::SEAL_RANGE};
use core::fmt;

/// A user's secret. Who knows it can make the engine run any machine code: it is kept like a password.
#[derive(Clone)]
pub struct SealKey([u8; 32]);

impl fmt::Debug for SealKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SealKey(secret)")
    }
}

impl SealKey {
    /// A key from 32 bytes of a cryptographic random source.
    pub const fn from_bytes(secret: [u8; 32]) -> SealKey {
        SealKey(secret)
    }

    /// The secret, to be passed to the machine process, which opens artefacts with it.
    pub const fn to_bytes(&self) -> [u8; 32] {
        self.0
    }

    /// The keyed hash of a header page whose seal is taken as zeros. The page holds the hash of the body,
    /// so it speaks for the whole artefact.
    fn seal_of(&self, mut page: [u8; PAGE_BYTES]) -> Digest {
        page[SEAL_RANGE].fill(0);
        blake3::keyed_hash(&self.0, &page)
    }

    /// Whether `header` carries this key's seal.
    pub(crate) fn has_sealed(&self, header: &Header) -> bool {
        self.seal_of(header.emit()) == header.seal
    }
}

/// Seals an artefact in place. Only for bytes that came from our own compiler just now.
///
/// # Errors
/// The [`Refusal`] of [`Header::parse`], or [`Refusal::BodyDamaged`] if the body is not the announced one.
pub fn seal(artifact: &mut [u8], key: &SealKey) -> Result<(), Refusal> {
    let header = Header::parse(artifact)?;
    let body = artifact.get(PAGE_BYTES..).ok_or(Refusal::Truncated)?;
    if blake3::hash(body) != header.body {
        return Err(Refusal::BodyDamaged);
    }
    let seal = key.seal_of(header.emit());
    artifact.get_mut(SEAL_RANGE).ok_or(Refusal::Truncated)?.copy_from_slice(seal.as_bytes());
    Ok(())
}
