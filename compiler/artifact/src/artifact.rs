//! An artefact as a whole: put together by the compiler, opened by the engine.
use crate::{Digest, Header, Metadata, PAGE_BYTES, Refusal, SealKey, Settings};
use alloc::vec::Vec;

/// A verified view of an artefact's bytes: header page, code, metadata, in this order.
#[derive(Clone, Debug)]
pub struct Artifact<'a> {
    header: Header,
    code: &'a [u8],
    metadata: Metadata,
}

impl<'a> Artifact<'a> {
    /// Puts an unsealed artefact together; [`crate::seal`] makes it acceptable.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] if the length overflows.
    pub fn assemble(
        program: Digest,
        settings: &Settings,
        code: &[u8],
        metadata: &Metadata,
    ) -> Result<Vec<u8>, Refusal> {
        let metadata = metadata.emit();
        let total = PAGE_BYTES
            .checked_add(code.len())
            .and_then(|sum| sum.checked_add(metadata.len()))
            .ok_or(Refusal::Malformed("length of the body"))?;
        let mut body = blake3::Hasher::new();
        body.update(code);
        body.update(&metadata);
        let header = Header {
            seal: Digest::from_bytes([0; 32]),
            program,
            settings: settings.fingerprint(),
            body: body.finalize(),
            platform: settings.platform,
            cpu_features: settings.cpu_features,
            code_bytes: code.len() as u64,
            metadata_bytes: metadata.len() as u64,
        };
        let mut artifact = Vec::with_capacity(total);
        artifact.extend_from_slice(&header.emit());
        artifact.extend_from_slice(code);
        artifact.extend_from_slice(&metadata);
        Ok(artifact)
    }

    /// Opens an artefact if it was sealed with `key`, was made from `program` with `settings`, and is whole.
    /// The seal is checked first: nothing else of foreign bytes is looked at.
    ///
    /// # Errors
    /// The [`Refusal`] that says which of these failed.
    pub fn open(
        artifact: &'a [u8],
        key: &SealKey,
        program: Digest,
        settings: &Settings,
    ) -> Result<Artifact<'a>, Refusal> {
        let header = Header::parse(artifact)?;
        header.check(key, program, settings)?;
        Artifact::parse(artifact, header)
    }

    /// [`Artifact::open`] for bytes that whoever has the key has opened or [streamed](crate::Stream) before and that nobody could change since: all is
    /// checked but the hash of the body, which takes milliseconds for a large program.
    ///
    /// # Errors
    /// As [`Artifact::open`], but for [`Refusal::BodyDamaged`].
    pub fn open_again(
        artifact: &'a [u8],
        key: &SealKey,
        program: Digest,
        settings: &Settings,
    ) -> Result<Artifact<'a>, Refusal> {
        let header = Header::parse(artifact)?;
        header.check(key, program, settings)?;
        Artifact::split(artifact, header)
    }

    /// Reads an artefact without asking who made it: for tools that show artefacts, and for the parent of the
    /// compiler before it seals. Its code must not be mapped.
    ///
    /// # Errors
    /// The [`Refusal`] that says how it is damaged.
    pub fn inspect(artifact: &'a [u8]) -> Result<Artifact<'a>, Refusal> {
        Artifact::parse(artifact, Header::parse(artifact)?)
    }

    fn parse(artifact: &'a [u8], header: Header) -> Result<Artifact<'a>, Refusal> {
        let body = artifact.get(PAGE_BYTES..).ok_or(Refusal::Truncated)?;
        if blake3::hash(body) != header.body {
            return Err(Refusal::BodyDamaged);
        }
        Artifact::split(artifact, header)
    }

    fn split(artifact: &'a [u8], header: Header) -> Result<Artifact<'a>, Refusal> {
        let body = artifact.get(PAGE_BYTES..).ok_or(Refusal::Truncated)?;
        let code_bytes = usize::try_from(header.code_bytes).map_err(|_| Refusal::Truncated)?;
        let (code, metadata) = body.split_at_checked(code_bytes).ok_or(Refusal::Truncated)?;
        Ok(Artifact { header, code, metadata: Metadata::parse(metadata)? })
    }

    /// What the artefact says about itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The machine code: an ELF image that wasmtime's `Module::deserialize` takes. It stands at offset
    /// [`PAGE_BYTES`] of the artefact.
    pub fn code(&self) -> &'a [u8] {
        self.code
    }

    /// What the program imports, exports and needs.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CpuFeatures, Platform, program_hash, seal};
    use alloc::vec;
    use proptest::prelude::*;

    fn settings() -> Settings {
        Settings::new(Platform::Linux, CpuFeatures::BASELINE).unwrap()
    }

    fn sealed(code: &[u8], key: &SealKey) -> Vec<u8> {
        let metadata = Metadata { has_start: true, ..Metadata::default() };
        let mut bytes = Artifact::assemble(program_hash(b"p"), &settings(), code, &metadata).unwrap();
        seal(&mut bytes, key).unwrap();
        bytes
    }

    #[test]
    fn a_sealed_artefact_opens_with_its_key_program_and_settings_only() {
        let key = SealKey::from_bytes([1; 32]);
        let bytes = sealed(b"code", &key);
        let open = |key: &SealKey, program: &[u8], settings: &Settings| {
            Artifact::open(&bytes, key, program_hash(program), settings)
                .map(|artifact| artifact.code().to_vec())
        };
        assert_eq!(open(&key, b"p", &settings()), Ok(b"code".to_vec()));
        assert_eq!(open(&SealKey::from_bytes([2; 32]), b"p", &settings()), Err(Refusal::ForeignSeal));
        assert_eq!(open(&key, b"q", &settings()), Err(Refusal::OtherProgram));
        let metal = Settings::new(Platform::Metal, CpuFeatures::BASELINE).unwrap();
        assert_eq!(open(&key, b"p", &metal), Err(Refusal::OtherSettings));
    }

    #[test]
    fn an_unsealed_artefact_is_not_opened() {
        let bytes =
            Artifact::assemble(program_hash(b"p"), &settings(), b"code", &Metadata::default()).unwrap();
        let key = SealKey::from_bytes([0; 32]);
        let opened = Artifact::open(&bytes, &key, program_hash(b"p"), &settings());
        assert_eq!(opened.unwrap_err(), Refusal::ForeignSeal);
        assert!(Artifact::inspect(&bytes).is_ok());
    }

    #[test]
    fn only_a_whole_artefact_is_sealed() {
        let mut bytes =
            Artifact::assemble(program_hash(b"p"), &settings(), b"code", &Metadata::default()).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        assert_eq!(seal(&mut bytes, &SealKey::from_bytes([0; 32])), Err(Refusal::BodyDamaged));
        assert_eq!(
            seal(&mut vec![0; PAGE_BYTES], &SealKey::from_bytes([0; 32])),
            Err(Refusal::NotAnArtifact)
        );
    }

    proptest! {
        #[test]
        fn any_changed_byte_is_refused(code in proptest::collection::vec(any::<u8>(), 0..300), at: prop::sample::Index, flip in 1u8..) {
            let key = SealKey::from_bytes([3; 32]);
            let mut bytes = sealed(&code, &key);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert!(Artifact::open(&bytes, &key, program_hash(b"p"), &settings()).is_err());
        }

        #[test]
        fn any_cut_or_grown_artefact_is_refused(code in proptest::collection::vec(any::<u8>(), 0..300), length in 0usize..5000) {
            let key = SealKey::from_bytes([3; 32]);
            let mut bytes = sealed(&code, &key);
            prop_assume!(length != bytes.len());
            bytes.resize(length, 0);
            prop_assert!(Artifact::open(&bytes, &key, program_hash(b"p"), &settings()).is_err());
        }
    }
}
