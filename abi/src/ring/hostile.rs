//! Rings whose other side does what it likes: arbitrary words at every step, and memory that says something else each time.

use core::cell::Cell;
use core::sync::atomic::AtomicU64;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::tests::ring;
use super::*;

const ENTRIES: u32 = 8;
const PAYLOAD_BYTES: u64 = 256;

/// What is written where, before a step: anywhere in the front and the queues, with numbers that are nearly right and numbers that are not.
fn scribbles() -> impl Strategy<Value = Vec<Vec<(usize, u64)>>> {
    let place = prop_oneof![
        // The words of the lines: where it hurts.
        3 => (1usize..7).prop_map(|line| line * 16),
        1 => 0usize..(128 + 2 * 4 * ENTRIES as usize),
    ];
    let value = prop_oneof![
        4 => 0u64..40,
        1 => any::<u64>(),
        1 => (0u64..40).prop_map(|below| u64::MAX - below),
    ];
    prop::collection::vec(prop::collection::vec((place, value), 0..3), 1..120)
}

fn scribble(memory: &[AtomicU64], words: &[(usize, u64)]) {
    for (place, value) in words {
        memory[*place].set(*value);
    }
}

/// A submission from anybody is looked at as a service does: what is not inside of the payload is not touched.
fn look_at<W: Word>(payload: Payload<'_, W>, submission: &Submission) {
    match payload.of(submission) {
        Ok(part) => {
            assert!(submission.offset + u64::from(submission.length) <= payload.bytes());
            let mut bytes = vec![0; part.len()];
            assert_eq!(part.read(&mut bytes), submission.length as usize);
        }
        Err(BadPart::Misaligned) => assert!(!submission.offset.is_multiple_of(8)),
        Err(BadPart::OutOfRange) => {
            let end = u128::from(submission.offset) + u128::from(submission.length);
            assert!(end.next_multiple_of(8) > u128::from(PAYLOAD_BYTES));
        }
    }
}

/// One round of a service: bounded, whatever stands in memory. `false` once the ring is broken.
fn serve<W: Word>(service: &mut Service<'_, W>) -> Result<(), Broken> {
    let mut taken = 0;
    while let Some(submission) = service.take()? {
        taken += 1;
        assert!(taken <= u64::from(ENTRIES), "more in one batch than a queue has places");
        look_at(service.payload(), &submission);
        match service.complete(&Completion { token: submission.token, ..Completion::default() }) {
            Err(Refused::Broken(broken)) => return Err(broken),
            other => assert_eq!(other, Ok(()), "it takes only what it has room to complete"),
        }
    }
    let _ = service.flush(&ProcessorFence);
    let _ = service.rest(&ProcessorFence)?;
    service.wake();
    Ok(())
}

/// One round of a client.
fn use_it<W: Word>(client: &mut Client<'_, W>) -> Result<(), Broken> {
    loop {
        match client.submit(&Submission::default()) {
            Ok(()) => assert!(client.under_way() <= u64::from(ENTRIES)),
            Err(Refused::Full) => break,
            Err(Refused::Broken(broken)) => return Err(broken),
            Err(Refused::NothingTaken) => panic!("a client takes nothing"),
        }
    }
    let _ = client.flush(&ProcessorFence);
    let mut received = 0;
    while client.complete()?.is_some() {
        received += 1;
        assert!(received <= u64::from(ENTRIES), "more completions than were asked for");
    }
    let _ = client.rest(&ProcessorFence)?;
    client.wake();
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_client_that_scribbles_costs_a_service_its_own_ring_and_nothing_else(steps in scribbles()) {
        let (memory, _) = ring(ENTRIES, PAYLOAD_BYTES);
        let (fine, layout) = ring(ENTRIES, PAYLOAD_BYTES);
        let mut service = Service::new(&memory).expect("a ring");
        let (mut other, mut neighbour) =
            (Service::new(&fine).expect("a ring"), Client::new(&fine, &layout).expect("a ring"));
        let mut broken = None;
        for words in steps {
            scribble(&memory, &words);
            let served = serve(&mut service);
            // Nothing is taken any more. (While nobody looks for room, a broken index of completions is not noticed.)
            if broken == Some(Broken::ProducerIndex) {
                prop_assert!(served.is_err(), "broken for good");
            }
            broken = broken.or(served.err());
            prop_assert_eq!(use_it(&mut neighbour), Ok(()));
            prop_assert_eq!(serve(&mut other), Ok(()));
        }
    }

    #[test]
    fn a_service_that_scribbles_costs_its_client_the_ring_and_nothing_else(steps in scribbles()) {
        let (memory, layout) = ring(ENTRIES, PAYLOAD_BYTES);
        let mut client = Client::new(&memory, &layout).expect("a ring");
        let mut broken = None;
        for words in steps {
            scribble(&memory, &words);
            let used = use_it(&mut client);
            if let Some(Broken::ProducerIndex | Broken::Unasked) = broken {
                prop_assert!(used.is_err(), "broken for good");
            }
            broken = broken.or(used.err());
        }
    }

    #[test]
    fn a_header_is_refused_or_means_what_fits(words in prop::collection::vec(any::<u64>(), 5), nearly in 0usize..6) {
        let (memory, layout) = ring(ENTRIES, PAYLOAD_BYTES);
        // One of the five is wrong, or all of them.
        for (index, word) in words.iter().enumerate() {
            if nearly == 5 || index == nearly {
                memory[index].set(*word);
            }
        }
        if let Ok(read) = Layout::read(&memory) {
            prop_assert!(read.region_bytes() <= layout.region_bytes());
            prop_assert!(Service::new(&memory).is_ok());
        }
    }

    #[test]
    fn memory_that_says_something_else_at_every_look_is_survived(seed: u64, rounds in 1usize..60) {
        let layout = Layout::new(ENTRIES, PAYLOAD_BYTES).expect("a shape");
        let words = usize::try_from(layout.region_bytes() / 8).expect("small");
        let memory: Vec<Fickle> = (0..words).map(|word| Fickle::new(seed ^ word as u64)).collect();
        let honest: Vec<Fickle> = (0..words).map(|_| Fickle::steady()).collect();
        layout.write(&honest).expect("as large as it says");
        prop_assert!(Service::new(&honest).is_ok());
        // A header that changes between two looks is no header.
        prop_assert!(Service::new(&memory).is_err());
        honest.iter().zip(&memory).for_each(|(word, fickle)| word.become_like(fickle));
        let mut client = Client::new(&memory, &layout).expect("large enough");
        for _ in 0..rounds {
            let _ = use_it(&mut client);
        }
    }

    #[test]
    fn a_service_survives_memory_that_turns_fickle_under_it(seed: u64, near in 1u64..20, rounds in 1usize..60) {
        let layout = Layout::new(ENTRIES, PAYLOAD_BYTES).expect("a shape");
        let words = usize::try_from(layout.region_bytes() / 8).expect("small");
        let memory: Vec<Fickle> = (0..words).map(|_| Fickle::steady()).collect();
        layout.write(&memory).expect("as large as it says");
        let mut service = Service::new(&memory).expect("a ring");
        for (index, word) in memory.iter().enumerate() {
            word.turn_fickle(seed ^ index as u64, if index < 128 { near } else { u64::MAX });
        }
        for _ in 0..rounds {
            let _ = serve(&mut service);
        }
    }
}

/// A word that a peer changes between any two looks: every load gives another number.
struct Fickle {
    value: Cell<u64>,
    /// Numbers are below it; 0 says that the word stays as it was stored.
    below: Cell<u64>,
}

impl Fickle {
    fn new(seed: u64) -> Self {
        Self { value: Cell::new(seed | 1), below: Cell::new(u64::MAX) }
    }

    fn steady() -> Self {
        Self { value: Cell::new(0), below: Cell::new(0) }
    }

    fn turn_fickle(&self, seed: u64, below: u64) {
        self.value.set(seed | 1);
        self.below.set(below);
    }

    fn become_like(&self, other: &Self) {
        self.turn_fickle(other.value.get(), other.below.get());
    }
}

impl Word for Fickle {
    fn acquire(&self) -> u64 {
        self.get()
    }

    fn release(&self, value: u64) {
        self.set(value);
    }

    fn get(&self) -> u64 {
        if self.below.get() == 0 {
            return self.value.get();
        }
        // Xorshift (Marsaglia, 2003): any other number will do.
        let mut value = self.value.get();
        value ^= value << 13;
        value ^= value >> 7;
        value ^= value << 17;
        self.value.set(value);
        value % self.below.get()
    }

    fn set(&self, value: u64) {
        if self.below.get() == 0 {
            self.value.set(value);
        }
    }
}
