//! A packet device behind a ring: the loopback, whose client is a native program, too.

mod engine_support;

use std::sync::Mutex;

use engine_support::{Cell, World};
use hallows_engine::Program;
use hallows_kernel::{CellState, Rooted};
use hallows_linux::services::packets::{LOOPBACK, PACKETS};
use hallows_sdk::form::Form;
use hallows_sdk::native::{NativeProgram, NativeStyle};
use hallows_sdk::packets::{Card, Client, Kind, QUESTION, Question, RECEIVE, TRANSMIT, Window};
use hallows_sdk::ring::{Bell, Completion, Failure, Submission, operation};
use hallows_sdk::{Deadline, Endpoint, Error, Handle, start_info};

fn start(world: &World, cell: Cell, arguments: &[&str]) {
    let mut info = [0; 128];
    let grants: [(&str, Handle); 0] = [];
    let length = start_info::emit(arguments, &grants, &mut info).unwrap();
    world.kernel.boot_start(&world.right, cell.id, &info[..length]).unwrap();
}

/// What went wrong in a program, whose panic would end the process.
static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn check(holds: bool, what: &str) {
    if !holds {
        FOUND.lock().unwrap().push(what.to_owned());
    }
}

static RING: Window = Window::new();
static SECOND: Window = Window::new();

const FRAME_BYTES: usize = 1_514;
/// Frames under way at once.
const FRAMES: u64 = 64;
const PLACE: u64 = 1_536;

fn offer(card: Endpoint, window: &'static Window) -> Result<Client, Failure> {
    let bell = Bell::bound(1).unwrap();
    Client::offer(window, 256, bell, |bytes, transfers, reply, handles| {
        card.call(bytes, transfers, reply, handles, Deadline::NEVER)
    })
}

fn submit(ring: &mut Client, operation: u16, token: u64, length: usize) {
    let length = u32::try_from(length).unwrap();
    let submission = Submission { operation, length, token, offset: token * PLACE, ..Submission::default() };
    ring.submit(&submission).unwrap();
}

/// So many completions, in their order.
fn completions(ring: &mut Client, count: usize) -> Vec<Completion> {
    let mut all = Vec::new();
    while all.len() < count {
        ring.wait(Deadline::NEVER).unwrap();
        while let Some(completion) = ring.complete().unwrap() {
            all.push(completion);
        }
    }
    all
}

fn frame(number: u64) -> Vec<u8> {
    let length = 60 + usize::try_from(number).unwrap() * 23 % (FRAME_BYTES - 60);
    (0..length).map(|place| u8::try_from((place as u64 * 7 + number * 31) % 251).unwrap()).collect()
}

/// Frames there and back: rooms are given first, and completed last.
fn there_and_back(ring: &mut Client) {
    for token in 0..FRAMES {
        submit(ring, RECEIVE, token, FRAME_BYTES);
    }
    for number in 0..FRAMES {
        let (token, bytes) = (FRAMES + number, frame(number));
        let part = ring.payload().part(token * PLACE, u32::try_from(bytes.len()).unwrap()).unwrap();
        part.write(&bytes);
        submit(ring, TRANSMIT, token, bytes.len());
    }
    let all = completions(ring, 2 * FRAMES as usize);
    let (sent, came): (Vec<Completion>, Vec<Completion>) =
        all.into_iter().partition(|completion| completion.token >= FRAMES);
    check(came.iter().map(|completion| completion.token).eq(0..FRAMES), "rooms in the order of frames");
    check(sent.iter().map(|completion| completion.token).eq(FRAMES..2 * FRAMES), "each frame was sent once");
    let mut before = 0;
    for completion in came {
        let bytes = frame(completion.token);
        check(completion.outcome() == Ok(bytes.len() as u64), "its length");
        check(completion.detail >= before, "time goes on");
        before = completion.detail;
        let mut read = vec![0; bytes.len()];
        let part = ring.payload().part(completion.token * PLACE, u32::try_from(bytes.len()).unwrap());
        part.unwrap().read(&mut read);
        check(read == bytes, "its bytes");
    }
}

fn client() {
    let [card, other] = [0, 1].map(|number| Endpoint::from_handle(Handle(Handle::FIRST_GRANT + number)));
    let mut answer = [0; 14];
    let question = Question { magic: QUESTION }.emit();
    card.call(&question, &[], &mut answer, &mut [], Deadline::NEVER).unwrap();
    let what = Card::parse(&answer).unwrap();
    check(Kind::from_number(what.kind) == Some(Kind::Loopback) && what.mtu == 1_500, "what it is");
    let mut ring = offer(card, &RING).unwrap();
    for _ in 0..20 {
        there_and_back(&mut ring);
    }
    let payload = ring.payload().bytes();
    let asked = Submission { operation: TRANSMIT, length: 60, ..Submission::default() };
    for (submission, error) in [
        (Submission { offset: payload - 8, ..asked }, Error::BadSpan),
        (Submission { offset: 4, ..asked }, Error::BadSpan),
        (Submission { operation: RECEIVE, offset: u64::MAX - 7, ..asked }, Error::BadSpan),
        (Submission { length: FRAME_BYTES as u32 + 1, ..asked }, Error::TooLong),
        (Submission { length: 13, ..asked }, Error::BadArgument),
        (Submission { operation: TRANSMIT + 2, ..asked }, Error::UnknownOperation),
        (Submission { operation: operation::READ, ..asked }, Error::UnknownOperation),
    ] {
        ring.submit(&submission).unwrap();
        let outcome = completions(&mut ring, 1)[0].outcome();
        check(outcome == Err(error), &format!("{submission:?}: {outcome:?}"));
    }
    // A frame that is longer than its room is lost, and says so.
    submit(&mut ring, RECEIVE, 0, 64);
    submit(&mut ring, TRANSMIT, 1, 65);
    let outcomes: Vec<_> =
        completions(&mut ring, 2).iter().map(|done| (done.token, done.outcome())).collect();
    check(outcomes.contains(&(0, Err(Error::TooLong))) && outcomes.contains(&(1, Ok(65))), "too long");
    // It has one ring, of one client.
    check(offer(other, &SECOND).is_err(), "another client's ring is refused");
    ring.close().unwrap();
    let mut ring = offer(other, &SECOND).unwrap();
    there_and_back(&mut ring);
    ring.close().unwrap();
}

static CLIENT: NativeProgram = NativeProgram { name: "client", style: NativeStyle::Main(client) };

fn native(world: &World, program: &'static NativeProgram) -> Rooted {
    world.known(Program::native(program))
}

#[test]
fn frames_go_over_a_ring_and_come_back_and_what_is_wrong_is_refused_by_name() {
    let world = World::new(2);
    let card = world.cell("card", &native(&world, &PACKETS), false);
    let endpoint = world.endpoint(card, false);
    start(&world, card, &[LOOPBACK]);
    let cell = world.cell("client", &native(&world, &CLIENT), false);
    for badge in [7, 8] {
        world.kernel.boot_grant(&world.right, cell.id, &endpoint, hallows_abi::Rights::ALL, badge).unwrap();
    }
    start(&world, cell, &[]);
    world.run_on_threads(2, &[cell]);
    assert_eq!((*FOUND.lock().unwrap()).clone(), Vec::<String>::new(), "{}", world.log());
    assert_eq!(world.kernel.state(card.id), CellState::Running);
    assert_eq!(world.log(), "");
}

#[test]
fn a_device_that_there_is_not_ends_its_cell_with_what_to_do() {
    let world = World::new(1);
    let program = native(&world, &PACKETS);
    for argument in ["0", "eth0", ""] {
        let card = world.cell("card", &program, false);
        world.endpoint(card, false);
        start(&world, card, &[argument]);
        world.run();
        assert_eq!(world.kernel.state(card.id), CellState::Dead);
        assert!(world.log().contains("start the machine with --net tap:NAME"), "{argument}");
    }
}
