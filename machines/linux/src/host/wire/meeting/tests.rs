use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, Timespec, poll};

use super::*;
use crate::host::runtime_dir::RuntimeDir;
use crate::host::test_support::Scratch;
use crate::host::wire::open;

fn directory(name: &str) -> (Scratch, RuntimeDir) {
    let scratch = Scratch::new(name);
    let directory = RuntimeDir::at(scratch.path().join("runtime")).unwrap();
    (scratch, directory)
}

/// A parent that has taken an end, and begun.
fn parent(directory: &RuntimeDir) -> Meeting {
    let mut meeting = open(directory, "a", 0).unwrap().meeting;
    meeting.begin();
    meeting
}

/// Has parents do what there is, until nothing happens any more; what each heard.
fn settle<const COUNT: usize>(mut parents: [&mut Meeting; COUNT]) -> [Vec<News>; COUNT] {
    let mut news = [const { Vec::new() }; COUNT];
    loop {
        let mut happens = false;
        for (parent, news) in parents.iter_mut().zip(&mut news) {
            for part in ready(parent) {
                happens = true;
                news.extend(parent.serve(part));
            }
        }
        if !happens {
            return news;
        }
    }
}

fn ready(parent: &Meeting) -> Vec<Part> {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let is_ready = |descriptor, interest| {
        poll(&mut [PollFd::from_borrowed_fd(descriptor, interest)], Some(&now)).unwrap() > 0
    };
    let parts = parent.interests().filter(|(_, descriptor, interest)| is_ready(*descriptor, *interest));
    parts.map(|(part, ..)| part).collect()
}

fn have_met(news: &[News]) -> bool {
    matches!(news, [News::Met { .. }])
}

fn have_parted(news: &[News]) -> bool {
    matches!(news, [News::Parted])
}

#[test]
fn two_parents_meet_over_one_memory() {
    let (_scratch, directory) = directory("wire-meet");
    let (mut first, mut second) = (parent(&directory), parent(&directory));
    let [ours, theirs] = settle([&mut first, &mut second]);
    let ([News::Met { memory: one, .. }], [News::Met { memory: other, .. }]) = (&*ours, &*theirs) else {
        panic!("{ours:?} {theirs:?}");
    };
    let number = |file| rustix::fs::fstat(file).map(|status| status.st_ino);
    assert_eq!(number(one), number(other));
    assert!(settle([&mut first, &mut second]).iter().all(Vec::is_empty), "and that is all");
}

#[test]
fn whichever_is_gone_the_other_meets_who_comes_next() {
    let (_scratch, directory) = directory("wire-again");
    let (mut first, mut second) = (parent(&directory), parent(&directory));
    settle([&mut first, &mut second]);
    for _ in 0..3 {
        drop(second);
        assert!(have_parted(&settle([&mut first])[0]));
        second = parent(&directory);
        assert!(settle([&mut first, &mut second]).iter().all(|news| have_met(news)));
        drop(first);
        assert!(have_parted(&settle([&mut second])[0]));
        first = parent(&directory);
        assert!(settle([&mut first, &mut second]).iter().all(|news| have_met(news)));
    }
    // The next one may be there before it was noticed that the last is gone.
    drop(first);
    first = parent(&directory);
    let [ours, theirs] = settle([&mut first, &mut second]);
    assert!(have_met(&ours) && matches!(&*theirs, [News::Parted, News::Met { .. }]), "{ours:?} {theirs:?}");
    drop(second);
    second = parent(&directory);
    let [ours, theirs] = settle([&mut first, &mut second]);
    assert!(matches!(&*ours, [News::Parted, News::Met { .. }]) && have_met(&theirs), "{ours:?} {theirs:?}");
}

#[test]
fn a_machine_that_begins_anew_is_met_again() {
    let (_scratch, directory) = directory("wire-anew");
    let (mut first, mut second) = (parent(&directory), parent(&directory));
    settle([&mut first, &mut second]);
    first.begin();
    let [ours, theirs] = settle([&mut first, &mut second]);
    assert!(have_met(&ours) && matches!(&*theirs, [News::Parted, News::Met { .. }]), "{ours:?} {theirs:?}");
    second.begin();
    let [ours, theirs] = settle([&mut first, &mut second]);
    assert!(matches!(&*ours, [News::Parted, News::Met { .. }]) && have_met(&theirs), "{ours:?} {theirs:?}");
}

/// Somebody at the first end's door, who says this with so many descriptors.
fn visitor(directory: &RuntimeDir, words: &[u8], descriptors: usize) -> UnixStream {
    let visitor = UnixStream::connect(directory.path().join("wire-a-1.sock")).unwrap();
    let null = std::fs::File::open("/dev/null").unwrap();
    let borrowed: Vec<_> = (0..descriptors).map(|_| null.as_fd()).collect();
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut control = rustix::net::SendAncillaryBuffer::new(&mut space);
    control.push(rustix::net::SendAncillaryMessage::ScmRights(&borrowed));
    let bytes = [io::IoSlice::new(words)];
    rustix::net::sendmsg(&visitor, &bytes, &mut control, rustix::net::SendFlags::empty()).unwrap();
    visitor
}

/// What the first end hears of somebody.
fn said(directory: &RuntimeDir, words: &[u8], descriptors: usize) -> Vec<News> {
    let mut first = parent(directory);
    let visitor = visitor(directory, words, descriptors);
    let [news] = settle([&mut first]);
    drop(visitor);
    // Whatever it was, the next one is met.
    let mut second = parent(directory);
    let [ours, theirs] = settle([&mut first, &mut second]);
    assert!(ours.iter().any(|news| matches!(news, News::Met { .. })) && have_met(&theirs), "{words:?}");
    news
}

const HELLO: &[u8] = b"{\"word\":\"hello\",\"version\":1}\n";

#[test]
fn who_was_sent_away_for_a_stranger_is_met_when_that_one_leaves() {
    let (_scratch, directory) = directory("wire-stranger");
    let mut first = parent(&directory);
    let stranger = visitor(&directory, HELLO, 1);
    assert!(have_met(&settle([&mut first])[0]));
    let mut second = parent(&directory);
    assert!(settle([&mut first, &mut second]).iter().all(Vec::is_empty));
    drop(stranger);
    let [ours, theirs] = settle([&mut first, &mut second]);
    assert!(matches!(&*ours, [News::Parted, News::Met { .. }]) && have_met(&theirs), "{ours:?} {theirs:?}");
}

#[test]
fn whoever_talks_nonsense_is_sent_away_and_in_nobodys_way() {
    let (_scratch, directory) = directory("wire-nonsense");
    assert!(have_met(&said(&directory, HELLO, 1)), "this is how it is done");
    let unfit = |words: &[u8], descriptors, part: &str| {
        let news = said(&directory, words, descriptors);
        let [News::Unfit { why }] = &*news else { panic!("{news:?}") };
        assert!(why.contains(part), "{why}");
    };
    unfit(b"{\"word\":\"hello\",\"version\":2}\n", 1, "version 2");
    unfit(b"{\"word\":\"welcome\",\"version\":1}\n", 2, "the same end");
    unfit(HELLO, 2, "2 descriptors");
    for (words, descriptors) in
        [(&b"{]\n"[..], 0), (&b"{\"word\":\"fly\"}\n"[..], 1), (&[b'x'; 5_000][..], 0), (HELLO, 5)]
    {
        assert!(said(&directory, words, descriptors).is_empty());
    }
}

#[test]
fn who_says_nothing_makes_way_and_who_was_met_does_not() {
    let (_scratch, directory) = directory("wire-silent");
    let mut first = parent(&directory);
    let visit = || UnixStream::connect(directory.path().join("wire-a-1.sock")).unwrap();
    let _silent = visit();
    settle([&mut first]);
    let mut second = parent(&directory);
    assert!(settle([&mut first, &mut second]).iter().all(|news| have_met(news)));
    let mut third = visit();
    assert!(settle([&mut first, &mut second]).iter().all(Vec::is_empty));
    assert_eq!(io::Read::read(&mut third, &mut [0]).unwrap(), 0, "it was sent away");
    let mut other = UnixStream::connect(directory.path().join("wire-a-2.sock")).unwrap();
    assert!(settle([&mut first, &mut second]).iter().all(Vec::is_empty));
    assert_eq!(io::Read::read(&mut other, &mut [0]).unwrap(), 0);
}
