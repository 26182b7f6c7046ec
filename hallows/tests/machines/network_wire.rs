//! What becomes of a wire that is bad, and of those who mean harm: lost, doubled, delayed and reordered frames, floods, arbitrary frames.
//!
//! The wire is the test's own, as not every Linux has netem: an interface of Linux's whose frames the test carries to that of the machine, and back, by
//! random numbers that are the same in each run.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::network::{PATIENCE, SHARED, Way, bytes, echo, in_a_namespace, ip, network_test, stop, tcp};
use crate::running::{Running, ps};

pub fn tests() -> Vec<Trial> {
    vec![
        network_test("over_a_bad_wire_all_that_is_said_arrives", bad_wire),
        network_test("who_begins_many_connections_and_none_keeps_nobody_out_for_long", flood),
        network_test("arbitrary_frames_end_nothing", arbitrary),
    ]
}

/// Numbers that look like any (xorshift64*), the same in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next()).unwrap() % end
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

/// A socket for whole frames of an interface of Linux's.
struct Frames(OwnedFd);

impl Frames {
    fn of(interface: &str) -> Self {
        let name = std::ffi::CString::new(interface).unwrap();
        // SAFETY: the name ends with a zero byte.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        assert_ne!(index, 0, "no interface {interface}");
        let all = u16::try_from(libc::ETH_P_ALL).unwrap().to_be();
        // SAFETY: it makes a socket and nothing else.
        let socket = unsafe {
            libc::socket(
                libc::AF_PACKET,
                libc::SOCK_RAW | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC,
                i32::from(all),
            )
        };
        assert!(socket >= 0, "{}", std::io::Error::last_os_error());
        // SAFETY: nobody else has it.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        // SAFETY: zeros are a good address, which is filled below.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = u16::try_from(libc::AF_PACKET).unwrap();
        address.sll_protocol = all;
        address.sll_ifindex = index.cast_signed();
        let length = libc::socklen_t::try_from(size_of_val(&address)).unwrap();
        // SAFETY: the address is one of this family.
        let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
        assert_eq!(bound, 0, "{}", std::io::Error::last_os_error());
        Self(socket)
    }

    /// To the other end of the interface.
    fn send(&self, frame: &[u8]) {
        loop {
            match rustix::io::write(&self.0, frame) {
                Ok(_) => return,
                // Its queue is full: the machine is asked to take some.
                Err(rustix::io::Errno::NOBUFS | rustix::io::Errno::AGAIN) => {
                    std::thread::sleep(Duration::from_micros(200));
                }
                Err(error) => panic!("a frame of {} bytes: {error}", frame.len()),
            }
        }
    }

    /// The next frame that came from the other end, and not from this Linux.
    fn receive(&self, room: &mut [u8]) -> Option<usize> {
        loop {
            // SAFETY: zeros are a good address, and it is filled by the call.
            let mut from: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
            let mut length = libc::socklen_t::try_from(size_of_val(&from)).unwrap();
            // SAFETY: both places are as long as is said.
            let received = unsafe {
                libc::recvfrom(
                    self.0.as_raw_fd(),
                    room.as_mut_ptr().cast(),
                    room.len(),
                    0,
                    (&raw mut from).cast(),
                    &raw mut length,
                )
            };
            let received = usize::try_from(received).ok()?;
            if from.sll_pkttype != libc::PACKET_OUTGOING {
                return Some(received);
            }
        }
    }
}

/// The other end of an interface that Linux has.
fn open_tap(name: &str) -> OwnedFd {
    let device = std::fs::File::options().read(true).write(true).open("/dev/net/tun").unwrap();
    // SAFETY: zeros are a good request, which is filled below.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *place = byte.cast_signed();
    }
    request.ifr_ifru.ifru_flags = i16::try_from(libc::IFF_TAP | libc::IFF_NO_PI).unwrap();
    // SAFETY: the request is one of this kind.
    let made = unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETIFF, &raw const request) };
    assert_eq!(made, 0, "{}", std::io::Error::last_os_error());
    let device = OwnedFd::from(device);
    rustix::io::ioctl_fionbio(&device, true).unwrap();
    device
}

/// What a wire does to one frame in so many; 0: to none.
#[derive(Clone, Copy)]
struct Harm {
    lost: usize,
    doubled: usize,
    /// Frames that wait, while others pass them.
    delayed: usize,
    delay: Duration,
}

/// What a wire has done.
#[derive(Default)]
struct Done {
    carried: AtomicU64,
    lost: AtomicU64,
    doubled: AtomicU64,
    delayed: AtomicU64,
}

/// A frame: when it is due, its place among those that are due at once, whether it goes to the machine, and its bytes.
type OnTheWay = (Instant, u64, bool, Vec<u8>);

/// Carries frames both ways, until it is over.
fn carry(linux: &OwnedFd, machine: &Frames, harm: Harm, done: &Done, is_over: &AtomicBool) {
    let mut random = Random(0x5eed);
    let mut on_the_way: BinaryHeap<Reverse<OnTheWay>> = BinaryHeap::new();
    let (mut room, mut number) = (vec![0; 4_096], 0);
    while !is_over.load(Ordering::Relaxed) {
        let mut ends = [PollFd::new(linux, PollFlags::IN), PollFd::new(&machine.0, PollFlags::IN)];
        let wait = if on_the_way.is_empty() { 20_000_000 } else { 500_000 };
        poll(&mut ends, Some(&Timespec { tv_sec: 0, tv_nsec: wait })).unwrap();
        loop {
            let (length, to_machine) = match rustix::io::read(linux, &mut room[..]) {
                Ok(length) => (length, true),
                Err(_) => match machine.receive(&mut room) {
                    Some(length) => (length, false),
                    None => break,
                },
            };
            let mut hits = |one_in: usize| one_in > 0 && random.below(one_in) == 0;
            if hits(harm.lost) {
                done.lost.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let times = if hits(harm.doubled) { 2 } else { 1 };
            done.doubled.fetch_add(times - 1, Ordering::Relaxed);
            for _ in 0..times {
                let mut due = Instant::now();
                if hits(harm.delayed) {
                    due += harm.delay;
                    done.delayed.fetch_add(1, Ordering::Relaxed);
                }
                number += 1;
                on_the_way.push(Reverse((due, number, to_machine, room[..length].to_vec())));
            }
        }
        while on_the_way.peek().is_some_and(|Reverse((due, ..))| *due <= Instant::now()) {
            let Some(Reverse((_, _, to_machine, frame))) = on_the_way.pop() else { break };
            done.carried.fetch_add(1, Ordering::Relaxed);
            if to_machine {
                machine.send(&frame);
            } else {
                // Linux's end takes what has room.
                let _ = rustix::io::write(linux, &frame);
            }
        }
    }
}

/// Says that it is over, however it is.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn bad_wire() {
    in_a_namespace(|| {
        // The machine's end: this Linux has it, but nothing of its own on it.
        ip("tuntap add dev hl0 mode tap");
        // Nor does it say that what it has elsewhere is here.
        ip("link set hl0 arp off");
        ip("link set hl0 up");
        let linux = open_tap("hl1");
        ip("addr add 10.99.0.1/24 dev hl1");
        ip("link set hl1 up");
        let mut running = Running::start(&[&["run", "echo", "--net", "tap:hl0"], &SHARED[..]].concat(), None);
        running.hear("echoes on port 7");
        let machine = Frames::of("hl0");
        let harm = Harm { lost: 40, doubled: 50, delayed: 20, delay: Duration::from_millis(3) };
        let (done, is_over) = (Done::default(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| carry(&linux, &machine, harm, &done, &is_over));
            let over = Over(&is_over);
            let talks: Vec<_> = (0..4)
                .map(|number| {
                    scope.spawn(move || {
                        let stream = tcp("10.99.0.2", 7).unwrap();
                        for count in [1, 1_461, 300_000] {
                            echo(&stream, &bytes(count, number));
                        }
                    })
                })
                .collect();
            for talk in talks {
                talk.join().unwrap();
            }
            drop(over);
        });
        for (what, count) in [("lost", &done.lost), ("doubled", &done.doubled), ("delayed", &done.delayed)] {
            assert!(count.load(Ordering::Relaxed) > 0, "none of {:?} frames was {what}", done.carried);
        }
        stop(running);
    });
}

/// The address of Ethernet that this Linux has learnt of the machine.
fn address_of_machine() -> [u8; 6] {
    let shown = Command::new("ip").args(["neigh", "show", "10.99.0.2"]).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    let (_, address) = shown.split_once("lladdr ").unwrap_or_else(|| panic!("no neighbour: {shown}"));
    let mut bytes = address.split([':', ' ']).map(|byte| u8::from_str_radix(byte, 16).unwrap());
    std::array::from_fn(|_| bytes.next().unwrap())
}

/// A sum of RFC 1071 over bytes, from what other bytes gave.
fn sum(bytes: &[u8], before: u32) -> u32 {
    bytes.chunks(2).fold(before, |sum, pair| {
        sum + u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]))
    })
}

fn folded(mut sum: u32) -> [u8; 2] {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!u16::try_from(sum).unwrap()).to_be_bytes()
}

/// A frame of IPv4, with good checksums where it has some.
fn of_ipv4(machine: [u8; 6], from: [u8; 4], to: [u8; 4], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
    let mut frame = [&machine[..], &[2, 0, 0, 0, 0, 9], &[8, 0], &[0x45, 0], &length].concat();
    frame.extend([0, 1, 0x40, 0, 64, protocol, 0, 0]);
    frame.extend(from);
    frame.extend(to);
    frame.extend(payload);
    mend(&mut frame);
    frame
}

/// Makes the checksums of a frame of IPv4 good, as far as it is one.
fn mend(frame: &mut [u8]) {
    if frame.len() < 34 || frame[12..14] != [8, 0] {
        return;
    }
    frame[24..26].fill(0);
    let head = folded(sum(&frame[14..34], 0));
    frame[24..26].copy_from_slice(&head);
    let (protocol, payload) = (frame[23], frame.len() - 34);
    let place = match protocol {
        1 => 2,
        6 => 16,
        17 => 6,
        _ => return,
    };
    if payload < place + 2 {
        return;
    }
    frame[34 + place..36 + place].fill(0);
    let mut before = 0;
    if protocol != 1 {
        before = sum(&frame[26..34], u32::from(protocol) + u32::try_from(payload).unwrap());
    }
    let whole = folded(sum(&frame[34..], before));
    frame[34 + place..36 + place].copy_from_slice(&whole);
}

/// A segment of TCP without its checksum.
fn segment(from: u16, to: u16, number: u32, flags: u8) -> Vec<u8> {
    let mut bytes = [from.to_be_bytes(), to.to_be_bytes()].concat();
    bytes.extend(number.to_be_bytes());
    bytes.extend([0; 4]);
    // 24 bytes with the most bytes of a segment.
    bytes.extend([0x60, flags, 0xff, 0xff, 0, 0, 0, 0, 2, 4, 5, 0xb4]);
    bytes
}

const SYN: u8 = 2;

/// A connection to a port that others keep full. Those who do are given up after a second; TCP itself gives up after a minute.
fn when_there_is_room() -> TcpStream {
    let began = Instant::now();
    loop {
        match Way::Interface.tcp() {
            Ok(stream) => return stream,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
                assert!(began.elapsed() < PATIENCE / 2, "nobody gets in");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

fn flood() {
    in_a_namespace(|| {
        let running = Way::Interface.machine();
        echo(&Way::Interface.tcp().unwrap(), b"before");
        let machine = address_of_machine();
        let wire = Frames::of("hl0");
        // From addresses that nobody has, behind the gateway, which answer nothing.
        for number in 0..3_000_u16 {
            let from = [198, 51, 100, u8::try_from(number % 250).unwrap() + 1];
            let begun = segment(1_024 + number, 7, u32::from(number), SYN);
            wire.send(&of_ipv4(machine, from, [10, 99, 0, 2], 6, &begun));
        }
        let stream = when_there_is_room();
        echo(&stream, &bytes(100_000, 1));
        // And again many at once.
        let streams: Vec<_> = (0..10).map(|_| Way::Interface.tcp().unwrap()).collect();
        for stream in &streams {
            echo(stream, b"after");
        }
        stop(running);
    });
}

/// How many arbitrary frames, if `HALLOWS_FRAMES` says no other number.
const FRAMES: u64 = 20_000;

/// Good frames of many kinds, which are changed then.
fn kinds(machine: [u8; 6]) -> Vec<Vec<u8>> {
    let (ours, theirs) = ([10, 99, 0, 1], [10, 99, 0, 2]);
    let udp = |from: u16, to: u16, data: &[u8]| {
        let length = u16::try_from(8 + data.len()).unwrap().to_be_bytes();
        [&from.to_be_bytes()[..], &to.to_be_bytes(), &length, &[0, 0], data].concat()
    };
    let arp = [
        &machine[..],
        &[2, 0, 0, 0, 0, 9],
        &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
        &[2, 0, 0, 0, 0, 9],
        &[10, 99, 0, 44],
        &[0; 6],
        &theirs,
    ]
    .concat();
    let solicitation = [
        &machine[..],
        &[2, 0, 0, 0, 0, 9, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, 58, 255],
        &[0xfd, 0x99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9],
        &[0xfd, 0x99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
        &[135, 0, 0, 0, 0, 0, 0, 0],
        &[0xfd, 0x99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
        &[1, 1, 2, 0, 0, 0, 0, 9],
    ]
    .concat();
    vec![
        arp,
        solicitation,
        of_ipv4(machine, ours, theirs, 1, &[8, 0, 0, 0, 0, 1, 0, 1, 1, 2, 3, 4]),
        of_ipv4(machine, ours, theirs, 17, &udp(5_000, 7, b"said")),
        of_ipv4(machine, ours, theirs, 17, &udp(53, 50_000, &[0; 40])),
        of_ipv4(machine, [10, 99, 0, 45], theirs, 6, &segment(4_000, 7, 1, SYN)),
        of_ipv4(machine, [10, 99, 0, 45], theirs, 6, &segment(4_000, 7, 2, 0x18)),
        of_ipv4(machine, [10, 99, 0, 45], theirs, 6, &segment(4_000, 7, 2, 4)),
        of_ipv4(machine, ours, theirs, 2, &[0x11, 0, 0, 0, 224, 0, 0, 1]),
    ]
}

fn arbitrary() {
    in_a_namespace(|| {
        let running = Way::Interface.machine();
        let stream = Way::Interface.tcp().unwrap();
        echo(&stream, b"before");
        let machine = address_of_machine();
        let (wire, kinds) = (Frames::of("hl0"), kinds(machine));
        let frames = std::env::var("HALLOWS_FRAMES").ok().and_then(|frames| frames.parse().ok());
        let mut random = Random(0xf2a3e5);
        for number in 0..frames.unwrap_or(FRAMES) {
            if number % 500 == 0 {
                // All before were taken. Linux says once more where it is, whatever was said of that.
                ip("neigh flush dev hl0");
                echo(&stream, &bytes(1_000, 1));
            }
            let mut frame = kinds[random.below(kinds.len())].clone();
            match random.below(8) {
                // Nothing but its first bytes is as it was.
                0 => frame[14..].fill_with(|| random.byte()),
                1 => frame.truncate(14 + random.below(frame.len() - 13)),
                2 => frame.extend((0..random.below(200)).map(|_| 0xa5)),
                _ => {}
            }
            for _ in 0..random.below(6) {
                // Behind the addresses of Ethernet.
                let place = 12 + random.below(frame.len() - 12);
                frame[place] = random.byte();
            }
            if random.below(4) > 0 {
                mend(&mut frame);
            }
            wire.send(&frame);
        }
        ip("neigh flush dev hl0");
        echo(&stream, &bytes(10_000, 2));
        // Some of the frames began connections.
        echo(&when_there_is_room(), &bytes(10_000, 3));
        let machine = ps(running.pid());
        for cell in machine["cells"].as_array().unwrap() {
            assert_eq!(cell["restarts"].as_u64().unwrap_or(0), 0, "{cell}");
        }
        stop(running);
    });
}
