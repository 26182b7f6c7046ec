//! No arguments whatsoever make a process panic, write outside of memory, or forget what it has open.

mod support;

use hallows_wasi::{Process, Result};
use proptest::prelude::*;
use support::*;

/// An argument of a function, out of a number.
trait Argument {
    fn of(number: u64) -> Self;
}

impl Argument for u32 {
    fn of(number: u64) -> Self {
        number as u32
    }
}

impl Argument for u64 {
    fn of(number: u64) -> Self {
        number
    }
}

impl Argument for i64 {
    fn of(number: u64) -> Self {
        number.cast_signed()
    }
}

/// Calls with any arguments.
type Function = fn(&mut Process<Machine>, &mut Space, &mut dyn Iterator<Item = u64>) -> Result;

macro_rules! list_of {
    ($($name:ident($($parameter:ident: $type:ty),*);)*) => {
        const FUNCTIONS: &[(&str, Function)] = &[$(
            (stringify!($name), |process, memory, arguments| {
                $(let $parameter = <$type>::of(arguments.next().unwrap());)*
                let _ = &arguments;
                process.$name(memory $(, $parameter)*)
            }),
        )*];
    };
}
hallows_wasi::functions!(list_of);

/// Small numbers are descriptors, flags and lengths; some are pointers; some are at the edges.
fn argument() -> impl Strategy<Value = u64> {
    let end = MEMORY_BYTES as u64;
    prop_oneof![
        6 => 0..9_u64,
        3 => prop_oneof![Just(u64::from(LIST)), Just(u64::from(PATH)), Just(u64::from(BYTES))],
        2 => 0..100_000_u64,
        1 => end - 100..end + 100,
        1 => prop_oneof![Just(u64::MAX), Just(u64::from(u32::MAX)), Just(1 << 63), Just(u64::from(u32::MAX) - 7)],
        1 => any::<u64>(),
    ]
}

/// The number of a function.
fn number(name: &str) -> usize {
    FUNCTIONS.iter().position(|(other, _)| *other == name).unwrap()
}

/// Opens something, most of the time: else there would be little to call.
fn opening() -> impl Strategy<Value = (usize, [u64; 9])> {
    let length = prop_oneof![Just(1_u64), Just(5), Just(9), 0..12_u64];
    let rights = prop_oneof![Just(u64::MAX), Just(WRITE.0), Just(READ.0), any::<u64>()];
    (3..7_u64, 0..2_u64, length, 0..16_u64, rights.clone(), rights, 0..32_u64).prop_map(
        |(fd, lookup, length, how, base, inheriting, flags)| {
            let (path, result) = (u64::from(PATH), u64::from(RESULT));
            (number("path_open"), [fd, lookup, path, length, how, base, inheriting, flags, result])
        },
    )
}

/// Reads, writes and lists with what is in memory for it.
fn transfer() -> impl Strategy<Value = (usize, [u64; 9])> {
    let names = prop::sample::select(vec!["fd_read", "fd_write", "fd_readdir", "poll_oneoff"]);
    (names, 0..12_u64, 0..5_u64).prop_map(|(name, fd, count)| {
        let (list, bytes, result) = (u64::from(LIST), u64::from(BYTES), u64::from(RESULT));
        let arguments = match name {
            "fd_readdir" => [fd, bytes, 30 * count, 0, result, 0, 0, 0, 0],
            "poll_oneoff" => [list, bytes, count, result, 0, 0, 0, 0, 0],
            _ => [fd, list, count, result, 0, 0, 0, 0, 0],
        };
        (number(name), arguments)
    })
}

fn call() -> impl Strategy<Value = (usize, [u64; 9])> {
    let any = (0..FUNCTIONS.len(), prop::array::uniform9(argument()));
    prop_oneof![4 => any, 1 => opening(), 1 => transfer()]
}

/// A program with something in its memory: paths, ranges, subscriptions, which may be nonsense.
fn program(bytes: &[u8]) -> Program {
    let mut machine = Machine::new();
    machine.disk.file("a", b"12345678");
    machine.disk.directory("b");
    machine.input.extend(b"some input");
    // Descriptor 5.
    machine.network = Network::new();
    let mut program = Program::with(machine);
    program.put(LIST, bytes);
    program.put(PATH, b"a/b/../b/a");
    program.list(&[3, 0, 70_000, 9]);
    program
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_calls_leave_a_process_whole(
        calls in prop::collection::vec(call(), 1..40),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        writable_end in prop_oneof![Just(MEMORY_BYTES), 0..MEMORY_BYTES],
    ) {
        let mut program = program(&bytes);
        program.memory.writable_end = writable_end;
        let readable = program.memory.bytes[writable_end..].to_vec();
        let granted = program.machine().open.len();
        for (function, arguments) in calls {
            let (_, call) = FUNCTIONS[function];
            let _ = call(&mut program.process, &mut program.memory, &mut arguments.into_iter());
            // Something to read, again and again.
            program.machine().input.extend(b"more");
        }
        prop_assert!(program.memory.bytes[writable_end..] == readable, "what may only be read is as it was");
        program.process.end();
        prop_assert_eq!(program.machine().open.len(), granted, "what was opened was closed");
        let network = &program.machine().network;
        prop_assert!(network.peers.is_empty() && !network.is_listening, "every socket was given back");
    }

    #[test]
    fn every_function_takes_any_numbers(
        function in 0..FUNCTIONS.len(),
        arguments in prop::array::uniform9(any::<u64>()),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut program = program(&bytes);
        let (_, call) = FUNCTIONS[function];
        let _ = call(&mut program.process, &mut program.memory, &mut arguments.into_iter());
    }
}

#[test]
fn all_functions_of_preview_1_are_there() {
    // All but `proc_exit`, which has no result.
    assert_eq!(FUNCTIONS.len(), 45);
    let mut names: Vec<_> = FUNCTIONS.iter().map(|(name, _)| *name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), FUNCTIONS.len());
}
