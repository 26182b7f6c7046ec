//! The first page of an artefact: what it is, what it was made from and for, how long it is.
use crate::{
    CpuFeatures, Digest, Platform, Refusal, SealKey, Settings,
    wire::{Reader, put_u32, put_u64},
};
use alloc::vec::Vec;

/// The engine that the code was made for, by name and exact version.
pub const ENGINE_VERSION: &str = "wasmtime 48.0.8";
/// Counts up with every change of this file's layout.
pub const FORMAT_VERSION: u32 = 1;
/// The header fills one page, so that the code behind it can be mapped from the file as it is.
pub const PAGE_BYTES: usize = 4096;

/// `\x7f` keeps it from being taken for text, the last byte from surviving a conversion of line ends.
const MAGIC: [u8; 8] = *b"\x7fHALLOW\n";
/// Room for the engine's version; the text is padded with zeros.
const ENGINE_VERSION_BYTES: usize = 32;
/// Where the 32 bytes of the seal stand: right behind the magic and the format's version.
pub(crate) const SEAL_RANGE: core::ops::Range<usize> = 16..48;

/// The header of an artefact. [`Header::emit`] and [`Header::parse`] are a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Keyed hash over the header with these bytes zero; all zeros while unsealed.
    pub seal: Digest,
    /// BLAKE3 of the program's bytes.
    pub program: Digest,
    /// BLAKE3 of the settings' canonical form.
    pub settings: Digest,
    /// BLAKE3 of everything behind the header.
    pub body: Digest,
    /// Where the code runs; also in `settings`, here for tools to show.
    pub platform: Platform,
    /// What the code needs of the processor; also in `settings`, here for tools to show.
    pub cpu_features: CpuFeatures,
    /// Length of the machine code (an ELF image of wasmtime's), which starts at [`PAGE_BYTES`].
    pub code_bytes: u64,
    /// Length of the metadata, which follows the code.
    pub metadata_bytes: u64,
}

impl Header {
    /// The page that stands at the front of the artefact.
    pub fn emit(&self) -> [u8; PAGE_BYTES] {
        let mut fields = Vec::with_capacity(PAGE_BYTES);
        fields.extend_from_slice(&MAGIC);
        put_u32(&mut fields, FORMAT_VERSION);
        put_u32(&mut fields, PAGE_BYTES as u32);
        for digest in [self.seal, self.program, self.settings, self.body] {
            fields.extend_from_slice(digest.as_bytes());
        }
        let mut engine = [0; ENGINE_VERSION_BYTES];
        engine[..ENGINE_VERSION.len()].copy_from_slice(ENGINE_VERSION.as_bytes());
        fields.extend_from_slice(&engine);
        put_u32(
            &mut fields,
            match self.platform {
                Platform::Linux => 1,
                Platform::Metal => 2,
            },
        );
        put_u32(&mut fields, 0);
        put_u64(&mut fields, self.cpu_features.bits());
        put_u64(&mut fields, self.code_bytes);
        put_u64(&mut fields, self.metadata_bytes);
        let mut page = [0; PAGE_BYTES];
        page[..fields.len()].copy_from_slice(&fields);
        page
    }

    /// Reads a header and checks that it describes exactly `artifact`. Says nothing about who wrote it.
    ///
    /// # Errors
    /// Any [`Refusal`] but those that need a key or an expectation.
    pub fn parse(artifact: &[u8]) -> Result<Header, Refusal> {
        Header::parse_first(artifact, artifact.len() as u64)
    }

    /// [`Header::parse`], given the first part, a page at least, of an artefact of so many bytes.
    pub(crate) fn parse_first(part: &[u8], length: u64) -> Result<Header, Refusal> {
        let page = part.get(..PAGE_BYTES).ok_or(Refusal::Truncated)?;
        let mut fields = Reader::new(page);
        if fields.array()? != MAGIC {
            return Err(Refusal::NotAnArtifact);
        }
        let version = fields.u32()?;
        if version != FORMAT_VERSION {
            return Err(Refusal::FormatVersion(version));
        }
        if fields.u32()? as usize != PAGE_BYTES {
            return Err(Refusal::Malformed("length of the header"));
        }
        let [seal, program, settings, body] =
            [fields.array()?, fields.array()?, fields.array()?, fields.array()?].map(Digest::from_bytes);
        let (engine, padding) = fields.take(ENGINE_VERSION_BYTES)?.split_at(ENGINE_VERSION.len());
        if engine != ENGINE_VERSION.as_bytes() || padding.iter().any(|byte| *byte != 0) {
            return Err(Refusal::EngineVersion);
        }
        let platform = match (fields.u32()?, fields.u32()?) {
            (1, 0) => Platform::Linux,
            (2, 0) => Platform::Metal,
            _ => return Err(Refusal::Malformed("platform")),
        };
        let cpu_features =
            CpuFeatures::from_bits(fields.u64()?).ok_or(Refusal::Malformed("processor features"))?;
        let (code_bytes, metadata_bytes) = (fields.u64()?, fields.u64()?);
        if fields.take(PAGE_BYTES - Header::FIELD_BYTES)?.iter().any(|byte| *byte != 0) {
            return Err(Refusal::Malformed("padding of the header"));
        }
        let announced =
            code_bytes.checked_add(metadata_bytes).ok_or(Refusal::Malformed("length of the body"))?;
        let present = length.saturating_sub(PAGE_BYTES as u64);
        match announced.cmp(&present) {
            core::cmp::Ordering::Greater => return Err(Refusal::Truncated),
            core::cmp::Ordering::Less => return Err(Refusal::Malformed("bytes after the end")),
            core::cmp::Ordering::Equal => {}
        }
        Ok(Header { seal, program, settings, body, platform, cpu_features, code_bytes, metadata_bytes })
    }

    /// Checks that this is the header of an artefact that was sealed with `key`, and made from `program` with `settings`.
    pub(crate) fn check(&self, key: &SealKey, program: Digest, settings: &Settings) -> Result<(), Refusal> {
        if !key.has_sealed(self) {
            return Err(Refusal::ForeignSeal);
        }
        if self.program != program {
            return Err(Refusal::OtherProgram);
        }
        if self.settings != settings.fingerprint() {
            return Err(Refusal::OtherSettings);
        }
        Ok(())
    }

    /// Bytes of the page that are used.
    const FIELD_BYTES: usize = 16 + 4 * 32 + ENGINE_VERSION_BYTES + 4 + 4 + 3 * 8;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header() -> impl Strategy<Value = Header> {
        let digest = any::<[u8; 32]>().prop_map(Digest::from_bytes);
        (
            (digest.clone(), digest.clone(), digest.clone(), digest),
            any::<bool>(),
            0..=CpuFeatures::all().bits(),
            0u64..100,
            0u64..100,
        )
            .prop_map(
                |((seal, program, settings, body), metal, features, code_bytes, metadata_bytes)| Header {
                    seal,
                    program,
                    settings,
                    body,
                    platform: if metal { Platform::Metal } else { Platform::Linux },
                    cpu_features: CpuFeatures::from_bits(features).unwrap(),
                    code_bytes,
                    metadata_bytes,
                },
            )
    }

    proptest! {
        #[test]
        fn a_header_round_trips(header in header()) {
            let mut artifact = header.emit().to_vec();
            artifact.resize(PAGE_BYTES + (header.code_bytes + header.metadata_bytes) as usize, 0xab);
            prop_assert_eq!(Header::parse(&artifact), Ok(header));
        }

        #[test]
        fn a_changed_byte_is_refused_or_changes_a_field(header in header(), at in 0..PAGE_BYTES, flip in 1u8..) {
            let mut artifact = header.emit().to_vec();
            artifact.resize(PAGE_BYTES + (header.code_bytes + header.metadata_bytes) as usize, 0);
            artifact[at] ^= flip;
            if let Ok(parsed) = Header::parse(&artifact) {
                prop_assert_ne!(&parsed, &header);
                prop_assert_eq!(parsed.emit().to_vec(), artifact[..PAGE_BYTES].to_vec());
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..5000)) {
            prop_assert!(Header::parse(&bytes).is_err());
        }
    }
}
