//! The whole service, called through the stubs of its clients.

use std::cell::RefCell;
use std::io::{Read, pipe};

use hallows_sdk::Deadline;
use hallows_sdk::stub::{Caller, Error, Own, Resource};
use hallows_system::files::{File, Opening, Refusal};
use hallows_system::{clock, console, invocation, random};
use proptest::prelude::*;

use super::{Badge, Host, HostResources, Space, Wire, grant, installed_with};
use crate::host::test_support::Scratch;

const NEVER: Deadline = Deadline::NEVER;
const BADGES: [Badge; 6] = [
    Badge::Stream(1),
    Badge::Directory(0),
    Badge::Invocation,
    Badge::Clock,
    Badge::Random,
    Badge::Directory(1),
];

fn host(scratch: &Scratch) -> (RefCell<Host<Space>>, Space) {
    let space = Space::default();
    let installed = installed_with(|resources| {
        resources.directories.push(grant(scratch.path(), false));
        resources.arguments = vec![b"tool".to_vec(), b"-v".to_vec()];
    });
    (RefCell::new(Host::new(installed, space.clone()).expect("opens")), space)
}

#[test]
fn a_client_opens_reads_and_closes_a_file() {
    let scratch = Scratch::new("services-whole");
    let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(scratch.path().join("numbers"), &bytes).unwrap();
    let world = host(&scratch);
    let space = &world.1;
    let mut room = vec![0; 70_000];
    let directory = File(Wire::new(&world, Badge::Directory(0).number()));
    let opened = directory.open(b"numbers", Opening::READ, 0, &mut room, NEVER).unwrap().unwrap();
    assert_eq!(opened.status.size, 800_000);
    let Own(file) = opened.file;
    let file = File(Wire::new(&world, space.badge(file.capability())));
    let mut read = Vec::new();
    loop {
        let part = file.read(read.len() as u64, u32::MAX, &mut room, NEVER).unwrap().unwrap();
        if part.is_empty() {
            break;
        }
        assert!(
            part.len() == 65_530 || read.len() + part.len() == bytes.len(),
            "as much as one answer holds"
        );
        read.extend_from_slice(part);
    }
    assert!(read == bytes);
    assert_eq!(file.read(4, 4, &mut room, NEVER), Ok(Ok(&[1, 0, 0, 0][..])));
    file.close(NEVER).unwrap();
    assert_eq!(file.read(4, 4, &mut room, NEVER), Err(Error::Gone));
    assert_eq!(file.status(NEVER), Err(Error::Gone));
    assert_eq!(directory.read(0, 4, &mut room, NEVER), Ok(Err(Refusal::IsDirectory)));
    assert!(directory.status(NEVER).unwrap().is_ok());
}

#[test]
fn what_a_program_has_left_open_is_closed_when_it_is_said_to_have_ended() {
    let scratch = Scratch::new("services-ended");
    std::fs::write(scratch.path().join("file"), "text").unwrap();
    let world = host(&scratch);
    let mut room = vec![0; 70_000];
    let directory = File(Wire::new(&world, Badge::Directory(0).number()));
    let mut open = || {
        let opened = directory.open(b"file", Opening::READ, 0, &mut room, NEVER).unwrap().unwrap();
        File(Wire::new(&world, world.1.badge(opened.file.0.capability())))
    };
    let links = || std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let is_file = |entry: std::fs::DirEntry| {
        std::fs::read_link(entry.path()).is_ok_and(|target| target == scratch.path().join("file"))
    };
    let before = [open(), open()];
    assert_eq!(links().filter_map(|entry| is_file(entry).then_some(())).count(), 2);
    let supervisor = Wire::new(&world, Badge::Ended.number());
    supervisor.call(&[], &[], &mut [], &mut [], NEVER).unwrap();
    assert_eq!(links().filter_map(|entry| is_file(entry).then_some(())).count(), 0);
    // Its next life opens the same, at the same place.
    let now = open();
    assert!(before.iter().all(|file| file.status(NEVER) == Err(Error::Gone)));
    assert_eq!(now.status(NEVER).unwrap().unwrap().size, 4);
}

/// A file of 16 parts, read as far as its third one by the first client: the fourth was read ahead.
struct Reading {
    world: (RefCell<Host<Space>>, Space),
    scratch: Scratch,
    room: Vec<u8>,
}

const PART: usize = 8_192;

impl Reading {
    fn new(name: &str, change: impl FnOnce(&mut HostResources)) -> Self {
        Self::by(Space::default(), name, change)
    }

    fn by(space: Space, name: &str, change: impl FnOnce(&mut HostResources)) -> Self {
        let scratch = Scratch::new(name);
        std::fs::write(scratch.path().join("file"), vec![b'a'; 16 * PART]).unwrap();
        let installed = installed_with(|resources| {
            resources.directories.push(grant(scratch.path(), false));
            change(resources);
        });
        let world = (RefCell::new(Host::new(installed, space.clone()).expect("opens")), space);
        Self { world, scratch, room: vec![0; 70_000] }
    }

    fn open(&mut self, how: Opening) -> u64 {
        let directory = File(Wire::new(&self.world, Badge::Directory(0).number()));
        let opened = directory.open(b"file", how, 0, &mut self.room, NEVER).unwrap().unwrap();
        self.world.1.badge(opened.file.0.capability())
    }

    fn file(&self, badge: u64) -> File<Wire<'_>> {
        File(Wire::new(&self.world, badge))
    }

    /// The part of that number.
    fn part(&mut self, badge: u64, number: usize) -> Vec<u8> {
        let file = File(Wire::new(&self.world, badge));
        file.read((number * PART) as u64, PART as u32, &mut self.room, NEVER).unwrap().unwrap().to_vec()
    }

    /// Reads the first parts, so that the next is read ahead.
    fn begin(&mut self, badge: u64) {
        for number in 0..3 {
            assert!(self.part(badge, number) == vec![b'a'; PART]);
        }
    }
}

#[test]
fn a_program_that_reads_on_never_misses_what_it_has_changed_itself() {
    type Change = fn(File<Wire<'_>>, &mut [u8]);
    let changes: [(&str, Change, Vec<u8>); 4] = [
        ("written", |file, room| assert_eq!(file.write(3 * PART as u64, b"B", room, NEVER), Ok(Ok(1))), {
            let mut part = vec![b'a'; PART];
            part[0] = b'B';
            part
        }),
        ("cut", |file, _| file.set_size(3 * PART as u64 + 5, NEVER).unwrap().unwrap(), vec![b'a'; 5]),
        ("emptied", |file, _| file.set_size(0, NEVER).unwrap().unwrap(), vec![]),
        (
            "cut and appended to",
            |file, room| {
                file.set_size(3 * PART as u64 + 1, NEVER).unwrap().unwrap();
                assert_eq!(file.append(b"BC", room, NEVER), Ok(Ok(2)));
            },
            b"aBC".to_vec(),
        ),
    ];
    for (what, change, expected) in changes {
        let mut reading = Reading::new("services-ahead", |_| {});
        let (reader, writer) = (reading.open(Opening::READ), reading.open(Opening::WRITE));
        reading.begin(reader);
        let mut room = vec![0; 1_000];
        change(reading.file(writer), &mut room);
        assert!(reading.part(reader, 3) == expected, "{what}");
        // Opened anew, to be emptied.
        let mut reading = Reading::new("services-ahead", |_| {});
        let reader = reading.open(Opening::READ);
        reading.begin(reader);
        reading.open(Opening::WRITE | Opening::TRUNCATE);
        assert!(reading.part(reader, 3).is_empty());
    }
}

#[test]
fn on_its_clients_thread_it_answers_at_the_end_and_reads_nothing_ahead() {
    let mut reading = Reading::by(Space { is_passive: true, ..Space::default() }, "services-passive", |_| {});
    let reader = reading.open(Opening::READ);
    reading.begin(reader);
    // Another process writes, and is seen at once.
    let path = reading.scratch.path().join("file");
    std::fs::write(path, vec![b'B'; 4 * PART]).unwrap();
    assert!(reading.part(reader, 3) == vec![b'B'; PART]);
    assert_eq!(reading.file(reader).close(NEVER), Ok(()));
    assert_eq!(reading.file(reader).status(NEVER), Err(Error::Gone));
}

#[test]
fn what_was_appended_behind_a_short_part_is_read() {
    let mut reading = Reading::new("services-ahead-short", |_| {});
    let (reader, writer) = (reading.open(Opening::READ), reading.open(Opening::WRITE));
    reading.file(writer).set_size(3 * PART as u64 + 5, NEVER).unwrap().unwrap();
    reading.begin(reader);
    // Another process appends to a part that is short when it is read ahead.
    let path = reading.scratch.path().join("file");
    std::io::Write::write_all(&mut std::fs::File::options().append(true).open(path).unwrap(), b"more")
        .unwrap();
    assert_eq!(reading.part(reader, 3), b"aaaaamore");
}

#[test]
fn what_another_process_has_written_is_read_a_moment_later_and_at_once_by_who_was_told() {
    let written = [&[b'B'; PART][..], b"a"].concat();
    let write = |reading: &Reading| {
        let file = std::fs::File::options().write(true).open(reading.scratch.path().join("file")).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, &written, 3 * PART as u64).unwrap();
    };
    let mut reading = Reading::new("services-ahead-other", |_| {});
    let reader = reading.open(Opening::READ);
    reading.begin(reader);
    write(&reading);
    // Until the clock says that what was read ahead is too old.
    let start = std::time::Instant::now();
    while start.elapsed() <= std::time::Duration::from_millis(1) {}
    assert!(reading.part(reader, 3) == written[..PART]);

    type Hint = fn(&Reading);
    let hints: [Hint; 3] = [
        |reading| {
            let client = clock::Client(Wire::new(&reading.world, Badge::Clock.number()));
            client.realtime(NEVER).map(|_| ()).unwrap();
        },
        |reading| {
            let client = console::Client(Wire::new(&reading.world, Badge::Stream(0).number()));
            client.read(1, &mut [0; 64], NEVER).map(|_| ()).unwrap();
        },
        |reading| assert!(reading.file(Badge::Directory(0).number()).status(NEVER).unwrap().is_ok()),
    ];
    for hint in hints {
        let mut reading = Reading::new("services-ahead-told", |_| {});
        let reader = reading.open(Opening::READ);
        reading.begin(reader);
        write(&reading);
        hint(&reading);
        assert!(reading.part(reader, 3) == written[..PART]);
    }
}

#[test]
fn a_program_whose_output_goes_into_the_file_that_it_reads_sees_it() {
    let output = Scratch::new("services-ahead-output");
    let path = output.path().join("output");
    std::fs::write(&path, "").unwrap();
    let stream = std::fs::File::options().write(true).open(&path).unwrap();
    let mut reading = Reading::new("services-ahead-itself", |resources| resources.streams[1] = stream.into());
    let linked = reading.scratch.path().join("file");
    std::fs::write(&path, vec![b'a'; 16 * PART]).unwrap();
    std::fs::remove_file(&linked).unwrap();
    std::fs::hard_link(&path, &linked).unwrap();
    let reader = reading.open(Opening::READ);
    reading.begin(reader);
    let client = console::Client(Wire::new(&reading.world, Badge::Stream(1).number()));
    let written = vec![b'B'; 4 * PART];
    let mut room = vec![0; 70_000];
    assert_eq!(client.write(&written, &mut room, NEVER), Ok(Ok(4 * PART as u32)));
    assert!(reading.part(reader, 3) == vec![b'B'; PART]);
}

#[test]
fn all_of_a_file_comes_whatever_parts_it_is_read_in() {
    let mut reading = Reading::new("services-ahead-all", |_| {});
    let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(reading.scratch.path().join("file"), &bytes).unwrap();
    let (one, two) = (reading.open(Opening::READ), reading.open(Opening::READ));
    let mut read = Vec::new();
    for most in [9_000, 9_000, 9_000, 9_000, 5_000, 9_000, 9_000, 70_000].into_iter().cycle() {
        let file = File(Wire::new(&reading.world, one));
        let part = file.read(read.len() as u64, most, &mut reading.room, NEVER).unwrap().unwrap();
        if part.is_empty() {
            break;
        }
        read.extend_from_slice(part);
        if read.len() % 3 == 0 {
            reading.part(two, 2);
        }
    }
    assert!(read == bytes);
}

#[test]
fn each_badge_reaches_its_interface_and_no_other() {
    let scratch = Scratch::new("services-badges");
    let (reader, writer) = pipe().unwrap();
    let installed = installed_with(|resources| {
        resources.directories.push(grant(scratch.path(), false));
        resources.streams[1] = writer.into();
    });
    let space = Space::default();
    let world = (RefCell::new(Host::new(installed, space.clone()).expect("opens")), space);
    let mut room = vec![0; 70_000];
    for badge in BADGES {
        let wire = Wire::new(&world, badge.number());
        let is = |kind: bool, result: Result<(), Error>| {
            let otherwise = if badge == Badge::Directory(1) { Error::Gone } else { Error::UnknownOperation };
            assert_eq!(result, if kind { Ok(()) } else { Err(otherwise) }, "{badge:?}");
        };
        let written = console::Client(&wire).write(b"x", &mut room, NEVER);
        is(badge == Badge::Stream(1), written.map(|result| assert_eq!(result, Ok(1))));
        is(badge == Badge::Directory(0), File(&wire).status(NEVER).map(|_| ()));
        is(badge == Badge::Directory(0), File(&wire).read(0, 1, &mut room, NEVER).map(|_| ()));
        is(badge == Badge::Invocation, invocation::Client(&wire).measure(NEVER).map(|_| ()));
        is(badge == Badge::Clock, clock::Client(&wire).realtime(NEVER).map(|_| ()));
        is(badge == Badge::Random, random::Client(&wire).number(NEVER).map(|_| ()));
    }
    drop(world);
    let mut text = Vec::new();
    { reader }.read_to_end(&mut text).unwrap();
    assert_eq!(text, b"x", "one of them was the console");
}

#[test]
fn arguments_are_read_through_messages() {
    let scratch = Scratch::new("services-arguments");
    let world = host(&scratch);
    let mut room = [0; 100];
    let client = invocation::Client(Wire::new(&world, Badge::Invocation.number()));
    assert_eq!(client.arguments(0, &mut room, NEVER), Ok(&b"tool\0-v\0"[..]));
}

proptest! {
    /// Reads go past the stubs, so what stubs refuse must be refused here too.
    #[test]
    fn whatever_a_message_has_it_is_answered(
        badge in 0..BADGES.len(), tag in 0..3_usize, bytes in prop::collection::vec(prop_oneof![0_u8..4, any::<u8>()], 0..40),
        handles in 0..3_usize,
    ) {
        let scratch = Scratch::new("services-random");
        let world = host(&scratch);
        let wire = Wire::new(&world, BADGES[badge].number());
        // `file.read`, `file.status`, and what bytes come.
        let tag = [Some(0x70b6_3bbf_u32), Some(0x1375_188b), None][tag];
        let mut message = tag.map_or(Vec::new(), |tag| tag.to_le_bytes().to_vec());
        message.extend_from_slice(&bytes);
        let transfers = vec![hallows_abi::Transfer::copy(hallows_sdk::stub::Handle(3)); handles];
        let mut reply = vec![0; 65_536];
        let outcome = wire.call(&message, &transfers, &mut reply, &mut [], NEVER).expect("an answer");
        prop_assert!(outcome.length > 0);
        let is_read = tag == Some(0x70b6_3bbf) && BADGES[badge] == Badge::Directory(0);
        if is_read {
            let good = bytes.len() == 12 && handles == 0;
            // Malformed, or told that a directory has no bytes: the second case of the result.
            prop_assert_eq!(&reply[..2], if good { &[0, 1] } else { &[2, 0] });
        }
    }
}
