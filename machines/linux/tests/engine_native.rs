//! Native programs on the engine: the same calls, the same ends, beside WebAssembly ones.

mod engine_support;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use engine_support::{Cell, ECHO, World, main_program, reactor};
use hallows_engine::Program;
use hallows_kernel::{CellState, Rooted};
use hallows_sdk::native::{NativeProgram, NativeReactor, NativeStyle};
use hallows_sdk::stub::{Borrow, Own, Resource};
use hallows_sdk::{
    Answer, Budget, Deadline, Endpoint, Error, Handle, Message, Notification, Server, Start, process,
    start_info,
};
use hallows_system::kernel::{budget, endpoint, notification, object, space, timer};

/// Adds a byte to the front: how many messages this cell had before. Counts its instances that are alive.
struct Counter {
    messages: u8,
    reply: [u8; 64],
}

static ALIVE: AtomicU32 = AtomicU32::new(0);

impl Server for Counter {
    const INBOX_BYTES: usize = 32;
    const REPLY_BYTES: usize = 64;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        ALIVE.fetch_add(1, Ordering::SeqCst);
        Ok(Self { messages: 0, reply: [0; 64] })
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        let length = message.bytes.len() + 1;
        self.reply[0] = self.messages;
        self.reply[1..length].copy_from_slice(message.bytes);
        self.messages += 1;
        Answer::bytes(&self.reply[..length])
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::SeqCst);
    }
}

static COUNTER: NativeProgram = NativeProgram {
    name: "counter",
    style: NativeStyle::Reactor(NativeReactor::of::<
        Counter,
        { Counter::INBOX_BYTES },
        { Counter::REPLY_BYTES },
    >()),
};

/// The first capability that a cell is granted.
const GRANT: Handle = Handle(Handle::FIRST_GRANT);

fn native(world: &World, program: &'static NativeProgram) -> Rooted {
    world.known(Program::native(program))
}

fn start(world: &World, cell: Cell) {
    let mut info = [0; 64];
    let (arguments, grants): ([&str; 0], [(&str, Handle); 0]) = ([], []);
    let length = start_info::emit(&arguments, &grants, &mut info).unwrap();
    world.kernel.boot_start(&world.right, cell.id, &info[..length]).unwrap();
}

/// A running native counter.
fn counter(world: &World, program: &Rooted, passive: bool) -> (Cell, Rooted) {
    let cell = world.cell("counter", program, passive);
    let endpoint = world.endpoint(cell, passive);
    start(world, cell);
    world.run();
    (cell, endpoint)
}

#[test]
fn a_native_server_serves_webassembly_and_every_cell_has_its_own_state() {
    let world = World::new(1);
    let program = native(&world, &COUNTER);
    for passive in [true, false] {
        let servers: Vec<_> = (0..2).map(|_| counter(&world, &program, passive)).collect();
        for (_, endpoint) in &servers {
            world.passes(
                &main_program(
                    "(local $n i32)
                     (loop $again
                        (i32.store8 (i32.const 0) (i32.const 77))
                        (call $check (i64.eq (call $echo (i32.const 3) (i32.const 2)) (i64.const 3)))
                        (call $check (i32.eq (i32.load8_u (i32.const 4096)) (local.get $n)))
                        (call $check (i32.eq (i32.load8_u (i32.const 4097)) (i32.const 77)))
                        (local.set $n (i32.add (local.get $n) (i32.const 1)))
                        (br_if $again (i32.lt_u (local.get $n) (i32.const 100))))
                     ;; Longer than its inbox.
                     (call $check (i64.eq (call $echo (i32.const 3) (i32.const 33)) (i64.const -8)))",
                ),
                &[endpoint],
            );
        }
        let before = ALIVE.load(Ordering::SeqCst);
        for (cell, _) in &servers {
            assert!(world.kernel.boot_kill(&world.right, cell.id));
        }
        world.run();
        world.log();
        assert_eq!(ALIVE.load(Ordering::SeqCst), before - 2, "states are released with their cells");
    }
}

/// Always has something to do: it rings its own bell whenever that rings.
struct Restless(Notification);

impl Server for Restless {
    const INBOX_BYTES: usize = 16;
    const REPLY_BYTES: usize = 16;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        let bell = Budget::OWN.create_notification()?;
        bell.bind(1)?;
        bell.signal(1)?;
        Ok(Self(bell))
    }

    fn message<'a>(&'a mut self, _: Message<'a>) -> Answer<'a> {
        Answer::EMPTY
    }

    fn notification(&mut self, _: u64, _: u64) {
        let _ = self.0.signal(1);
    }
}

static RESTLESS: NativeProgram = NativeProgram {
    name: "restless",
    style: NativeStyle::Reactor(NativeReactor::of::<
        Restless,
        { Restless::INBOX_BYTES },
        { Restless::REPLY_BYTES },
    >()),
};

#[test]
fn a_native_server_that_always_has_something_to_do_gives_way_and_can_be_killed() {
    let world = World::new(1);
    let restless = world.cell("restless", &native(&world, &RESTLESS), false);
    start(&world, restless);
    let other = world.cell("other", &world.program(&main_program("")), false);
    world.start(other);
    let is_over = |world: &World, cell: Cell| world.kernel.state(cell.id) == CellState::Dead;
    world.run_in_time(|world| is_over(world, other));
    assert!(!is_over(&world, restless));
    assert!(world.kernel.boot_kill(&world.right, restless.id));
    world.run_in_time(|world| is_over(world, restless));
}

/// What the native client saw: twice the answer's length if all was well.
static SEEN: AtomicU64 = AtomicU64::new(0);

fn client() {
    let endpoint = Endpoint::from_handle(GRANT);
    let mut reply = [0; 100];
    for round in 0..1_000_u32 {
        let message = round.to_le_bytes();
        let outcome =
            hallows_sdk::call(endpoint, &message, &[], &mut reply, &mut [], Deadline::NEVER).unwrap();
        assert_eq!(&reply[..outcome.length as usize], message);
        SEEN.fetch_add(u64::from(outcome.length) * 2, Ordering::SeqCst);
    }
    // The errors are those of every program.
    let call = |endpoint, bytes: &[u8], reply: &mut [u8]| {
        hallows_sdk::call(endpoint, bytes, &[], reply, &mut [], Deadline::NEVER).err()
    };
    assert_eq!(call(Endpoint::from_handle(Handle(99)), b"", &mut []), Some(Error::BadHandle));
    assert_eq!(call(endpoint, b"12", &mut [0]), Some(Error::AnswerTooLong));
    assert_eq!(call(endpoint, &[0; 65_537], &mut [0]), Some(Error::TooLong));
}

static CLIENT: NativeProgram = NativeProgram { name: "client", style: NativeStyle::Main(client) };

#[test]
fn a_native_client_calls_webassembly_servers_that_are_passive_or_active() {
    let world = World::new(1);
    let program = native(&world, &CLIENT);
    for passive in [true, false] {
        let server = world.cell("server", &world.program(&reactor(ECHO)), passive);
        let endpoint = world.endpoint(server, passive);
        world.start(server);
        world.run();
        SEEN.store(0, Ordering::SeqCst);
        let cell = world.cell("client", &program, false);
        world.grant(cell, &endpoint);
        start(&world, cell);
        world.run();
        assert_eq!(world.kernel.state(cell.id), CellState::Dead);
        assert_eq!(world.log(), "");
        assert_eq!(SEEN.load(Ordering::SeqCst), 8_000);
    }
}

/// The error that ended a wait.
static WOKEN_BY: AtomicU32 = AtomicU32::new(0);

fn waiter() {
    let error = hallows_sdk::wait(&mut [0; 8], &mut [], Deadline::NEVER).unwrap_err();
    WOKEN_BY.store(u32::from(error.number()), Ordering::SeqCst);
}

static WAITER: NativeProgram = NativeProgram { name: "waiter", style: NativeStyle::Main(waiter) };

#[test]
fn a_native_program_that_waits_is_told_to_end_and_returns() {
    let world = World::new(1);
    let program = native(&world, &WAITER);
    let cell = world.cell("waiter", &program, false);
    // Somebody could send it something, so it waits.
    world.endpoint(cell, false);
    start(&world, cell);
    world.run();
    assert_eq!(world.kernel.state(cell.id), CellState::Running);
    assert!(world.kernel.boot_kill(&world.right, cell.id));
    world.run();
    assert_eq!(WOKEN_BY.load(Ordering::SeqCst), u32::from(Error::Killed.number()));
    assert_eq!(world.kernel.state(cell.id), CellState::Dead);
    assert!(world.log().contains("was killed"));
}

#[test]
fn calls_from_outside_of_any_cell_are_refused() {
    let result = hallows_sdk::wait(&mut [0; 8], &mut [], Deadline::NEVER);
    assert_eq!(result.err(), Some(Error::BadState));
}

fn exiter() {
    let before = process::now().unwrap();
    assert!(process::now().unwrap() >= before && before > 0);
    assert_eq!(process::exit(5), Error::Killed);
    assert_eq!(process::now(), Err(Error::Killed));
}

static EXITER: NativeProgram = NativeProgram { name: "exiter", style: NativeStyle::Main(exiter) };

#[test]
fn a_native_program_is_told_the_time_until_it_has_ended() {
    let world = World::new(1);
    let cell = world.cell("exiter", &native(&world, &EXITER), false);
    start(&world, cell);
    world.run();
    assert_eq!(world.kernel.state(cell.id), CellState::Dead);
    assert!(world.log().contains("with status 5"));
    assert_eq!(process::now(), Err(Error::BadState));
}

/// Uses more stack than there is.
fn overflow() {
    fn deep(count: u64) -> u64 {
        let room = std::hint::black_box([count; 512]);
        if std::hint::black_box(true) { deep(count + 1) + room[511] } else { 0 }
    }
    std::hint::black_box(deep(0));
}

static OVERFLOW: NativeProgram = NativeProgram { name: "overflow", style: NativeStyle::Main(overflow) };

/// Set in the process that is to die.
const DOOMED: &str = "HALLOWS_TEST_OVERFLOWS";

#[test]
fn a_native_program_that_overflows_its_stack_ends_the_machine_with_the_reason() {
    if std::env::var_os(DOOMED).is_some() {
        let world = World::new(1);
        let cell = world.cell("overflow", &native(&world, &OVERFLOW), false);
        start(&world, cell);
        world.run();
        return;
    }
    let name = "a_native_program_that_overflows_its_stack_ends_the_machine_with_the_reason";
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(DOOMED, "1")
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(words.contains("the machine itself trapped: signal 11"), "{words}");
    assert!(words.contains("host code overflowed a program's stack"), "{words}");
}

/// How far [`asks_by_interfaces`] came.
static ASKED: AtomicU32 = AtomicU32::new(0);

/// Asks kernel objects with clients that were made from `wit/kernel`, and nothing else.
fn asks_by_interfaces() {
    let at = Endpoint::from_handle;
    let space = space::Client(at(Handle::SELF));
    let budget = budget::Budget(at(Handle::BUDGET));
    let Own(bell) = budget.create_notification(Deadline::NEVER).unwrap();
    let notification = notification::Notification(at(bell.capability()));
    notification.signal(6, Deadline::NEVER).unwrap();
    assert_eq!(notification.poll(Deadline::NEVER), Ok(6));
    notification.bind(3, Deadline::NEVER).unwrap();
    let target = Borrow(budget::Notification::from_capability(bell.capability()));
    let Own(made) = budget.create_timer(target, 32, Deadline::NEVER).unwrap();
    let now = space.now(Deadline::NEVER).unwrap();
    // Nobody looks at the clock in these tests.
    let timer = timer::Timer(at(made.capability()));
    timer.arm(now + 1_000_000_000_000, 0, 0, Deadline::NEVER).unwrap();
    timer.disarm(Deadline::NEVER).unwrap();
    notification.signal(32, Deadline::NEVER).unwrap();
    let event = hallows_sdk::wait(&mut [], &mut [], Deadline::NEVER).unwrap();
    assert_eq!((event.badge, event.value), (3, 32));

    let Own(made) = budget.create_endpoint(budget::Serving::Active(4), None, Deadline::NEVER).unwrap();
    let served = made.capability().0;
    let badged = space.mint(served, space::Rights::SEND, 77, Deadline::NEVER).unwrap();
    let endpoints = endpoint::Client(at(Handle::SELF));
    assert_eq!(endpoints.recognise(badged, Deadline::NEVER), Ok(77));
    let identity = space.identify(badged, Deadline::NEVER).unwrap();
    assert_eq!(
        (identity.kind, identity.rights, identity.badge),
        (space::Kind::Endpoint, space::Rights::SEND, 77)
    );
    assert_eq!(space.revoke(served, Deadline::NEVER), Ok(1));
    assert_eq!(space.identify(badged, Deadline::NEVER), Err(Error::BadHandle));

    // The functions of `object` are every object's; those of a kind are no other's.
    object::Object(at(made.capability())).null(Deadline::NEVER).unwrap_err();
    object::Object(at(bell.capability())).null(Deadline::NEVER).unwrap();
    assert_eq!(timer::Timer(at(bell.capability())).disarm(Deadline::NEVER), Err(Error::WrongObject));
    object::Object(at(bell.capability())).destroy(Deadline::NEVER).unwrap();
    assert_eq!(notification.poll(Deadline::NEVER), Err(Error::Gone));
    ASKED.store(1, Ordering::SeqCst);
}

static ASKS: NativeProgram = NativeProgram { name: "asks", style: NativeStyle::Main(asks_by_interfaces) };

#[test]
fn kernel_objects_are_asked_by_clients_that_were_made_from_their_interfaces() {
    let world = World::new(1);
    let cell = world.cell("asks", &native(&world, &ASKS), false);
    start(&world, cell);
    world.run();
    assert_eq!(world.log(), "");
    assert_eq!(ASKED.load(Ordering::SeqCst), 1, "the program came to its end");
}
