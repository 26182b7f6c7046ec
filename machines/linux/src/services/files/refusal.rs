//! From Linux's errors to the interface's refusals.

use hallows_system::files::Refusal;
use rustix::io::Errno;

/// The refusal that says what an error says.
pub(super) fn refused(error: Errno) -> Refusal {
    match error {
        Errno::ACCESS => Refusal::Access,
        Errno::AGAIN => Refusal::Again,
        Errno::BADF => Refusal::BadDescriptor,
        Errno::BUSY => Refusal::Busy,
        Errno::DQUOT => Refusal::Quota,
        Errno::EXIST => Refusal::Exists,
        Errno::FBIG => Refusal::FileTooLarge,
        Errno::ILSEQ => Refusal::IllegalBytes,
        Errno::INTR => Refusal::Interrupted,
        Errno::INVAL => Refusal::Invalid,
        Errno::ISDIR => Refusal::IsDirectory,
        Errno::LOOP => Refusal::TooManyLinksFollowed,
        Errno::MFILE => Refusal::TooManyFiles,
        Errno::MLINK => Refusal::TooManyLinks,
        Errno::NAMETOOLONG => Refusal::NameTooLong,
        Errno::NFILE => Refusal::TooManyFilesInSystem,
        Errno::NODEV => Refusal::NoDevice,
        Errno::NOENT => Refusal::NoEntry,
        Errno::NOLCK => Refusal::NoLock,
        Errno::NOMEM => Refusal::NoMemory,
        Errno::NOSPC => Refusal::NoSpace,
        Errno::NOTDIR => Refusal::NotDirectory,
        Errno::NOTEMPTY => Refusal::NotEmpty,
        Errno::NOTSUP | Errno::NOSYS => Refusal::NotSupported,
        Errno::NXIO => Refusal::NoSuchDevice,
        Errno::OVERFLOW => Refusal::Overflow,
        Errno::PERM => Refusal::NotPermitted,
        Errno::PIPE => Refusal::BrokenPipe,
        Errno::ROFS => Refusal::ReadOnly,
        Errno::SPIPE => Refusal::NoSeek,
        Errno::TXTBSY => Refusal::TextBusy,
        Errno::XDEV => Refusal::OtherDevice,
        _ => Refusal::InputOutput,
    }
}
