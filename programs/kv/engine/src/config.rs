//! Settings, by redis' names.

use alloc::format;
use alloc::string::{String, ToString};

use crate::number::integer;

/// What is evicted when there is no memory left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Eviction {
    /// Nothing: commands that need memory are refused.
    #[default]
    Never,
    /// Of some keys the one that was not used for the longest time.
    LeastRecent,
    /// The same, of keys that expire.
    LeastRecentVolatile,
    /// Any key.
    Any,
    /// Any key that expires.
    AnyVolatile,
    /// The key that expires next.
    Soonest,
}

/// When changes are on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sync {
    /// Before they are acknowledged.
    Always,
    /// At most a second later, or as long as the disk takes.
    #[default]
    EverySecond,
    /// When the host writes them there.
    Never,
}

/// The settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// TCP port.
    pub port: u16,
    /// How many databases there are.
    pub databases: usize,
    /// Bytes of memory that keys and values may take; 0: as many as there are.
    pub max_memory: usize,
    /// What happens then.
    pub eviction: Eviction,
    /// Keys that are looked at to find one to evict.
    pub samples: usize,
    /// The longest string, in bytes.
    pub longest: usize,
    /// How many clients there may be.
    pub max_clients: usize,
    /// Seconds after which a client that says nothing is closed; 0: never.
    pub timeout: u64,
    /// Whether changes are written to a file.
    pub append_only: bool,
    /// When they are on the disk.
    pub sync: Sync,
    /// The file's name.
    pub append_file: String,
    /// By how much the file grows, in percent, before it is rewritten; 0: only who asks for that.
    pub rewrite_percent: u64,
    /// And how many bytes it has then at least.
    pub rewrite_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 6379,
            databases: 16,
            max_memory: 0,
            eviction: Eviction::default(),
            samples: 5,
            longest: 512 << 20,
            max_clients: 10_000,
            timeout: 0,
            append_only: false,
            sync: Sync::default(),
            append_file: "appendonly.aof".to_string(),
            rewrite_percent: 100,
            rewrite_bytes: 64 << 20,
        }
    }
}

const EVICTIONS: [(&str, Eviction); 6] = [
    ("noeviction", Eviction::Never),
    ("allkeys-lru", Eviction::LeastRecent),
    ("volatile-lru", Eviction::LeastRecentVolatile),
    ("allkeys-random", Eviction::Any),
    ("volatile-random", Eviction::AnyVolatile),
    ("volatile-ttl", Eviction::Soonest),
];
const SYNCS: [(&str, Sync); 3] =
    [("always", Sync::Always), ("everysec", Sync::EverySecond), ("no", Sync::Never)];

/// Names of settings, and whether they can be changed while the server runs.
pub const NAMES: [(&str, bool); 24] = [
    ("appendfilename", false),
    ("appendfsync", true),
    ("appendonly", false),
    ("auto-aof-rewrite-min-size", true),
    ("auto-aof-rewrite-percentage", true),
    ("bind", false),
    ("databases", false),
    ("dir", false),
    ("hash-max-listpack-entries", false),
    ("hash-max-listpack-value", false),
    ("lfu-decay-time", false),
    ("lfu-log-factor", false),
    ("maxclients", true),
    ("maxmemory", true),
    ("maxmemory-policy", true),
    ("maxmemory-samples", true),
    ("port", false),
    ("proto-max-bulk-len", true),
    ("save", true),
    ("set-max-intset-entries", false),
    ("slowlog-log-slower-than", false),
    ("tcp-backlog", false),
    ("timeout", true),
    ("zset-max-listpack-entries", false),
];

/// Bytes, with redis' units: `1k` is 1,000, `1kb` 1,024.
pub fn memory(text: &str) -> Option<usize> {
    let digits = text.len() - text.trim_start_matches(|character: char| character.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1_000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    usize::try_from(number.checked_mul(factor)?).ok()
}

fn name_of<T: PartialEq>(names: &[(&'static str, T)], value: &T) -> &'static str {
    names.iter().find(|(_, one)| one == value).map_or("", |(name, _)| name)
}

impl Config {
    /// The name of what is evicted.
    pub fn policy(&self) -> &'static str {
        name_of(&EVICTIONS, &self.eviction)
    }

    /// What a setting is.
    pub fn get(&self, name: &str) -> Option<String> {
        Some(match name {
            "appendfilename" => self.append_file.clone(),
            "appendfsync" => name_of(&SYNCS, &self.sync).to_string(),
            "appendonly" => if self.append_only { "yes" } else { "no" }.to_string(),
            "auto-aof-rewrite-min-size" => self.rewrite_bytes.to_string(),
            "auto-aof-rewrite-percentage" => self.rewrite_percent.to_string(),
            "bind" => "*".to_string(),
            "databases" => self.databases.to_string(),
            "dir" => "/".to_string(),
            "hash-max-listpack-entries" | "zset-max-listpack-entries" => "128".to_string(),
            "hash-max-listpack-value" => "64".to_string(),
            "lfu-decay-time" => "1".to_string(),
            "lfu-log-factor" => "10".to_string(),
            "maxclients" => self.max_clients.to_string(),
            "maxmemory" => self.max_memory.to_string(),
            "maxmemory-policy" => self.policy().to_string(),
            "maxmemory-samples" => self.samples.to_string(),
            "port" => self.port.to_string(),
            "proto-max-bulk-len" => self.longest.to_string(),
            // There are no snapshots.
            "save" => String::new(),
            "set-max-intset-entries" => "512".to_string(),
            "slowlog-log-slower-than" => "-1".to_string(),
            "tcp-backlog" => "64".to_string(),
            "timeout" => self.timeout.to_string(),
            _ => return None,
        })
    }

    /// Changes a setting.
    ///
    /// # Errors
    ///
    /// Why it cannot be that.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let number = |least: i64, most: i64| {
            let number = integer(value.as_bytes()).filter(|number| (least..=most).contains(number));
            number.ok_or_else(|| format!("argument must be between {least} and {most} inclusive"))
        };
        let bytes = || memory(value).ok_or_else(|| "argument must be a memory value".to_string());
        let unsigned = |number: i64| usize::try_from(number).unwrap_or_default();
        match name {
            "appendfilename" => {
                let is_name =
                    !value.is_empty() && !value.contains(['/', '\0']) && value != "." && value != "..";
                self.append_file = is_name
                    .then(|| value.to_string())
                    .ok_or("appendfilename can't be a path, just a filename")?;
            }
            "appendfsync" => {
                let known = SYNCS.iter().find(|(name, _)| name.eq_ignore_ascii_case(value));
                self.sync = known.ok_or("argument(s) must be one of the following: everysec, always, no")?.1;
            }
            "appendonly" => {
                self.append_only = match value.to_ascii_lowercase().as_str() {
                    "yes" => true,
                    "no" => false,
                    _ => return Err("argument must be 'yes' or 'no'".to_string()),
                };
            }
            "auto-aof-rewrite-min-size" => self.rewrite_bytes = bytes()? as u64,
            "auto-aof-rewrite-percentage" => {
                self.rewrite_percent = number(0, i64::from(i32::MAX))?.unsigned_abs();
            }
            "databases" => self.databases = unsigned(number(1, 1 << 16)?),
            "maxclients" => self.max_clients = unsigned(number(1, i64::from(u32::MAX))?),
            "maxmemory" => self.max_memory = bytes()?,
            "maxmemory-policy" => {
                let known = EVICTIONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(value));
                let all = EVICTIONS.map(|(name, _)| name).join(", ");
                self.eviction =
                    known.ok_or_else(|| format!("argument(s) must be one of the following: {all}"))?.1;
            }
            "maxmemory-samples" => self.samples = unsigned(number(1, 64)?),
            "port" => self.port = u16::try_from(number(1, 65_535)?).unwrap_or(self.port),
            "proto-max-bulk-len" => self.longest = bytes()?.clamp(1 << 20, i32::MAX as usize),
            "save" if value.is_empty() => {}
            "save" => return Err("there are no snapshots: use appendonly".to_string()),
            "timeout" => self.timeout = number(0, i64::from(i32::MAX))?.unsigned_abs(),
            _ => return Err("unknown setting".to_string()),
        }
        Ok(())
    }
}
