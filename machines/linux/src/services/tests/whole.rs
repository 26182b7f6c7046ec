//! The whole service, called through the stubs of its clients.

use std::cell::RefCell;
use std::io::{Read, pipe};

use hallows_sdk::Deadline;
use hallows_sdk::stub::{Caller, Error, Own, Resource};
use hallows_system::files::{File, Opening, Refusal};
use hallows_system::{clock, console, invocation};
use proptest::prelude::*;

use super::{Badge, Host, Space, Wire, grant, installed_with};
use crate::host::test_support::Scratch;

const NEVER: Deadline = Deadline::NEVER;
const BADGES: [Badge; 5] =
    [Badge::Stream(1), Badge::Directory(0), Badge::Invocation, Badge::Clock, Badge::Directory(1)];

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
    let (host, space) = host(&scratch);
    let mut room = vec![0; 70_000];
    let directory = File(Wire::new(&host, Badge::Directory(0).number()));
    let opened = directory.open(b"numbers", Opening::READ, &mut room, NEVER).unwrap().unwrap();
    assert_eq!(opened.status.size, 800_000);
    let Own(file) = opened.file;
    let file = File(Wire::new(&host, space.badge(file.capability())));
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
fn each_badge_reaches_its_interface_and_no_other() {
    let scratch = Scratch::new("services-badges");
    let (reader, writer) = pipe().unwrap();
    let installed = installed_with(|resources| {
        resources.directories.push(grant(scratch.path(), false));
        resources.streams[1] = writer.into();
    });
    let host = RefCell::new(Host::new(installed, Space::default()).expect("opens"));
    let mut room = vec![0; 70_000];
    for badge in BADGES {
        let wire = Wire::new(&host, badge.number());
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
    }
    drop(host);
    let mut text = Vec::new();
    { reader }.read_to_end(&mut text).unwrap();
    assert_eq!(text, b"x", "one of them was the console");
}

#[test]
fn arguments_are_read_through_messages() {
    let scratch = Scratch::new("services-arguments");
    let (host, _) = host(&scratch);
    let mut room = [0; 100];
    let client = invocation::Client(Wire::new(&host, Badge::Invocation.number()));
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
        let (host, _) = host(&scratch);
        let wire = Wire::new(&host, BADGES[badge].number());
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
