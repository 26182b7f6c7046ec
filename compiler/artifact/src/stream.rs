//! An artefact that comes in parts, and is checked as it goes by.
use crate::{Digest, Header, Metadata, PAGE_BYTES, Refusal, SealKey, Settings};
use alloc::vec::Vec;

/// Checks what [`Artifact::open`](crate::Artifact::open) does, of an artefact that never is in memory as a whole. Nothing of it must be used
/// before [`Stream::end`] has said that it is good.
#[derive(Clone, Debug)]
pub struct Stream {
    header: Header,
    body: blake3::Hasher,
    /// Bytes of the code that have not come yet.
    code_left: u64,
    metadata: Vec<u8>,
}

impl Stream {
    /// Begins with the first page of an artefact of `length` bytes.
    ///
    /// # Errors
    /// The [`Refusal`] that says that it is not one that was sealed with `key`, and made from `program` with `settings`.
    pub fn begin(
        page: &[u8; PAGE_BYTES],
        length: u64,
        key: &SealKey,
        program: Digest,
        settings: &Settings,
    ) -> Result<Stream, Refusal> {
        let header = Header::parse_first(page, length)?;
        header.check(key, program, settings)?;
        let code_left = header.code_bytes;
        Ok(Stream { header, body: blake3::Hasher::new(), code_left, metadata: Vec::new() })
    }

    /// Takes the bytes that come next.
    pub fn put(&mut self, part: &[u8]) {
        self.body.update(part);
        let code = usize::try_from(self.code_left).unwrap_or(usize::MAX).min(part.len());
        self.code_left -= code as u64;
        self.metadata.extend_from_slice(part.get(code..).unwrap_or_default());
    }

    /// That all has come, and is what was sealed; what the program imports, exports and needs.
    ///
    /// # Errors
    /// [`Refusal::BodyDamaged`], also if something is missing; [`Refusal::Malformed`].
    pub fn end(self) -> Result<Metadata, Refusal> {
        if self.body.finalize() != self.header.body {
            return Err(Refusal::BodyDamaged);
        }
        Metadata::parse(&self.metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Artifact, CpuFeatures, Platform, program_hash, seal};
    use proptest::prelude::*;

    fn streamed(bytes: &[u8], part: usize, key: &SealKey) -> Result<Metadata, Refusal> {
        let settings = Settings::new(Platform::Linux, CpuFeatures::BASELINE).unwrap();
        let (page, body) = bytes.split_first_chunk().ok_or(Refusal::Truncated)?;
        let mut stream = Stream::begin(page, bytes.len() as u64, key, program_hash(b"p"), &settings)?;
        body.chunks(part).for_each(|part| stream.put(part));
        stream.end()
    }

    proptest! {
        #[test]
        fn a_stream_is_good_exactly_if_the_artefact_is(
            code in proptest::collection::vec(any::<u8>(), 0..300), part in 1usize..100, at: prop::sample::Index, flip: u8, cut in 0usize..9
        ) {
            let settings = Settings::new(Platform::Linux, CpuFeatures::BASELINE).unwrap();
            let key = SealKey::from_bytes([3; 32]);
            let metadata = Metadata { has_start: true, ..Metadata::default() };
            let mut bytes = Artifact::assemble(program_hash(b"p"), &settings, &code, &metadata).unwrap();
            seal(&mut bytes, &key).unwrap();
            let whole = bytes.len();
            let at = at.index(whole);
            bytes[at] ^= flip;
            bytes.truncate(whole - cut);
            let expected = Artifact::open(&bytes, &key, program_hash(b"p"), &settings);
            prop_assert_eq!(expected.is_ok(), flip == 0 && cut == 0);
            prop_assert_eq!(streamed(&bytes, part, &key), expected.map(|artifact| artifact.metadata().clone()));
        }

        #[test]
        fn what_was_good_once_is_opened_again_as_it_was(code in proptest::collection::vec(any::<u8>(), 0..300)) {
            let settings = Settings::new(Platform::Linux, CpuFeatures::BASELINE).unwrap();
            let (key, other) = (SealKey::from_bytes([3; 32]), SealKey::from_bytes([4; 32]));
            let mut bytes = Artifact::assemble(program_hash(b"p"), &settings, &code, &Metadata::default()).unwrap();
            seal(&mut bytes, &key).unwrap();
            let again = Artifact::open_again(&bytes, &key, program_hash(b"p"), &settings).unwrap();
            prop_assert_eq!(again.code(), &code[..]);
            prop_assert_eq!(Artifact::open_again(&bytes, &other, program_hash(b"p"), &settings).unwrap_err(), Refusal::ForeignSeal);
            prop_assert_eq!(Artifact::open_again(&bytes, &key, program_hash(b"q"), &settings).unwrap_err(), Refusal::OtherProgram);
            bytes.pop();
            prop_assert_eq!(Artifact::open_again(&bytes, &key, program_hash(b"p"), &settings).unwrap_err(), Refusal::Truncated);
        }
    }
}
