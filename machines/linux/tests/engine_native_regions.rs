//! Regions in windows of native programs: what cells share, what is refused, and what a revocation leaves there.

mod engine_support;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use engine_support::{Cell, World};
use hallows_abi::{Access, OnRegion};
use hallows_engine::Program;
use hallows_kernel::{CellState, Rooted};
use hallows_sdk::native::{NativeProgram, NativeReactor, NativeStyle};
use hallows_sdk::operation::operate;
use hallows_sdk::{
    Answer, Budget, Deadline, Endpoint, Error, Handle, Message, Object, Region, Rights, Server, Start,
    Window, rights, space, start_info,
};

/// Words of two pages.
const WORDS: usize = 1_024;
/// Their bytes.
const BYTES: u64 = 8_192;

fn native(world: &World, program: &'static NativeProgram) -> Rooted {
    world.known(Program::native(program))
}

fn start(world: &World, cell: Cell) {
    let mut info = [0; 64];
    let (arguments, grants): ([&str; 0], [(&str, Handle); 0]) = ([], []);
    let length = start_info::emit(&arguments, &grants, &mut info).unwrap();
    world.kernel.boot_start(&world.right, cell.id, &info[..length]).unwrap();
}

fn word<const WORDS: usize>(window: &Window<WORDS>, place: usize) -> u64 {
    window.words()[place].load(Ordering::SeqCst)
}

fn set<const WORDS: usize>(window: &Window<WORDS>, place: usize, value: u64) {
    window.words()[place].store(value, Ordering::SeqCst);
}

/// What a program has found, for the test that ran it: a program's panic would end the process, and no test would say which.
static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn check(holds: bool, what: &str) {
    if !holds {
        FOUND.lock().unwrap().push(what.to_owned());
    }
}

static ONE: Window<WORDS> = Window::new();
static OTHER: Window<WORDS> = Window::new();
static SMALL: Window<512> = Window::new();
/// Whole pages that nobody has called a window.
static NO_WINDOW: Window<WORDS> = Window::new();
static LOOKED: AtomicU64 = AtomicU64::new(0);

fn looks() {
    set(&ONE, 0, 99);
    let region = Budget::OWN.create_region(BYTES).unwrap();
    region.map_writable(&ONE).unwrap();
    check(word(&ONE, 0) == 0, "a region is zeroes at first");
    // Of a copy, so that it can be revoked.
    let copy = space::copy(region).unwrap();
    copy.map_writable(&OTHER).unwrap();
    set(&ONE, 0, 1_234);
    set(&OTHER, WORDS - 1, 5_678);
    check(word(&OTHER, 0) == 1_234 && word(&ONE, WORDS - 1) == 5_678, "two windows show the same");

    let refused = Err(Error::BadArgument);
    check(region.map(&SMALL) == refused, "a window that is too small");
    check(region.map(&ONE) == refused, "a window that shows something");
    let map_at = |address: u64| {
        operate(region.handle(), OnRegion::Map { address, access: Access::ReadWrite }).map(|_| ())
    };
    let address = |window: &'static Window<WORDS>| window.words().as_ptr().expose_provenance() as u64;
    check(map_at(address(&NO_WINDOW)) == refused, "pages that are no window");
    check(map_at(address(&ONE) + 4_096) == refused, "the middle of a window");
    check(map_at(0) == refused && map_at(u64::MAX - 4_095) == refused, "addresses of nothing");
    check(region.unmap(&NO_WINDOW) == Err(Error::BadState), "it is not there");

    space::revoke(region).unwrap();
    check(word(&OTHER, 0) == 0 && word(&OTHER, WORDS - 1) == 0, "zeroes after a revocation");
    set(&OTHER, 0, 7);
    check(word(&ONE, 0) == 1_234, "what was revoked is not written to");
    region.unmap(&ONE).unwrap();
    check(word(&ONE, 0) == 0, "zeroes where it was unmapped");

    // It still has what it had, and a place is free again.
    region.map(&OTHER).unwrap();
    check(word(&OTHER, 0) == 1_234 && word(&OTHER, WORDS - 1) == 5_678, "shown again, to read");
    region.destroy().unwrap();
    check(word(&OTHER, 0) == 0, "zeroes after the region's end");
    set(&OTHER, 0, 8);
    LOOKED.fetch_add(1, Ordering::SeqCst);
}

static LOOKS: NativeProgram = NativeProgram { name: "looks", style: NativeStyle::Main(looks) };

#[test]
fn a_native_program_shows_regions_in_its_windows_and_nowhere_else() {
    let world = World::new(1);
    let program = native(&world, &LOOKS);
    for round in 1..=3 {
        let cell = world.cell("looks", &program, false);
        start(&world, cell);
        world.run();
        assert_eq!(world.kernel.state(cell.id), CellState::Dead);
        assert_eq!((world.log().as_str(), LOOKED.load(Ordering::SeqCst)), ("", round));
    }
    assert_eq!(*FOUND.lock().unwrap(), Vec::<String>::new());
}

/// Shows the region that a message brings, and says what the first word is; of a message without one it says that only.
struct Shows(Option<Region<rights!(READ | WRITE)>>);

static SHOWN: Window<WORDS> = Window::new();

impl Server for Shows {
    const INBOX_BYTES: usize = 8;
    const REPLY_BYTES: usize = 16;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self(None))
    }

    fn message<'a>(&'a mut self, mut message: Message<'a>) -> Answer<'a> {
        let mut status = 0;
        if let [handle] = message.handles {
            let shown = Region::<rights!(READ | WRITE)>::try_from(*handle)
                .and_then(|region| region.map_writable(&SHOWN).map(|()| region));
            match shown {
                Ok(region) => self.0 = Some(region),
                Err(error) => status = u64::from(error.number()),
            }
        }
        let first = word(&SHOWN, 0);
        if message.bytes == b"write" {
            set(&SHOWN, 0, first + 1);
        }
        let _ = message.reply.put(&status.to_le_bytes());
        let _ = message.reply.put(&first.to_le_bytes());
        message.reply.done()
    }
}

static SHOWS: NativeProgram = NativeProgram {
    name: "shows",
    style: NativeStyle::Reactor(NativeReactor::of::<Shows, { Shows::INBOX_BYTES }, { Shows::REPLY_BYTES }>()),
};

static OWN: Window<WORDS> = Window::new();
static GAVE: AtomicU64 = AtomicU64::new(0);

/// What a server answered: its error's number, and the first word.
fn ask(server: Endpoint, bytes: &[u8], region: Option<Region>) -> (u64, u64) {
    let given: Vec<_> = region.iter().map(|region| region.share_with(Rights::READ | Rights::WRITE)).collect();
    let mut reply = [0; 16];
    server.call(bytes, &given, &mut reply, &mut [], Deadline::NEVER).unwrap();
    let [status, first] = [0, 8].map(|at| u64::from_le_bytes(reply[at..at + 8].try_into().unwrap()));
    (status, first)
}

fn gives() {
    let [first, second] = [0, 1].map(|number| Endpoint::from_handle(Handle(Handle::FIRST_GRANT + number)));
    let region = Budget::OWN.create_region(BYTES).unwrap();
    region.map_writable(&OWN).unwrap();
    set(&OWN, 0, 41);
    check(ask(first, b"write", Some(region)) == (0, 41), "another cell sees what is in it");
    check(word(&OWN, 0) == 42, "and what it writes is seen");
    let refused = u64::from(Error::BadArgument.number());
    check(
        ask(second, b"", Some(region)).0 == refused,
        "a second cell of the same program has no place for it",
    );
    space::revoke(region).unwrap();
    check(ask(first, b"write", None) == (0, 0), "a server from which it was taken sees zeroes");
    check(word(&OWN, 0) == 42, "and writes to nobody");
    check(ask(second, b"", Some(region)) == (0, 42), "there is a place now");
    GAVE.store(1, Ordering::SeqCst);
}

static GIVES: NativeProgram = NativeProgram { name: "gives", style: NativeStyle::Main(gives) };

#[test]
fn what_is_given_to_a_native_server_is_shared_until_it_is_revoked() {
    let world = World::new(1);
    let (program, client) = (native(&world, &SHOWS), native(&world, &GIVES));
    for passive in [true, false] {
        GAVE.store(0, Ordering::SeqCst);
        let servers: Vec<_> = (0..2)
            .map(|_| {
                let cell = world.cell("shows", &program, passive);
                let endpoint = world.endpoint(cell, passive);
                start(&world, cell);
                world.run();
                (cell, endpoint)
            })
            .collect();
        let cell = world.cell("gives", &client, false);
        for (_, endpoint) in &servers {
            world.grant(cell, endpoint);
        }
        start(&world, cell);
        world.run();
        assert_eq!((world.log().as_str(), GAVE.load(Ordering::SeqCst)), ("", 1));
        // The second server's mapping ended with the region, whose maker is over; its place is free for who comes next.
        for (cell, _) in &servers {
            assert!(world.kernel.boot_kill(&world.right, cell.id));
        }
        world.run();
        world.log();
        assert_eq!(word(&SHOWN, 0), 0);
    }
    assert_eq!(*FOUND.lock().unwrap(), Vec::<String>::new());
}
