//! Async programs on a machine of one cell, with servers that the tests play and time that passes as they say.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use hallows_sdk::task::{self, Cancelled, Either, Events, join, race, scope};
use hallows_sdk::{
    Deadline, Endpoint, Error, Notification, Object, Service, Start, Timer, process, program, rights,
};
use hallows_testing::{Ended, Machine, Says};

hallows_sdk::form! {
    struct Number {
        value: u64,
    }
}

const MS: Duration = Duration::from_millis(1);

/// Runs an async program, and gives back what it gave.
fn run<T>(machine: Machine, body: impl AsyncFnOnce(Start<'_>, &Events) -> T) -> (T, Ended) {
    let mut output = None;
    let ended = machine.run(|| {
        let mut buffer = [0; 512];
        let start = program::read_start(&mut buffer).expect("it is short");
        output = Some(task::run(async |events| body(start, events).await).expect("it ends"));
    });
    (output.expect("it was run"), ended)
}

/// A server that says its name after so long.
fn after(milliseconds: u32, name: &'static str) -> impl FnMut(&[u8]) -> Says + 'static {
    move |_| Says::After(MS * milliseconds, name.as_bytes().to_vec())
}

fn granted(start: Start<'_>, name: &str) -> Endpoint<rights!(SEND)> {
    start.grant(name).expect("was granted")
}

async fn text(events: &Events, endpoint: Endpoint<rights!(SEND)>) -> Result<String, Error> {
    events.call(endpoint, b"?", &[], 64).await.map(|answer| answer.text().unwrap_or("").to_owned())
}

#[test]
fn calls_of_tasks_are_under_way_at_the_same_time() {
    let machine = Machine::new().endpoint("a", after(3, "a")).endpoint("b", after(1, "b"));
    let (order, ended) = run(machine.endpoint("c", after(2, "c")), async |start, events| {
        let order = RefCell::new(Vec::new());
        scope(async |scope| {
            for name in ["a", "b", "c"] {
                let (order, endpoint) = (&order, granted(start, name));
                scope.spawn(async move {
                    let said = text(events, endpoint).await.expect("it answers");
                    order.borrow_mut().push(said);
                });
            }
        })
        .await;
        order.into_inner()
    });
    assert_eq!(order, ["b", "c", "a"]);
    assert_eq!(ended.elapsed, MS * 3);
}

#[test]
fn a_deadline_ends_a_call_and_its_late_answer_reaches_nobody() {
    let machine = Machine::new().endpoint("slow", after(5, "late")).endpoint("next", after(9, "next"));
    let ((first, when, next), ended) = run(machine, async |start, events| {
        let limit = Deadline::after(MS * 2).expect("it lives");
        let first = events.with_deadline(limit, text(events, granted(start, "slow"))).await;
        let when = process::now().expect("it lives");
        // The late answer comes during this call.
        (first, when, text(events, granted(start, "next")).await)
    });
    assert_eq!((first, when, next), (Err(Error::DeadlinePassed), 2_000_000, Ok("next".to_owned())));
    assert_eq!(ended.elapsed, MS * 11);
}

#[test]
fn what_is_in_time_is_not_ended() {
    let (said, ended) = run(Machine::new().endpoint("quick", after(1, "quick")), async |start, events| {
        let limit = Deadline::after(MS * 2).expect("it lives");
        events.with_deadline(limit, text(events, granted(start, "quick"))).await
    });
    assert_eq!(said, Ok(Ok("quick".to_owned())));
    assert_eq!(ended.elapsed, MS);
}

#[test]
fn a_scope_ends_after_its_last_task_and_gives_what_its_body_gave() {
    let (ends, _) = run(Machine::new(), async |_, events| {
        let task_ended = Cell::new(0);
        let output = scope(async |scope| {
            scope.spawn(async {
                events.sleep(MS * 4).await.expect("it lives");
                task_ended.set(process::now().expect("it lives"));
            });
            "the body"
        })
        .await;
        (output, task_ended.get(), process::now())
    });
    assert_eq!(ends, ("the body", 4_000_000, Ok(4_000_000)));
}

#[test]
fn a_task_may_start_others_in_its_scope() {
    let (count, _) = run(Machine::new(), async |_, events| {
        let count = Cell::new(0);
        scope(async |scope| {
            let (inner, count) = (scope.clone(), &count);
            scope.spawn(async move {
                for _ in 0..3 {
                    events.sleep(MS).await.expect("it lives");
                    inner.spawn(async move { count.set(count.get() + 1) });
                }
            });
        })
        .await;
        count.get()
    });
    assert_eq!(count, 3);
}

/// Counts how many of it were dropped.
struct Guard(Rc<Cell<u32>>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn cancelling_drops_every_task_where_it_waits_and_starts_no_more() {
    let dropped = Rc::new(Cell::new(0));
    let machine = Machine::new().endpoint("never", |_| Says::Nothing);
    let (outcome, ended) = run(machine, async |start, events| {
        scope(async |scope| {
            let guards = (Guard(dropped.clone()), Guard(dropped.clone()));
            let endpoint = granted(start, "never");
            let waiting = scope.spawn(async move {
                let _guard = guards.0;
                text(events, endpoint).await
            });
            scope.spawn(async move {
                let _guard = guards.1;
                events.sleep(MS * 1_000).await
            });
            events.sleep(MS).await.expect("it lives");
            scope.cancel();
            let late = scope.spawn(async { 1 });
            (waiting.await, late.await, dropped.get())
        })
        .await
    });
    assert_eq!(outcome, (Err(Cancelled), Err(Cancelled), 2));
    assert_eq!(ended.elapsed, MS, "something that was cancelled was waited for");
}

/// Counts how often a future is polled.
async fn counted<F: Future>(polls: &Cell<u32>, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        polls.set(polls.get() + 1);
        future.as_mut().poll(context)
    })
    .await
}

#[test]
fn of_many_tasks_those_that_were_woken_are_polled_and_places_are_used_again() {
    // More than one word of flags, and a second generation in the places of the first.
    const TASKS: usize = 200;
    let polls = Cell::new(0);
    let (seen, _) = run(Machine::new(), async |_, events| {
        scope(async |scope| {
            let polls = &polls;
            let mut seen = Vec::new();
            for _ in 0..3 {
                for number in 0..TASKS {
                    let sleep = events.sleep(MS * (1 + u32::try_from(number).expect("it is small")));
                    scope.spawn(counted(polls, sleep));
                }
                // Each is polled once where it begins and once where its time has come.
                events.sleep(MS * 100).await.expect("it lives");
                seen.push(polls.get());
                events.sleep(MS * 200).await.expect("it lives");
                seen.push(polls.replace(0));
            }
            seen
        })
        .await
    });
    let all = u32::try_from(TASKS).expect("it is small");
    for (halfway, whole) in [(seen[0], seen[1]), (seen[2], seen[3]), (seen[4], seen[5])] {
        assert!((all + 99..=all + 101).contains(&halfway), "{seen:?}");
        assert_eq!(whole, 2 * all, "{seen:?}");
    }
}

#[test]
fn a_scope_that_somebody_else_polls_goes_on() {
    let (done, ended) = run(Machine::new(), async |_, events| {
        let done = Cell::new(0);
        {
            let mut tasks = Box::pin(scope(async |scope| {
                for number in 1..=5 {
                    let done = &done;
                    scope.spawn(async move {
                        events.sleep(MS * number).await.expect("it lives");
                        done.set(done.get() + 1);
                    });
                }
            }));
            // First under one task, which leaves it half done, then under another.
            let first = events.with_deadline(Deadline::at(2_500_000), tasks.as_mut()).await;
            assert_eq!((first, done.get()), (Err(Error::DeadlinePassed), 2));
            scope(async |other| {
                other.spawn(tasks);
            })
            .await;
        }
        done.get()
    });
    assert_eq!((done, ended.elapsed), (5, MS * 5));
}

#[test]
fn a_dropped_scope_drops_its_tasks() {
    let dropped = Rc::new(Cell::new(0));
    let (outcome, ended) = run(Machine::new(), async |_, events| {
        let long = scope(async |scope| {
            let guard = Guard(dropped.clone());
            scope.spawn(async move {
                let _guard = guard;
                events.sleep(MS * 1_000).await
            });
        });
        events.with_deadline(Deadline::at(2_000_000), long).await
    });
    assert_eq!(outcome, Err(Error::DeadlinePassed));
    assert_eq!(dropped.get(), 1);
    assert_eq!(ended.elapsed, MS * 2);
}

#[test]
fn a_scope_that_is_forgotten_runs_no_task_any_more() {
    let (polls, _) = run(Machine::new(), async |_, events| {
        let polls = Rc::new(Cell::new(0));
        let counted = polls.clone();
        let mut forgotten = Box::pin(scope(async move |scope| {
            scope.spawn(async move {
                loop {
                    counted.set(counted.get() + 1);
                    events.sleep(MS).await.expect("it lives");
                }
            });
        }));
        let began = race(&mut forgotten, events.sleep(Duration::from_micros(2_500))).await;
        assert!(matches!(began, Either::Second(Ok(()))));
        let before = polls.get();
        std::mem::forget(forgotten);
        events.sleep(MS * 10).await.expect("it lives");
        (before, polls.get())
    });
    assert_eq!(polls, (3, 3));
}

#[test]
fn of_two_the_first_counts_and_the_other_is_given_up() {
    let machine = Machine::new().endpoint("a", after(2, "a")).endpoint("b", after(1, "b"));
    let (first, ended) = run(machine, async |start, events| {
        race(text(events, granted(start, "a")), text(events, granted(start, "b"))).await
    });
    assert_eq!(first, Either::Second(Ok("b".to_owned())));
    assert_eq!(ended.elapsed, MS);
}

#[test]
fn both_are_waited_for_and_a_passive_server_answers_as_well() {
    let machine = Machine::new().endpoint("a", after(2, "a")).passive("b", |_| Says::Now(b"b".to_vec()));
    let (both, ended) = run(machine, async |start, events| {
        join(text(events, granted(start, "a")), text(events, granted(start, "b"))).await
    });
    assert_eq!(both, (Ok("a".to_owned()), Ok("b".to_owned())));
    assert_eq!(ended.elapsed, MS * 2);
}

#[test]
fn a_full_queue_is_tried_again_and_other_errors_are_told() {
    let mut times = 0;
    let full = move |_: &[u8]| {
        times += 1;
        if times < 4 { Says::Fails(Error::Busy) } else { Says::Now(b"at last".to_vec()) }
    };
    let machine = Machine::new().endpoint("full", full).endpoint("dead", |_| Says::Fails(Error::ServerDied));
    let (said, _) = run(machine, async |start, events| {
        (text(events, granted(start, "full")).await, text(events, granted(start, "dead")).await)
    });
    assert_eq!(said, (Ok("at last".to_owned()), Err(Error::ServerDied)));
}

#[test]
fn a_server_answers_each_client_when_it_is_ready_and_leaves_none_waiting() {
    let machine = [(1, 5), (2, 1), (3, 0), (4, 200)]
        .into_iter()
        .fold(Machine::new(), |machine, (at, takes)| machine.message(MS * at, &[takes]));
    let (order, ended) = run(machine, async |_, events| {
        let order = RefCell::new(Vec::new());
        let serving = scope(async |scope| {
            loop {
                let (request, order) = (events.request().await, &order);
                scope.spawn(async move {
                    let milliseconds = request.bytes()[0];
                    // It drops this one without an answer.
                    if milliseconds != 0 {
                        events.sleep(MS * u32::from(milliseconds)).await.expect("it lives");
                        order.borrow_mut().push(milliseconds);
                        request.answer(&[milliseconds], &[]).expect("it waits");
                    }
                });
            }
        });
        let served: Result<(), Error> = events.with_deadline(Deadline::at(50_000_000), serving).await;
        assert_eq!(served, Err(Error::DeadlinePassed));
        order.into_inner()
    });
    assert_eq!(order, [1, 5]);
    let answered = |bytes: &[u8]| Some(bytes.to_vec());
    assert_eq!(ended.answers, [answered(&[5]), answered(&[1]), answered(&[]), answered(&[])]);
}

#[test]
fn a_listener_hears_bits_and_a_second_one_the_same_notification() {
    let machine = Machine::new().notification("told", &[(MS, 1), (MS * 2, 6)]);
    let (heard, _) = run(machine, async |start, events| {
        let told: Notification<rights!(RECEIVE)> = start.grant("told").expect("was granted");
        let first = events.listen(told).expect("nobody else hears it").bits().await;
        let second = events.listen(told).expect("it is this cell's").bits().await;
        (first, second)
    });
    assert_eq!(heard, (1, 6));
}

#[test]
fn waiting_for_what_cannot_come_is_an_error_and_not_for_ever() {
    Machine::new().run(|| {
        let ended = Events::new().block_on(core::future::pending::<()>());
        assert_eq!(ended, Err(Error::NothingToWaitFor));
    });
}

#[test]
fn tasks_that_wake_each_other_do_not_keep_time_from_passing() {
    Machine::new().run(|| {
        let restless = poll_fn(|context| {
            context.waker().wake_by_ref();
            core::task::Poll::<()>::Pending
        });
        let events = Events::new();
        // Time passes here only when somebody waits until a deadline, so it is one that has passed already.
        let ended = events.block_on(events.with_deadline(Deadline::PASSED, restless));
        assert_eq!(ended, Ok(Err(Error::DeadlinePassed)));
    });
}

#[test]
fn a_claim_that_is_wrong_fails_when_it_is_used_and_a_check_before() {
    let machine = Machine::new().endpoint("it", after(1, "it"));
    let (results, _) = run(machine, async |start, _| {
        let claimed: Endpoint = start.grant("it").expect("was granted");
        let weak = claimed.mint::<rights!(WATCH)>(0).expect("there is room");
        [
            Endpoint::from_handle(weak.handle()).send(b"?", &[], 8).err(),
            Endpoint::<rights!(SEND)>::try_from(weak.handle()).err(),
            Endpoint::<rights!(WATCH)>::try_from(weak.handle()).err(),
            Timer::<rights!(SEND)>::try_from(claimed.handle()).err(),
        ]
    });
    assert_eq!(results, [Some(Error::NoRight), Some(Error::NoRight), None, Some(Error::WrongObject)]);
}

#[test]
fn a_grant_that_allows_less_than_its_type_says_is_explained() {
    let ((), ended) = run(Machine::new().endpoint("it", after(1, "it")), async |start, _| {
        assert_eq!(start.grant::<Endpoint<rights!(SEND | MANAGE)>>("it"), Err(Error::NoRight));
        assert_eq!(start.grant::<Endpoint<rights!(SEND)>>("that").err(), Some(Error::BadHandle));
        hallows_sdk::Budget::OWN.create_endpoint(Service::Active { queue: 1 }).expect("there is room");
    });
    let expected = [
        "needs `it` to be of the kind Endpoint with the rights s--m---, and was granted one of the kind Endpoint with s-t---w",
        "needs a capability called `that` (Endpoint), and was granted none",
    ];
    assert_eq!(ended.log, expected);
}

#[test]
fn of_two_tasks_that_wait_for_one_notification_each_signal_ends_one() {
    let machine = Machine::new().notification("told", &[(MS, 1), (MS * 2, 2)]);
    let (heard, _) = run(machine, async |start, events| {
        let told: Notification<rights!(RECEIVE)> = start.grant("told").expect("was granted");
        let heard = RefCell::new(Vec::new());
        let both = scope(async |scope| {
            for _ in 0..2 {
                let (heard, mut listener) = (&heard, events.listen(told).expect("binds"));
                scope.spawn(async move {
                    let bits = listener.bits().await;
                    heard.borrow_mut().push(bits);
                });
            }
        });
        let in_time = events.with_deadline(Deadline::at(10_000_000), both).await;
        assert_eq!(in_time, Ok(()));
        heard.into_inner()
    });
    assert_eq!(heard, [1, 2]);
}

#[test]
fn a_listener_that_is_dropped_leaves_the_others_listening() {
    let machine = Machine::new().notification("told", &[(MS * 3, 1)]);
    let (heard, _) = run(machine, async |start, events| {
        let told: Notification<rights!(RECEIVE)> = start.grant("told").expect("was granted");
        let (mut stays, mut leaves) =
            (events.listen(told).expect("binds"), events.listen(told).expect("binds"));
        let until = |at| {
            async move |waiting: &mut task::Listener<'_>| {
                events.with_deadline(Deadline::at(at), waiting.bits()).await
            }
        };
        // The one that waits last gives up first.
        join(until(10_000_000)(&mut stays), until(1_000_000)(&mut leaves)).await
    });
    assert_eq!(heard, (Ok(1), Err(Error::DeadlinePassed)));
}

#[test]
fn what_comes_with_a_message_goes_with_it_unless_the_program_takes_it() {
    let machine = (0..4).fold(Machine::new(), |machine, number| machine.message_with(MS, &[number], 3));
    let (kept, ended) = run(machine, async |_, events| {
        let answered = events.request().await;
        assert_eq!(answered.handles().len(), 3);
        answered.answer(&[], &[]).expect("it waits");
        drop(events.request().await);
        let mut taken = events.request().await;
        let kept = taken.take_handles();
        taken.reply(&Number { value: 7 }).expect("it waits");
        // The last was not even asked for.
        kept
    });
    assert_eq!((kept.len(), ended.capabilities), (3, 3));
    assert!(ended.answers.iter().take(3).all(Option::is_some));
}

#[test]
fn a_message_whose_capabilities_found_no_room_says_so() {
    let machine = Machine::new().space(2).message_with(MS, b"few", 2).message_with(MS, b"many", 3);
    let (came, ended) = run(machine, async |_, events| {
        let mut came = Vec::new();
        for _ in 0..2 {
            let request = events.request().await;
            came.push((request.status(), request.handles().len()));
        }
        came
    });
    assert_eq!(came, [(None, 2), (Some(Error::SpaceFull), 0)]);
    assert_eq!(ended.capabilities, 0);
}

#[test]
fn what_comes_with_an_answer_of_fixed_layout_does_not_fill_the_space() {
    let number = || Says::With(7_u64.to_le_bytes().to_vec());
    let machine = Machine::new().endpoint("active", move |_| number()).passive("passive", move |_| number());
    let (answers, ended) = run(machine, async |start, events| {
        let mut answers = Vec::new();
        for name in ["active", "passive"] {
            answers.push(events.ask::<Number, Number, _>(granted(start, name), &Number { value: 1 }).await);
        }
        answers
    });
    assert_eq!(answers, [Ok(Number { value: 7 }); 2]);
    assert_eq!(ended.capabilities, 0);
}
