//! What tests of WASI programs share: programs from text, and small native servers of what they ask for.

use std::sync::Mutex;

use hallows_engine::Program;
use hallows_kernel::{CellState, Rooted};
use hallows_sdk::native::{NativeProgram, NativeReactor, NativeStyle};
use hallows_sdk::stub::Client;
use hallows_sdk::{Answer, Error, Handle, Message, Server, Start, start_info};
use hallows_system::console::Refusal;
use hallows_system::invocation::Sizes;
use hallows_system::{clock, console, invocation, random};

use super::{Cell, World};

/// The functions that these tests use, one page of memory, and `check`, which ends the program with status 99 if its arguments differ.
const BEGIN: &str = r#"
    (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $fd_fdstat_set_flags (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_readdir" (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open"
        (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_rename" (func $path_rename (param i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_unlink_file" (func $path_unlink_file (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sched_yield" (func $sched_yield (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
    (import "wasi_snapshot_preview1" "proc_raise" (func $proc_raise (param i32) (result i32)))
    (memory (export "memory") 1 64)
    (func $check (param $is i32) (param $expected i32)
        (if (i32.ne (local.get $is) (local.get $expected)) (then
            ;; What it is instead shows in the status.
            (call $proc_exit (i32.add (i32.const 1000) (local.get $is))))))
    ;; Writes so many bytes from a place on to a descriptor, all at once; how many were taken. Uses memory from 8 to 24.
    (func $write (param $fd i32) (param $from i32) (param $length i32) (result i32)
        (i32.store (i32.const 8) (local.get $from))
        (i32.store (i32.const 12) (local.get $length))
        (call $check (call $fd_write (local.get $fd) (i32.const 8) (i32.const 1) (i32.const 16)) (i32.const 0))
        (i32.load (i32.const 16)))
    ;; Reads at most so many bytes to a place; how many came.
    (func $read (param $fd i32) (param $to i32) (param $most i32) (result i32)
        (i32.store (i32.const 8) (local.get $to))
        (i32.store (i32.const 12) (local.get $most))
        (call $check (call $fd_read (local.get $fd) (i32.const 8) (i32.const 1) (i32.const 16)) (i32.const 0))
        (i32.load (i32.const 16)))
"#;

/// A program of WASI that runs this.
pub fn program(body: &str) -> String {
    format!("(module {BEGIN} (func (export \"_start\") {body}))")
}

/// A program of WASI with functions and data of its own.
pub fn program_with(items: &str, body: &str) -> String {
    format!("(module {BEGIN} {items} (func (export \"_start\") {body}))")
}

/// What was written, and what is there to read.
static OUTPUT: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static INPUT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// What was written since the last time.
pub fn output() -> Vec<u8> {
    std::mem::take(&mut OUTPUT.lock().unwrap())
}

/// What a program will read.
pub fn set_input(bytes: &[u8]) {
    *INPUT.lock().unwrap() = bytes.to_vec();
}

/// Takes what is written, in pieces of its inbox; reads what was put there, and waits for ever when that is over and an input that is not to
/// end has come to its end.
pub struct Console {
    answer: Vec<u8>,
}

impl Server for Console {
    const INBOX_BYTES: usize = 1_000;
    const REPLY_BYTES: usize = 1_000;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self { answer: Vec::new() })
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        /// The tag of `read`.
        const READ: [u8; 4] = 0xbda2_54ad_u32.to_le_bytes();
        if message.bytes.starts_with(&READ) && INPUT.lock().unwrap().starts_with(b"never") {
            return Answer::Later;
        }
        console::serve(self, message)
    }
}

impl console::Service for Console {
    fn write(&mut self, _: Client, bytes: &[u8]) -> Result<u32, Refusal> {
        OUTPUT.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len() as u32)
    }

    fn read(&mut self, _: Client, most: u32) -> Result<&[u8], Refusal> {
        let mut input = INPUT.lock().unwrap();
        // Never all that is there, so that programs see pieces.
        let count = (most as usize).min(input.len().div_ceil(2));
        self.answer = input.drain(..count).collect();
        Ok(&self.answer)
    }

    fn await_input(&mut self, _: Client, _: u64) -> Result<bool, Refusal> {
        Ok(!INPUT.lock().unwrap().starts_with(b"never"))
    }

    fn is_terminal(&mut self, _: Client) -> bool {
        false
    }
}

/// Three arguments and two variables, given in pieces of five bytes.
struct Invocation;

const ARGUMENTS: &[u8] = b"program\0one argument\0\0";
const VARIABLES: &[u8] = b"HOME=/\0PATH=/bin:/usr/bin\0";

fn piece(of: &[u8], from: u32) -> &[u8] {
    let rest = &of[from as usize..];
    &rest[..rest.len().min(5)]
}

impl Server for Invocation {
    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self)
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        invocation::serve(self, message)
    }
}

impl invocation::Service for Invocation {
    fn measure(&mut self, _: Client) -> Sizes {
        Sizes {
            arguments: 3,
            argument_bytes: ARGUMENTS.len() as u32,
            variables: 2,
            variable_bytes: VARIABLES.len() as u32,
        }
    }

    fn arguments(&mut self, _: Client, from: u32) -> &[u8] {
        piece(ARGUMENTS, from)
    }

    fn variables(&mut self, _: Client, from: u32) -> &[u8] {
        piece(VARIABLES, from)
    }
}

/// A clock on the wall that shows what somebody says: seconds.
struct Wall;

pub static WALL: Mutex<i64> = Mutex::new(1_000_000_000);

impl Server for Wall {
    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self)
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        clock::serve(self, message)
    }
}

impl clock::Service for Wall {
    fn monotonic(&mut self, _: Client) -> u64 {
        0
    }

    fn realtime(&mut self, _: Client) -> clock::Instant {
        clock::Instant { seconds: *WALL.lock().unwrap(), nanoseconds: 0 }
    }

    fn resolution(&mut self, _: Client) -> u64 {
        7
    }
}

/// Random numbers that are not: nine, eight bytes at a time.
struct Nines;

impl Server for Nines {
    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self)
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        random::serve(self, message)
    }
}

impl random::Service for Nines {
    fn bytes(&mut self, _: Client, most: u32) -> &[u8] {
        &[9; 8][..8.min(most as usize)]
    }

    fn number(&mut self, _: Client) -> u64 {
        9
    }
}

const fn native<S: Server, const INBOX: usize, const REPLY: usize>(name: &'static str) -> NativeProgram {
    NativeProgram { name, style: NativeStyle::Reactor(NativeReactor::of::<S, INBOX, REPLY>()) }
}

pub static CONSOLE: NativeProgram =
    native::<Console, { Console::INBOX_BYTES }, { Console::REPLY_BYTES }>("console");
static INVOCATION: NativeProgram =
    native::<Invocation, { Invocation::INBOX_BYTES }, { Invocation::REPLY_BYTES }>("invocation");
static CLOCK: NativeProgram = native::<Wall, { Wall::INBOX_BYTES }, { Wall::REPLY_BYTES }>("clock");
static RANDOM: NativeProgram = native::<Nines, { Nines::INBOX_BYTES }, { Nines::REPLY_BYTES }>("random");

/// A running active server of one of these; its endpoint.
pub fn serve(world: &World, program: &'static NativeProgram) -> (Cell, Rooted) {
    let cell = world.cell(program.name, &world.known(Program::native(program)), false);
    let endpoint = world.endpoint(cell, false);
    world.start(cell);
    world.run();
    (cell, endpoint)
}

pub fn console(world: &World) -> Rooted {
    serve(world, &CONSOLE).1
}

pub fn invocation(world: &World) -> Rooted {
    serve(world, &INVOCATION).1
}

pub fn clock(world: &World) -> Rooted {
    serve(world, &CLOCK).1
}

pub fn random(world: &World) -> Rooted {
    serve(world, &RANDOM).1
}

/// Starts a cell with these grants.
pub fn start_cell(world: &World, cell: Cell, grants: &[(&str, Handle)]) {
    start_cell_with(world, cell, &[], grants);
}

/// The same, with arguments.
pub fn start_cell_with(world: &World, cell: Cell, arguments: &[&str], grants: &[(&str, Handle)]) {
    let mut info = [0; 512];
    let length = start_info::emit(arguments, grants, &mut info).unwrap();
    world.kernel.boot_start(&world.right, cell.id, &info[..length]).unwrap();
}

/// Starts a program with these grants.
pub fn start(world: &World, source: &str, grants: &[(&str, &Rooted)]) -> Cell {
    let cell = world.cell("main", &world.program(source), false);
    let grants: Vec<_> = grants.iter().map(|(name, what)| (*name, world.grant(cell, what))).collect();
    start_cell(world, cell, &grants);
    cell
}

/// Runs a program with these grants to its end; what was logged of it, which is nothing if it ended with status 0.
pub fn outcome(world: &World, source: &str, grants: &[(&str, &Rooted)]) -> String {
    let cell = start(world, source, grants);
    world.run();
    assert_eq!(world.kernel.state(cell.id), CellState::Dead, "it has not ended");
    world.log()
}
