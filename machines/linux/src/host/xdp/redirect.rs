//! The program at an interface that gives a socket the frames of its queue, and leaves those of others to Linux.
//!
//! It hangs on a link (`BPF_LINK_CREATE`), which goes with its last descriptor, and the program with it.

use std::ffi::c_long;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use rustix::io::Errno;

/// The program, attached to an interface.
#[derive(Debug)]
pub(super) struct Redirect {
    /// Which socket has which queue. The program keeps it, too.
    pub map: OwnedFd,
    /// What it hangs on.
    pub link: OwnedFd,
    /// The driver runs it, and not Linux behind the driver.
    pub is_drivers: bool,
}

/// Why it was not attached.
#[derive(Debug)]
pub(super) enum AttachError {
    /// The interface has another one.
    Busy,
    /// A step failed.
    Step { step: &'static str, error: Errno },
}

/// Commands, kinds and flags of `linux/bpf.h` and `linux/if_link.h`.
const MAP_CREATE: c_long = 0;
const MAP_UPDATE: c_long = 2;
const PROGRAM_LOAD: c_long = 5;
const LINK_CREATE: c_long = 28;
const MAP_OF_SOCKETS: u32 = 17;
const PROGRAM_OF_XDP: u32 = 6;
const AT_XDP: u32 = 37;
const BY_LINUX: u32 = 1 << 1;
const BY_DRIVER: u32 = 1 << 2;

/// Arguments of the commands: `union bpf_attr`, as far as it is said.
#[repr(C)]
struct NewMap {
    kind: u32,
    key_bytes: u32,
    value_bytes: u32,
    entries: u32,
    flags: u32,
}

#[repr(C)]
struct NewProgram {
    kind: u32,
    instructions: u32,
    first: u64,
    license: u64,
    log_level: u32,
    log_bytes: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
    interface: u32,
    attached_at: u32,
}

#[repr(C)]
struct NewLink {
    program: u32,
    interface: u32,
    attached_at: u32,
    flags: u32,
}

#[repr(C)]
struct Update {
    map: u32,
    padding: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// The arguments of a command: numbers in the order of `union bpf_attr`, without a gap.
trait Arguments {}
impl Arguments for NewMap {}
impl Arguments for NewProgram {}
impl Arguments for NewLink {}
impl Arguments for Update {}

impl Redirect {
    /// Attaches it to the interface of this number, for this queue; nothing is redirected until a socket is said ([`direct`]).
    pub fn attach(interface: u32, queue: u16) -> Result<Self, AttachError> {
        let step = |step| move |error| AttachError::Step { step, error };
        // Queues behind the last entry are Linux's, as those without a socket.
        let entries = u32::from(queue) + 1;
        let map = NewMap { kind: MAP_OF_SOCKETS, key_bytes: 4, value_bytes: 4, entries, flags: 0 };
        let map = make(MAP_CREATE, &map).map_err(step("make a map for"))?;
        let program = load(&map).map_err(step("load a program for"))?;
        let link = |flags| {
            let program = number(program.as_raw_fd());
            make(LINK_CREATE, &NewLink { program, interface, attached_at: AT_XDP, flags })
        };
        let (link, is_drivers) = match link(BY_DRIVER) {
            // A driver that runs no programs; or not with frames so long, or not so many queues.
            Err(error) if !matches!(error, Errno::BUSY | Errno::EXIST | Errno::PERM) => {
                (link(BY_LINUX), false)
            }
            linked => (linked, true),
        };
        match link {
            Ok(link) => Ok(Self { map, link, is_drivers }),
            Err(Errno::BUSY | Errno::EXIST) => Err(AttachError::Busy),
            Err(error) => Err(AttachError::Step { step: "attach a program to", error }),
        }
    }
}

/// From now on a socket that is bound to this queue has its frames.
pub(super) fn direct(map: &OwnedFd, queue: u16, socket: &OwnedFd) -> Result<(), Errno> {
    let (key, value) = (u32::from(queue), number(socket.as_raw_fd()));
    let update = Update {
        map: number(map.as_raw_fd()),
        padding: 0,
        key: address(&raw const key),
        value: address(&raw const value),
        flags: 0,
    };
    command(MAP_UPDATE, &update).map(drop)
}

/// `return bpf_redirect_map(&map, context->rx_queue_index, XDP_PASS)`: what is not in the map is Linux's.
fn instructions(map: RawFd) -> [u64; 6] {
    /// Registers: of a call the answer and the arguments, of the program the context.
    const FIRST: u64 = 1;
    const SECOND: u64 = 2;
    const THIRD: u64 = 3;
    /// Where `struct xdp_md` has the queue's number.
    const QUEUE: u64 = 16;
    const PASS: u64 = 2;
    const REDIRECT_MAP: u64 = 51;
    /// The number that is loaded is a map's descriptor.
    const IS_MAP: u64 = 1;
    const fn instruction(code: u64, to: u64, from: u64, offset: u64, immediate: u64) -> u64 {
        code | to << 8 | from << 12 | offset << 16 | immediate << 32
    }
    [
        instruction(0x61, SECOND, FIRST, QUEUE, 0),
        // Of two words.
        instruction(0x18, FIRST, IS_MAP, 0, u64::from(number(map))),
        0,
        instruction(0xb7, THIRD, 0, 0, PASS),
        instruction(0x85, 0, 0, 0, REDIRECT_MAP),
        instruction(0x95, 0, 0, 0, 0),
    ]
}

fn load(map: &OwnedFd) -> Result<OwnedFd, Errno> {
    let instructions = instructions(map.as_raw_fd());
    make(
        PROGRAM_LOAD,
        &NewProgram {
            kind: PROGRAM_OF_XDP,
            instructions: instructions.len() as u32,
            first: address(instructions.as_ptr()),
            // It uses nothing that is the GPL's.
            license: address(c"MIT".as_ptr()),
            log_level: 0,
            log_bytes: 0,
            log: 0,
            kernel_version: 0,
            flags: 0,
            name: *b"hallows\0\0\0\0\0\0\0\0\0",
            interface: 0,
            attached_at: AT_XDP,
        },
    )
}

fn number(descriptor: RawFd) -> u32 {
    // One that is open is not negative.
    descriptor.cast_unsigned()
}

fn address<T>(of: *const T) -> u64 {
    of.expose_provenance() as u64
}

fn make<A: Arguments>(what: c_long, arguments: &A) -> Result<OwnedFd, Errno> {
    let descriptor = command(what, arguments)?;
    // SAFETY: Linux has made it for this call, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn command<A: Arguments>(what: c_long, arguments: &A) -> Result<RawFd, Errno> {
    // SAFETY: Linux reads so many bytes of arguments. What their addresses point at is alive in every caller, and as long as the command takes; nothing
    // is written.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, what, &raw const *arguments, size_of::<A>()) };
    RawFd::try_from(answer)
        .ok()
        .filter(|answer| *answer >= 0)
        .ok_or_else(|| Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO))
}
