//! What the process was granted for each of its programs: directories, three streams, arguments, variables.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::fs::{FileType, Mode, OFlags, fstat};
use rustix::process::{Resource, getrlimit};
use rustix::termios::isatty;

use super::files::open_beneath;

/// What the host service may reach for one program.
#[derive(Debug)]
pub struct HostResources {
    /// Directories; [`Badge::Directory`](super::Badge::Directory) counts them from 0.
    pub directories: Vec<GrantedDirectory>,
    /// Input, output, errors. Each is used in its one direction only, whatever the descriptor can do.
    pub streams: [OwnedFd; 3],
    /// Where input is read in place of the first stream, which then only says whether a person sits there: a process in the background may
    /// not read its terminal.
    pub carried_input: Option<OwnedFd>,
    /// The arguments, the program's name first. No zero bytes.
    pub arguments: Vec<Vec<u8>>,
    /// The environment: `NAME=value`. No zero bytes.
    pub variables: Vec<Vec<u8>>,
}

/// A directory that was granted, with all that lies below it.
#[derive(Debug)]
pub struct GrantedDirectory {
    /// The directory: opened with `O_PATH` or for reading.
    pub descriptor: OwnedFd,
    /// Nothing below it is changed.
    pub read_only: bool,
    /// What people call it, for messages.
    pub name: String,
}

/// Why resources were not taken.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// It was done before.
    #[error("this process has its resources already: install them once, before the machine starts")]
    InstalledAlready,
    /// A directory cannot be used.
    #[error("cannot grant the directory `{name}`: {source}")]
    Directory {
        /// Which.
        name: String,
        /// What Linux says.
        source: std::io::Error,
    },
    /// A directory may not be entered.
    #[error(
        "cannot grant the directory `{name}`: you may not enter it (a machine has no root's power over what is others'); let its owner permit it, \
         `chmod a+rx`"
    )]
    NotPermitted {
        /// Which.
        name: String,
    },
    /// The jail was closed without it.
    #[error(
        "cannot give the directory `{name}`: this machine reaches what it was started with, and what is below that. Start it with --dir and a \
         directory above, or run the program by itself, `hallows run PROGRAM --dir …`"
    )]
    OutOfReach {
        /// Which.
        name: String,
    },
    /// Linux has no `openat2`, or a filter of system calls hides it.
    #[error(
        "cannot grant the directory `{name}`: paths are kept inside of it by openat2, which this Linux does not have or does not allow; use Linux 5.6 or newer"
    )]
    NoOpenat2 {
        /// Which.
        name: String,
    },
    /// An argument or a variable is none.
    #[error(
        "argument or variable number {number} has a zero byte, which ends it for every program: take it out"
    )]
    ZeroByte {
        /// Which, from 0.
        number: usize,
    },
    /// There are more than can be counted.
    #[error(
        "arguments and variables take {bytes} bytes, more than the 1073741824 that can be read: shorten them"
    )]
    TooLong {
        /// How many bytes.
        bytes: usize,
    },
}

/// What [`install`] took, by programs, and the count of all open files.
static INSTALLED: OnceLock<(Arc<OpenFiles>, Vec<Arc<Installed>>)> = OnceLock::new();

/// Programs that came later, by their numbers; and how many there were.
static LENT: Mutex<(usize, BTreeMap<usize, Arc<Installed>>)> = Mutex::new((0, BTreeMap::new()));

/// The number of the first program that came later: behind all that a machine can be started with.
const FIRST_LENT: usize = 1 << 16;

/// Takes what the host service of this process may reach, once: for each program that it serves, in their order.
///
/// Call it before the jail is sealed (it asks for limits and for terminals, which the jail refuses) and before a cell of [`HOST`](super::HOST)
/// starts.
///
/// # Errors
///
/// [`InstallError`]; nothing is taken then.
pub fn install(programs: Vec<HostResources>) -> Result<(), InstallError> {
    let places = Arc::new(OpenFiles::new());
    let checked = programs.into_iter().map(|resources| Installed::check(resources, &places).map(Arc::new));
    let checked = checked.collect::<Result<_, _>>()?;
    INSTALLED.set((places, checked)).map_err(|_| InstallError::InstalledAlready)
}

/// What was installed for the program of this number.
pub(super) fn installed(program: usize) -> Option<Arc<Installed>> {
    match program.checked_sub(FIRST_LENT) {
        None => INSTALLED.get()?.1.get(program).cloned(),
        Some(_) => lent().1.get(&program).cloned(),
    }
}

fn lent() -> MutexGuard<'static, (usize, BTreeMap<usize, Arc<Installed>>)> {
    LENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Directories that a program has which came while the machine runs, until this is dropped.
#[derive(Debug)]
pub struct Lent(usize);

impl Lent {
    /// Takes directories for one more program. They were opened by somebody else; the jail says which of them are in reach.
    ///
    /// # Errors
    ///
    /// [`InstallError`].
    pub fn take(directories: Vec<GrantedDirectory>) -> Result<Self, InstallError> {
        let open_files =
            INSTALLED.get().map_or_else(|| Arc::new(OpenFiles::new()), |(files, _)| files.clone());
        directories.iter().try_for_each(GrantedDirectory::check)?;
        directories.iter().try_for_each(GrantedDirectory::check_reach)?;
        let invoked = Arc::new(Invoked::new(&[], &[])?);
        let installed = Installed { directories, streams: Vec::new(), invoked, open_files };
        let (count, all) = &mut *lent();
        let number = FIRST_LENT + *count;
        *count += 1;
        all.insert(number, Arc::new(installed));
        Ok(Self(number))
    }

    /// The argument of the service's cell.
    #[must_use]
    pub fn argument(&self) -> String {
        self.0.to_string()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        lent().1.remove(&self.0);
    }
}

/// How many files are open in the process. Descriptors are the whole machine's, so that no program may have all.
#[derive(Debug)]
pub(super) struct OpenFiles {
    now: AtomicUsize,
    most: usize,
}

impl OpenFiles {
    /// As many as descriptors are left.
    pub fn new() -> Self {
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let most = limit.saturating_sub(RESERVED_DESCRIPTORS).min(MOST_OPEN_FILES);
        Self::at_most(usize::try_from(most).unwrap_or(usize::MAX))
    }

    /// So many.
    pub const fn at_most(most: usize) -> Self {
        Self { now: AtomicUsize::new(0), most }
    }

    /// Counts one more. `None`: there are too many.
    fn permit(self: &Arc<Self>) -> Option<Permit> {
        let more = |open: usize| (open < self.most).then_some(open + 1);
        // Only a count: nothing is published by it.
        self.now.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Permit(Arc::clone(self)))
    }
}

/// Resources that were checked.
#[derive(Debug)]
pub(super) struct Installed {
    pub directories: Vec<GrantedDirectory>,
    /// Three, or none for a program whose streams somebody else serves.
    pub streams: Vec<Stream>,
    pub invoked: Arc<Invoked>,
    open_files: Arc<OpenFiles>,
}

/// What a program was started with.
#[derive(Debug)]
pub(super) struct Invoked {
    pub arguments: Texts,
    pub variables: Texts,
}

impl Invoked {
    pub fn new(arguments: &[Vec<u8>], variables: &[Vec<u8>]) -> Result<Self, InstallError> {
        Ok(Self { arguments: Texts::new(arguments)?, variables: Texts::new(variables)? })
    }
}

/// One of the three streams.
#[derive(Debug)]
pub(super) struct Stream {
    pub descriptor: OwnedFd,
    /// Asked at the start: the system call for it (`ioctl`) can do much else, so the jail has none.
    pub is_terminal: bool,
    /// What is written there may be part of a file that others read.
    pub may_be_file: bool,
}

/// Texts, each with a zero byte behind it.
#[derive(Debug)]
pub(super) struct Texts {
    bytes: Vec<u8>,
    count: u32,
}

/// Descriptors that opened files leave to the rest of the process.
const RESERVED_DESCRIPTORS: u64 = 256;
/// Files are open at most at once in the whole process, also where descriptors have no limit.
const MOST_OPEN_FILES: u64 = 16_384;
/// Arguments and variables have at most so many bytes each (Linux's own bound is far below).
const MOST_TEXT_BYTES: usize = 1 << 30;

impl Installed {
    /// Checks resources. Its files count among all that are open.
    pub fn check(resources: HostResources, open_files: &Arc<OpenFiles>) -> Result<Self, InstallError> {
        let HostResources { directories, streams, carried_input, arguments, variables } = resources;
        directories.iter().try_for_each(GrantedDirectory::check)?;
        let mut streams = streams.map(|descriptor| Stream {
            is_terminal: isatty(&descriptor),
            may_be_file: may_be_file(&descriptor),
            descriptor,
        });
        if let Some(carried) = carried_input {
            streams[0].descriptor = carried;
        }
        Ok(Self {
            directories,
            streams: streams.into(),
            invoked: Arc::new(Invoked::new(&arguments, &variables)?),
            open_files: Arc::clone(open_files),
        })
    }

    /// Counts one more open file. `None`: there are too many.
    pub fn permit(&self) -> Option<Permit> {
        self.open_files.permit()
    }

    #[cfg(test)]
    pub fn set_most_open_files(&mut self, most: usize) {
        self.open_files = Arc::new(OpenFiles::at_most(most));
    }
}

/// Whether bytes that are written there may be read elsewhere as a file's.
fn may_be_file(stream: &OwnedFd) -> bool {
    let kind = fstat(stream).map(|stat| FileType::from_raw_mode(stat.st_mode));
    !matches!(kind, Ok(FileType::Fifo | FileType::Socket | FileType::CharacterDevice))
}

/// One of the open files that the process may have; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Permit(Arc<OpenFiles>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}

impl GrantedDirectory {
    /// Whether a jail that is closed leaves it in reach. (One that its user may not read is not, either.)
    fn check_reach(&self) -> Result<(), InstallError> {
        use rustix::io::Errno;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match open_beneath(&self.descriptor, b".", flags, Mode::empty()) {
            Err(Errno::ACCESS) => Err(InstallError::OutOfReach { name: self.name.clone() }),
            _ => Ok(()),
        }
    }

    fn check(&self) -> Result<(), InstallError> {
        use rustix::io::Errno;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match open_beneath(&self.descriptor, b".", flags, Mode::empty()) {
            Ok(_) => Ok(()),
            Err(Errno::NOSYS | Errno::PERM) => Err(InstallError::NoOpenat2 { name: self.name.clone() }),
            Err(Errno::ACCESS) => Err(InstallError::NotPermitted { name: self.name.clone() }),
            Err(error) => Err(InstallError::Directory { name: self.name.clone(), source: error.into() }),
        }
    }
}

impl Texts {
    fn new(texts: &[Vec<u8>]) -> Result<Self, InstallError> {
        if let Some(number) = texts.iter().position(|text| text.contains(&0)) {
            return Err(InstallError::ZeroByte { number });
        }
        let mut bytes = Vec::with_capacity(texts.iter().map(|text| text.len() + 1).sum());
        for text in texts {
            bytes.extend_from_slice(text);
            bytes.push(0);
        }
        if bytes.len() > MOST_TEXT_BYTES {
            return Err(InstallError::TooLong { bytes: bytes.len() });
        }
        // Each text takes a byte at least.
        let count = u32::try_from(texts.len()).map_err(|_| InstallError::TooLong { bytes: bytes.len() })?;
        Ok(Self { bytes, count })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub const fn count(&self) -> u32 {
        self.count
    }

    pub fn length(&self) -> u32 {
        u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::sync::Arc;

    use super::{GrantedDirectory, InstallError, Installed, Lent, OpenFiles, install};
    use crate::host::test_support::Scratch;
    use crate::services::tests::resources;

    fn check(resources: super::HostResources) -> Result<Installed, InstallError> {
        Installed::check(resources, &Arc::new(OpenFiles::new()))
    }

    #[test]
    fn what_is_no_directory_is_not_granted() {
        let scratch = Scratch::new("services-resources");
        let path = scratch.path().join("file");
        std::fs::write(&path, "").unwrap();
        let mut resources = resources();
        resources.directories.push(GrantedDirectory {
            descriptor: File::open(path).unwrap().into(),
            read_only: false,
            name: "data".to_owned(),
        });
        let error = check(resources).expect_err("a file");
        assert_eq!(error.to_string(), "cannot grant the directory `data`: Not a directory (os error 20)");
    }

    #[test]
    fn texts_with_zero_bytes_are_refused() {
        let mut resources = resources();
        resources.variables = vec![b"A=1".to_vec(), b"B=\0".to_vec()];
        assert!(matches!(check(resources), Err(InstallError::ZeroByte { number: 1 })));
    }

    #[test]
    fn what_is_lent_has_a_number_of_its_own_until_it_is_given_back() {
        let scratch = Scratch::new("services-lent");
        let directory = || crate::services::tests::grant(scratch.path(), true);
        let [one, two] = [0, 1].map(|_| Lent::take(vec![directory()]).expect("is a directory"));
        assert_ne!(one.argument(), two.argument());
        let number = one.0;
        let installed = super::installed(number).expect("is there");
        assert_eq!((installed.directories.len(), installed.streams.len()), (1, 0));
        drop(one);
        assert!(super::installed(number).is_none() && super::installed(two.0).is_some());
        std::fs::write(scratch.path().join("file"), "").unwrap();
        let mut wrong = directory();
        wrong.descriptor = File::open(scratch.path().join("file")).unwrap().into();
        assert!(matches!(Lent::take(vec![wrong]), Err(InstallError::Directory { .. })));
    }

    #[test]
    fn resources_are_installed_once() {
        install(vec![resources(), resources()]).expect("the first time");
        assert!(super::installed(1).is_some() && super::installed(2).is_none());
        assert!(matches!(install(vec![resources()]), Err(InstallError::InstalledAlready)));
    }

    #[test]
    fn so_many_files_are_open_at_once_and_one_that_is_closed_makes_room() {
        let places = Arc::new(OpenFiles::at_most(2));
        let [first, second] = [0, 1].map(|_| Installed::check(resources(), &places).expect("are good"));
        // Whoever opens them.
        let (one, two) = (first.permit(), second.permit());
        assert!(one.is_some() && two.is_some() && first.permit().is_none());
        drop(one);
        assert!(second.permit().is_some());
    }
}
