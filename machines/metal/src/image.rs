//! The machine's files: a tar archive that the loader puts into memory (`-initrd`).

use core::fmt;

use hallows_metal_memory::Region;
use tar_no_std::TarArchiveRef;

use crate::memory::DIRECT_MAP;

/// What the machine was given to run.
#[derive(Clone, Copy)]
pub struct Image(&'static [u8]);

/// A file is not to be had.
#[derive(Clone, Copy, Debug)]
pub enum MissingFile<'a> {
    /// The loader gave no module.
    NoArchive,
    /// The module is no tar archive.
    NotAnArchive,
    /// The archive has no such file.
    NotInside(&'a str),
}

impl fmt::Display for MissingFile<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoArchive => {
                write!(formatter, "the machine was given no files; boot with -initrd ARCHIVE.tar")
            }
            Self::NotAnArchive => write!(formatter, "the boot module is no tar archive"),
            Self::NotInside(name) => write!(formatter, "the boot module has no file {name}"),
        }
    }
}

impl Image {
    /// The module at `region`, or one without files.
    ///
    /// # Safety
    /// The region is what the loader said; it is mapped in the direct map and never used for anything else.
    pub unsafe fn new(region: Option<Region>) -> Self {
        let Some(region) = region else { return Self(&[]) };
        // SAFETY: the caller's promise; nobody writes there.
        let bytes = unsafe {
            core::slice::from_raw_parts((DIRECT_MAP + region.start).as_ptr(), region.bytes() as usize)
        };
        Self(bytes)
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// [`MissingFile`].
    pub fn file<'a>(&self, name: &'a str) -> Result<&'static [u8], MissingFile<'a>> {
        if self.0.is_empty() {
            return Err(MissingFile::NoArchive);
        }
        let archive = TarArchiveRef::new(self.0).map_err(|_| MissingFile::NotAnArchive)?;
        archive
            .entries()
            .find(|entry| entry.filename().as_str() == Ok(name))
            .map(|entry| entry.data())
            .ok_or(MissingFile::NotInside(name))
    }
}
