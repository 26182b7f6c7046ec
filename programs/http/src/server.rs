//! What all connections have together, and what is answered to a request.

use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use core::time::Duration;

use hallows::task::Events;
use hallows::{Deadline, Endpoint, Error, Start, process};
use hallows_http_engine::{Answer, Counters, Method, Metrics, Moment, Path, Request, Status};
use hallows_system::clock;

use crate::cache::{Cached, facts};
use crate::file::OpenFile;
use crate::machine;
use crate::settings::Settings;
use crate::site::{Found, Now, Site};
use crate::watch::Watch;

/// How often it is looked whose time is over.
const LOOK: Duration = Duration::from_millis(250);
/// How often the clock on the wall is asked: somebody may set it.
const CLOCK: Duration = Duration::from_secs(30);
/// How long a service of the host may take to say what time it is.
const PATIENCE: Duration = Duration::from_secs(10);

/// The head of an answer, and a page that is made, is longer than this only where a directory is listed.
const SMALL_BYTES: usize = 16 << 10;
/// What is longer has so many bytes together, of all connections.
const MOST_HELD_BYTES: usize = 16 << 20;

/// The server.
pub struct Server<'e> {
    /// The cell's events.
    pub events: &'e Events,
    /// What the arguments say.
    pub settings: Settings,
    /// The connections.
    pub watch: Watch,
    /// What was done.
    pub counters: RefCell<Counters>,
    /// Makes answers.
    pub answers: hallows_http_engine::Server,
    site: Site,
    clock: Endpoint,
    /// Who tells of the machine.
    machine: Option<Endpoint>,
    /// Bytes of long heads of answers that are on their way.
    held_bytes: Cell<usize>,
    /// When its life began: nanoseconds of the machine's clock.
    began_ns: u64,
    /// Nanoseconds from the machine's start to the beginning of 1970.
    epoch_ns: Cell<u64>,
}

/// An answer, and where the file is that it takes parts of.
#[derive(Debug)]
pub struct Ready {
    /// The answer.
    pub answer: Answer,
    /// The file.
    pub source: Source,
}

/// Where a file is.
#[derive(Debug)]
pub enum Source {
    /// There is none.
    Nothing,
    /// In memory.
    Memory(Rc<Cached>),
    /// With the host.
    Disk(OpenFile),
}

/// What a clock on the wall shows, less the time since the machine began: nanoseconds.
fn epoch(shown: clock::Instant) -> Result<u64, Error> {
    let clock::Instant { seconds, nanoseconds } = shown;
    let since =
        u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000_000_000).saturating_add(nanoseconds.into());
    Ok(since.saturating_sub(process::now()?))
}

impl<'e> Server<'e> {
    /// A server that has answered nothing.
    ///
    /// # Errors
    ///
    /// [`Error::BadHandle`], which the log explains, if something was not granted; those of a call of the clock.
    pub fn new(start: &Start<'_>, events: &'e Events, settings: Settings) -> Result<Self, Error> {
        let site = Site::new(start, &settings)?;
        let clock: Endpoint = start.grant("clock")?;
        let shown = clock::Client(clock).realtime(Deadline::after(PATIENCE)?)?;
        Ok(Self {
            events,
            watch: Watch::of(settings.connections),
            settings,
            counters: RefCell::default(),
            answers: hallows_http_engine::Server::new(process::random()?),
            site,
            clock,
            machine: start.optional("machine"),
            held_bytes: Cell::new(0),
            began_ns: process::now()?,
            epoch_ns: Cell::new(epoch(shown)?),
        })
    }

    /// This moment.
    ///
    /// # Errors
    ///
    /// [`Error::Killed`].
    pub fn now(&self) -> Result<Now, Error> {
        let now = process::now()?;
        Ok(Now { machine: Deadline::at(now), wall_ns: self.epoch_ns.get().saturating_add(now) })
    }

    /// This moment, as answers say it.
    ///
    /// # Errors
    ///
    /// [`Error::Killed`].
    pub fn moment(&self) -> Result<Moment, Error> {
        Ok(Moment(self.now()?.wall_ns / 1_000_000_000))
    }

    /// Lets all others have a turn, and what has come in meanwhile.
    pub async fn give_way(&self) {
        self.events.sleep_until(Deadline::PASSED).await;
    }

    /// Ends the connection that has been idle for longest.
    pub fn displace(&self) {
        self.counters.borrow_mut().displaced += u64::from(self.watch.displace());
    }

    /// Ends whose time is over, and asks what time it is, without an end.
    ///
    /// # Errors
    ///
    /// Those of a call of the clock.
    pub async fn look_after(&self) -> Result<(), Error> {
        let mut next = Deadline::after(CLOCK)?;
        loop {
            self.events.sleep(LOOK).await?;
            let now = self.now()?.machine;
            self.counters.borrow_mut().timed_out += self.watch.end_late(now);
            if next <= now {
                let clock = clock::Client(self.events.through(self.clock));
                self.epoch_ns.set(epoch(clock.realtime_async(Deadline::NEVER).await?)?);
                next = now.plus(CLOCK);
            }
        }
    }

    /// What is answered to a request.
    ///
    /// # Errors
    ///
    /// Those of calls.
    pub async fn respond(&self, request: &Request) -> Result<Ready, Error> {
        let now = self.now()?;
        let moment = Moment(now.wall_ns / 1_000_000_000);
        let without_file = |status| Ready {
            answer: self.answers.without_file(request, status, moment),
            source: Source::Nothing,
        };
        let path = match (request.method, &request.path) {
            (Method::Other, _) => return Ok(without_file(Status::MethodNotAllowed)),
            (Method::Options, _) => {
                return Ok(Ready { answer: self.answers.options(request, moment), source: Source::Nothing });
            }
            (Method::Get | Method::Head, None) => return Ok(without_file(Status::BadRequest)),
            (Method::Get | Method::Head, Some(path)) => path,
        };
        if self.is_metrics(path) {
            let json = self.metrics().await?;
            return Ok(Ready {
                answer: self.answers.metrics(request, &json, moment),
                source: Source::Nothing,
            });
        }
        if path.is_hidden() && !self.settings.shows_hidden {
            return Ok(without_file(Status::NotFound));
        }
        let index = path.is_directory().then(|| path.join(self.settings.index.as_bytes()));
        let target = index.as_ref().unwrap_or(path);
        match self.site.find(target, self.events, now).await? {
            Found::Cached(file) => {
                let answer = self.answers.file(request, &file.facts(), moment);
                Ok(Ready { answer, source: Source::Memory(file) })
            }
            Found::Open(file) => {
                let media = hallows_http_engine::media_type(target.name());
                let answer = self.answers.file(request, &facts(&file.status, media), moment);
                Ok(Ready { answer, source: Source::Disk(file) })
            }
            Found::Directory if index.is_none() => {
                Ok(Ready { answer: self.answers.redirect(request, path, moment), source: Source::Nothing })
            }
            Found::Nothing(Status::NotFound) if index.is_some() && self.settings.lists => {
                let names = self.site.names(path, self.settings.shows_hidden, self.events).await?;
                Ok(names.map_or_else(
                    || without_file(Status::NotFound),
                    |(names, is_all)| {
                        let answer = self.answers.listing(request, path, &names, is_all, moment);
                        Ready { answer, source: Source::Nothing }
                    },
                ))
            }
            Found::Directory => Ok(without_file(Status::NotFound)),
            Found::Nothing(status) => Ok(without_file(status)),
        }
    }

    /// Makes room for the head of an answer, until what this gives is dropped. `None`: there is none now. Most are small, and have room.
    pub fn hold(&self, bytes: usize) -> Option<Held<'_>> {
        let bytes = if bytes <= SMALL_BYTES { 0 } else { bytes };
        let held = self.held_bytes.get() + bytes;
        if bytes > 0 && held > MOST_HELD_BYTES {
            return None;
        }
        self.held_bytes.set(held);
        Some(Held { all: &self.held_bytes, bytes })
    }

    fn is_metrics(&self, path: &Path) -> bool {
        let metrics = self.settings.metrics.as_deref().and_then(|metrics| metrics.strip_prefix('/'));
        metrics.is_some_and(|metrics| metrics.as_bytes() == path.bytes())
    }

    async fn metrics(&self) -> Result<alloc::vec::Vec<u8>, Error> {
        let machine = match self.machine {
            // What does not answer says nothing of itself.
            Some(endpoint) => match machine::look(endpoint, self.events).await {
                Err(Error::Killed) => return Err(Error::Killed),
                looked => looked.ok(),
            },
            None => None,
        };
        let mut counters = self.counters.borrow_mut();
        counters.uptime_ns = process::now()?.saturating_sub(self.began_ns);
        counters.open = self.watch.count() as u64;
        [counters.cached_files, counters.cached_bytes, counters.cache_hits, counters.cache_misses] =
            self.site.numbers();
        Ok(Metrics { server: &counters, machine }.to_json())
    }
}

/// Room for the head of an answer.
pub struct Held<'s> {
    all: &'s Cell<usize>,
    bytes: usize,
}

impl Held<'_> {
    /// Whether it is so large that it counts.
    pub const fn is_large(&self) -> bool {
        self.bytes > 0
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.all.set(self.all.get() - self.bytes);
    }
}
