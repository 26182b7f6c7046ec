//! The monitor: one holder at a time, the highest priority next, and nobody waits for more than those in front.

use alloc::vec::Vec;

use super::explore::{Model, explore, wander};
use crate::lock::Token;
use crate::monitor::{Holder, Monitor, Waiter, Wants};

/// Threads 0 to 3 with the priorities 0, 1, 1, 2; thread 3 wants only to see holders go.
const PRIORITIES: [u8; 4] = [0, 1, 1, 2];

struct System {
    monitor: Monitor,
    token: Token<'static, 0>,
    holder: Option<u32>,
    /// Those in the queue, first come first.
    queue: Vec<u32>,
    /// Times that each queued thread saw another go in front.
    overtaken: [u32; 4],
}

#[derive(Clone, Debug)]
enum Step {
    Enter(u32),
    Leave,
    GiveUp(u32),
}

struct Monitors;

fn holder(thread: u32) -> Holder {
    Holder { thread, slot: thread + 100 }
}

impl Model for Monitors {
    type System = System;
    type Step = Step;
    type Key = (Option<u32>, Vec<u32>, [u32; 4]);

    fn start(&self) -> System {
        System {
            monitor: Monitor::default(),
            token: Token::at_entry(),
            holder: None,
            queue: Vec::new(),
            overtaken: [0; 4],
        }
    }

    fn steps(&self, system: &mut System) -> Vec<Step> {
        let mut steps = Vec::new();
        for thread in 0..4 {
            if system.queue.contains(&thread) {
                steps.push(Step::GiveUp(thread));
            } else if system.holder != Some(thread) {
                steps.push(Step::Enter(thread));
            }
        }
        if system.holder.is_some() {
            steps.push(Step::Leave);
        }
        steps
    }

    fn take(&self, system: &mut System, step: &Step) {
        let System { monitor, token, .. } = system;
        match *step {
            Step::Enter(thread) => {
                let wants = if thread == 3 { Wants::Departure } else { Wants::Ownership };
                let fast = wants == Wants::Ownership && monitor.try_take(holder(thread));
                assert!(!fast || system.holder.is_none(), "two holders");
                let joined = fast || {
                    let (mut waiters, _) = monitor.waiters().lock(token);
                    let priority = PRIORITIES[thread as usize];
                    monitor.join(&mut waiters, Waiter { thread, slot: thread + 100, priority, wants })
                };
                assert_eq!(
                    joined,
                    system.holder.is_none(),
                    "a free monitor is taken, a held one is waited for"
                );
                if !joined {
                    system.queue.push(thread);
                    system.overtaken[thread as usize] = 0;
                } else if wants == Wants::Ownership {
                    system.holder = Some(thread);
                }
            }
            Step::Leave => {
                let leaver = system.holder.expect("held");
                let fast = monitor.try_give_back(holder(leaver));
                assert_eq!(fast, system.queue.is_empty(), "a waiter is not forgotten");
                system.holder = None;
                if !fast {
                    let woken = {
                        let (mut waiters, _) = monitor.waiters().lock(token);
                        monitor.hand_over(&mut waiters)
                    };
                    let best = system.queue.iter().filter(|thread| **thread != 3).max_by(|one, other| {
                        // The first come among equals: the later one counts as less.
                        let place = |thread: &u32| system.queue.iter().position(|queued| queued == thread);
                        PRIORITIES[**one as usize]
                            .cmp(&PRIORITIES[**other as usize])
                            .then(place(other).cmp(&place(one)))
                    });
                    let next = best.copied();
                    let told = system.queue.contains(&3);
                    assert_eq!(
                        woken.iter().any(|waiter| waiter.thread == 3),
                        told,
                        "who waits for a departure is told"
                    );
                    let owner = woken.iter().find(|waiter| waiter.wants == Wants::Ownership);
                    assert_eq!(
                        owner.map(|waiter| waiter.thread),
                        next,
                        "the highest priority, first come, is next"
                    );
                    system.queue.retain(|thread| *thread != 3 && Some(*thread) != next);
                    for thread in &system.queue {
                        let overtaken = &mut system.overtaken[*thread as usize];
                        *overtaken += 1;
                        let higher =
                            next.is_some_and(|next| PRIORITIES[next as usize] > PRIORITIES[*thread as usize]);
                        assert!(higher || *overtaken < 4, "passed over by its equals");
                        *overtaken = (*overtaken).min(4);
                    }
                    system.holder = next;
                }
            }
            Step::GiveUp(thread) => {
                let queued = {
                    let (mut waiters, _) = monitor.waiters().lock(token);
                    monitor.leave_queue(&mut waiters, thread)
                };
                assert!(queued, "who is queued can leave");
                system.queue.retain(|queued| *queued != thread);
            }
        }
        let now = system.monitor.holder().map(|holder| holder.thread);
        assert_eq!(now, system.holder, "the word names the holder");
    }

    fn key(&self, system: &mut System) -> Self::Key {
        (system.holder, system.queue.clone(), system.overtaken)
    }
}

#[test]
fn the_monitor_has_one_holder_and_serves_by_priority_in_every_history() {
    let states = explore(&Monitors, 12);
    std::println!("monitor model: {states} states within 12 steps");
    assert!(states > 100, "the search went nowhere");
}

#[test]
fn the_monitor_has_one_holder_and_serves_by_priority_in_long_histories() {
    wander(&Monitors);
}
