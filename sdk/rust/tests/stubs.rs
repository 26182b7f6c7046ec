//! Stubs whose answers come later: as futures, and as events. The servers are stubs, too.

#[rustfmt::skip]
#[allow(dead_code, reason = "the tests use some of what stubs have")]
#[path = "../../../programs/protocols/src/calc.rs"]
mod calc;
#[rustfmt::skip]
#[allow(dead_code, reason = "the tests use some of what stubs have")]
#[path = "../../../interface/system/src/random.rs"]
mod random;

use std::cell::RefCell;
use std::time::Duration;

use calc::{Operation, Refusal};
use hallows_sdk::stub::{self, Client, Later, Received, Sender};
use hallows_sdk::task::{self, Events, scope};
use hallows_sdk::{
    Answer, Deadline, Endpoint, Error, EventKind, Handle, Message, Reply, Server, Start, Token, Transfer,
    answer, contents, process, program, rights, wait,
};
use hallows_testing::{Machine, Says, ask};

const MS: Duration = Duration::from_millis(1);
const NEVER: Deadline = Deadline::NEVER;

/// Adds, and divides by zero.
struct Sums;

impl calc::Service for Sums {
    fn calculate(&mut self, _: Client, operation: Operation, a: i64, b: i64) -> Result<i64, Refusal> {
        match operation {
            Operation::Add => Ok(a + b),
            _ => Err(Refusal::DivisionByZero),
        }
    }
}

impl Server for Sums {
    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self)
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        calc::serve(self, message)
    }
}

/// Gives as many ones as it is asked for.
struct Ones(Vec<u8>);

impl random::Service for Ones {
    fn bytes(&mut self, _: Client, most: u32) -> &[u8] {
        self.0 = vec![1; most as usize];
        &self.0
    }

    fn number(&mut self, _: Client) -> u64 {
        1
    }
}

impl Server for Ones {
    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self(Vec::new()))
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        random::serve(self, message)
    }
}

/// A machine with both, each of which answers after so many milliseconds; and sums from a passive server, at once.
fn machine(milliseconds: u32) -> Machine {
    Machine::new()
        .endpoint("calc", move |request| {
            Says::After(MS * milliseconds, ask(&mut Sums, request).expect("it answers at once"))
        })
        .passive("passive", |request| Says::Now(ask(&mut Sums, request).expect("it answers at once")))
        .endpoint("random", move |request| {
            Says::After(MS * milliseconds, ask(&mut Ones(Vec::new()), request).expect("it answers at once"))
        })
}

/// Runs an async program on it.
fn run(
    milliseconds: u32,
    body: impl AsyncFnOnce(&dyn Fn(&str) -> Endpoint<rights!(SEND)>, &Events),
) -> Duration {
    let ended = machine(milliseconds).run(|| {
        let mut buffer = [0; 512];
        let start = program::read_start(&mut buffer).expect("it is short");
        let granted = |name: &str| start.grant(name).expect("was granted");
        task::run(async |events| body(&granted, events).await).expect("it ends");
    });
    ended.elapsed
}

#[test]
fn async_clients_have_many_calls_under_way() {
    let elapsed = run(3, async |granted, events| {
        let calc = calc::Client(events.through(granted("calc")));
        let total = scope(async |scope| {
            let tasks = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(|number| {
                scope.spawn(async move { calc.calculate_async(Operation::Add, number, 1, NEVER).await })
            });
            let mut total = 0;
            for task in tasks {
                total += task.await.expect("nobody cancels").expect("an answer").expect("a sum");
            }
            total
        })
        .await;
        assert_eq!(total, 55);
        let refused = calc.calculate_async(Operation::Divide, 1, 0, NEVER).await;
        assert_eq!(refused, Ok(Err(Refusal::DivisionByZero)));
    });
    assert_eq!(elapsed, 2 * 3 * MS, "the ten of them, and one");
}

#[test]
fn an_async_call_ends_at_its_deadline_and_its_late_answer_disturbs_nobody() {
    run(3, async |granted, events| {
        let calc = calc::Client(events.through(granted("calc")));
        let limit = Deadline::after(MS).expect("it lives");
        assert_eq!(calc.calculate_async(Operation::Add, 1, 2, limit).await, Err(Error::DeadlinePassed));
        assert_eq!(process::now(), Ok(1_000_000));
        assert_eq!(calc.calculate_async(Operation::Add, 3, 4, NEVER).await, Ok(Ok(7)));
    });
}

#[test]
fn a_passive_server_answers_an_async_client_at_once() {
    let elapsed = run(3, async |granted, events| {
        let calc = calc::Client(events.through(granted("passive")));
        assert_eq!(calc.calculate_async(Operation::Add, 3, 4, NEVER).await, Ok(Ok(7)));
    });
    assert_eq!(elapsed, Duration::ZERO);
}

#[test]
fn what_an_async_client_is_given_lies_in_its_room_if_it_fits() {
    run(1, async |granted, events| {
        let random = random::Client(events.through(granted("random")));
        let mut room = [0; 64];
        assert_eq!(random.bytes_async(9, &mut room, NEVER).await, Ok(&[1; 9][..]));
        // The request's bytes go to the front, then five of status and length.
        assert_eq!(random.bytes_async(64 - 8 - 5, &mut room, NEVER).await, Ok(&[1; 51][..]));
        assert_eq!(random.bytes_async(64 - 8 - 4, &mut room, NEVER).await, Err(Error::AnswerTooLong));
        assert_eq!(random.bytes_async(1, &mut room[..7], NEVER).await, Err(Error::TooLong));
        // Of another interface.
        let calc = calc::Client(events.through(granted("random")));
        let unknown = calc.calculate_async(Operation::Add, 1, 1, NEVER).await;
        assert_eq!(unknown, Err(Error::UnknownOperation));
    });
}

/// The next event, which is an answer.
fn next<'b>(buffer: &'b mut [u8], handles: &'b mut [Handle]) -> Received<'b> {
    let event = wait(buffer, handles, NEVER).expect("an event");
    assert_eq!(event.kind, EventKind::Answer);
    let (bytes, handles) = contents(&event, buffer, handles);
    Received { token: Token(event.token), bytes: event.status.map_or(Ok(bytes), Err), handles }
}

#[test]
fn what_was_sent_is_answered_by_an_event() {
    machine(1).run(|| {
        let mut buffer = [0; 512];
        let start = program::read_start(&mut buffer).expect("it is short");
        let endpoint: Endpoint = start.grant("calc").expect("was granted");
        let calc = calc::Client(endpoint);
        let random = random::Client(start.grant::<Endpoint>("random").expect("was granted"));
        let sum = calc.calculate_send(Operation::Add, 20, 22).expect("there is room");
        let refused = calc.calculate_send(Operation::Divide, 1, 0).expect("there is room");
        let bytes = random.bytes_send(3, 100).expect("there is room");
        let too_long = random.bytes_send(30, 10).expect("there is room");
        let (mut buffer, mut handles) = ([0; 64], [Handle::NULL; 1]);
        let received = next(&mut buffer, &mut handles);
        assert_eq!(received.token, sum);
        assert_eq!(calc::Client::calculate_answer(received), Ok(Ok(42)));
        let received = next(&mut buffer, &mut handles);
        assert_eq!(received.token, refused);
        assert_eq!(calc::Client::calculate_answer(received), Ok(Err(Refusal::DivisionByZero)));
        let received = next(&mut buffer, &mut handles);
        assert_eq!(received.token, bytes);
        assert_eq!(random::Client::bytes_answer(received), Ok(&[1; 3][..]));
        let received = next(&mut buffer, &mut handles);
        assert_eq!(received.token, too_long);
        assert_eq!(random::Client::bytes_answer(received), Err(Error::AnswerTooLong));
        // What is no answer of this function.
        let other = Received { token: Token(1), bytes: Ok(&[0, 0, 1]), handles: &[] };
        assert_eq!(calc::Client::calculate_answer(other), Err(Error::Refused));
    });
}

/// Keeps every question, and answers the one before.
#[derive(Default)]
struct OneBehind(Option<(Later<calc::later::Calculate>, i64)>);

impl calc::LaterService for OneBehind {
    fn calculate(
        &mut self,
        later: Later<calc::later::Calculate>,
        client: Client,
        operation: Operation,
        a: i64,
        b: i64,
    ) {
        assert_eq!((client.badge, operation), (1, Operation::Add));
        if let Some((before, sum)) = self.0.replace((later, a + b)) {
            before.answer(&Ok(sum)).expect("it waits");
        }
    }
}

/// Notes what is sent.
#[derive(Default)]
struct Notes(RefCell<Vec<u8>>);

impl Sender for Notes {
    fn send(&self, bytes: &[u8], _: &[Transfer], _: u32) -> Result<Token, Error> {
        *self.0.borrow_mut() = bytes.to_vec();
        Ok(Token(0))
    }
}

/// A question, as a client asks it.
fn question(a: i64, b: i64) -> Vec<u8> {
    let notes = Notes::default();
    calc::Client(&notes).calculate_send(Operation::Add, a, b).expect("it notes");
    notes.0.into_inner()
}

#[test]
fn a_server_answers_later_and_what_it_never_answers_is_refused() {
    let machine = Machine::new()
        .message(MS, &question(1, 2))
        .message(2 * MS, &question(3, 4))
        .message(3 * MS, b"nonsense")
        .message(4 * MS, &question(5, 6)[..7]);
    let ended = machine.run(|| {
        let mut server = OneBehind::default();
        let (mut buffer, mut handles) = ([0; 64], [Handle::NULL; 8]);
        for _ in 0..4 {
            let event = wait(&mut buffer, &mut handles, NEVER).expect("a message");
            let (bytes, handles) = contents(&event, &buffer, &handles);
            let (mut room, mut forms) = ([0; 64], [[0; Transfer::SIZE]; 8]);
            let token = Token(event.token);
            let reply = Reply::new(&mut room, &mut forms);
            let message = Message { bytes, handles, badge: event.badge, token, reply };
            if let Answer::Now { bytes, .. } = calc::serve_later(&mut server, message) {
                answer(token, bytes, &[]).expect("it waits");
            }
        }
    });
    // Done, no error, 3; no bytes for the second one, which is dropped with the server; what is no question is refused at once.
    let answers: Vec<_> = ended.answers.into_iter().map(|answer| answer.expect("an answer")).collect();
    assert_eq!(answers, [vec![0, 0, 3, 0, 0, 0, 0, 0, 0, 0], vec![], vec![1], vec![2]]);
}

#[test]
fn an_answer_that_is_too_long_for_its_room_is_told_both_sides() {
    let ended = Machine::new().message(MS, &[1]).run(|| {
        let event = wait(&mut [0; 4], &mut [], NEVER).expect("a message");
        let (mut room, mut forms) = ([0; 4], [[0; Transfer::SIZE]; 8]);
        let reply = Reply::new(&mut room, &mut forms);
        let token = Token(event.token);
        let message = Message { bytes: &[0; 4], handles: &[], badge: 1, token, reply };
        let request = stub::Request::open(message).expect("long enough");
        let later: Later<random::later::Bytes> = request.later(token);
        assert_eq!(later.answer_within(&&[7; 100][..], &mut [0; 50]), Err(Error::TooLong));
    });
    assert_eq!(ended.answers, [Some(vec![3])]);
}
