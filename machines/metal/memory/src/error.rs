//! What can go wrong with memory, and what to do about it.

use core::fmt;

/// Why a memory operation was refused. Nothing has changed when one of these is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryError {
    /// Fewer frames are free than the operation needs.
    OutOfFrames {
        /// Frames that the operation would have taken, page tables included.
        needed: u64,
        /// Frames that are free.
        free: u64,
    },
    /// No hole in the address window is large enough.
    OutOfAddresses {
        /// Bytes asked for, rounded up to pages.
        needed_bytes: u64,
    },
    /// The address or length is not a multiple of the page size, or the length is zero.
    Unaligned,
    /// The range is not, or not wholly, inside one live reservation.
    NotReserved,
    /// The pages were asked to be writable and executable at once.
    WritableAndExecutable,
    /// The machine describes more pieces of memory than [`crate::MAX_REGIONS`].
    TooManyRegions,
}

impl fmt::Display for MemoryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfFrames { needed, free } => write!(
                formatter,
                "out of memory: {needed} frames of 4 KiB needed, {free} free; give the machine more memory"
            ),
            Self::OutOfAddresses { needed_bytes } => {
                write!(formatter, "no free address range of {needed_bytes:#x} bytes is left")
            }
            Self::Unaligned => {
                write!(formatter, "address and length must be multiples of 4096, length not zero")
            }
            Self::NotReserved => write!(formatter, "the address range is not inside one live reservation"),
            Self::WritableAndExecutable => {
                write!(
                    formatter,
                    "a page cannot be writable and executable; write first, then make it executable"
                )
            }
            Self::TooManyRegions => {
                write!(formatter, "the memory map has more than {} separate regions", crate::MAX_REGIONS)
            }
        }
    }
}
