//! Until when each connection may take: looked at a few times in a second, by one task for all, so that a request costs no timer.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::task::{Poll, Waker};

use hallows::Deadline;

/// All connections.
#[derive(Debug)]
pub struct Watch {
    most: usize,
    /// By number.
    open: RefCell<BTreeMap<u64, Rc<Watched>>>,
    last: Cell<u64>,
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// A request, nothing of which has come.
    Idle,
    /// The rest of a request.
    Asking,
    /// That an answer is given.
    Answering,
    /// That the client ends, too.
    Leaving,
}

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Its time is.
    Late,
    /// It has nothing under way, and others want to be served.
    Displaced,
}

/// A connection.
#[derive(Debug)]
pub struct Watched {
    doing: Cell<Doing>,
    until: Cell<Deadline>,
    over: Cell<Option<Over>>,
    waker: RefCell<Option<Waker>>,
}

/// A connection that is among all, until this is dropped.
#[derive(Debug)]
pub struct Place<'w> {
    watch: &'w Watch,
    number: u64,
    watched: Rc<Watched>,
}

impl Watch {
    /// Of so many at most.
    pub fn of(most: usize) -> Self {
        Self { most, open: RefCell::default(), last: Cell::new(0) }
    }

    /// Whether there are as many as may be.
    pub fn is_full(&self) -> bool {
        self.count() >= self.most
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.open.borrow().len()
    }

    /// One more, which has until then to send a request.
    pub fn enter(&self, until: Deadline) -> Place<'_> {
        let number = self.last.get() + 1;
        self.last.set(number);
        let (doing, until) = (Cell::new(Doing::Idle), Cell::new(until));
        let watched = Rc::new(Watched { doing, until, over: Cell::new(None), waker: RefCell::default() });
        self.open.borrow_mut().insert(number, watched.clone());
        Place { watch: self, number, watched }
    }

    /// Ends those whose time is over; how many.
    pub fn end_late(&self, now: Deadline) -> u64 {
        let mut ended = 0;
        for watched in self.open.borrow().values().filter(|watched| watched.until.get() <= now) {
            watched.end(Over::Late);
            ended += 1;
        }
        ended
    }

    /// Ends the one that has been idle for longest. Whether there is one.
    pub fn displace(&self) -> bool {
        let open = self.open.borrow();
        let idle = open
            .values()
            .filter(|watched| watched.doing.get() == Doing::Idle && watched.over.get().is_none());
        let longest = idle.min_by_key(|watched| watched.until.get());
        longest.inspect(|watched| watched.end(Over::Displaced)).is_some()
    }
}

impl Watched {
    /// What it does from now on, and until when it may.
    pub fn set(&self, doing: Doing, until: Deadline) {
        self.doing.set(doing);
        self.until.set(until);
    }

    /// What it does.
    pub fn doing(&self) -> Doing {
        self.doing.get()
    }

    /// Waits until it is over, and forgets that.
    pub async fn over(&self) -> Over {
        poll_fn(|context| {
            if let Some(over) = self.over.take() {
                return Poll::Ready(over);
            }
            *self.waker.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    fn end(&self, why: Over) {
        // Who does not end at once is told again when that, too, has taken too long.
        self.until.set(Deadline::NEVER);
        self.over.set(Some(why));
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}

impl core::ops::Deref for Place<'_> {
    type Target = Watched;

    fn deref(&self) -> &Watched {
        &self.watched
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.watch.open.borrow_mut().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use core::pin::pin;
    use core::task::Context;

    use super::*;

    fn over(watched: &Watched) -> Option<Over> {
        let polled = pin!(watched.over()).poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(over) = polled { Some(over) } else { None }
    }

    #[test]
    fn those_whose_time_is_over_end_and_no_others() {
        let watch = Watch::of(2);
        let (one, other) = (watch.enter(Deadline::at(10)), watch.enter(Deadline::at(20)));
        assert!(watch.is_full());
        assert_eq!(watch.end_late(Deadline::at(9)), 0);
        assert_eq!(watch.end_late(Deadline::at(10)), 1);
        assert_eq!((over(&one), over(&other)), (Some(Over::Late), None));
        // Once.
        assert_eq!((watch.end_late(Deadline::at(11)), over(&one)), (0, None));
        drop(one);
        assert!(!watch.is_full());
        other.set(Doing::Answering, Deadline::NEVER);
        assert_eq!(watch.end_late(Deadline::at(1 << 40)), 0);
    }

    #[test]
    fn who_has_been_idle_for_longest_makes_room() {
        let watch = Watch::of(3);
        let places = [30, 20, 10].map(|until| watch.enter(Deadline::at(until)));
        places[2].set(Doing::Asking, Deadline::at(10));
        assert!(watch.displace());
        assert_eq!(places.each_ref().map(|place| over(place)), [None, Some(Over::Displaced), None]);
        places[0].set(Doing::Answering, Deadline::at(30));
        places[1].set(Doing::Leaving, Deadline::at(30));
        assert!(!watch.displace(), "nobody is idle");
    }
}
