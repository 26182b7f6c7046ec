//! Threads, locks, conditions, barriers and threads' own data, on threads of this host.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hallows_sdk::thread::{self, Barrier, Builder, Condvar, Mutex, scope};
use hallows_sdk::{Deadline, Error};

const THREADS: u32 = 8;

#[test]
fn what_a_thread_returns_is_what_is_joined() {
    hallows_testing::link();
    let threads: Vec<_> =
        (0..THREADS).map(|number| thread::spawn(move || vec![number; 3]).unwrap()).collect();
    for (number, thread) in threads.into_iter().enumerate() {
        assert_eq!(thread.join(), Ok(vec![number as u32; 3]));
    }
    // A large stack, and one that no memory has room for, which natively is not asked for.
    assert_eq!(Builder::new().stack_bytes(1 << 20).spawn(|| 5).unwrap().join(), Ok(5));
}

#[test]
fn a_lock_lets_one_thread_at_a_time_to_its_value() {
    let (value, inside) = (Mutex::new((0_u64, 0_u64)), AtomicU32::new(0));
    scope(|scope| {
        for _ in 0..THREADS {
            scope
                .spawn(|| {
                    for _ in 0..20_000 {
                        let mut value = value.lock();
                        assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                        value.0 += 1;
                        value.1 = value.0;
                        inside.fetch_sub(1, Ordering::Relaxed);
                    }
                })
                .unwrap();
        }
    });
    assert_eq!(value.into_inner(), (160_000, 160_000));
}

#[test]
fn a_lock_that_is_held_is_not_held_again() {
    let mut lock = Mutex::new(3);
    let guard = lock.lock();
    assert!(lock.try_lock().is_none());
    assert_eq!(format!("{lock:?} {guard:?}"), "Mutex(held) 3");
    drop(guard);
    *lock.try_lock().unwrap() += 1;
    *lock.get_mut() += 1;
    assert_eq!(format!("{lock:?}"), "Mutex(5)");
}

#[test]
fn who_waits_for_a_condition_is_woken_by_who_makes_it_true() {
    let (turn, changed) = (Mutex::new(0_u32), Condvar::new());
    scope(|scope| {
        for number in 0..THREADS {
            let (turn, changed) = (&turn, &changed);
            scope
                .spawn(move || {
                    for round in 0..200 {
                        let mut turn = turn.lock();
                        changed.wait_while(&mut turn, |turn| *turn != round * THREADS + number).unwrap();
                        *turn += 1;
                        changed.notify_all();
                    }
                })
                .unwrap();
        }
    });
    assert_eq!(turn.into_inner(), 200 * THREADS);
}

#[test]
fn a_wait_for_a_condition_ends_with_its_deadline_and_the_value_is_held() {
    let (value, never) = (Mutex::new(1), Condvar::new());
    let mut guard = value.lock();
    assert_eq!(never.wait_until(&mut guard, Deadline::PASSED), Ok(false));
    let soon = Deadline::at(0).plus(Duration::from_millis(2));
    assert_eq!(never.wait_until(&mut guard, soon), Ok(false));
    assert!(value.try_lock().is_none());
}

#[test]
fn one_notification_wakes_one() {
    let (state, changed) = (Mutex::new((0, 0)), Condvar::new());
    scope(|scope| {
        for _ in 0..2 {
            scope
                .spawn(|| {
                    let mut state = state.lock();
                    state.0 += 1;
                    while state.1 == 0 {
                        changed.wait(&mut state).unwrap();
                    }
                    // The other waits until this one says so.
                    state.1 -= 1;
                })
                .unwrap();
        }
        while state.lock().0 < 2 {
            std::thread::yield_now();
        }
        for _ in 0..2 {
            state.lock().1 += 1;
            changed.notify_one();
            while state.lock().1 > 0 {
                std::thread::yield_now();
            }
        }
    });
}

#[test]
fn nobody_leaves_a_barrier_before_all_have_come() {
    let (barrier, arrived, last) = (Barrier::new(THREADS), AtomicU32::new(0), AtomicU32::new(0));
    scope(|scope| {
        for _ in 0..THREADS {
            scope
                .spawn(|| {
                    for round in 1..=100 {
                        arrived.fetch_add(1, Ordering::Relaxed);
                        last.fetch_add(u32::from(barrier.wait().unwrap()), Ordering::Relaxed);
                        assert!(arrived.load(Ordering::Relaxed) >= round * THREADS);
                        barrier.wait().unwrap();
                    }
                })
                .unwrap();
        }
    });
    assert_eq!((arrived.into_inner(), last.into_inner()), (100 * THREADS, 100));
    assert_eq!(Barrier::new(0).wait(), Ok(true));
}

#[test]
fn each_thread_has_data_of_its_own_that_ends_with_it() {
    struct Counted(Cell<u32>, Arc<AtomicU32>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.1.fetch_add(self.0.get(), Ordering::Relaxed);
            // Made by dropping another: it ends, too.
            OTHER.with(|other| other.set(other.get() + 1));
        }
    }
    hallows_sdk::thread_local! {
        static DROPPED: Arc<AtomicU32> = Arc::default();
        static OWN: Option<Counted> = None;
        static COUNT: Cell<u32> = Cell::new(5);
        static OTHER: Cell<u32> = Cell::new(0);
        static LATE: Cell<Option<Counted>> = Cell::new(None);
    }
    let dropped = Arc::new(AtomicU32::new(0));
    let threads: Vec<_> = (0..THREADS)
        .map(|number| {
            let dropped = Arc::clone(&dropped);
            thread::spawn(move || {
                LATE.with(|late| late.set(Some(Counted(Cell::new(number), dropped))));
                COUNT.with(|count| count.set(count.get() + number));
                OWN.with(|own| assert!(own.is_none()));
                DROPPED.with(|own| assert_eq!(Arc::strong_count(own), 1));
                COUNT.with(Cell::get)
            })
            .unwrap()
        })
        .collect();
    for (number, thread) in threads.into_iter().enumerate() {
        assert_eq!(thread.join(), Ok(5 + number as u32));
    }
    assert_eq!(dropped.load(Ordering::Relaxed), (0..THREADS).sum::<u32>());
    COUNT.with(|count| assert_eq!(count.get(), 5));
}

#[test]
fn a_thread_that_nobody_joins_runs_and_one_that_panics_has_no_result() {
    let (over, wakes) = (Arc::new(Mutex::new(false)), Arc::new(Condvar::new()));
    let (set, wake) = (Arc::clone(&over), Arc::clone(&wakes));
    drop(thread::spawn(move || {
        *set.lock() = true;
        wake.notify_one();
    }));
    wakes.wait_while(&mut over.lock(), |over| !*over).unwrap();
    let bad = thread::spawn(|| if THREADS > 0 { panic!("on purpose") } else { 1 }).unwrap();
    assert_eq!(bad.join(), Err(Error::Killed));
}

#[test]
fn a_scope_ends_when_all_that_was_started_in_it_is_over() {
    let done = AtomicU32::new(0);
    let returned = scope(|scope| {
        // Threads start others in the same scope.
        scope
            .spawn(|| {
                for _ in 0..3 {
                    scope
                        .spawn(|| {
                            std::thread::yield_now();
                            done.fetch_add(1, Ordering::Relaxed);
                        })
                        .unwrap();
                }
            })
            .unwrap();
        let joined = scope.spawn(|| 7).unwrap();
        joined.join()
    });
    assert_eq!((returned, done.into_inner()), (Ok(7), 3));
}
