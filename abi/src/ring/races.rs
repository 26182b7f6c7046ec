//! Every interleaving of a ring's two sides, explored by loom: the indices with what lies before them, and who sleeps.

use core::sync::atomic::{AtomicBool, AtomicU64 as Plain, Ordering};
use std::vec::Vec;

use loom::sync::atomic::AtomicU64;
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use super::*;

/// A word as loom models it; or one that nothing depends on, which would only add interleavings.
enum Modelled {
    Shared(AtomicU64),
    Ballast(Plain),
}

impl Word for Modelled {
    fn acquire(&self) -> u64 {
        match self {
            Self::Shared(word) => word.load(Ordering::Acquire),
            Self::Ballast(word) => word.load(Ordering::Relaxed),
        }
    }

    fn release(&self, value: u64) {
        match self {
            Self::Shared(word) => word.store(value, Ordering::Release),
            Self::Ballast(word) => word.store(value, Ordering::Relaxed),
        }
    }

    fn get(&self) -> u64 {
        match self {
            Self::Shared(word) => word.load(Ordering::Relaxed),
            Self::Ballast(word) => word.load(Ordering::Relaxed),
        }
    }

    fn set(&self, value: u64) {
        match self {
            Self::Shared(word) => word.store(value, Ordering::Relaxed),
            Self::Ballast(word) => word.store(value, Ordering::Relaxed),
        }
    }
}

#[derive(Clone, Copy)]
struct ModelledFence;

impl Fence for ModelledFence {
    fn full(&self) -> bool {
        loom::sync::atomic::fence(Ordering::SeqCst);
        false
    }
}

/// The fence that is left out.
#[derive(Clone, Copy)]
struct NoFence;

impl Fence for NoFence {
    fn full(&self) -> bool {
        false
    }
}

/// A notification: what is signalled before the wait ends the wait.
#[derive(Default)]
struct Bell {
    signalled: Mutex<bool>,
    wakeup: Condvar,
}

impl Bell {
    fn signal(&self) {
        *self.signalled.lock().expect("no panic") = true;
        self.wakeup.notify_one();
    }

    fn wait(&self) {
        let mut signalled = self.signalled.lock().expect("no panic");
        while !*signalled {
            signalled = self.wakeup.wait(signalled).expect("no panic");
        }
        *signalled = false;
    }
}

/// A fence that is a call of the kernel which takes out what a bell was rung with.
struct CallFence<'a>(&'a Bell);

impl Fence for CallFence<'_> {
    fn full(&self) -> bool {
        let _ = ModelledFence.full();
        std::mem::take(&mut *self.0.signalled.lock().expect("no panic"))
    }
}

/// A ring with its two bells.
struct Shared {
    memory: Vec<Modelled>,
    layout: Layout,
    client_bell: Bell,
    service_bell: Bell,
}

impl Shared {
    /// Modelled are the words of the lines and the tokens of entries: the second word of a submission, the first of a completion.
    fn new(entries: u32) -> Arc<Self> {
        let layout = Layout::new(entries, 0).expect("a shape");
        let queue = entries as usize * ENTRY_WORDS;
        let memory: Vec<_> = (0..128 + 2 * queue)
            .map(|word| {
                let is_shared = match word {
                    0..16 | 112..128 => false,
                    16..112 => word % 16 == 0,
                    _ if word < 128 + queue => word % ENTRY_WORDS == 1,
                    _ => word % ENTRY_WORDS == 0,
                };
                if is_shared { Modelled::Shared(AtomicU64::new(0)) } else { Modelled::Ballast(Plain::new(0)) }
            })
            .collect();
        layout.write(&memory).expect("as large as it says");
        Arc::new(Self { memory, layout, client_bell: Bell::default(), service_bell: Bell::default() })
    }
}

/// Submits so many, at most `batch` before each flush, and waits for as many completions.
fn client(shared: &Shared, count: u64, batch: u64, fence: &impl Fence) {
    let mut client = Client::new(&shared.memory, &shared.layout).expect("a ring");
    let (mut submitted, mut received) = (0, 0);
    while received < count {
        let end = count.min(submitted + batch);
        while submitted < end {
            let submission = Submission { token: submitted + 1, ..Submission::default() };
            match client.submit(&submission) {
                Ok(()) => submitted += 1,
                Err(Refused::Full) => break,
                Err(other) => panic!("{other}"),
            }
        }
        if client.flush(fence) == Doorbell::Ring {
            shared.service_bell.signal();
        }
        let before = received;
        while let Some(completion) = client.complete().expect("not broken") {
            received += 1;
            assert_eq!(completion.token, received, "lost, made up, or out of order");
        }
        if received == before
            && client.under_way() > 0
            && client.rest(fence).expect("not broken") == Rest::Sleep
        {
            shared.client_bell.wait();
            client.wake();
        }
    }
}

/// Completes so many.
fn service(shared: &Shared, count: u64, fence: &impl Fence) {
    let mut service = Service::new(&shared.memory).expect("a ring");
    let mut taken = 0;
    while taken < count {
        while let Some(submission) = service.take().expect("not broken") {
            taken += 1;
            assert_eq!(submission.token, taken, "lost, made up, or out of order");
            let completion = Completion { token: submission.token, ..Completion::default() };
            service.complete(&completion).expect("it was taken");
        }
        if service.flush(fence) == Doorbell::Ring {
            shared.client_bell.signal();
        }
        if taken < count && service.rest(fence).expect("not broken") == Rest::Sleep {
            shared.service_bell.wait();
            service.wake();
        }
    }
}

/// With so many preemptions at most: such bugs need one or two, and all interleavings are too many.
fn explore(entries: u32, count: u64, batch: u64, preemptions: usize) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(move || {
        let shared = Shared::new(entries);
        let serving = thread::spawn({
            let shared = shared.clone();
            move || service(&shared, count, &ModelledFence)
        });
        client(&shared, count, batch, &ModelledFence);
        serving.join().expect("no panic");
    });
}

// A lost wake-up would be a deadlock, which loom reports.

#[test]
fn a_batch_crosses_and_comes_back_and_nobody_sleeps_on_it() {
    explore(2, 2, 2, 3);
}

#[test]
fn places_are_used_again_and_nobody_sleeps_on_it() {
    explore(2, 3, 1, 1);
}

#[test]
fn a_fence_that_takes_a_ring_makes_nobody_sleep_on_it() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let shared = Shared::new(2);
        let serving = thread::spawn({
            let shared = shared.clone();
            move || service(&shared, 2, &CallFence(&shared.service_bell))
        });
        client(&shared, 2, 1, &CallFence(&shared.client_bell));
        serving.join().expect("no panic");
    });
}

/// Whether in any interleaving a service lies down for good while a client submits, and is not rung for.
fn loses_a_wakeup(
    of_client: impl Fence + Copy + Send + Sync + 'static,
    of_service: impl Fence + Copy + Send + Sync + 'static,
) -> bool {
    static LOST: AtomicBool = AtomicBool::new(false);
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _turn = TURN.lock().expect("no panic");
    LOST.store(false, Ordering::SeqCst);
    loom::model(move || {
        let shared = Shared::new(2);
        let serving = thread::spawn({
            let shared = shared.clone();
            move || {
                let mut service = Service::new(&shared.memory).expect("a ring");
                service.rest(&of_service).expect("not broken")
            }
        });
        let mut client = Client::new(&shared.memory, &shared.layout).expect("a ring");
        client.submit(&Submission { token: 1, ..Submission::default() }).expect("room");
        let doorbell = client.flush(&of_client);
        let rest = serving.join().expect("no panic");
        if (doorbell, rest) == (Doorbell::Quiet, Rest::Sleep) {
            LOST.store(true, Ordering::SeqCst);
        }
    });
    LOST.load(Ordering::SeqCst)
}

#[test]
fn both_fences_are_needed_and_enough() {
    assert!(!loses_a_wakeup(ModelledFence, ModelledFence));
    assert!(loses_a_wakeup(NoFence, ModelledFence), "the model sees what the client's fence is for");
    assert!(loses_a_wakeup(ModelledFence, NoFence), "the model sees what the service's fence is for");
}

/// One queue alone: what is read at a place is what its index says, though the place is used again.
#[test]
fn an_entry_is_never_seen_before_it_is_whole_nor_overwritten_while_it_is_read() {
    loom::model(|| {
        let queue: Arc<([[Modelled; 4]; 2], Modelled, Modelled)> = Arc::new((
            [(); 2].map(|()| [(); 4].map(|()| Modelled::Shared(AtomicU64::new(0)))),
            Modelled::Shared(AtomicU64::new(0)),
            Modelled::Shared(AtomicU64::new(0)),
        ));
        let producing = thread::spawn({
            let queue = queue.clone();
            move || {
                let mut producer = Producer::new(&queue.0, &queue.1, &queue.2).expect("a power of two");
                // Three entries in two places; if there is no room yet, that is all.
                for number in 1..=3 {
                    let entry = Completion { token: number, result: 0, detail: number, flags: 0 };
                    let _ = producer.put(&entry);
                    producer.publish();
                }
            }
        });
        let mut consumer =
            Consumer::<Completion, _>::new(&queue.0, &queue.1, &queue.2).expect("a power of two");
        let mut last = 0;
        for _ in 0..2 {
            if let Some(entry) = consumer.take().expect("not broken") {
                assert_eq!((entry.token, entry.detail), (last + 1, last + 1));
                last += 1;
                consumer.release();
            }
        }
        producing.join().expect("no panic");
    });
}
