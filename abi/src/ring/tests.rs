//! Rings between two sides that keep to the rules.

use core::sync::atomic::AtomicU64;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

/// So many words of zeroes.
pub(super) fn memory(words: usize) -> Vec<AtomicU64> {
    (0..words).map(|_| AtomicU64::new(0)).collect()
}

pub(super) fn ring(entries: u32, payload_bytes: u64) -> (Vec<AtomicU64>, Layout) {
    let layout = Layout::new(entries, payload_bytes).expect("a shape");
    let memory = memory(usize::try_from(layout.region_bytes() / 8).expect("small"));
    layout.write(&memory).expect("as large as it says");
    (memory, layout)
}

fn asks(token: u64) -> Submission {
    Submission { token, ..Submission::default() }
}

fn answers(token: u64) -> Completion {
    Completion { token, ..Completion::default() }
}

proptest! {
    #[test]
    fn entries_come_out_as_they_went_in(
        operation: u16, flags: u16, length: u32, token: u64, offset: u64, argument: u64,
        result: i64, detail: u64, more: u32,
    ) {
        let submission = Submission { operation, flags, length, token, offset, argument };
        prop_assert_eq!(Submission::parse(submission.emit()), submission);
        let completion = Completion { token, result, detail, flags: more };
        prop_assert_eq!(Completion::parse(completion.emit()), completion);
    }

    #[test]
    fn every_four_words_are_some_entry_and_submissions_have_one_form(words: [u64; ENTRY_WORDS]) {
        prop_assert_eq!(Submission::parse(words).emit(), words);
        let completion = Completion::parse(words);
        prop_assert_eq!(Completion::parse(completion.emit()), completion);
    }

    #[test]
    fn a_layout_is_read_as_it_was_written(shift in 1u32..10, payload_words in 0u64..100, spare in 0usize..9) {
        let layout = Layout::new(1 << shift, payload_words * 8).expect("a shape");
        let words = usize::try_from(layout.region_bytes() / 8).expect("small");
        let memory = memory(words + spare);
        prop_assert_eq!(layout.write(&memory), Ok(()));
        prop_assert_eq!(Layout::read(&memory), Ok(layout));
        prop_assert_eq!(Layout::read(&memory[..words - 1]), Err(BadLayout::TooLarge));
        prop_assert_eq!(layout.write(&memory[..words - 1]), Err(BadLayout::TooLarge));
        let filling = Layout::filling(1 << shift, (words + spare) as u64 * 8).expect("it has room");
        prop_assert_eq!(filling.region_bytes(), (words + spare) as u64 * 8);
    }

    /// Two sides that take turns as they like lose nothing, make up nothing, and keep the order.
    #[test]
    fn whatever_the_turns_each_submission_is_completed_once_and_in_order(
        shift in 1u32..5, turns in prop::collection::vec((0u8..6, 1u64..20), 1..200),
    ) {
        let (memory, layout) = ring(1 << shift, 0);
        let mut client = Client::new(&memory, &layout).expect("a ring");
        let mut service = Service::new(&memory).expect("a ring");
        let (mut submitted, mut taken, mut completed, mut received) = (0, 0, 0, 0);
        for (turn, times) in turns {
            for _ in 0..times {
                match turn {
                    0 if client.submit(&asks(submitted)).is_ok() => submitted += 1,
                    1 => if let Some(submission) = service.take().expect("not broken") {
                        prop_assert_eq!(submission, asks(taken));
                        taken += 1;
                    },
                    2 if completed < taken => {
                        prop_assert_eq!(service.complete(&answers(completed)), Ok(()));
                        completed += 1;
                    }
                    3 => if let Some(completion) = client.complete().expect("not broken") {
                        prop_assert_eq!(completion, answers(received));
                        received += 1;
                    },
                    4 => { let _ = client.flush(&ProcessorFence); }
                    5 => { let _ = service.flush(&ProcessorFence); }
                    _ => {}
                }
                prop_assert!(received <= completed && completed <= taken && taken <= submitted);
                prop_assert!(submitted - received <= u64::from(layout.entries()));
                prop_assert_eq!(client.under_way(), submitted - received);
                prop_assert_eq!(service.under_way(), taken - completed);
            }
        }
    }
}

#[test]
fn headers_of_other_things_are_refused_by_name() {
    let (memory, _) = ring(4, 64);
    let with = |index: usize, value: u64| {
        let before = memory[index].swap(value, core::sync::atomic::Ordering::SeqCst);
        let read = Layout::read(&memory);
        memory[index].set(before);
        read.expect_err("refused")
    };
    assert_eq!(with(0, 0), BadLayout::NotARing);
    assert_eq!(with(1, 2), BadLayout::Version);
    assert_eq!(with(2, 4 | 64 << 32), BadLayout::Version);
    assert_eq!(with(2, 3 | 32 << 32), BadLayout::Shape);
    assert_eq!(with(2, (u64::from(MOST_ENTRIES) * 2) | (32 << 32)), BadLayout::Shape);
    assert_eq!(with(2, 8 | 32 << 32), BadLayout::Shape, "the payload would begin elsewhere");
    assert_eq!(with(3, 0), BadLayout::Shape);
    assert_eq!(with(4, 72), BadLayout::TooLarge);
    assert_eq!(with(4, u64::MAX), BadLayout::Shape);
    assert_eq!(Layout::read(&memory[..100]), Err(BadLayout::TooLarge));
    assert!(Layout::read(&memory).is_ok());
}

#[test]
fn what_is_not_flushed_is_not_seen() {
    let (memory, layout) = ring(4, 0);
    let mut client = Client::new(&memory, &layout).expect("a ring");
    let mut service = Service::new(&memory).expect("a ring");
    client.submit(&asks(1)).expect("room");
    assert_eq!(service.take(), Ok(None));
    assert_eq!(client.flush(&ProcessorFence), Doorbell::Quiet);
    assert_eq!(service.take(), Ok(Some(asks(1))));
    service.complete(&answers(1)).expect("it was taken");
    assert_eq!(service.complete(&answers(1)), Err(Refused::NothingTaken));
    assert_eq!(client.complete(), Ok(None));
    assert_eq!(service.flush(&ProcessorFence), Doorbell::Quiet);
    assert_eq!(client.complete(), Ok(Some(answers(1))));
}

#[test]
fn a_sleeper_is_told_once_for_each_sleep_and_never_while_it_is_awake() {
    let (memory, layout) = ring(8, 0);
    let mut client = Client::new(&memory, &layout).expect("a ring");
    let mut service = Service::new(&memory).expect("a ring");
    for round in 0..3 {
        assert_eq!(service.rest(&ProcessorFence), Ok(Rest::Sleep));
        client.submit(&asks(round)).expect("room");
        assert_eq!(client.flush(&ProcessorFence), Doorbell::Ring);
        client.submit(&asks(round)).expect("room");
        assert_eq!(client.flush(&ProcessorFence), Doorbell::Quiet, "it was told of this sleep");
        service.wake();
        client.submit(&asks(round)).expect("room");
        assert_eq!(client.flush(&ProcessorFence), Doorbell::Quiet, "it is awake");
        assert_eq!(service.rest(&ProcessorFence), Ok(Rest::Work));
        while let Some(submission) = service.take().expect("not broken") {
            service.complete(&answers(submission.token)).expect("it was taken");
        }
        assert_eq!(service.flush(&ProcessorFence), Doorbell::Quiet, "the client did not sleep");
        while client.complete().expect("not broken").is_some() {}
        assert_eq!(client.flush(&ProcessorFence), Doorbell::Quiet, "nothing was submitted");
        assert_eq!(client.under_way(), 0);
    }
}

#[test]
fn parts_of_a_payload_are_checked_and_copied_to_the_byte() {
    let (memory, layout) = ring(2, 32);
    let client = Client::new(&memory, &layout).expect("a ring");
    let payload = client.payload();
    assert_eq!(payload.bytes(), 32);
    assert_eq!(payload.part(4, 1).err(), Some(BadPart::Misaligned));
    for (offset, length) in [(32, 1), (24, 9), (0, 33), (u64::MAX - 7, 8), (1 << 40, 0), (0, u32::MAX)] {
        assert_eq!(payload.part(offset, length).err(), Some(BadPart::OutOfRange), "{offset} {length}");
    }
    assert!(payload.part(32, 0).expect("nothing, at the end").is_empty());
    let part = payload.part(8, 11).expect("inside");
    assert_eq!(part.write(b"eleven byte and more"), 11);
    let mut read = [b'.'; 16];
    assert_eq!((part.len(), part.read(&mut read)), (11, 11));
    assert_eq!(&read, b"eleven byte.....");
    assert_eq!(part.skip(1).read(&mut read), 3);
    assert_eq!(&read, b"yteven byte.....");
    assert!(part.skip(2).is_empty() && part.skip(usize::MAX).is_empty());
}

#[test]
fn results_are_errors_exactly_when_negative() {
    assert_eq!(Completion { result: 7, ..answers(1) }.outcome(), Ok(7));
    for error in crate::Error::ALL {
        assert_eq!(Completion::failed(1, error).outcome(), Err(error));
    }
    assert_eq!(Completion { result: i64::MIN, ..answers(1) }.outcome(), Err(crate::Error::Refused));
}

/// Two threads, more entries than places, each side sleeping whenever it finds nothing: the order holds, nobody sleeps for ever.
#[test]
fn a_hundred_thousand_entries_cross_between_two_threads() {
    const COUNT: u64 = 100_000;
    let (memory, layout) = ring(16, 0);
    let memory = &memory;
    let (client_thread, (send, receive)) = (std::thread::current(), std::sync::mpsc::channel());
    std::thread::scope(|scope| {
        let service = scope.spawn(move || {
            let mut service = Service::new(memory).expect("a ring");
            let client_thread: std::thread::Thread = receive.recv().expect("it is sent");
            let mut taken = 0;
            while taken < COUNT {
                while let Some(submission) = service.take().expect("not broken") {
                    assert_eq!(submission.token, taken);
                    taken += 1;
                    service.complete(&answers(submission.token)).expect("it was taken");
                }
                if service.flush(&ProcessorFence) == Doorbell::Ring {
                    client_thread.unpark();
                }
                if taken < COUNT && service.rest(&ProcessorFence) == Ok(Rest::Sleep) {
                    std::thread::park();
                    service.wake();
                }
            }
        });
        send.send(client_thread).expect("it listens");
        let mut client = Client::new(memory, &layout).expect("a ring");
        let (mut submitted, mut received) = (0, 0);
        while received < COUNT {
            while submitted < COUNT && client.submit(&asks(submitted)).is_ok() {
                submitted += 1;
            }
            if client.flush(&ProcessorFence) == Doorbell::Ring {
                service.thread().unpark();
            }
            while let Some(completion) = client.complete().expect("not broken") {
                assert_eq!(completion.token, received);
                received += 1;
            }
            if received < COUNT && submitted - received > 0 && client.rest(&ProcessorFence) == Ok(Rest::Sleep)
            {
                std::thread::park();
                client.wake();
            }
        }
    });
}
