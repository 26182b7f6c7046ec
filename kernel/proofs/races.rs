//! Every interleaving of the kernel's lock-free structures, explored by loom: `RUSTFLAGS="--cfg loom" cargo test -p
//! hallows-kernel --lib --release races`.

use std::prelude::v1::*;
use std::sync::Arc;

use hallows_abi::{Error, ObjectKind, Rights, TraceKind};
use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};
use loom::thread;

use crate::Nanos;
use crate::configuration::Configuration;
use crate::core_record::{Core, Idle};
use crate::lane::{Kept, Lane, Post, TEXT_WORDS};
use crate::lock::Token;
use crate::monitor::{Holder, Monitor};
use crate::objects::{Budget, Endpoint};
use crate::plan::Plan;
use crate::runqueue::Arrival;
use crate::serving::Serving;
use crate::slot::{Capability, Slot};
use crate::table::Table;
use crate::thread::{NOBODY, RunState, Thread};
use crate::timers::{Due, TimerQueue};
use crate::trace::TraceRing;

#[test]
fn a_thread_that_blocks_while_it_is_woken_becomes_runnable_exactly_once() {
    loom::model(|| {
        let state = Arc::new(RunState::default());
        state.begin();
        assert!(state.wake());
        state.run();
        let queued = Arc::new(AtomicU32::new(0));
        let wakers: Vec<_> = (0..2)
            .map(|_| {
                let (state, queued) = (state.clone(), queued.clone());
                thread::spawn(move || {
                    if state.wake() {
                        queued.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        if !state.block() {
            queued.fetch_add(1, Ordering::SeqCst);
        }
        wakers.into_iter().for_each(|waker| waker.join().expect("no panic"));
        assert_eq!(queued.load(Ordering::SeqCst), 1, "lost, or put into two queues");
        assert!(state.is_runnable());
    });
}

#[test]
fn what_a_waker_wrote_is_seen_by_who_it_woke() {
    loom::model(|| {
        let (state, told) = (Arc::new(RunState::default()), Arc::new(AtomicBool::new(false)));
        state.begin();
        assert!(state.wake());
        state.run();
        let waker = {
            let (state, told) = (state.clone(), told.clone());
            thread::spawn(move || {
                told.store(true, Ordering::Relaxed);
                state.wake()
            })
        };
        let woken_while_running = !state.block();
        let queued = waker.join().expect("no panic");
        assert!(queued ^ woken_while_running);
        assert!(told.load(Ordering::Relaxed));
    });
}

fn capability(index: u32) -> Capability {
    Capability {
        kind: ObjectKind::Endpoint,
        index,
        generation: index,
        rights: Rights::SEND,
        badge: u64::from(index),
    }
}

#[test]
fn a_reader_finds_one_capability_or_none_while_the_slot_is_reused() {
    loom::model(|| {
        let slot = Arc::new(Slot::default());
        slot.fill(&capability(1));
        let writer = {
            let slot = slot.clone();
            thread::spawn(move || {
                slot.empty();
                slot.fill(&capability(2));
            })
        };
        for generation in [0, 1] {
            match slot.find(0, generation) {
                Ok(found) => {
                    assert_eq!(found.capability, capability(generation + 1), "parts of two capabilities")
                }
                Err(error) => assert_eq!(error, Error::BadHandle),
            }
        }
        writer.join().expect("no panic");
        assert!(slot.find(0, 0).is_err());
        assert_eq!(slot.find(0, 1).expect("filled").capability, capability(2));
    });
}

#[test]
fn a_monitor_has_one_holder_at_a_time() {
    loom::model(|| {
        let (monitor, inside) = (Arc::new(Monitor::default()), Arc::new(AtomicU32::new(0)));
        let callers: Vec<_> = (1..3)
            .map(|thread| {
                let (monitor, inside) = (monitor.clone(), inside.clone());
                thread::spawn(move || {
                    let holder = Holder { thread, slot: 0 };
                    if monitor.try_take(holder) {
                        assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0, "two inside");
                        inside.fetch_sub(1, Ordering::Relaxed);
                        assert!(monitor.try_give_back(holder));
                    }
                })
            })
            .collect();
        callers.into_iter().for_each(|caller| caller.join().expect("no panic"));
        assert_eq!(monitor.holder(), None);
    });
}

#[test]
fn a_revoker_and_a_caller_see_each_other() {
    loom::model(|| {
        let (monitor, slot) = (Arc::new(Monitor::default()), Arc::new(Slot::default()));
        slot.fill(&capability(1));
        let via = slot.find(7, 0).expect("filled").via;
        let entered = Arc::new(AtomicBool::new(false));
        let caller = {
            let (monitor, slot, entered) = (monitor.clone(), slot.clone(), entered.clone());
            thread::spawn(move || {
                let holder = Holder { thread: 1, slot: via.slot };
                assert!(monitor.try_take(holder));
                // A handler runs only if the slot is still there after the monitor's word was written.
                entered.store(slot.still(via), Ordering::Relaxed);
                holder
            })
        };
        slot.empty();
        let seen = monitor.holder().is_some();
        caller.join().expect("no panic");
        assert!(
            seen || !entered.load(Ordering::Relaxed),
            "a handler runs through a revoked capability, unseen"
        );
    });
}

/// A server that changes beside a caller: the caller is seen inside of the old one, or comes to the new one.
#[test]
fn a_caller_is_seen_inside_of_a_former_server_or_goes_to_the_next() {
    loom::model(|| {
        let (monitor, serving) = (Arc::new(Monitor::default()), Arc::new(Serving::default()));
        serving.change(0);
        let caller = {
            let (monitor, serving) = (monitor.clone(), serving.clone());
            thread::spawn(move || {
                // As `protected_call` does.
                serving.is(0) && monitor.try_take(Holder { thread: 1, slot: 7 }) && serving.is(0)
            })
        };
        serving.change(1);
        let seen = monitor.holder().is_some();
        let entered = caller.join().expect("no panic");
        assert!(seen || !entered, "a handler runs in a former server, unseen");
    });
}

/// A revocation beside a caller and a change of the server: it looks into the server that it finds, and into those that served before.
#[test]
fn a_revoker_sees_a_caller_in_whichever_server_it_is() {
    loom::model(|| {
        let monitors: Arc<[Monitor; 2]> = Arc::new(Default::default());
        let (serving, slot) = (Arc::new(Serving::default()), Arc::new(Slot::default()));
        serving.change(0);
        slot.fill(&capability(1));
        let via = slot.find(7, 0).expect("filled").via;
        let entered = Arc::new(AtomicBool::new(false));
        let caller = {
            let (monitors, serving, slot) = (monitors.clone(), serving.clone(), slot.clone());
            let entered = entered.clone();
            thread::spawn(move || {
                let server = serving.server();
                assert!(monitors[server as usize].try_take(Holder { thread: 1, slot: via.slot }));
                entered.store(serving.is(server) && slot.still(via), Ordering::Relaxed);
            })
        };
        let changing = {
            let serving = serving.clone();
            thread::spawn(move || {
                // As `change_server` does: 0 is noted as a former one before 1 serves.
                serving.note_former(&[0]);
                serving.change(1);
            })
        };
        slot.empty();
        let server = serving.server();
        let former = serving.has_former().then_some(0);
        let seen = former.into_iter().chain([server]).any(|cell| monitors[cell as usize].holder().is_some());
        caller.join().expect("no panic");
        changing.join().expect("no panic");
        assert!(
            seen || !entered.load(Ordering::Relaxed),
            "a handler runs through a revoked capability, unseen"
        );
    });
}

/// A message is in the inbox of the server, or in one that a revocation finds in the order in which it looks.
#[test]
fn a_revoker_finds_a_message_in_whichever_inbox_it_is() {
    loom::model(|| {
        let inboxes: Arc<[loom::sync::Mutex<u32>; 2]> = Arc::new(Default::default());
        let (serving, slot) = (Arc::new(Serving::default()), Arc::new(Slot::default()));
        serving.change(0);
        slot.fill(&capability(1));
        let via = slot.find(7, 0).expect("filled").via;
        let sender = {
            let (inboxes, serving, slot) = (inboxes.clone(), serving.clone(), slot.clone());
            thread::spawn(move || {
                // As `accept` does; what is refused as moved goes to the other, once.
                for _ in 0..2 {
                    let server = serving.server();
                    let mut inbox = inboxes[server as usize].lock().expect("no panic");
                    if !slot.still(via) {
                        return;
                    }
                    if serving.is(server) {
                        *inbox += 1;
                        return;
                    }
                }
            })
        };
        let changing = {
            let (inboxes, serving) = (inboxes.clone(), serving.clone());
            thread::spawn(move || {
                serving.note_former(&[0]);
                let _inbox = inboxes[0].lock().expect("no panic");
                serving.change(1);
            })
        };
        slot.empty();
        // As `with_server` and `purge` do.
        loop {
            let server = serving.server();
            let mut inbox = inboxes[server as usize].lock().expect("no panic");
            if serving.is(server) {
                *inbox = 0;
                break;
            }
        }
        if serving.has_former() {
            *inboxes[0].lock().expect("no panic") = 0;
        }
        sender.join().expect("no panic");
        changing.join().expect("no panic");
        let left: u32 = inboxes.iter().map(|inbox| *inbox.lock().expect("no panic")).sum();
        assert_eq!(left, 0, "a message through a revoked capability goes on");
    });
}

/// An endpoint ends and another begins at its place beside a caller that has a capability of the first: what it reads of the second it
/// finds to be another's.
#[test]
fn a_caller_of_an_endpoint_that_ends_does_not_take_the_next_ones_server_for_its_own() {
    loom::model(|| {
        let endpoint = Arc::new(Endpoint::default());
        endpoint.serving.change(0);
        endpoint.handler_budget_ns.store(100, Ordering::Relaxed);
        let first = endpoint.generation.begin();
        let caller = {
            let endpoint = endpoint.clone();
            thread::spawn(move || {
                // As `protected_call`, `may_enter` and `with_server` do.
                let budget_ns = endpoint.handler_budget_ns.load(Ordering::Acquire);
                let server = endpoint.serving.server();
                endpoint.generation.is(first).then_some((server, budget_ns))
            })
        };
        // As `end_endpoint` does, and `make_endpoint`.
        assert!(endpoint.generation.end(first));
        endpoint.serving.change(NOBODY);
        endpoint.serving.change(1);
        endpoint.handler_budget_ns.store(200, Ordering::Release);
        endpoint.generation.begin();
        let found = caller.join().expect("no panic");
        assert!(found.is_none_or(|found| found == (0, 100)), "{found:?} is another endpoint's");
    });
}

/// A budget ends beside something that is made of it: either what was taken is seen, or that it has ended.
#[test]
fn what_is_taken_of_a_budget_that_ends_is_seen_or_given_back() {
    loom::model(|| {
        let budget = Arc::new(Budget::default());
        budget.limit.store(10, Ordering::Relaxed);
        let generation = budget.generation.begin();
        let maker = {
            let budget = budget.clone();
            thread::spawn(move || {
                // As `charge_to` does.
                budget.charge(10).expect("nobody else takes anything");
                fence(Ordering::SeqCst);
                budget.generation.is(generation)
            })
        };
        // As `end_budget` does.
        assert!(budget.generation.end(generation));
        fence(Ordering::SeqCst);
        let returned = budget.used.load(Ordering::SeqCst) == 0;
        let made = maker.join().expect("no panic");
        assert!(!(made && returned), "an object is made of memory that is its parent's again");
    });
}

#[test]
fn a_record_that_is_being_overwritten_is_not_read_as_one() {
    loom::model(|| {
        let ring = Arc::new(TraceRing::new(1));
        ring.record(TraceKind::Enter, 1, 1, 1);
        let writer = {
            let ring = ring.clone();
            thread::spawn(move || ring.record(TraceKind::Leave, 2, 2, 2))
        };
        for sequence in [0, 1] {
            if let Some(record) = ring.read(sequence) {
                let value = sequence + 1;
                assert_eq!(
                    (u64::from(record.thread), u64::from(record.object), record.value),
                    (value, value, value)
                );
            }
        }
        writer.join().expect("no panic");
    });
}

fn post(value: u8) -> Kept {
    let mut text = [0; TEXT_WORDS];
    text[0] = u64::from(value);
    Kept { post: Post { ticket: u64::from(value), request: None, length: 1 }, text }
}

/// Thread 1 posts to thread 2.
fn send(lanes: &[Lane; 2], value: u8) -> bool {
    let Kept { post, text } = post(value);
    lanes[0].post(1, &lanes[1], 2, &post, |words| words.set(0, text[0]))
}

/// What thread 2 hears.
fn hear(lanes: &[Lane; 2]) -> Option<Kept> {
    lanes[1].hear(2, &lanes[0]).map(|heard| heard.keep())
}

/// Thread 1 posts to thread 2, which listens, hears and closes its ear while it does; `again`: and then listens once more. Whoever has the
/// post in the end, exactly one has it.
fn a_post_meets_an_ear(again: bool) {
    loom::model(move || {
        let lanes: Arc<[Lane; 2]> = Arc::new(Default::default());
        assert_eq!(lanes[1].listen(2, 1, &lanes[0]), None);
        let sender = {
            let lanes = lanes.clone();
            thread::spawn(move || send(&lanes, 7))
        };
        let mut heard = Vec::from_iter(hear(&lanes));
        heard.extend(lanes[1].close(2, &lanes[0]));
        if again {
            heard.extend(lanes[1].listen(2, 1, &lanes[0]));
            heard.extend(hear(&lanes));
        }
        let posted = sender.join().expect("no panic");
        if again {
            heard.extend(hear(&lanes));
        }
        assert_eq!(heard, if posted { Vec::from([post(7)]) } else { Vec::new() });
    });
}

#[test]
fn a_post_is_taken_once_or_is_its_senders_again_when_the_ear_closes() {
    a_post_meets_an_ear(false);
}

#[test]
fn a_post_is_taken_once_or_is_its_senders_again_when_the_ear_opens_again() {
    a_post_meets_an_ear(true);
}

#[test]
fn the_next_post_does_not_overwrite_one_that_is_being_read() {
    loom::model(|| {
        let lanes: Arc<[Lane; 2]> = Arc::new(Default::default());
        assert_eq!(lanes[1].listen(2, 1, &lanes[0]), None);
        let sender = {
            let lanes = lanes.clone();
            // Nothing tells it that the first was taken but the lane itself.
            thread::spawn(move || [7, 8].map(|value| send(&lanes, value)))
        };
        let mut heard = Vec::from_iter(hear(&lanes));
        heard.extend(lanes[1].close(2, &lanes[0]));
        let posted = sender.join().expect("no panic");
        let sent = [7, 8].into_iter().zip(posted).filter(|(_, posted)| *posted).map(|(value, _)| post(value));
        assert_eq!(heard, Vec::from_iter(sent));
    });
}

#[test]
fn a_core_that_parks_sees_the_thread_that_is_queued_for_it_or_is_woken() {
    loom::model(|| {
        let core = Arc::new(Core::new(0, &Configuration::tiny(1)));
        core.say(Idle::Looking);
        let waker = {
            let core = core.clone();
            thread::spawn(move || {
                // As `enqueue` does.
                let threads = Table::new(1, |_| Thread::new());
                let mut token = Token::at_entry();
                {
                    let (mut queue, _) = core.queue.lock(&mut token);
                    queue.push(&threads, 0, Arrival::Fresh, 0);
                    core.publish(&queue, &threads);
                }
                core.does() == Idle::Parked
            })
        };
        // As `idle` does.
        core.say(Idle::Parked);
        let parks = !core.waiting().any();
        let is_woken = waker.join().expect("no panic");
        assert!(!parks || is_woken, "it sleeps beside a thread that could run");
    });
}

#[test]
fn the_timekeeper_sees_what_becomes_due_while_it_plans_or_is_woken() {
    loom::model(|| {
        let (plan, queue) = (Arc::new(Plan::new()), Arc::new(loom::sync::Mutex::new(TimerQueue::default())));
        let arming = {
            let (plan, queue) = (plan.clone(), queue.clone());
            thread::spawn(move || {
                queue.lock().expect("no panic").insert(70, Due::Timer(0));
                plan.is_too_late_for(70)
            })
        };
        plan.begin();
        let due_ns = || queue.lock().expect("no panic").next_ns().unwrap_or(Nanos::NEVER.0);
        let at_ns = plan.make(false, 100, due_ns, || false);
        let is_woken = arming.join().expect("no panic");
        assert!(at_ns <= 70 || is_woken, "it sleeps until {at_ns} and misses 70");
    });
}

#[test]
fn the_timekeeper_sees_a_core_that_begins_to_work_while_it_plans_or_is_woken() {
    loom::model(|| {
        let (plan, core) = (Arc::new(Plan::new()), Arc::new(Core::new(0, &Configuration::tiny(1))));
        core.say(Idle::Parked);
        let working = {
            let (plan, core) = (plan.clone(), core.clone());
            thread::spawn(move || {
                // As `idle` does at its end.
                core.say(Idle::Busy);
                plan.is_resting() && plan.is_made()
            })
        };
        plan.begin();
        let at_ns = plan.make(false, 100, || Nanos::NEVER.0, || core.does() == Idle::Busy);
        let is_woken = working.join().expect("no panic");
        assert!(at_ns <= 100 || is_woken, "it sleeps while a core works");
    });
}

#[test]
fn a_look_that_a_core_needs_takes_place_or_the_timekeeper_is_woken_for_it() {
    loom::model(|| {
        let plan = Arc::new(Plan::new());
        let core = Arc::new(Core::new(0, &Configuration::tiny(1)));
        // One that is due when the timekeeper takes its turn at 60.
        plan.look_by(50);
        let needing = {
            let (plan, core) = (plan.clone(), core.clone());
            thread::spawn(move || {
                core.running.store(1, Ordering::Relaxed);
                plan.look_by(70)
            })
        };
        plan.begin();
        plan.take_look(60);
        // As `look_at_budget` does.
        if core.running.load(Ordering::Relaxed) == 1 {
            plan.look_by(70);
        }
        let at_ns = plan.make(false, 100, || plan.look_ns(), || false);
        let is_woken = needing.join().expect("no panic");
        assert!(at_ns <= 70 || is_woken, "it sleeps until {at_ns} and misses 70");
    });
}

/// Thread 1 posts two messages in a row to thread 2, the second as soon as it knows that the first was heard; thread 2 hears, closes its
/// ear and opens it again. Nothing is mixed up, nothing that was posted is missed.
#[test]
fn a_lane_is_used_again_once_its_post_was_heard() {
    loom::model(|| {
        let lanes: Arc<[Lane; 2]> = Arc::new(Default::default());
        let heard = Arc::new(AtomicU32::new(0));
        assert_eq!(lanes[1].listen(2, 1, &lanes[0]), None);
        let sender = {
            let (lanes, heard) = (lanes.clone(), heard.clone());
            thread::spawn(move || {
                let first = send(&lanes, 7);
                lanes[0].was_heard(heard.load(Ordering::Acquire));
                [first, send(&lanes, 8)]
            })
        };
        let mut got = Vec::from_iter(hear(&lanes));
        heard.store(lanes[1].heard(1), Ordering::Release);
        got.extend(hear(&lanes));
        got.extend(lanes[1].close(2, &lanes[0]));
        got.extend(lanes[1].listen(2, 1, &lanes[0]));
        let posted = sender.join().expect("no panic");
        got.extend(hear(&lanes));
        let sent = [7, 8].into_iter().zip(posted).filter(|(_, posted)| *posted).map(|(value, _)| post(value));
        assert_eq!(got, Vec::from_iter(sent));
    });
}
