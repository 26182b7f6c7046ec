use proptest::prelude::*;

use super::super::view::View;
use super::*;

/// Both ends of new memory.
fn pair() -> (View, [Frames; 2]) {
    let (file, view) = (memory::make().unwrap(), View::reserve().unwrap());
    view.show(&file).unwrap();
    let ends = [End::First, End::Second].map(|end| Frames::new(view.words(), end).unwrap());
    (view, ends)
}

fn send(frames: &mut Frames, bytes: &[u8]) -> Result<bool, Broken> {
    frames.send(bytes.len(), &mut |place| place.copy_from_slice(bytes))
}

fn received(frames: &mut Frames) -> Option<Vec<u8>> {
    let length = frames.receive().unwrap()?;
    frames.frame(length).map(<[u8]>::to_vec)
}

fn bytes(number: u32, length: usize) -> Vec<u8> {
    (0..length).map(|place| u8::try_from((place * 7 + number as usize * 31) % 251).unwrap()).collect()
}

#[test]
fn frames_of_all_lengths_go_both_ways_in_their_order() {
    let (_view, [mut one, mut other]) = pair();
    for length in HEAD_BYTES..=MOST_BYTES {
        let said = bytes(0, length);
        assert_eq!(send(&mut one, &said), Ok(true));
        assert_eq!(other.has_some(), Ok(false), "not let out yet");
        assert_eq!(one.flush(), Doorbell::Quiet);
        assert_eq!(received(&mut other), Some(said.clone()));
        assert_eq!(send(&mut other, &said), Ok(true));
        assert_eq!(other.flush(), Doorbell::Quiet);
        assert_eq!(received(&mut one), Some(said));
    }
    assert_eq!(send(&mut one, &[0; MOST_BYTES + 1]), Ok(false));
}

#[test]
fn no_more_are_under_way_than_there_are_places_and_none_is_lost() {
    let (_view, [mut one, mut other]) = pair();
    let (mut sent, mut heard) = (0, 0);
    for round in 0..50 {
        while send(&mut one, &bytes(sent, 60)) == Ok(true) {
            sent += 1;
        }
        assert_eq!(sent - heard, FRAMES);
        let _ = one.flush();
        for _ in 0..=round % 7 * 40 {
            let Some(frame) = received(&mut other) else { break };
            assert_eq!(frame, bytes(heard, 60));
            heard += 1;
        }
        let _ = other.flush();
    }
    assert!(heard > FRAMES * 10);
}

#[test]
fn what_is_no_frame_is_passed_over() {
    let (view, [_, mut other]) = pair();
    let (layout, words) = memory::ring(view.words(), End::First).unwrap();
    let mut hostile = Client::new(words, &layout).unwrap();
    let good = Submission { operation: operation::WRITE, length: 60, ..Submission::default() };
    let bad = [
        Submission { operation: operation::READ, ..good },
        Submission { length: 13, ..good },
        Submission { length: PLACE_BYTES + 1, ..good },
        Submission { length: u32::MAX, ..good },
        Submission { offset: 4, ..good },
        Submission { offset: u64::MAX - 7, ..good },
        Submission { offset: layout.payload_bytes() - 56, ..good },
    ];
    for submission in bad.iter().chain([&good]) {
        hostile.submit(submission).unwrap();
    }
    let _ = hostile.flush(&ProcessorFence);
    assert_eq!(received(&mut other).map(|frame| frame.len()), Some(60));
    assert_eq!(received(&mut other), None);
    let _ = other.flush();
    let failed = bad.iter().filter(|_| hostile.complete().unwrap().unwrap().outcome().is_err());
    assert_eq!(failed.count(), bad.len());
    assert_eq!(hostile.complete().unwrap().unwrap().outcome(), Ok(60));
}

#[test]
fn of_nonsense_only_some_is_passed_over_at_once() {
    let (view, [_, mut other]) = pair();
    let (layout, words) = memory::ring(view.words(), End::First).unwrap();
    let mut hostile = Client::new(words, &layout).unwrap();
    let good = Submission { operation: operation::WRITE, length: 60, ..Submission::default() };
    for number in 1..FRAMES {
        let length = if number.is_multiple_of(50) { 60 } else { 0 };
        hostile.submit(&Submission { length, ..good }).unwrap();
    }
    let _ = hostile.flush(&ProcessorFence);
    let (mut frames, mut vain) = (0, 0);
    while other.has_some().unwrap() {
        match received(&mut other) {
            Some(_) => frames += 1,
            None => vain += 1,
        }
    }
    assert_eq!(frames, (FRAMES - 1) / 50);
    // Each of those that were in vain passed over as many as may be.
    assert_eq!(vain, 5 * (49 / MOST_NONSENSE) + 5 / MOST_NONSENSE + 1);
}

/// What is written where: mostly where the words of the rings' lines are, with numbers that are nearly right.
fn scribbles() -> impl Strategy<Value = Vec<(usize, u64)>> {
    let ring_words = memory::BYTES / 16;
    let place = prop_oneof![
        3 => (0usize..2, 0usize..7).prop_map(move |(ring, line)| ring * ring_words + line * 16),
        1 => 0usize..memory::BYTES / 8,
    ];
    let value = prop_oneof![
        4 => 0u64..300,
        1 => any::<u64>(),
        1 => (0u64..300).prop_map(|below| u64::MAX - below),
    ];
    prop::collection::vec((place, value), 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whoever_scribbles_over_all_of_it_gives_frames_that_fit_or_breaks_a_ring(words in scribbles()) {
        let (view, [mut one, _]) = pair();
        for (number, (place, value)) in (0..).zip(words) {
            view.words()[place].store(value, std::sync::atomic::Ordering::Relaxed);
            let turn = |one: &mut Frames| -> Result<(), Broken> {
                send(one, &bytes(number, 60))?;
                let _ = one.flush();
                for _ in 0..FRAMES {
                    let Some(length) = one.receive()? else { break };
                    assert!((HEAD_BYTES..=MOST_BYTES).contains(&length) && one.frame(length).is_some());
                }
                let _ = one.rest()?;
                one.wake();
                Ok(())
            };
            // Whether it breaks is the scribbler's.
            let _ = turn(&mut one);
        }
    }
}
