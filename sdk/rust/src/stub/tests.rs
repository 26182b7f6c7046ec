//! Client and server stubs of an interface with every type, across a mailbox as the engine uses it.

#[rustfmt::skip]
#[expect(dead_code, reason = "the tests use some of what stubs have")]
mod every_type;

use std::cell::{Cell, RefCell};
use std::prelude::v1::*;

use hallows_abi::TransferMode;
use proptest::prelude::*;

use super::*;
use crate::native::NativeAnswer;
use crate::server::{Mailbox, Server, dispatch};
use crate::sys::FOREIGN;
use crate::{EventKind, Start};
use every_type::{
    C_, Client, Colour, File, Folder, ForeignThing, Nested, Numbers, OtherPair, Service, Shape, Small,
    Target, Thing, Wide,
};

/// Says back what it is told; what a file is read for depends on whom it is asked through.
#[derive(Default)]
struct Echo {
    sums: [u64; 2],
    nothings: u32,
    /// How often it was given resources.
    given: u32,
}

/// The badges of two files and a folder.
const FILES: [u64; 2] = [7, 8];
const FOLDER: u64 = 9;

impl Service for Echo {
    fn target(&self, badge: u64) -> Option<Target> {
        match badge {
            1 | 2 => Some(Target::Interface),
            3..=8 => Some(Target::File),
            FOLDER => Some(Target::Folder),
            10 => Some(Target::Thing),
            _ => None,
        }
    }

    fn folder_length(&mut self, _: super::Client) -> u32 {
        2
    }

    fn target_(&mut self, _: super::Client) -> u8 {
        5
    }

    fn file_new(&mut self, _: super::Client, name: &str) -> Own<File> {
        Own(Resource::from_capability(Handle(name.len() as u32)))
    }

    fn file_read(&mut self, client: super::Client, offset: u64, length: u32) -> Result<&[u8], Colour> {
        const CONTENT: &[u8] = b"what was written";
        let from = usize::try_from(offset).map_err(|_| Colour::Red)?;
        let part = CONTENT.get(from..).and_then(|rest| rest.get(..length as usize));
        if client.badge == 7 { part.ok_or(Colour::Green) } else { Err(Colour::Self_) }
    }

    fn file_length(&mut self, client: super::Client) -> u64 {
        client.badge
    }

    fn file_joined(&mut self, _: super::Client, first: Own<File>, second: Own<File>) -> Own<File> {
        self.given += 1;
        Own(Resource::from_capability(Handle(first.0.capability().0 * 100 + second.0.capability().0)))
    }

    fn say_numbers(&mut self, _: super::Client, numbers: Numbers) -> Numbers {
        numbers
    }

    fn say_flags(&mut self, _: super::Client, small: Small, wide: Wide) -> (Small, Wide) {
        (small, wide)
    }

    fn say_nested<'m>(
        &'m mut self,
        _: super::Client,
        nested: Nested<'m>,
        pair: OtherPair<'m>,
    ) -> (Nested<'m>, OtherPair<'m>) {
        (nested, pair)
    }

    fn options<'m>(
        &'m mut self,
        _: super::Client,
        a: Option<Option<u8>>,
        b: Result<u8, &'m str>,
        c: Result<(), Colour>,
        d: Result<i16, ()>,
        e: Result<(), ()>,
    ) -> (Option<Option<u8>>, Result<u8, &'m str>, Result<(), Colour>, Result<i16, ()>, Result<(), ()>) {
        (a, b, c, d, e)
    }

    fn many(
        &mut self,
        _: super::Client,
        a: u8,
        b: u8,
        c: u8,
        d: u8,
        e: u8,
        f: u8,
        g: u8,
        h: u8,
        i: u8,
        j: u8,
        k: u8,
        l: u8,
        m: u8,
        n: u8,
    ) -> List<'_, u64> {
        let sum = |numbers: &[u8]| numbers.iter().map(|number| u64::from(*number)).sum();
        self.sums = [sum(&[a, b, c, d, e, f, g, h, i, j, k, l]), sum(&[m, n])];
        List::from(&self.sums)
    }

    fn lists<'m>(
        &'m mut self,
        _: super::Client,
        a: List<'m, List<'m, u16>>,
        b: List<'m, Numbers>,
    ) -> (List<'m, List<'m, u16>>, List<'m, Numbers>) {
        (a, b)
    }

    fn nothing(&mut self, _: super::Client) {
        self.nothings += 1;
    }

    fn things(&mut self, _: super::Client, c: C_, _: Borrow<Thing>, _: Borrow<ForeignThing>) -> C_ {
        c
    }

    fn measure(&mut self, _: super::Client, file: Borrow<File>, thing: Borrow<ForeignThing>) -> u64 {
        self.given += 1;
        assert_eq!(badge(file.0), Ok(u64::from(file.0.capability().0)));
        u64::from(file.0.capability().0 * 100 + thing.0.capability().0)
    }

    fn turn<'m>(
        &'m mut self,
        _: super::Client,
        files: List<'m, Own<File>>,
        more: Option<Own<ForeignThing>>,
    ) -> (List<'m, Own<File>>, Option<Own<ForeignThing>>) {
        self.given += 1;
        (files, more)
    }
}

impl Server for Echo {
    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self::default())
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        every_type::serve(self, message)
    }
}

/// Stands in the place of kernel and engine: from a client's buffers into a mailbox, and back. The handles of what is given are the
/// sender's own, so that a test can tell them.
struct Wire {
    server: RefCell<Echo>,
    mailbox: RefCell<Box<Mailbox<4096, 4096>>>,
    badge: u64,
    modes: RefCell<Vec<TransferMode>>,
    calls: Cell<u32>,
}

impl Wire {
    fn new(badge: u64) -> Self {
        Self {
            server: RefCell::default(),
            mailbox: RefCell::new(Box::new(Mailbox::new())),
            badge,
            modes: RefCell::default(),
            calls: Cell::new(0),
        }
    }

    /// The answer to bytes that nobody's stub has made.
    fn raw(&self, bytes: &[u8], handles: u32) -> Vec<u8> {
        let transfers: Vec<_> = (3..3 + handles).map(|handle| Transfer::copy(Handle(handle))).collect();
        let mut reply = vec![0; 4096];
        let outcome = self.call(bytes, &transfers, &mut reply, &mut [Handle::NULL; 8], Deadline::NEVER);
        reply.truncate(outcome.expect("there is room").length as usize);
        reply
    }
}

impl Caller for Wire {
    fn call(
        &self,
        bytes: &[u8],
        transfers: &[Transfer],
        reply: &mut [u8],
        handles: &mut [Handle],
        _: Deadline,
    ) -> Result<Outcome, Error> {
        self.calls.set(self.calls.get() + 1);
        self.modes.borrow_mut().extend(transfers.iter().map(|transfer| transfer.mode));
        let (server, mailbox) = (&mut *self.server.borrow_mut(), &mut **self.mailbox.borrow_mut());
        mailbox.inbox.get_mut(..bytes.len()).ok_or(Error::TooLong)?.copy_from_slice(bytes);
        for (place, transfer) in mailbox.handles.iter_mut().zip(transfers) {
            *place = transfer.handle;
        }
        let (length, count) = (bytes.len() as u32, transfers.len() as u32);
        let kind = EventKind::Message as u32;
        let NativeAnswer::Now { length, transfers, .. } =
            dispatch(server, mailbox, kind, self.badge, 1, length, count)
        else {
            return Err(Error::BadToken);
        };
        // Stubs put every answer together in the reply's buffer.
        let answer = mailbox.reply_bytes().get(..length).expect("an answer in the reply's buffer");
        reply.get_mut(..length).ok_or(Error::AnswerTooLong)?.copy_from_slice(answer);
        let given: Vec<u8> = mailbox.handles.iter().flat_map(|handle| handle.0.to_ne_bytes()).collect();
        for (place, form) in given.chunks(Transfer::SIZE).take(transfers).enumerate() {
            let transfer = Transfer::parse(form).expect("a transfer");
            *handles.get_mut(place).ok_or(Error::AnswerTooLong)? = transfer.handle;
        }
        Ok(Outcome { length: length as u32, handles: transfers as u32 })
    }
}

fn numbers() -> impl Strategy<Value = Numbers> {
    let unsigned = (any::<u8>(), any::<u16>(), any::<u32>(), any::<u64>());
    let signed = (any::<i8>(), any::<i16>(), any::<i32>(), any::<i64>());
    let rest = (any::<f32>(), any::<f64>(), any::<bool>(), any::<char>());
    (unsigned, signed, rest).prop_map(|((a, b, c, d), (e, f, g, h), (i, j, k, l))| Numbers {
        a,
        b,
        c,
        d,
        e,
        f,
        g,
        h,
        i,
        j,
        k,
        l,
    })
}

const NEVER: Deadline = Deadline::NEVER;

proptest! {
    #[test]
    fn numbers_come_back_as_they_went(numbers in numbers()) {
        let back = Client(Wire::new(1)).say_numbers(numbers, NEVER).expect("an answer");
        prop_assert_eq!(back, numbers);
    }

    #[test]
    fn nested_values_come_back_as_they_went(
        text in ".{0,20}", name in ".{0,8}", radius: f64, blob: Vec<u8>, points: Vec<(i32, i32)>, colour in 0_usize..4, byte: u8,
    ) {
        let shapes = [Shape::Point, Shape::Circle(radius), Shape::Polygon(points.as_slice().into()), Shape::Named(&name)];
        let names = [text.as_str(), name.as_str(), ""];
        let nested = Nested {
            type_: &text,
            shapes: List::from(&shapes),
            colour: Colour::ALL.get(colour).copied(),
            flags: Small::TYPE | Small::WRITE,
            blob: &blob,
            names: List::from(&names),
        };
        let pair = OtherPair { left: byte, right: &name };
        let mut room = [0; 8192];
        let back = Client(Wire::new(1)).say_nested(nested, pair, &mut room, NEVER).expect("an answer");
        prop_assert_eq!(back, (nested, pair));
    }

    #[test]
    fn lists_come_back_as_they_went(
        a in prop::collection::vec(prop::collection::vec(any::<u16>(), 0..9), 0..9),
        b in prop::collection::vec(numbers(), 0..9),
    ) {
        let inner: Vec<List<'_, u16>> = a.iter().map(|list| list.as_slice().into()).collect();
        let (outer, b) = (List::from(inner.as_slice()), List::from(b.as_slice()));
        let mut room = [0; 8192];
        let back = Client(Wire::new(1)).lists(outer, b, &mut room, NEVER).expect("an answer");
        prop_assert_eq!(back.0.len(), a.len());
        prop_assert_eq!(back, (outer, b));
    }

    #[test]
    fn options_and_results_come_back_as_they_went(
        a: Option<Option<u8>>, b: Result<u8, bool>, c in 0_usize..4, d: Result<i16, ()>, e: Result<(), ()>,
    ) {
        let b = b.map_err(|long| if long { "because" } else { "" });
        let c = Colour::ALL.get(c).map_or(Ok(()), |colour| Err(*colour));
        let mut room = [0; 64];
        let back = Client(Wire::new(1)).options(a, b, c, d, e, &mut room, NEVER).expect("an answer");
        prop_assert_eq!(back, (a, b, c, d, e));
    }

    #[test]
    fn whatever_bytes_a_server_gets_it_answers_and_what_it_accepts_has_one_encoding(
        tag in 0_usize..13, bytes in prop::collection::vec(prop_oneof![0_u8..4, any::<u8>()], 0..80), handles in 0_u32..9,
    ) {
        const TAGS: [u32; 13] = [
            0x4156_8712, 0xb4ae_5dca, 0xe645_439f, 0xaf64_5ca9, 0x07da_cfc0, 0xef74_a7fb, 0x592b_b275, 0xdd0f_05cc,
            0xbf67_9732, 0x8b74_46eb, 0xe74d_7200, 0xb63c_b302, 0x75b2_dcce,
        ];
        let message = [&TAGS[tag].to_le_bytes()[..], &bytes].concat();
        // Two of them are functions of a file.
        let badge = if [1, 2].contains(&tag) { FILES[0] } else { 1 };
        let answer = Wire::new(badge).raw(&message, handles);
        prop_assert!(answer[0] == 0 || answer == [2], "{:?}", answer);
        // What these functions say back must be the very bytes that they were told.
        if answer[0] == 0 && [4, 5, 6, 7, 9, 12].contains(&tag) {
            prop_assert_eq!(&answer[1..], &bytes[..]);
        }
    }

    #[test]
    fn whatever_bytes_a_client_gets_it_has_a_result_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        struct Liar(Vec<u8>);
        impl Caller for Liar {
            fn call(
                &self, _: &[u8], _: &[Transfer], reply: &mut [u8], _: &mut [Handle], _: Deadline,
            ) -> Result<Outcome, Error> {
                reply.get_mut(..self.0.len()).ok_or(Error::AnswerTooLong)?.copy_from_slice(&self.0);
                Ok(Outcome { length: self.0.len() as u32, handles: 0 })
            }
        }
        let mut room = [0; 128];
        let client = Client(Liar(bytes.clone()));
        let lists = client.lists(List::from(&[]), List::from(&[]), &mut room, NEVER);
        if let Ok((lists, numbers)) = lists {
            prop_assert_eq!(bytes[0], 0);
            prop_assert!(lists.iter().map(|list| 4 + 2 * list.len()).sum::<usize>() + 8 + 47 * numbers.len() < bytes.len());
        }
        let _ = client.say_numbers(
            Numbers { a: 0, b: 0, c: 0, d: 0, e: 0, f: 0, g: 0, h: 0, i: 0.0, j: 0.0, k: false, l: 'x' }, NEVER,
        );
    }
}

#[test]
fn capabilities_come_back_in_their_order() {
    let wire = Wire::new(1);
    let file = |handle| Own::<File>(Resource::from_capability(Handle(handle)));
    let files = [file(5), file(6), file(7)];
    let mut room = [0; 64];
    let thing = Own::<ForeignThing>(Resource::from_capability(Handle(8)));
    let back = Client(&wire).turn(List::from(&files), Some(thing), &mut room, NEVER).expect("an answer");
    assert_eq!(back.0.iter().collect::<Vec<_>>(), files);
    assert_eq!(back.1, Some(thing));
    assert_eq!(*wire.modes.borrow(), [TransferMode::Move; 4]);
    assert_eq!(Client(&wire).file_joined(files[0], files[2], NEVER), Ok(file(507)));
    assert_eq!(Client(&wire).file_new("sevensy", &mut room, NEVER), Ok(file(7)));
}

#[test]
fn flags_are_sets() {
    let both = Small::READ | Small::WRITE;
    assert!(both.contains(Small::READ) && !both.contains(Small::TYPE));
    let back = Client(Wire::new(1)).say_flags(both, Wide::FLAG00 | Wide::LAST, NEVER);
    assert_eq!(back, Ok((both, Wide::FLAG00 | Wide::LAST)));
    // One bit more than there are flags.
    assert_eq!(Wire::new(1).raw(&[0xfb, 0xa7, 0x74, 0xef, 8, 0, 0, 0, 0], 0), [Status::Malformed as u8]);
}

#[test]
fn what_is_lent_is_copied() {
    let wire = Wire::new(1);
    let (file, thing) = (Resource::from_capability(Handle(3)), Resource::from_capability(Handle(4)));
    assert_eq!(Client(&wire).measure(Borrow(file), Borrow(thing), NEVER), Ok(304));
    assert_eq!(*wire.modes.borrow(), [TransferMode::Copy; 2]);
}

#[test]
fn a_resource_that_was_revoked_on_its_way_is_none() {
    let wire = Wire::new(1);
    let lent = |handle| Borrow(Resource::from_capability(Handle(handle)));
    assert_eq!(
        Client(&wire).measure(lent(3), Borrow(ForeignThing::from_capability(Handle::NULL)), NEVER),
        Err(Error::BadArgument)
    );
    assert_eq!(
        Client(&wire).measure(lent(0), Borrow(ForeignThing::from_capability(Handle(4))), NEVER),
        Err(Error::BadArgument)
    );
    // At the other side: an answer without what it should have.
    assert_eq!(result::<Own<File>>(&[0], &[Handle::NULL]), Err(Error::Refused));
    assert_eq!(result(&[0], &[Handle(3)]), Ok(Own(File::from_capability(Handle(3)))));
}

#[test]
fn a_forged_resource_is_refused_before_any_handler_runs() {
    let wire = Wire::new(1);
    let (file, foreign) =
        (|handle| File::from_capability(Handle(handle)), ForeignThing::from_capability(FOREIGN));
    // Of another cell's endpoint; a folder and the interface itself, which are no files; what stands for nothing.
    for forged in [FOREIGN.0, FOREIGN.0 + 7, FOLDER as u32, 1, 99] {
        let (good, forged) = (file(3), file(forged));
        assert_eq!(Client(&wire).measure(Borrow(forged), Borrow(foreign), NEVER), Err(Error::BadArgument));
        for pair in [[good, forged], [forged, good]] {
            let joined = Client(&wire).file_joined(Own(pair[0]), Own(pair[1]), NEVER);
            assert_eq!(joined, Err(Error::BadArgument));
            let turned =
                Client(&wire).turn(List::from(&pair.map(Own)), None, &mut [0; 64], NEVER).map(|_| ());
            assert_eq!(turned, Err(Error::BadArgument));
        }
        assert_eq!(wire.server.borrow().given, 0, "{forged:?}");
    }
    // Whether a resource of another interface is what it seems only that one's server knows.
    assert_eq!(
        Client(&wire).measure(Borrow(file(3)), Borrow(foreign), NEVER),
        Ok(300 + u64::from(FOREIGN.0))
    );
    assert_eq!(wire.server.borrow().given, 1);
}

#[test]
fn resources_of_equal_names_are_told_apart_by_what_they_are_used_by() {
    let (ours, foreign) = (Thing::from_capability(Handle(10)), ForeignThing::from_capability(Handle(4)));
    assert_eq!(Client(Wire::new(1)).things(C_::Only, Borrow(ours), Borrow(foreign), NEVER), Ok(C_::Only));
}

#[test]
fn the_badge_says_which_resource_is_called() {
    let mut room = [0; 64];
    assert_eq!(File(Wire::new(7)).read(5, 3, &mut room, NEVER), Ok(Ok(&b"was"[..])));
    assert_eq!(File(Wire::new(7)).read(5, 300, &mut room, NEVER), Ok(Err(Colour::Green)));
    assert_eq!(File(Wire::new(8)).read(5, 3, &mut room, NEVER), Ok(Err(Colour::Self_)));
    assert_eq!(File(Wire::new(8)).length(NEVER), Ok(8));
}

#[test]
fn through_a_capability_only_the_functions_of_what_it_stands_for_are_called() {
    let unknown = Err(Error::UnknownOperation);
    let (client, file, folder) = (Wire::new(1), Wire::new(FILES[0]), Wire::new(FOLDER));
    assert_eq!(Client(&client).nothing(NEVER), Ok(()));
    assert_eq!(Client(&client).target_(NEVER), Ok(5));
    assert_eq!(File(&file).length(NEVER), Ok(FILES[0]));
    assert_eq!(Folder(&folder).length(NEVER), Ok(2));
    // The interface's own functions, makers and static ones among them.
    for wire in [&file, &folder] {
        assert_eq!(Client(wire).nothing(NEVER), Err(Error::UnknownOperation));
        assert_eq!(Client(wire).file_new("name", &mut [0; 64], NEVER), Err(Error::UnknownOperation));
        let files = [5, 6].map(|handle| Own(Resource::from_capability(Handle(handle))));
        assert_eq!(Client(wire).file_joined(files[0], files[1], NEVER), Err(Error::UnknownOperation));
        assert_eq!(wire.server.borrow().nothings, 0);
    }
    assert_eq!(File(&client).length(NEVER), unknown);
    assert_eq!(File(&folder).length(NEVER), unknown);
    assert_eq!(Folder(&client).length(NEVER), Err(Error::UnknownOperation));
    assert_eq!(Folder(&file).length(NEVER), Err(Error::UnknownOperation));
    // What stands for nothing can do nothing.
    for badge in [0, 11, u64::MAX] {
        assert_eq!(Client(Wire::new(badge)).nothing(NEVER), Err(Error::Gone));
        assert_eq!(File(Wire::new(badge)).length(NEVER), Err(Error::Gone));
    }
}

#[test]
fn functions_of_many_parameters_and_of_none_are_called() {
    let wire = Wire::new(1);
    let mut room = [0; 64];
    let sums = Client(&wire).many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, &mut room, NEVER);
    assert_eq!(sums.map(|sums| sums.iter().collect::<Vec<_>>()), Ok(vec![78, 27]));
    assert_eq!(Client(&wire).nothing(NEVER), Ok(()));
    assert_eq!(wire.server.borrow().nothings, 1);
}

#[test]
fn a_request_without_room_is_not_sent_and_a_result_without_room_is_told() {
    let wire = Wire::new(1);
    let blob = [0; 4_090];
    let nested = Nested {
        type_: "",
        shapes: List::from(&[]),
        colour: None,
        flags: Small::READ,
        blob: &blob,
        names: List::from(&[]),
    };
    let pair = OtherPair { left: 0, right: "" };
    let mut room = [0; 9_000];
    let too_little = Client(&wire).say_nested(nested, pair, &mut room[..100], NEVER);
    assert_eq!(too_little, Err(Error::TooLong));
    assert_eq!(wire.calls.get(), 0);
    // The server's buffers have 4,096 bytes: the request would be longer, and so would the answer.
    assert_eq!(Client(&wire).say_nested(nested, pair, &mut room, NEVER), Err(Error::TooLong));
    let nested = Nested { blob: &blob[..4_060], ..nested };
    assert!(Client(&wire).say_nested(nested, pair, &mut room, NEVER).is_ok());
}

#[test]
fn who_speaks_another_interface_is_told_so() {
    let wire = Wire::new(1);
    assert_eq!(wire.raw(b"", 0), [Status::Malformed as u8]);
    assert_eq!(wire.raw(b"abc", 0), [Status::Malformed as u8]);
    assert_eq!(wire.raw(b"abcd", 0), [Status::UnknownFunction as u8]);
    assert_eq!(wire.raw(&0xe74d_7200_u32.to_le_bytes(), 0), [Status::Done as u8]);
    // A capability that no parameter takes, and bytes behind the last one.
    assert_eq!(wire.raw(&0xe74d_7200_u32.to_le_bytes(), 1), [Status::Malformed as u8]);
    assert_eq!(wire.raw(&[0x00, 0x72, 0x4d, 0xe7, 0], 0), [Status::Malformed as u8]);
    let result = result::<u8>;
    assert_eq!(result(&[], &[]), Err(Error::Refused));
    assert_eq!(result(&[0, 9], &[]), Ok(9));
    assert_eq!(result(&[0], &[]), Err(Error::Refused));
    assert_eq!(result(&[0, 9, 9], &[]), Err(Error::Refused));
    assert_eq!(result(&[1], &[]), Err(Error::UnknownOperation));
    assert_eq!(result(&[2], &[]), Err(Error::BadArgument));
    assert_eq!(result(&[3], &[]), Err(Error::AnswerTooLong));
    assert_eq!(result(&[4], &[]), Err(Error::Gone));
    assert_eq!(result(&[5], &[]), Err(Error::Refused));
}
