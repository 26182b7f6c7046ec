//! Arguments: `NAME=VALUE`.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use hallows::{Error, Start, log};
use hallows_http_engine::Limits;

/// What the arguments say.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `port=80`: the TCP port.
    pub port: u16,
    /// `root=/site`: which of the directories that it is granted, by the name that the system gives it; without it, the first.
    pub root: Option<String>,
    /// `index=index.html`: what is given of a directory.
    pub index: String,
    /// `list=yes`: what is in a directory without such a file is told.
    pub lists: bool,
    /// `hidden=yes`: names that begin with a dot are files like others.
    pub shows_hidden: bool,
    /// `metrics=/.machine`: where the server tells of itself and of the machine.
    pub metrics: Option<String>,
    /// `log=yes`: each answer is a line of the log.
    pub logs: bool,
    /// `connections=512`: as many at once.
    pub connections: usize,
    /// `idle=60`: seconds that a connection may be without a request.
    pub idle: Duration,
    /// `patience=20`: seconds in which all of a request has to come, and in which a client has to take something of an answer.
    pub patience: Duration,
    /// `cache=8m`: bytes of small files that are kept in memory; 0: none.
    pub cache_bytes: usize,
    /// `fresh=1000`: milliseconds for which a file in memory is taken to be as it was.
    pub fresh: Duration,
    /// `line=8k`, `head=16k`, `body=1m`: what a request may have.
    pub limits: Limits,
}

/// Names of all of them.
const NAMES: [&str; 15] = [
    "port",
    "root",
    "index",
    "list",
    "hidden",
    "metrics",
    "log",
    "connections",
    "idle",
    "patience",
    "cache",
    "fresh",
    "line",
    "head",
    "body",
];

/// A number of bytes, as people write it: `512`, `16k`, `8m`.
struct Bytes(u64);

/// `yes` or `no`.
struct Said(bool);

/// What a value should have been.
struct Expected(&'static str);

impl fmt::Display for Expected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl FromStr for Bytes {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        let (digits, shift) = match text.as_bytes().last() {
            Some(b'k' | b'K') => (text.get(..text.len() - 1), 10),
            Some(b'm' | b'M') => (text.get(..text.len() - 1), 20),
            _ => (Some(text), 0),
        };
        let number = digits.and_then(|digits| digits.parse::<u64>().ok());
        let bytes = number.and_then(|number| number.checked_mul(1 << shift));
        bytes.map(Self).ok_or(Expected("it is a number of bytes, as 512, 16k or 8m"))
    }
}

impl FromStr for Said {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        match text {
            "yes" => Ok(Self(true)),
            "no" => Ok(Self(false)),
            _ => Err(Expected("it is yes or no")),
        }
    }
}

impl Settings {
    /// What the arguments say.
    ///
    /// # Errors
    ///
    /// [`Error::BadArgument`], which the log explains.
    pub fn read(start: &Start<'_>) -> Result<Self, Error> {
        check_names(start)?;
        let usual = Limits::default();
        let bytes = |name, otherwise: u64| start.setting(name, Bytes(otherwise)).map(|bytes| bytes.0);
        let size = |name, otherwise: usize| {
            bytes(name, otherwise as u64).map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
        };
        let said = |name| start.setting(name, Said(false)).map(|said| said.0);
        let settings = Self {
            port: start.setting("port", 80)?,
            root: start.info().setting("root").map(ToString::to_string),
            index: start.setting("index", String::from("index.html"))?,
            lists: said("list")?,
            shows_hidden: said("hidden")?,
            metrics: start.info().setting("metrics").map(ToString::to_string),
            logs: said("log")?,
            connections: start.setting("connections", 512)?,
            idle: Duration::from_secs(start.setting("idle", 60)?),
            patience: Duration::from_secs(start.setting("patience", 20)?),
            cache_bytes: size("cache", 8 << 20)?,
            fresh: Duration::from_millis(start.setting("fresh", 1_000)?),
            limits: Limits {
                line_bytes: size("line", usual.line_bytes)?,
                head_bytes: size("head", usual.head_bytes)?,
                body_bytes: bytes("body", usual.body_bytes)?,
            },
        };
        settings.check()
    }

    fn check(self) -> Result<Self, Error> {
        let problem = if self.connections == 0 {
            "connections=0 would serve nobody"
        } else if self.limits.line_bytes < 16 || self.limits.head_bytes < self.limits.line_bytes {
            "line= is 16 at least, and head= no less than line="
        } else if self.index.is_empty() || self.index.contains('/') {
            "index= is the name of a file, without a /"
        } else if self.metrics.as_ref().is_some_and(|path| !is_plain(path)) {
            "metrics= is a path as it comes to be asked for, /.machine for example: it begins with a / and does not end with one, and has no //, . or .. for a name, % or ?"
        } else {
            return Ok(self);
        };
        log!("{problem}");
        Err(Error::BadArgument)
    }
}

/// Whether a path is as a request's is when it has been read.
fn is_plain(path: &str) -> bool {
    let names = path.strip_prefix('/');
    names.is_some_and(|names| names.split('/').all(|name| !matches!(name, "" | "." | "..")))
        && !path.contains(['%', '?', '#'])
}

/// Whatever is written has a meaning.
fn check_names(start: &Start<'_>) -> Result<(), Error> {
    for argument in start.info().arguments() {
        let name = argument.split_once('=').map_or(argument, |(name, _)| name);
        if !argument.contains('=') || !NAMES.contains(&name) {
            log!("the argument `{argument}` is no setting; there are {}=", NAMES.join("=, "));
            return Err(Error::BadArgument);
        }
    }
    Ok(())
}
