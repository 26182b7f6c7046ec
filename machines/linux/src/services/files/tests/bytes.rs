//! The bytes of files.

use std::os::unix::fs::MetadataExt;

use hallows_system::files::{Advice, Moment, Opening, Refusal, Service};
use proptest::prelude::*;

use super::{READ, ROOT, WRITE, World};

#[test]
fn bytes_are_written_where_they_should_be() {
    let mut world = World::new("bytes-write");
    let file = world.open("file", READ | WRITE | Opening::CREATE).unwrap();
    assert_eq!(world.files.file_write(file, 0, b"hello world"), Ok(11));
    assert_eq!(world.files.file_write(file, 6, b"there"), Ok(5));
    assert_eq!(world.files.file_write(file, 13, b"!"), Ok(1));
    assert_eq!(world.files.file_write(file, 5, b""), Ok(0));
    assert_eq!(world.read(file), Ok(b"hello there\0\0!".to_vec()));
    assert_eq!(world.files.file_read(file, 6, 5), Ok(&b"there"[..]));
    assert_eq!(world.files.file_read(file, 6, 0), Ok(&b""[..]));
    assert_eq!(world.files.file_read(file, 14, 5), Ok(&b""[..]));
    assert_eq!(world.files.file_read(file, 1 << 40, 5), Ok(&b""[..]));
}

#[test]
fn what_is_appended_goes_to_the_end_also_when_others_have_moved_it() {
    let mut world = World::new("bytes-append");
    let (one, two) = (world.open("log", WRITE | Opening::CREATE).unwrap(), world.open("log", WRITE).unwrap());
    assert_eq!(world.files.file_append(one, b"one "), Ok(4));
    assert_eq!(world.files.file_append(two, b"two "), Ok(4));
    assert_eq!(world.files.file_append(one, b"three"), Ok(5));
    // A place is a place again afterwards, and the end the end.
    assert_eq!(world.files.file_write(one, 0, b"ONE"), Ok(3));
    assert_eq!(world.files.file_append(one, b"!"), Ok(1));
    assert_eq!(world.files.file_append(one, b""), Ok(0));
    assert_eq!(world.text("inside/log"), "ONE two three!");
}

#[test]
fn a_file_is_used_as_it_was_opened() {
    let mut world = World::new("bytes-access");
    world.put("inside/file", "text");
    let refused = Err(Refusal::BadDescriptor);
    for how in [READ, Opening::default()] {
        let file = world.open("file", how).unwrap();
        assert_eq!(world.files.file_write(file, 0, b"x"), refused);
        assert_eq!(world.files.file_write(file, 0, b""), refused);
        assert_eq!(world.files.file_append(file, b"x"), refused);
        assert_eq!(world.files.file_set_size(file, 0), Err(Refusal::BadDescriptor));
        assert_eq!(world.files.file_allocate(file, 0, 9), Err(Refusal::BadDescriptor));
    }
    for how in [WRITE, Opening::default()] {
        let file = world.open("file", how).unwrap();
        assert_eq!(world.files.file_read(file, 0, 1), Err(Refusal::BadDescriptor));
        assert_eq!(world.files.file_read(file, 0, 0), Err(Refusal::BadDescriptor));
        assert!(world.files.file_status(file).is_ok());
    }
    assert_eq!(world.files.file_read(ROOT, 0, 1), Err(Refusal::IsDirectory));
    assert_eq!(world.files.file_write(ROOT, 0, b"x"), refused);
    assert_eq!(world.files.file_append(ROOT, b"x"), refused);
    assert_eq!(world.text("inside/file"), "text");
}

#[test]
fn sizes_are_set_and_room_is_kept() {
    let mut world = World::new("bytes-size");
    let file = world.open("file", READ | WRITE | Opening::CREATE).unwrap();
    assert_eq!(world.files.file_set_size(file, 5), Ok(()));
    assert_eq!(world.read(file), Ok(vec![0; 5]));
    assert_eq!(world.files.file_set_size(file, 2), Ok(()));
    assert_eq!(world.files.file_allocate(file, 1, 99), Ok(()));
    assert_eq!(world.files.file_status(file).map(|status| status.size), Ok(100));
    assert_eq!(world.files.file_allocate(file, 0, 0), Err(Refusal::Invalid));
    for huge in [1 << 63, u64::MAX] {
        assert_eq!(world.files.file_set_size(file, huge), Err(Refusal::FileTooLarge));
        assert_eq!(world.files.file_allocate(file, huge, 1), Err(Refusal::FileTooLarge));
        assert_eq!(world.files.file_allocate(file, 0, huge), Err(Refusal::FileTooLarge));
        assert_eq!(world.files.file_advise(file, huge, 1, Advice::Normal), Err(Refusal::FileTooLarge));
        assert_eq!(world.files.file_read(file, huge, 1), Err(Refusal::Invalid));
        assert_eq!(world.files.file_write(file, huge, b"x"), Err(Refusal::Invalid));
    }
    assert_eq!(world.files.file_allocate(file, i64::MAX as u64, 1), Err(Refusal::FileTooLarge));
    assert_eq!(world.files.file_status(file).map(|status| status.size), Ok(100));
}

#[test]
fn files_of_more_than_4_gib_are_read_and_written() {
    const FAR: u64 = 5 << 30;
    let mut world = World::new("bytes-far");
    let file = world.open("sparse", READ | WRITE | Opening::CREATE).unwrap();
    assert_eq!(world.files.file_write(file, FAR, b"far"), Ok(3));
    assert_eq!(world.files.file_append(file, b" away"), Ok(5));
    assert_eq!(world.files.file_read(file, FAR, 99), Ok(&b"far away"[..]));
    assert_eq!(world.files.file_read(file, FAR - 1, 2), Ok(&b"\0f"[..]));
    assert_eq!(world.files.file_status(file).map(|status| status.size), Ok(FAR + 8));
    assert_eq!(world.files.file_status_of(ROOT, b"sparse", true).map(|status| status.size), Ok(FAR + 8));
    let (_, status) = world.open_at(ROOT, "sparse", READ).unwrap();
    assert_eq!(status.size, FAR + 8);
}

#[test]
fn advice_is_taken_and_syncs_are_done() {
    let mut world = World::new("bytes-sync");
    for sync in [Opening::default(), Opening::DATA_SYNC, Opening::FILE_SYNC] {
        let file = world.open("file", READ | WRITE | Opening::CREATE | sync).unwrap();
        assert_eq!(world.files.file_write(file, 0, b"text"), Ok(4));
        for advice in Advice::ALL {
            assert_eq!(world.files.file_advise(file, 0, 0, advice), Ok(()), "{advice:?}");
            assert_eq!(world.files.file_advise(file, 1, 2, advice), Ok(()), "{advice:?}");
        }
        assert_eq!(world.files.file_sync(file, true), Ok(()));
        assert_eq!(world.files.file_sync(file, false), Ok(()));
    }
    assert_eq!(world.files.file_sync(ROOT, false), Ok(()));
}

#[test]
fn syncing_flags_reach_linux() {
    let mut world = World::new("bytes-flags");
    for (how, flag) in [(Opening::DATA_SYNC, libc::O_DSYNC), (Opening::FILE_SYNC, libc::O_SYNC)] {
        let file = world.open("file", WRITE | Opening::CREATE | how).unwrap();
        let flags = || -> i32 {
            let descriptor = &world.files.table.get(file.badge).unwrap().descriptor;
            rustix::fs::fcntl_getfl(descriptor).unwrap().bits().cast_signed()
        };
        assert_eq!(flags() & libc::O_SYNC, flag);
        // Appending changes the flags, and leaves these.
        assert_eq!(world.files.file_append(file, b"x"), Ok(1));
        let descriptor = &world.files.table.get(file.badge).unwrap().descriptor;
        let flags = rustix::fs::fcntl_getfl(descriptor).unwrap().bits().cast_signed();
        assert_eq!(flags & (libc::O_SYNC | libc::O_APPEND), flag | libc::O_APPEND);
    }
}

#[test]
fn times_are_set_kept_and_now() {
    let mut world = World::new("bytes-times");
    world.put("inside/file", "");
    let file = world.open("file", READ).unwrap();
    let times = |world: &mut World| {
        let status = world.files.file_status(file).unwrap();
        (status.accessed, status.modified)
    };
    let (a, b) = (1_234_567_890_123_456_789, 5);
    assert_eq!(world.files.file_set_times(file, Moment::At(a), Moment::At(b)), Ok(()));
    assert_eq!(times(&mut world), (a, b));
    assert_eq!(world.files.file_set_times(file, Moment::Kept, Moment::At(7)), Ok(()));
    assert_eq!(times(&mut world), (a, 7));
    assert_eq!(world.files.file_set_times(file, Moment::Kept, Moment::Kept), Ok(()));
    assert_eq!(times(&mut world), (a, 7));
    assert_eq!(world.files.file_set_times(file, Moment::Kept, Moment::Now), Ok(()));
    let (accessed, modified) = times(&mut world);
    assert!(accessed == a && modified > a);
    assert_eq!(world.files.file_set_times(ROOT, Moment::At(3), Moment::At(4)), Ok(()));
    assert_eq!(std::fs::metadata(world.path("inside")).unwrap().mtime_nsec(), 4);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
    /// Any writes, appends and cuts leave what they leave in a plain vector.
    #[test]
    fn a_file_is_the_bytes_that_were_put_into_it(
        steps in prop::collection::vec((0..4_u8, 0..3_000_usize, prop::collection::vec(any::<u8>(), 0..2_000)), 1..20),
    ) {
        let mut world = World::new("bytes-model");
        let file = world.open("file", READ | WRITE | Opening::CREATE).unwrap();
        let mut model: Vec<u8> = Vec::new();
        for (step, place, bytes) in steps {
            let length = u32::try_from(bytes.len()).unwrap();
            match step {
                0 | 1 => {
                    prop_assert_eq!(world.files.file_write(file, place as u64, &bytes), Ok(length));
                    if !bytes.is_empty() {
                        model.resize(model.len().max(place + bytes.len()), 0);
                        model[place..place + bytes.len()].copy_from_slice(&bytes);
                    }
                }
                2 => {
                    prop_assert_eq!(world.files.file_append(file, &bytes), Ok(length));
                    model.extend_from_slice(&bytes);
                }
                _ => {
                    prop_assert_eq!(world.files.file_set_size(file, place as u64), Ok(()));
                    model.resize(place, 0);
                }
            }
            let end = model.len().min(place + 500);
            let expected = model.get(place..end).unwrap_or(&[]);
            prop_assert_eq!(world.files.file_read(file, place as u64, 500), Ok(expected));
        }
        prop_assert_eq!(world.read(file), Ok(model));
    }
}
