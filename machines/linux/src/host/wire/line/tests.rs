use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::*;

/// An end that nobody is at the other end of, and what rings its bell.
fn end(end: End) -> (Line, OwnedFd) {
    let (bell, ringer) =
        socketpair(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).unwrap();
    (Line::new(end, Arc::new(bell)).unwrap(), ringer)
}

fn pair() -> [Line; 2] {
    let ((mut first, first_ringer), (mut second, second_ringer)) = (end(End::First), end(End::Second));
    let memory = memory::make().unwrap();
    first.join(&memory, second_ringer).unwrap();
    second.join(&memory, first_ringer).unwrap();
    [first, second]
}

fn send(line: &mut Line, byte: u8) -> Result<Option<bool>, Broken> {
    line.send(60, &mut |frame| frame.fill(byte))
}

fn is_rung(line: &Line) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(&*line.bell, PollFlags::IN)], Some(&now)).unwrap() == 1
}

#[test]
fn without_anybody_there_nothing_goes_and_nothing_comes() {
    let (mut line, _ringer) = end(End::First);
    for _ in 0..2 {
        assert_eq!(send(&mut line, 1), Ok(None));
        line.flush();
        assert_eq!((line.has_some(), line.rest()), (Ok(false), Ok(false)));
        assert_eq!(line.receive(), Ok(None));
        let (other, ringer) = end(End::Second);
        line.join(&memory::make().unwrap(), ringer).unwrap();
        assert_eq!(send(&mut line, 1), Ok(Some(true)));
        drop(other);
        line.part();
    }
}

#[test]
fn who_sleeps_is_rung_for_once_and_who_is_awake_is_not() {
    let [mut one, mut other] = pair();
    send(&mut one, 1).unwrap();
    one.flush();
    assert!(!is_rung(&other), "it has not said that it sleeps");
    assert_eq!(other.rest(), Ok(true), "there is something");
    assert_eq!(other.receive(), Ok(Some(&[1; 60][..])));
    assert_eq!(other.rest(), Ok(false));
    for byte in 2..5 {
        send(&mut one, byte).unwrap();
        one.flush();
        assert!(is_rung(&other));
    }
    for byte in 2..5 {
        assert_eq!(other.receive(), Ok(Some(&[byte; 60][..])));
    }
    assert_eq!(other.rest(), Ok(false));
    assert!(!is_rung(&other), "it was rung for once, and has heard that");
}

#[test]
fn a_ring_that_is_broken_leaves_nobody_there_until_another_comes() {
    let [mut one, mut other] = pair();
    send(&mut one, 1).unwrap();
    one.flush();
    assert_eq!(other.has_some(), Ok(true));
    // An index that goes back.
    let (_, words) = memory::ring(one.view.words(), End::First).unwrap();
    words[16].store(u64::MAX, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(other.receive(), Ok(Some(&[1; 60][..])));
    assert_eq!(other.has_some(), Err(Broken::ProducerIndex));
    assert!(!other.is_joined());
    assert_eq!((other.has_some(), other.rest()), (Ok(false), Ok(false)));
    let ((mut third, ringer), memory) = (end(End::First), memory::make().unwrap());
    other.join(&memory, ringer).unwrap();
    let (_unheard, ringer) = end(End::Second);
    third.join(&memory, ringer).unwrap();
    send(&mut third, 3).unwrap();
    third.flush();
    assert_eq!(other.receive(), Ok(Some(&[3; 60][..])));
}

#[test]
fn memory_that_could_be_cut_is_not_joined() {
    let (mut line, ringer) = end(End::Second);
    let file = rustix::fs::memfd_create("test", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    rustix::fs::ftruncate(&file, memory::BYTES as u64).unwrap();
    assert!(line.join(&file, ringer).is_err());
    assert!(!line.is_joined());
}

/// Frames from one thread to another and back, each of which sleeps whenever it can.
#[test]
fn a_hundred_thousand_frames_wake_who_sleeps() {
    const FRAMES: u32 = 100_000;
    fn wait(line: &mut Line) {
        let patience = Timespec { tv_sec: 60, tv_nsec: 0 };
        while !line.has_some().unwrap() {
            if !line.rest().unwrap() {
                let bell = line.bell.clone();
                assert_eq!(poll(&mut [PollFd::new(&*bell, PollFlags::IN)], Some(&patience)), Ok(1));
            }
        }
    }
    fn number(frame: &[u8]) -> u32 {
        u32::from_le_bytes(*frame[14..].first_chunk().unwrap())
    }
    fn say(line: &mut Line, number: u32) -> bool {
        line.send(60, &mut |frame| frame[14..18].copy_from_slice(&number.to_le_bytes())).unwrap().unwrap()
    }
    let [mut one, mut other] = pair();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut next = 0;
            while next < FRAMES {
                wait(&mut other);
                while let Some(frame) = other.receive().unwrap() {
                    let heard = number(frame);
                    assert_eq!(heard, next);
                    next += 1;
                    assert!(say(&mut other, heard), "as many places as the asker has");
                }
                other.flush();
            }
        });
        let (mut said, mut heard) = (0, 0);
        while heard < FRAMES {
            // Now many at once, now one.
            let most = if said % 3 == 0 { 1 } else { 100 };
            while said < FRAMES && said - heard < most && say(&mut one, said) {
                said += 1;
            }
            one.flush();
            wait(&mut one);
            while let Some(frame) = one.receive().unwrap() {
                assert_eq!(number(frame), heard);
                heard += 1;
            }
            one.flush();
        }
    });
}
