//! The engine, and what its tasks have together.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use core::time::Duration;

use hallows::net::Network;
use hallows::task::{Either, Events, race};
use hallows::{Deadline, Endpoint, Error, Start, log, process};
use hallows_kv_engine::{Config, Engine, Progress, Seed, Session, Sync};
use hallows_system::clock;

use crate::signal::Signal;

/// How long a service of the host may take to say what time it is.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest sleep: what could be due after it is looked for again.
const LONGEST_SLEEP_MS: u64 = 3_600_000;

/// The server.
pub struct Server<'e> {
    /// The cell's events.
    pub events: &'e Events,
    /// The store.
    pub engine: RefCell<Engine>,
    /// Nanoseconds from the machine's start to the beginning of 1970, as far as that is known.
    epoch_ns: u64,
    /// There is work in pieces, or something is due earlier than it was.
    works: Signal,
    /// Until when the task for it sleeps: milliseconds since 1970.
    sleeps_until: Cell<u64>,
    /// By client: it can go on.
    clients: RefCell<BTreeMap<u64, Rc<Signal>>>,
    /// There is something to be written to the log.
    pub changes: Signal,
    /// How much of the log is on the disk.
    synced: Cell<u64>,
    /// Clients that wait for that.
    unsynced: RefCell<BTreeMap<u64, Rc<Signal>>>,
}

/// What a clock on the wall shows, less the time since the machine began: nanoseconds.
fn epoch(start: &Start<'_>) -> Result<u64, Error> {
    let Some(endpoint) = start.optional::<Endpoint>("clock") else {
        log!(
            "is granted no `clock`: it takes the machine's start for the beginning of 1970, which matters to EXPIREAT, TIME and the log"
        );
        return Ok(0);
    };
    let deadline = Deadline::after(PATIENCE)?;
    let clock::Instant { seconds, nanoseconds } = clock::Client(endpoint).realtime(deadline)?;
    let since =
        u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000_000_000).saturating_add(nanoseconds.into());
    Ok(since.saturating_sub(process::now()?))
}

impl<'e> Server<'e> {
    /// A server without keys.
    ///
    /// # Errors
    ///
    /// Those of a call of the clock.
    pub fn new(start: &Start<'_>, events: &'e Events, config: Config, seed: Seed) -> Result<Self, Error> {
        let epoch_ns = epoch(start)?;
        let now = (epoch_ns + process::now()?) / 1_000_000;
        Ok(Self {
            events,
            engine: RefCell::new(Engine::new(config, seed, now)),
            epoch_ns,
            works: Signal::default(),
            sleeps_until: Cell::new(0),
            clients: RefCell::default(),
            changes: Signal::default(),
            synced: Cell::new(0),
            unsynced: RefCell::default(),
        })
    }

    /// The port to listen on.
    pub fn port(&self) -> u16 {
        self.engine.borrow().store.config.port
    }

    /// Milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// [`Error::Killed`].
    pub fn now(&self) -> Result<u64, Error> {
        Ok((self.epoch_ns + process::now()?) / 1_000_000)
    }

    /// Lets all others have a turn, and what has come in meanwhile.
    pub async fn give_way(&self) {
        self.events.sleep_until(Deadline::PASSED).await;
    }

    /// A new client: what wakes it.
    pub fn meet(&self, session: &Session) -> Rc<Signal> {
        let signal = Rc::new(Signal::default());
        self.clients.borrow_mut().insert(session.id(), signal.clone());
        signal
    }

    /// A client is gone.
    pub fn part(&self, session: Session) {
        self.clients.borrow_mut().remove(&session.id());
        self.unsynced.borrow_mut().remove(&session.id());
        self.engine.borrow_mut().disconnect(session);
    }

    /// A client's turn.
    ///
    /// # Errors
    ///
    /// [`Error::Killed`].
    pub fn turn(&self, session: &mut Session) -> Result<Progress, Error> {
        let mut engine = self.engine.borrow_mut();
        let before = engine.store.log.position();
        let progress = engine.run(session, self.now()?);
        if engine.store.log.position() != before || engine.store.wants_rewrite() {
            self.changes.give();
        }
        if engine.has_work() || engine.next_expiry().is_some_and(|at| at < self.sleeps_until.get()) {
            self.works.give();
        }
        self.wake(&mut engine);
        Ok(progress)
    }

    fn wake(&self, engine: &mut Engine) {
        let clients = self.clients.borrow();
        for id in engine.woken() {
            if let Some(signal) = clients.get(&id) {
                signal.give();
            }
        }
    }

    /// Does work in pieces, and what is due without anybody asking, until the server is asked to end. Between two pieces the network has its time.
    ///
    /// # Errors
    ///
    /// [`Error::Killed`].
    pub async fn work(&self, network: &Network<'_>) -> Result<(), Error> {
        loop {
            let (has_more, next) = {
                let mut engine = self.engine.borrow_mut();
                let before = engine.store.log.position();
                let has_more = engine.work(self.now()?);
                if engine.store.log.position() != before {
                    self.changes.give();
                }
                self.wake(&mut engine);
                if engine.is_ending() && self.is_durable(engine.store.log.position()) {
                    return Ok(());
                }
                (has_more, engine.next_expiry())
            };
            if has_more {
                // One that is gone is met again by who listens.
                let _ = network.flush();
                self.give_way().await;
                continue;
            }
            let now = self.now()?;
            // A key that long work holds is due, and expires when that is done.
            let until = next.unwrap_or(u64::MAX).clamp(now + 1, now + LONGEST_SLEEP_MS);
            self.sleeps_until.set(until);
            match race(self.works.taken(), self.events.sleep(Duration::from_millis(until - now))).await {
                Either::First(()) => {}
                Either::Second(slept) => slept?,
            }
            self.sleeps_until.set(0);
        }
    }

    /// Whether so much of the log is on the disk, or need not be before it is acknowledged.
    pub fn is_durable(&self, position: u64) -> bool {
        position <= self.synced.get() || !self.waits_for_disk()
    }

    fn waits_for_disk(&self) -> bool {
        let engine = self.engine.try_borrow();
        // Borrowed only by who asks about its own change.
        engine.map_or(true, |engine| {
            engine.store.config.append_only && engine.store.config.sync == Sync::Always
        })
    }

    /// Waits until so much of the log is on the disk, if that has to be before it is acknowledged.
    pub async fn durable(&self, session: &Session) {
        let position = session.position();
        if self.is_durable(position) {
            return;
        }
        let signal = Rc::new(Signal::default());
        self.unsynced.borrow_mut().insert(session.id(), signal.clone());
        while position > self.synced.get() {
            signal.taken().await;
        }
        self.unsynced.borrow_mut().remove(&session.id());
    }

    /// So much of the log is on the disk.
    pub fn set_synced(&self, position: u64) {
        self.synced.set(position);
        self.unsynced.borrow().values().for_each(|signal| signal.give());
        self.works.give();
    }
}
