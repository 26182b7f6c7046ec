//! The databases: keys with values, when they expire, how much memory they take, who watches them.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use crate::Bytes;
use crate::config::{Config, Eviction};
use crate::log::Log;
use crate::refusal::Refusal;
use crate::rewrite::Picture;
use crate::seed::{Random, Seed};
use crate::table::{Keyed, Place, Table};
use crate::value::Value;

/// A key that does not expire.
pub const NEVER: u64 = u64::MAX;
/// What a key takes beside itself and its value: a slot, a bucket, and what the heap adds.
const ENTRY: usize = size_of::<Entry>() + 40;
/// Keys that are evicted for one command: more would keep others waiting. What is still too much goes with the next ones.
const EVICTED_AT_ONCE: usize = 16;
/// Keys that are freed in one piece of work.
const FREED_AT_ONCE: usize = 32;
/// Keys that expire in one piece of work.
const EXPIRED_AT_ONCE: usize = 16;
/// Units of [`Entry::used`] in a second.
const USES_PER_SECOND: u64 = 16;

/// A key and what it has.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: Bytes,
    /// The value.
    pub value: Value,
    /// When it expires, in milliseconds since 1970; [`NEVER`].
    pub expires: u64,
    /// When it was used last, in sixteenths of a second.
    used: u32,
}

impl Keyed for Entry {
    fn key(&self) -> &[u8] {
        &self.key
    }
}

/// A key that somebody watches.
#[derive(Debug, Default)]
struct Watched {
    version: u64,
    watchers: usize,
}

#[derive(Debug)]
struct Database {
    entries: Table<Entry>,
    expires: BTreeSet<(u64, Place)>,
    watched: BTreeMap<Bytes, Watched>,
    /// What its keys take, as an estimate.
    bytes: usize,
}

impl Database {
    fn new(seed: Seed) -> Self {
        Self { entries: Table::new(seed), expires: BTreeSet::new(), watched: BTreeMap::new(), bytes: 0 }
    }
}

/// What is to be freed, in pieces.
#[derive(Debug)]
enum Dead {
    Value(Value),
    Entries(Table<Entry>),
    Expires(BTreeSet<(u64, Place)>),
}

/// What becomes of a key when long work is done.
#[derive(Clone, Debug)]
pub struct Change {
    /// The key.
    pub key: Bytes,
    /// Its value from then on; `None`: there is no such key any more.
    pub value: Option<Value>,
    /// Whether it expires when it did.
    pub keeps_expiry: bool,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Commands that were done.
    pub commands: u64,
    /// Clients that ever connected.
    pub connections: u64,
    /// Keys that expired.
    pub expired: u64,
    /// Keys that were evicted.
    pub evicted: u64,
    /// Keys that were looked for and found.
    pub hits: u64,
    /// Keys that were looked for in vain.
    pub misses: u64,
    /// Changes.
    pub changes: u64,
    /// The most memory that there was, in bytes.
    pub peak: usize,
}

/// The databases.
#[derive(Debug)]
pub struct Store {
    databases: Vec<Database>,
    dead: VecDeque<Dead>,
    /// Settings.
    pub config: Config,
    /// What changed.
    pub log: Log,
    /// What was counted.
    pub counts: Counts,
    /// Chance.
    pub random: Random,
    /// Milliseconds since 1970.
    pub now: u64,
    /// While a log is read nothing expires: the log says what did.
    pub is_loading: bool,
    /// Keys that long work has, by database: they do not expire meanwhile.
    pub held: Vec<(usize, Bytes)>,
    bytes: usize,
    version: u64,
    /// No key expires before that; [`NEVER`].
    soonest: u64,
    seed: Seed,
}

impl Store {
    /// Empty databases. Nobody outside may know the seed.
    pub fn new(config: Config, seed: Seed) -> Self {
        let databases = (0..config.databases).map(|_| Database::new(seed)).collect();
        Self {
            databases,
            dead: VecDeque::new(),
            config,
            log: Log::default(),
            counts: Counts::default(),
            random: Random::new(seed.0 ^ seed.1.rotate_left(32)),
            now: 0,
            is_loading: false,
            held: Vec::new(),
            bytes: 0,
            version: 0,
            soonest: NEVER,
            seed,
        }
    }

    /// The key of hashes.
    pub const fn seed(&self) -> Seed {
        self.seed
    }

    /// Bytes of memory that keys and values take, as an estimate.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that a key takes.
    pub fn bytes_of(entry: &Entry) -> usize {
        ENTRY + entry.key.len() + entry.value.bytes()
    }

    /// How many keys a database has, and how many of them expire.
    pub fn size(&self, database: usize) -> (usize, usize) {
        self.databases.get(database).map_or((0, 0), |one| (one.entries.len(), one.expires.len()))
    }

    /// The keys of a database.
    pub fn entries(&self, database: usize) -> Option<&Table<Entry>> {
        self.databases.get(database).map(|one| &one.entries)
    }

    /// What all databases have at this moment.
    pub fn picture(&self) -> Picture {
        let databases = (0..).zip(&self.databases).filter(|(_, one)| one.entries.len() > 0);
        Picture::new(databases.map(|(number, one)| (number, one.entries.clone())))
    }

    /// The next piece of a picture, which may be empty; `None` when all is written down.
    pub fn write_down(&mut self, picture: &mut Picture) -> Option<Vec<u8>> {
        let piece = picture.next();
        picture.written.drain(..).for_each(|value| self.bury(value));
        piece
    }

    /// A picture is not needed any more.
    pub fn forget(&mut self, picture: Picture) {
        let (values, tables) = picture.give_up();
        values.into_iter().for_each(|value| self.bury(value));
        self.dead.extend(tables.into_iter().map(Dead::Entries));
    }

    /// Whether the log is to be rewritten now: somebody wants that, or it has grown by as much as the settings say.
    pub const fn wants_rewrite(&self) -> bool {
        let Self { log: Log { is_on, file, .. }, config, .. } = self;
        let grown = file.bytes.saturating_sub(file.base_bytes);
        let has_grown = config.rewrite_percent > 0
            && file.bytes >= config.rewrite_bytes
            && grown.saturating_mul(100) >= file.base_bytes.saturating_mul(config.rewrite_percent);
        *is_on && !file.is_being_rewritten && (file.asked_to_rewrite || has_grown && grown > 0)
    }

    /// A database takes so much instead of so much.
    fn count_bytes(&mut self, database: usize, before: usize, after: usize) {
        if let Some(one) = self.databases.get_mut(database) {
            one.bytes = one.bytes + after - before;
        }
        self.bytes = self.bytes + after - before;
        self.counts.peak = self.counts.peak.max(self.bytes);
    }

    const fn clock(&self) -> u32 {
        // It wraps after eight years.
        (self.now * USES_PER_SECOND / 1_000) as u32
    }

    /// Seconds since a key was used.
    pub const fn idle(&self, entry: &Entry) -> u64 {
        self.clock().wrapping_sub(entry.used) as u64 / USES_PER_SECOND
    }

    fn is_due(&self, database: usize, entry: &Entry) -> bool {
        entry.expires <= self.now
            && !self.is_loading
            && (self.held.is_empty()
                || !self.held.iter().any(|(at, key)| (*at, key) == (database, &entry.key)))
    }

    /// Where a key is, if it has not expired.
    #[inline]
    pub fn find(&mut self, database: usize, key: &[u8]) -> Option<Place> {
        let entries = &self.databases.get(database)?.entries;
        let place = entries.find(key)?;
        let entry = entries.at(place)?;
        if entry.expires != NEVER && self.is_due(database, entry) {
            self.expire(database, place);
            return None;
        }
        Some(place)
    }

    /// A key, looked at for somebody: that counts as use.
    #[inline]
    pub fn read(&mut self, database: usize, key: &[u8]) -> Option<&Entry> {
        let Some(place) = self.find(database, key) else {
            self.counts.misses += 1;
            return None;
        };
        self.counts.hits += 1;
        let clock = self.clock();
        let entry = self.databases.get_mut(database)?.entries.at_mut(place)?;
        entry.used = clock;
        Some(entry)
    }

    /// A key, looked at for ourselves.
    pub fn peek(&mut self, database: usize, key: &[u8]) -> Option<&Entry> {
        let place = self.find(database, key)?;
        self.databases.get(database)?.entries.at(place)
    }

    /// Whether a key is there and has not expired, without changing anything.
    pub fn is_live(&self, database: usize, entry: &Entry) -> bool {
        !self.is_due(database, entry)
    }

    /// Gives a key a value. It does not expire, unless it shall keep that.
    pub fn set(&mut self, database: usize, key: &[u8], value: Value, keeps_expiry: bool) {
        let bytes = value.bytes();
        let clock = self.clock();
        let place = self.find(database, key);
        let Some(one) = self.databases.get_mut(database) else { return };
        let Some((place, entry)) = place.and_then(|place| Some((place, one.entries.at_mut(place)?))) else {
            one.entries.insert(Entry { key: key.into(), value, expires: NEVER, used: clock });
            return self.count_bytes(database, 0, ENTRY + key.len() + bytes);
        };
        let old = core::mem::replace(&mut entry.value, value);
        entry.used = clock;
        if !keeps_expiry && entry.expires != NEVER {
            one.expires.remove(&(core::mem::replace(&mut entry.expires, NEVER), place));
        }
        self.count_bytes(database, old.bytes(), bytes);
        self.bury(old);
    }

    /// Says when a key that is there expires; `u64::MAX`: never.
    pub fn set_expiry(&mut self, database: usize, key: &[u8], expires: u64) {
        let Some(place) = self.find(database, key) else { return };
        let Some(one) = self.databases.get_mut(database) else { return };
        let Some(entry) = one.entries.at_mut(place) else { return };
        let before = core::mem::replace(&mut entry.expires, expires);
        if before != NEVER {
            one.expires.remove(&(before, place));
        }
        if expires != NEVER {
            one.expires.insert((expires, place));
            self.soonest = self.soonest.min(expires);
        }
    }

    /// Changes the value of a key. One that is not there is made first, if it is said how; one that has no items afterwards is gone.
    /// `None`: there is no such key.
    ///
    /// # Errors
    ///
    /// Those of the change.
    pub fn change<R>(
        &mut self,
        database: usize,
        key: &[u8],
        new: Option<fn(Seed) -> Value>,
        change: impl FnOnce(&mut Value) -> Result<R, Refusal>,
    ) -> Result<Option<R>, Refusal> {
        let place = self.find(database, key);
        let (clock, seed) = (self.clock(), self.seed);
        let Some(one) = self.databases.get_mut(database) else { return Ok(None) };
        let Some((place, entry)) = place.and_then(|place| Some((place, one.entries.at_mut(place)?))) else {
            let Some(new) = new else { return Ok(None) };
            let mut value = new(seed);
            let changed = change(&mut value)?;
            if value.len() > 0 {
                self.set(database, key, value, false);
            }
            return Ok(Some(changed));
        };
        let before = entry.value.bytes();
        let changed = change(&mut entry.value);
        entry.used = clock;
        let (after, is_empty) = (entry.value.bytes(), entry.value.len() == 0);
        self.count_bytes(database, before, after);
        if is_empty {
            self.remove_at(database, place);
        }
        changed.map(Some)
    }

    fn remove_at(&mut self, database: usize, place: Place) -> Option<Entry> {
        let one = self.databases.get_mut(database)?;
        let entry = one.entries.remove(place)?;
        if entry.expires != NEVER {
            one.expires.remove(&(entry.expires, place));
        }
        self.count_bytes(database, Self::bytes_of(&entry), 0);
        Some(entry)
    }

    /// Takes a key out; its value and when it would have expired.
    pub fn take(&mut self, database: usize, key: &[u8]) -> Option<Entry> {
        let place = self.find(database, key)?;
        self.remove_at(database, place)
    }

    /// Removes a key; whether it was there.
    pub fn remove(&mut self, database: usize, key: &[u8]) -> bool {
        let Some(entry) = self.take(database, key) else { return false };
        self.bury(entry.value);
        true
    }

    /// What is gone without anybody's command, and is written down as removed.
    fn drop_at(&mut self, database: usize, place: Place) {
        if let Some(entry) = self.remove_at(database, place) {
            self.log.append(database, [&b"DEL"[..], &entry.key].into_iter());
            self.touch(database, &entry.key);
            self.bury(entry.value);
        }
    }

    fn expire(&mut self, database: usize, place: Place) {
        self.counts.expired += 1;
        self.drop_at(database, place);
    }

    /// Frees a value, in pieces if it is large.
    pub fn bury(&mut self, value: Value) {
        if !value.is_light() {
            self.dead.push_back(Dead::Value(value));
        }
    }

    /// Removes all keys of a database.
    pub fn flush(&mut self, database: usize) {
        let seed = self.seed;
        let version = self.next_version();
        let Some(one) = self.databases.get_mut(database) else { return };
        for (key, watched) in &mut one.watched {
            if one.entries.contains(key) {
                watched.version = version;
            }
        }
        let entries = core::mem::replace(&mut one.entries, Table::new(seed));
        let expires = core::mem::take(&mut one.expires);
        let bytes = one.bytes;
        self.count_bytes(database, bytes, 0);
        self.dead.push_back(Dead::Entries(entries));
        self.dead.push_back(Dead::Expires(expires));
    }

    /// Exchanges two databases. Watched keys of both count as changed.
    pub fn swap(&mut self, first: usize, second: usize) {
        let version = self.next_version();
        if first == second || first.max(second) >= self.databases.len() {
            return;
        }
        self.databases.swap(first, second);
        let [one, other] = [first, second].map(|at| core::mem::take(&mut self.databases[at].watched));
        self.databases[first].watched = other;
        self.databases[second].watched = one;
        for at in [first, second] {
            self.databases[at].watched.values_mut().for_each(|watched| watched.version = version);
        }
    }

    /// A key that is any.
    pub fn any(&mut self, database: usize) -> Option<Bytes> {
        for _ in 0..100 {
            let entries = &self.databases.get(database)?.entries;
            let place = entries.random(&mut self.random)?;
            let entry = entries.at(place)?;
            if !self.is_due(database, entry) {
                return Some(entry.key.clone());
            }
            self.expire(database, place);
        }
        None
    }

    const fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    /// A key was changed: who watches it will see that.
    #[inline]
    pub fn touch(&mut self, database: usize, key: &[u8]) {
        let version = self.version + 1;
        if let Some(one) = self.databases.get_mut(database)
            && !one.watched.is_empty()
            && let Some(watched) = one.watched.get_mut(key)
        {
            watched.version = version;
            self.version = version;
        }
    }

    /// Watches a key; its version.
    pub fn watch(&mut self, database: usize, key: &Bytes) -> u64 {
        self.find(database, key);
        let Some(one) = self.databases.get_mut(database) else { return 0 };
        let watched = one.watched.entry(key.clone()).or_default();
        watched.watchers += 1;
        watched.version
    }

    /// Whether a watched key is as it was. One that has expired is not.
    pub fn is_unchanged(&mut self, database: usize, key: &Bytes, version: u64) -> bool {
        self.find(database, key);
        let watched = self.databases.get(database).and_then(|one| one.watched.get(key));
        watched.is_some_and(|watched| watched.version == version)
    }

    /// Watches a key no more.
    pub fn unwatch(&mut self, database: usize, key: &Bytes) {
        let Some(one) = self.databases.get_mut(database) else { return };
        let Some(watched) = one.watched.get_mut(key) else { return };
        watched.watchers -= 1;
        if watched.watchers == 0 {
            one.watched.remove(key);
        }
    }

    /// Evicts some keys if there is too little memory; whether there is enough then, or will be when more commands have done the same.
    #[inline]
    pub fn make_room(&mut self) -> bool {
        self.config.max_memory == 0 || self.bytes <= self.config.max_memory || self.evict()
    }

    fn evict(&mut self) -> bool {
        for _ in 0..EVICTED_AT_ONCE {
            let Some((database, place)) = self.victim() else { return false };
            self.counts.evicted += 1;
            self.drop_at(database, place);
            if self.bytes <= self.config.max_memory {
                break;
            }
        }
        true
    }

    /// A key to evict.
    fn victim(&mut self) -> Option<(usize, Place)> {
        let policy = self.config.eviction;
        let (clock, random) = (self.clock(), &mut self.random);
        let mut best: Option<(u64, usize, Place)> = None;
        for (database, one) in self.databases.iter().enumerate() {
            // How good it is to evict a key.
            let rate = |place: Place| {
                let entry = one.entries.at(place)?;
                let is_held = self.held.iter().any(|(at, key)| *at == database && *key == entry.key);
                let idle = u64::from(clock.wrapping_sub(entry.used));
                match policy {
                    _ if is_held => None,
                    Eviction::Never => None,
                    Eviction::LeastRecent => Some(idle),
                    Eviction::LeastRecentVolatile => (entry.expires != NEVER).then_some(idle),
                    Eviction::Any | Eviction::AnyVolatile => Some(0),
                    Eviction::Soonest => Some(u64::MAX - entry.expires),
                }
            };
            let mut consider = |place: Place| {
                if let Some(rating) = rate(place)
                    && best.is_none_or(|(other, ..)| rating > other)
                {
                    best = Some((rating, database, place));
                }
            };
            match policy {
                Eviction::Never => return None,
                Eviction::LeastRecent | Eviction::Any => {
                    for _ in 0..self.config.samples {
                        one.entries.random(random).into_iter().for_each(&mut consider);
                    }
                }
                Eviction::LeastRecentVolatile | Eviction::AnyVolatile => {
                    // Those that expire have no places of their own: some of any time, from a random one on.
                    if let (Some(first), Some(last)) = (one.expires.first(), one.expires.last()) {
                        for _ in 0..self.config.samples {
                            let span = last.0 - first.0 + 1;
                            let at = first.0 + random.next() % span;
                            if let Some((_, place)) = one.expires.range((at, Place(0))..).next() {
                                consider(*place);
                            }
                        }
                    }
                }
                Eviction::Soonest => {
                    one.expires.iter().take(self.config.samples).for_each(|(_, place)| consider(*place))
                }
            }
        }
        best.map(|(_, database, place)| (database, place))
    }

    /// A piece of what is to be done some time: frees, expires, evicts. Whether there is more.
    pub fn tidy(&mut self) -> bool {
        self.free_some();
        let is_late = self.expire_some();
        let lacks_room = self.config.max_memory != 0 && self.bytes > self.config.max_memory && self.evict();
        !self.dead.is_empty() || is_late || lacks_room
    }

    /// Whether there is something to be freed.
    pub fn has_untidy(&self) -> bool {
        !self.dead.is_empty()
    }

    fn free_some(&mut self) {
        let Some(dead) = self.dead.front_mut() else { return };
        let is_done = match dead {
            Dead::Value(value) => value.free_some(),
            Dead::Expires(expires) => (0..FREED_AT_ONCE).any(|_| expires.pop_first().is_none()),
            Dead::Entries(entries) => {
                let mut heavy = Vec::new();
                let is_done = (0..FREED_AT_ONCE).any(|_| match entries.pop_slot() {
                    None => true,
                    Some(entry) => {
                        heavy.extend(
                            entry.map(|entry| entry.value).filter(|value| !value.is_light()).map(Dead::Value),
                        );
                        false
                    }
                });
                let is_done = is_done && !entries.free_page();
                // Before the table, whose rest stays.
                let table = self.dead.pop_front();
                self.dead.extend(heavy);
                if !is_done {
                    self.dead.extend(table);
                }
                return;
            }
        };
        if is_done {
            self.dead.pop_front();
        }
    }

    /// Keys that are due now.
    fn expire_some(&mut self) -> bool {
        if self.is_loading || self.soonest > self.now {
            return false;
        }
        for database in 0..self.databases.len() {
            for _ in 0..EXPIRED_AT_ONCE {
                let first = self.databases.get(database).and_then(|one| one.expires.first().copied());
                let Some((at, place)) = first else { break };
                let is_due = at <= self.now
                    && self.databases[database]
                        .entries
                        .at(place)
                        .is_some_and(|entry| self.is_due(database, entry));
                if !is_due {
                    break;
                }
                self.expire(database, place);
            }
        }
        let first = self.databases.iter().filter_map(|one| one.expires.first());
        self.soonest = first.map(|(at, _)| *at).min().unwrap_or(NEVER);
        self.soonest <= self.now && self.held.is_empty()
    }

    /// When there is something to expire, or to look for that: no key expires earlier.
    pub fn next_expiry(&self) -> Option<u64> {
        Some(self.soonest).filter(|at| *at != NEVER)
    }

    /// Keeps a key from expiring while long work has it.
    pub fn hold(&mut self, database: usize, key: Bytes) {
        self.held.push((database, key));
    }
}
