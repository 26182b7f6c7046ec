//! The shape of a system description, as serde reads it. What its values mean together is [`super::resolve`]'s.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use hallows_abi::TimeBudget;
use hallows_linux::machine::plan::ClassPlan;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use toml::Spanned;

use super::Problem;

/// In the middle: room above for what must not wait, below for what may.
pub const USUAL_PRIORITY: u8 = 3;
/// Waiting messages: more than a client sends in one go, less than a server falls behind by in a millisecond.
pub const USUAL_QUEUE: u16 = 64;

/// Names and what they stand for, with their places.
pub type Named<T> = BTreeMap<Spanned<String>, T>;

/// A description.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    pub name: Option<String>,
    #[serde(default)]
    pub stop_after: Vec<Spanned<String>>,
    #[serde(default)]
    pub policies: PoliciesTable,
    #[serde(default)]
    pub pools: Named<PoolTable>,
    pub cells: Named<CellTable>,
}

/// `[policies]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoliciesTable {
    pub latency: Option<Spanned<String>>,
    pub batch: Option<Spanned<String>>,
}

/// `[pools.NAME]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolTable {
    pub cores: Spanned<u32>,
    #[serde(default)]
    pub lends: bool,
}

/// `[cells.NAME]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellTable {
    pub program: Spanned<String>,
    #[serde(default)]
    pub native: bool,
    pub memory: Option<Spanned<Bytes>>,
    pub slots: Option<Spanned<u32>>,
    pub class: Option<Spanned<ClassPlan>>,
    pub priority: Option<Spanned<u8>>,
    pub core: Option<u32>,
    pub pool: Option<Spanned<String>>,
    pub time: Option<Spanned<TimeText>>,
    #[serde(default)]
    pub arguments: Vec<Argument>,
    pub dirs: Option<Spanned<Vec<Spanned<String>>>>,
    pub env: Option<Spanned<Vec<Spanned<String>>>>,
    pub stdin: Option<Spanned<StreamName>>,
    pub stdout: Option<Spanned<StreamName>>,
    pub stderr: Option<Spanned<StreamName>>,
    pub stack: Option<Spanned<Bytes>>,
    #[serde(default)]
    pub serves: Named<Spanned<ServiceValue>>,
    #[serde(default)]
    pub uses: Named<Spanned<UseValue>>,
    #[serde(default)]
    pub provides: Vec<Spanned<String>>,
    pub namespace: Option<Spanned<String>>,
    pub restart: Option<Spanned<RestartValue>>,
    pub faults: Option<Spanned<String>>,
}

impl Document {
    /// Reads a text.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Box<Problem>> {
        toml::from_str(text).map_err(|error| {
            // An error without a place is about the whole: something is missing at the top.
            Problem::new(file, text, error.span().unwrap_or(0..0), error.message())
                .help("every key and its values are listed in docs/programs.md")
        })
    }
}

/// A number of bytes: a number, or a text such as `"64K"`, `"1M"`, `"2G"` (powers of 1,024).
#[derive(Clone, Copy, Debug)]
pub struct Bytes(pub u64);

impl Bytes {
    fn from_text(text: &str) -> Option<u64> {
        let (digits, factor) = match text.as_bytes().last()? {
            b'K' => (&text[..text.len() - 1], 1 << 10),
            b'M' => (&text[..text.len() - 1], 1 << 20),
            b'G' => (&text[..text.len() - 1], 1 << 30),
            _ => (text, 1),
        };
        digits.parse::<u64>().ok()?.checked_mul(factor)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BytesVisitor;
        impl Visitor<'_> for BytesVisitor {
            type Value = Bytes;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an amount of memory: a number of bytes, or \"64K\", \"1M\", \"2G\"")
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Bytes, E> {
                u64::try_from(value)
                    .map(Bytes)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<Bytes, E> {
                Bytes::from_text(value)
                    .map(Bytes)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(value), &self))
            }
        }
        deserializer.deserialize_any(BytesVisitor)
    }
}

/// A time budget: a text such as `"200us/1ms"`, the time and the period. Whether it makes sense is not looked at here.
#[derive(Clone, Copy, Debug)]
pub struct TimeText(pub TimeBudget);

impl TimeText {
    fn from_text(text: &str) -> Option<TimeBudget> {
        let (budget, period) = text.split_once('/')?;
        Some(TimeBudget { budget_ns: Self::nanoseconds(budget)?, period_ns: Self::nanoseconds(period)? })
    }

    fn nanoseconds(text: &str) -> Option<u64> {
        let text = text.trim();
        let digits = text.find(|character: char| !character.is_ascii_digit())?;
        let (digits, unit) = text.split_at(digits);
        let factor = match unit.trim_start() {
            "us" | "µs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            _ => return None,
        };
        digits.parse::<u64>().ok()?.checked_mul(factor)
    }
}

impl<'de> Deserialize<'de> for TimeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TimeVisitor;
        impl Visitor<'_> for TimeVisitor {
            type Value = TimeText;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a time and its period in whole us, ms or s, as \"200us/1ms\"")
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<TimeText, E> {
                TimeText::from_text(value)
                    .map(TimeText)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(value), &self))
            }
        }
        deserializer.deserialize_any(TimeVisitor)
    }
}

/// An argument: a text, or a number as its text.
#[derive(Clone, Debug)]
pub struct Argument(pub String);

impl<'de> Deserialize<'de> for Argument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ArgumentVisitor;
        impl Visitor<'_> for ArgumentVisitor {
            type Value = Argument;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an argument: a text or a whole number")
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Argument, E> {
                Ok(Argument(value.to_string()))
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<Argument, E> {
                Ok(Argument(value.to_owned()))
            }
        }
        deserializer.deserialize_any(ArgumentVisitor)
    }
}

/// Where a Unix program's stream goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StreamName {
    Console,
    Null,
}

/// How an endpoint is served: `"passive"`, `"active"`, or a table with more.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct ServiceValue {
    pub kind: ServiceKind,
    pub queue: Option<u16>,
    pub budget_us: Option<u64>,
}

/// On whose time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceKind {
    Passive,
    Active,
}

/// Which endpoint is used: `"CELL.ENDPOINT"`, `"interface:NAME"`, or a table with more.
#[derive(Debug, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct UseValue {
    pub of: Option<String>,
    pub interface: Option<String>,
    pub rights: Option<Vec<RightName>>,
    pub badge: Option<u64>,
}

/// A right that may be granted.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RightName {
    Send,
    Watch,
    Transfer,
}

/// When a cell is restarted: `"never"`, `"on-fault"`, `"always"`, or a table with more.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct RestartValue {
    pub policy: Option<RestartName>,
    pub minimum_run_ms: Option<u64>,
    pub back_off_ms: Option<u64>,
    pub back_off_limit_ms: Option<u64>,
    pub give_up_after: Option<u32>,
    pub missed_deadlines: Option<u32>,
}

/// After which ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartName {
    Never,
    OnFault,
    Always,
}

/// A value that is a text in the simple case and a table in others.
macro_rules! text_or_table {
    ($value:ident, $expecting:literal, $from_text:expr) => {
        impl<'de> Deserialize<'de> for $value {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct ValueVisitor;
                impl<'de> Visitor<'de> for ValueVisitor {
                    type Value = $value;
                    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                        formatter.write_str($expecting)
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$value, E> {
                        let value: Option<$value> = $from_text(text);
                        value.ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
                    }
                    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<$value, M::Error> {
                        $value::deserialize(MapAccessDeserializer::new(map))
                    }
                }
                deserializer.deserialize_any(ValueVisitor)
            }
        }
    };
}

text_or_table!(
    ServiceValue,
    "\"passive\", \"active\", or a table { kind = …, queue = …, budget_us = … }",
    |text| {
        let kind = match text {
            "passive" => ServiceKind::Passive,
            "active" => ServiceKind::Active,
            _ => return None,
        };
        Some(ServiceValue { kind, queue: None, budget_us: None })
    }
);
text_or_table!(
    UseValue,
    "\"CELL.ENDPOINT\", \"interface:NAME\", or a table { of = \"CELL.ENDPOINT\" or interface = \"NAME\", rights = […], badge = … }",
    |text: &str| {
        let (of, interface) = match text.strip_prefix("interface:") {
            Some(interface) => (None, Some(interface.to_owned())),
            None => (Some(text.to_owned()), None),
        };
        Some(UseValue { of, interface, rights: None, badge: None })
    }
);
text_or_table!(
    RestartValue,
    "\"never\", \"on-fault\", \"always\", or a table { policy = …, minimum_run_ms = …, back_off_ms = …, \
     back_off_limit_ms = …, give_up_after = …, missed_deadlines = … }",
    |text| {
        let policy = match text {
            "never" => RestartName::Never,
            "on-fault" => RestartName::OnFault,
            "always" => RestartName::Always,
            _ => return None,
        };
        Some(RestartValue {
            policy: Some(policy),
            minimum_run_ms: None,
            back_off_ms: None,
            back_off_limit_ms: None,
            give_up_after: None,
            missed_deadlines: None,
        })
    }
);
