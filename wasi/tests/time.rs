//! Clocks, waiting, and the rest that needs no files.

mod support;

use hallows_wasi::{Errno, Rights};
use support::*;

/// Where subscriptions and events are.
const SUBSCRIPTIONS: u32 = 4_096;
const EVENTS: u32 = 16_384;

#[derive(Clone, Copy)]
enum On {
    Clock { clock: u32, timeout: u64, absolute: bool },
    Read(u32),
    Write(u32),
    Raw(u8),
}

/// Polls; userdata (which is the subscription's number), error, kind and bytes of each event.
fn poll(program: &mut Program, subscriptions: &[On]) -> Result<Vec<(u64, u16, u8, u64)>, Errno> {
    for (number, on) in subscriptions.iter().enumerate() {
        let (tag, first, timeout, flags) = match *on {
            On::Clock { clock, timeout, absolute } => (0, clock, timeout, u16::from(absolute)),
            On::Read(fd) => (1, fd, 0, 0),
            On::Write(fd) => (2, fd, 0, 0),
            On::Raw(tag) => (tag, 0, 0, 0),
        };
        // What is padding is anything.
        let words = [
            number as u64,
            u64::from(tag) | 0xabcd_ef00,
            u64::from(first) | 0xfeed_0000_0000,
            timeout,
            0,
            u64::from(flags) | 0xface_0000,
        ];
        for (place, word) in words.iter().enumerate() {
            program.put(SUBSCRIPTIONS + number as u32 * 48 + place as u32 * 8, &word.to_le_bytes());
        }
    }
    let Program { process, memory } = program;
    process.poll_oneoff(memory, SUBSCRIPTIONS, EVENTS, subscriptions.len() as u32, RESULT)?;
    Ok((0..program.u32(RESULT))
        .map(|number| {
            let word = |place: u32| program.u64(EVENTS + number * 32 + place * 8);
            (word(0), word(1) as u16, (word(1) >> 16) as u8, word(2))
        })
        .collect())
}

const fn after(timeout: u64) -> On {
    On::Clock { clock: 1, timeout, absolute: false }
}

#[test]
fn the_monotonic_clock_is_the_machines_and_the_wall_is_asked_once_a_second() {
    let mut program = Program::new();
    let get = |program: &mut Program, clock| {
        program.process.clock_time_get(&mut program.memory, clock, 0, RESULT)?;
        Ok(program.u64(RESULT))
    };
    assert_eq!(get(&mut program, 1), Ok(1_001));
    assert_eq!(program.machine().asked, 0);
    let ahead = 1_600_000_000_000_000_000;
    for _ in 0..10 {
        let wall = get(&mut program, 0).unwrap();
        assert!(wall.abs_diff(ahead + program.machine().time) <= 1, "{wall}");
    }
    assert_eq!(program.machine().asked, 1);
    // It is set back, and shows so after a second.
    program.machine().ahead = Some(5);
    program.machine().time += 999_000_000;
    assert!(get(&mut program, 0).unwrap() > ahead);
    program.machine().time += 2_000_000;
    let wall = get(&mut program, 0).unwrap();
    assert!(wall.abs_diff(5 + program.machine().time) <= 1);
    assert_eq!(program.machine().asked, 2);
    for clock in [2, 3, 4, u32::MAX] {
        assert_eq!(get(&mut program, clock), Err(Errno::Inval));
    }
    // Its offset may be below nothing.
    program.machine().ahead = Some(0_u64.wrapping_sub(500));
    program.machine().time += 2_000_000_000;
    let wall = get(&mut program, 0).unwrap();
    assert!(wall.abs_diff(program.machine().time - 500) <= 1);
}

#[test]
fn clocks_have_a_resolution_and_those_that_are_not_there_have_none() {
    let mut program = Program::new();
    let Program { process, memory } = &mut program;
    for clock in [0, 1] {
        assert_eq!(process.clock_res_get(memory, clock, RESULT), Ok(()));
        assert_eq!(memory.bytes[0], 5);
        memory.bytes[0] = 0;
    }
    for clock in [2, 3, 9] {
        assert_eq!(process.clock_res_get(memory, clock, RESULT), Err(Errno::Inval));
    }
    program = Program::new();
    program.machine().ahead = None;
    let Program { process, memory } = &mut program;
    assert_eq!(process.clock_res_get(memory, 0, RESULT), Err(Errno::Inval));
    assert_eq!(process.clock_time_get(memory, 0, 0, RESULT), Err(Errno::Inval));
    assert_eq!(process.clock_time_get(memory, 1, 0, RESULT), Ok(()));
}

#[test]
fn a_poll_of_times_ends_with_the_first() {
    let mut program = Program::new();
    let start = program.machine().time;
    assert_eq!(poll(&mut program, &[after(5_000), after(1_000), after(9_000)]), Ok(vec![(1, 0, 0, 0)]));
    assert!((1_000..1_100).contains(&(program.machine().time - start)));
    // All that are due are told.
    assert_eq!(poll(&mut program, &[after(0), after(50), after(0)]), Ok(vec![(0, 0, 0, 0), (2, 0, 0, 0)]));
    // A time, on either clock; one that has passed ends it at once.
    let until = program.machine().time + 2_000_000_000;
    let monotonic = On::Clock { clock: 1, timeout: until, absolute: true };
    assert_eq!(poll(&mut program, &[monotonic]), Ok(vec![(0, 0, 0, 0)]));
    assert!(program.machine().time.abs_diff(until) < 100);
    assert_eq!(poll(&mut program, &[monotonic]), Ok(vec![(0, 0, 0, 0)]));
    let wall =
        On::Clock { clock: 0, timeout: 1_600_000_000_000_000_000 + until + 3_500_000_000, absolute: true };
    assert_eq!(poll(&mut program, &[wall]), Ok(vec![(0, 0, 0, 0)]));
    assert!(program.machine().time.abs_diff(until + 3_500_000_000) < 1_000);
    // The wall was looked at on the way.
    assert!(program.machine().asked > 1);
    assert_eq!(
        poll(&mut program, &[On::Clock { clock: 2, timeout: 0, absolute: false }, after(9)]),
        Ok(vec![(0, Errno::Inval.number(), 0, 0)])
    );
}

#[test]
fn a_poll_of_input_ends_when_it_comes_or_the_time_is_over() {
    let mut program = Program::new();
    program.machine().input_ended = false;
    let when = program.machine().time + 7_000;
    program.machine().input_later = Some((when, b"late".to_vec()));
    assert_eq!(poll(&mut program, &[On::Read(0), after(1_000)]), Ok(vec![(1, 0, 0, 0)]));
    assert!(program.machine().time < when);
    assert_eq!(poll(&mut program, &[after(1_000_000), On::Read(0)]), Ok(vec![(1, 0, 1, 1)]));
    assert!(program.machine().time.abs_diff(when) < 100);
    assert_eq!(program.read(0, 9).as_deref(), Ok(&b"late"[..]));
    // Without a time.
    program.machine().input_later = Some((when + 50_000, b"x".to_vec()));
    assert_eq!(poll(&mut program, &[On::Read(0)]), Ok(vec![(0, 0, 1, 1)]));
    // The end is something to read, too.
    program.machine().input.clear();
    program.machine().input_ended = true;
    assert_eq!(poll(&mut program, &[On::Read(0), after(1)]), Ok(vec![(0, 0, 1, 1)]));
}

#[test]
fn files_are_ready_and_what_is_wrong_with_one_subscription_is_in_its_event() {
    let mut program = Program::new();
    program.machine().disk.file("f", b"12345");
    let fd = program.open("f", 0, WRITE).unwrap();
    program.seek(fd, 2, 0).unwrap();
    let events = poll(
        &mut program,
        &[
            On::Read(fd),
            On::Write(fd),
            On::Write(1),
            On::Write(0),
            On::Read(1),
            On::Read(99),
            On::Read(HOME),
            On::Raw(7),
            after(10),
        ],
    );
    let [notcapable, badf, inval] = [Errno::Notcapable, Errno::Badf, Errno::Inval].map(Errno::number);
    let expected = vec![
        (0, 0, 1, 3),
        (1, 0, 2, 1),
        (2, 0, 2, 1),
        (3, notcapable, 2, 0),
        (4, notcapable, 1, 0),
        (5, badf, 1, 0),
        (6, notcapable, 1, 0),
        (7, inval, 7, 0),
    ];
    assert_eq!(events, Ok(expected));
    program.process.fd_fdstat_set_rights(&mut program.memory, fd, Rights::FD_READ.0, 0).unwrap();
    assert_eq!(poll(&mut program, &[On::Read(fd)]), Ok(vec![(0, notcapable, 1, 0)]));
}

#[test]
fn a_poll_of_nothing_or_of_too_much_or_from_nowhere_is_refused() {
    let mut program = Program::new();
    assert_eq!(poll(&mut program, &[]), Err(Errno::Inval));
    let Program { process, memory } = &mut program;
    let end = memory.bytes.len() as u32;
    assert_eq!(process.poll_oneoff(memory, SUBSCRIPTIONS, EVENTS, 4_097, RESULT), Err(Errno::Inval));
    assert_eq!(process.poll_oneoff(memory, end - 47, EVENTS, 1, RESULT), Err(Errno::Fault));
    assert_eq!(process.poll_oneoff(memory, SUBSCRIPTIONS, end - 31, 1, RESULT), Err(Errno::Fault));
    assert_eq!(process.poll_oneoff(memory, SUBSCRIPTIONS, EVENTS, 1, end - 3), Err(Errno::Fault));
    assert_eq!(process.poll_oneoff(memory, u32::MAX, EVENTS, 1, RESULT), Err(Errno::Fault));
}

#[test]
fn arguments_come_in_pieces_of_any_size_and_never_more_than_was_measured() {
    for piece in 1..20 {
        let mut program = Program::new();
        program.machine().piece = piece;
        program.machine().arguments = b"program\0\0--flag\0".to_vec();
        let Program { process, memory } = &mut program;
        assert_eq!(process.args_sizes_get(memory, RESULT, RESULT + 4), Ok(()));
        assert_eq!(process.args_get(memory, LIST, BYTES), Ok(()));
        assert_eq!((program.u32(RESULT), program.u32(RESULT + 4)), (3, 16));
        assert_eq!(program.bytes(BYTES, 17), b"program\0\0--flag\0\0");
        let places: Vec<_> = (0..4).map(|place| program.u32(LIST + place * 4)).collect();
        assert_eq!(places, [BYTES, BYTES + 8, BYTES + 9, 0]);
        let Program { process, memory } = &mut program;
        assert_eq!(process.environ_sizes_get(memory, RESULT, RESULT + 4), Ok(()));
        assert_eq!(process.environ_get(memory, LIST, BYTES), Ok(()));
        assert_eq!((program.u32(RESULT), program.bytes(BYTES, 7)), (1, &b"HOME=/\0"[..]));
    }
    // A text without its end is none.
    let mut program = Program::new();
    program.machine().arguments = b"program\0cut".to_vec();
    let Program { process, memory } = &mut program;
    assert_eq!(process.args_get(memory, LIST, BYTES), Err(Errno::Io));
}

#[test]
fn an_exit_gives_back_what_is_open_and_a_signal_is_an_exit() {
    let mut program = Program::new();
    let before = program.machine().open.len();
    program.open("a", CREATE, WRITE).unwrap();
    program.process.proc_exit(7);
    assert_eq!((program.machine().exited, program.machine().open.len()), (Some(7), before));
    let raise = |signal| {
        let mut program = Program::new();
        let result = program.process.proc_raise(&mut program.memory, signal);
        (result, program.machine().exited)
    };
    assert_eq!(raise(0), (Ok(()), None));
    assert_eq!(raise(6), (Ok(()), Some(134)));
    assert_eq!(raise(30), (Ok(()), Some(158)));
    assert_eq!(raise(16), (Ok(()), None));
    assert_eq!(raise(18), (Err(Errno::Notsup), None));
    assert_eq!(raise(31), (Err(Errno::Inval), None));
}

#[test]
fn random_bytes_fill_what_they_are_asked_for_and_others_get_their_turns() {
    let mut program = Program::new();
    let Program { process, memory } = &mut program;
    assert_eq!(process.random_get(memory, BYTES, 20), Ok(()));
    assert_eq!(memory.bytes[BYTES as usize..][..21], [[1; 16].as_slice(), &[2; 4], &[0]].concat());
    assert_eq!(process.random_get(memory, BYTES, 0), Ok(()));
    let end = memory.bytes.len() as u32;
    assert_eq!(process.random_get(memory, end - 1, 2), Err(Errno::Fault));
    assert_eq!(memory.bytes[end as usize - 1], 0);
    assert_eq!(program.machine().turns, 0);
    program.machine().random_most = 64;
    let Program { process, memory } = &mut program;
    assert_eq!(process.random_get(memory, BYTES, 10_000), Ok(()));
    assert!(memory.bytes[BYTES as usize..][..10_000].iter().all(|byte| *byte != 0));
    assert_eq!(program.machine().turns, 2);
    program.machine().turns = 0;
    let Program { process, memory } = &mut program;
    assert_eq!(process.sched_yield(memory), Ok(()));
    assert_eq!(program.machine().turns, 1);
    // A service that gives none is none.
    program.machine().random_most = 0;
    let Program { process, memory } = &mut program;
    assert_eq!(process.random_get(memory, BYTES, 1), Err(Errno::Io));
}
