//! How long requests take: distributions and recorded traces, as text.
//!
//! The forms are those of the papers that the results are compared with: `bimodal:0.995:0.5us:500us` is Shinjuku's (NSDI 2019) and Concord's
//! (SOSP 2023) worst case, `exponential:1us` ZygOS's (SOSP 2017), `trimodal` Perséphone's (SOSP 2021).

use std::fmt;
use std::fs;
use std::str::FromStr;

use hallows_lab_work::Operation;
use rand::Rng;
use rand_distr::{Distribution, Exp1};

use crate::LabError;
use crate::key_value::KeyValue;
use hallows_load::duration::{LONGEST_NS, nanoseconds, written};

/// How long requests take.
#[derive(Clone, Debug, PartialEq)]
pub enum Service {
    /// All the same, in ns.
    Constant(u64),
    /// With this mean, in ns.
    Exponential(u64),
    /// A few fixed lengths.
    Modes(Vec<Mode>),
    /// As they were recorded, one after another and from the start again.
    Trace(Trace),
    /// As long as operations on a store take.
    KeyValue(KeyValue),
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// To work for as long as it takes.
    Work,
    /// An operation on a store.
    Store(Operation),
}

/// Requests that all take equally long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mode {
    /// Which part of all requests they are: above 0, all modes together 1.
    pub share: f64,
    /// How long each takes, in ns.
    pub nanoseconds: u64,
}

/// Recorded requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// The file, for reports.
    pub path: String,
    /// From the one before it until it came, and how long it took, in ns; the class.
    pub requests: Vec<Recorded>,
    /// The names of the classes.
    pub classes: Vec<String>,
}

/// A recorded request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Since the one before it came, in ns.
    pub gap_ns: u64,
    /// How long it takes, in ns.
    pub service_ns: u64,
    /// Which class it is of.
    pub class: u8,
}

/// Classes of a trace at most.
const CLASSES: usize = 8;
/// Names of the classes of modes, from the shortest on.
const MODE_NAMES: [&[&str]; 3] = [&["all"], &["short", "long"], &["short", "middle", "long"]];

impl Service {
    /// The names of the classes that results are told apart by; never none.
    #[must_use]
    pub fn classes(&self) -> Vec<&str> {
        match self {
            Self::Constant(_) | Self::Exponential(_) => vec!["all"],
            Self::Modes(modes) => {
                MODE_NAMES.get(modes.len() - 1).map_or_else(Vec::new, |names| names.to_vec())
            }
            Self::Trace(trace) => trace.classes.iter().map(String::as_str).collect(),
            Self::KeyValue(_) => KeyValue::CLASSES.to_vec(),
        }
    }

    /// The mean, in ns.
    #[must_use]
    pub fn mean_ns(&self) -> f64 {
        match self {
            Self::Constant(time) | Self::Exponential(time) => *time as f64,
            Self::Modes(modes) => modes.iter().map(|mode| mode.share * mode.nanoseconds as f64).sum(),
            Self::Trace(trace) => {
                let sum: f64 = trace.requests.iter().map(|request| request.service_ns as f64).sum();
                sum / trace.requests.len() as f64
            }
            Self::KeyValue(mix) => mix.mean_ns(),
        }
    }

    /// What the `number`th request is for, its time, in ns, and its class.
    pub(crate) fn draw(&self, number: usize, random: &mut impl Rng) -> (Asks, u64, u8) {
        let (service_ns, class) = match self {
            Self::KeyValue(mix) => {
                let (operation, service_ns, class) = mix.draw(random);
                return (Asks::Store(operation), service_ns, class);
            }
            Self::Constant(time) => (*time, 0),
            Self::Exponential(mean) => {
                let drawn: f64 = Exp1.sample(random);
                ((drawn * *mean as f64).round().clamp(1.0, LONGEST_NS as f64) as u64, 0)
            }
            Self::Modes(modes) => {
                let mut left: f64 = random.random();
                let last = modes.len() - 1;
                let drawn = modes.iter().enumerate().find(|(class, mode)| {
                    let is_here = left < mode.share || *class == last;
                    left -= mode.share;
                    is_here
                });
                drawn.map_or((1, 0), |(class, mode)| (mode.nanoseconds, class as u8))
            }
            Self::Trace(trace) => {
                let recorded = trace.requests[number % trace.requests.len()];
                (recorded.service_ns, recorded.class)
            }
        };
        (Asks::Work, service_ns, class)
    }
}

/// The forms, for error messages and the manual.
pub const FORMS: &str = "constant:TIME, exponential:MEAN, bimodal:SHARE:TIME:TIME, trimodal:SHARE:SHARE:TIME:TIME:TIME, trace:FILE, kv:SCANS[:keys=NUMBER][:scan=NUMBER]";

impl FromStr for Service {
    type Err = LabError;

    fn from_str(text: &str) -> Result<Self, LabError> {
        let unknown = || LabError::Argument(format!("'{text}' says no times of requests; there are {FORMS}"));
        let (form, rest) = text.split_once(':').ok_or_else(unknown)?;
        if form == "trace" {
            return trace(rest).map(Self::Trace);
        }
        if form == "kv" {
            return KeyValue::parse(rest).map(Self::KeyValue);
        }
        let parts: Vec<&str> = rest.split(':').collect();
        let time = |text: &str| nanoseconds(text).map_err(LabError::Argument);
        match (form, parts.as_slice()) {
            ("constant", [at]) => Ok(Self::Constant(time(at)?)),
            ("exponential", [mean]) => Ok(Self::Exponential(time(mean)?)),
            ("bimodal", [first, short, long]) => modes(&[first], &[time(short)?, time(long)?]),
            ("trimodal", [first, second, short, middle, long]) => {
                modes(&[first, second], &[time(short)?, time(middle)?, time(long)?])
            }
            _ => Err(unknown()),
        }
    }
}

/// Modes of which the last one has what the others leave.
fn modes(shares: &[&str], times: &[u64]) -> Result<Service, LabError> {
    let mut left = 1.0;
    let mut modes = Vec::new();
    for (place, nanoseconds) in times.iter().enumerate() {
        let share = match shares.get(place) {
            None => left,
            Some(text) => text.parse().ok().filter(|share| (0.0..1.0).contains(share)).ok_or_else(|| {
                LabError::Argument(format!("'{text}' is no part of all requests; write for example 0.995"))
            })?,
        };
        left -= share;
        // What is left of 1 may have lost some bits.
        if share <= 1e-12 {
            return Err(LabError::Argument("every length must have some part of the requests: the shares stand before the times, and together they are less than 1".to_owned()));
        }
        if modes.last().is_some_and(|last: &Mode| last.nanoseconds >= *nanoseconds) {
            return Err(LabError::Argument(
                "times of requests are written from the shortest to the longest".to_owned(),
            ));
        }
        modes.push(Mode { share, nanoseconds: *nanoseconds });
    }
    Ok(Service::Modes(modes))
}

/// Reads a trace: a line for each request, with the time that it came and the time that it took, both in ns, and, if wanted, its class. What is
/// behind `#` is not looked at.
fn trace(path: &str) -> Result<Trace, LabError> {
    let wrong = |what: String| LabError::Trace { path: path.to_owned(), what };
    let text = fs::read_to_string(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let (mut requests, mut classes) = (Vec::new(), Vec::<String>::new());
    let mut last = None;
    for (number, line) in text.lines().enumerate() {
        let at = |what: &str| wrong(format!("line {}: {what}", number + 1));
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(came) = words.next() else { continue };
        let form = "must have the time that a request came and the time that it took, in ns, and may have a class behind them";
        let came: u64 = came.parse().map_err(|_| at(form))?;
        let service_ns: u64 = words.next().and_then(|word| word.parse().ok()).ok_or_else(|| at(form))?;
        let class = words.next().unwrap_or("all");
        if words.next().is_some() {
            return Err(at(form));
        }
        if !(1..=LONGEST_NS).contains(&service_ns) {
            return Err(at("a request takes 1 ns at least, 10 s at most"));
        }
        let gap_ns =
            came.checked_sub(last.unwrap_or(came)).ok_or_else(|| at("it came before the one before it"))?;
        last = Some(came);
        let known = classes.iter().position(|name| name == class);
        let class = known.unwrap_or_else(|| {
            classes.push(class.to_owned());
            classes.len() - 1
        });
        if class >= CLASSES {
            return Err(at("there are more than 8 classes"));
        }
        requests.push(Recorded { gap_ns, service_ns, class: class as u8 });
    }
    if requests.iter().map(|request| request.gap_ns).sum::<u64>() == 0 {
        return Err(wrong("needs requests that came at different times".to_owned()));
    }
    Ok(Trace { path: path.to_owned(), requests, classes })
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(time) => write!(formatter, "constant:{}", written(*time)),
            Self::Exponential(mean) => write!(formatter, "exponential:{}", written(*mean)),
            Self::Modes(modes) => {
                formatter.write_str(if modes.len() == 2 { "bimodal" } else { "trimodal" })?;
                for mode in modes.iter().take(modes.len() - 1) {
                    write!(formatter, ":{}", mode.share)?;
                }
                modes.iter().try_for_each(|mode| write!(formatter, ":{}", written(mode.nanoseconds)))
            }
            Self::Trace(trace) => write!(formatter, "trace:{}", trace.path),
            Self::KeyValue(mix) => write!(formatter, "kv:{mix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    fn mean_of_draws(service: &Service) -> f64 {
        let mut random = SmallRng::seed_from_u64(1);
        let draws = 400_000;
        (0..draws).map(|number| service.draw(number, &mut random).1 as f64).sum::<f64>() / draws as f64
    }

    #[test]
    fn each_form_is_read_and_written_as_it_was_and_draws_with_its_mean() {
        for (text, mean) in [
            ("constant:1us", 1_000.0),
            ("exponential:5us", 5_000.0),
            ("bimodal:0.995:500ns:500us", 2_997.5),
            ("bimodal:0.5:600ns:500us", 250_300.0),
            ("trimodal:0.333:0.333:1us:10us:100us", 37_063.0),
            // With nominal times.
            ("kv:0.5:keys=15000:scan=15000", 250_500.0),
            ("kv:0.005:keys=5000:scan=100", 3_495.0),
        ] {
            let service: Service = text.parse().expect(text);
            assert_eq!(service.to_string(), text);
            assert!((service.mean_ns() - mean).abs() < 0.01 * mean, "{text}: {}", service.mean_ns());
            let drawn = mean_of_draws(&service);
            assert!((drawn - mean).abs() < 0.06 * mean, "{text}: {drawn}");
        }
    }

    #[test]
    fn what_is_no_form_is_refused_with_what_there_is() {
        for text in [
            "",
            "constant",
            "constant:",
            "constant:1us:2us",
            "gamma:1us",
            "bimodal:0:1us:2us",
            "bimodal:1:1us:2us",
            "bimodal:nan:1us:2us",
            "bimodal:0.5:2us:1us",
            "trimodal:0.5:0.5:1us:2us:3us",
            "trimodal:0.9:0.2:1us:2us:3us",
            "exponential:0us",
            "kv",
            "kv:2",
        ] {
            assert!(text.parse::<Service>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_trace_is_read_line_by_line_and_says_which_line_is_wrong() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("trace");
        let read = |text: &str| {
            fs::write(&path, text).expect("written");
            format!("trace:{}", path.display()).parse::<Service>()
        };
        let Ok(Service::Trace(trace)) =
            read("# came took class\n10 500 get\n\n30 900 scan # long\n30 500 get\n")
        else {
            panic!("it is a trace");
        };
        assert_eq!(trace.classes, ["get", "scan"]);
        assert_eq!(trace.requests[1], Recorded { gap_ns: 20, service_ns: 900, class: 1 });
        assert_eq!(trace.requests[2], Recorded { gap_ns: 0, service_ns: 500, class: 0 });
        for (text, what) in [
            ("10 5\n9 5\n", "line 2"),
            ("10\n", "line 1"),
            ("x 5\n", "line 1"),
            ("1 0\n", "line 1"),
            ("1 5 a b\n", "line 1"),
            ("", "different times"),
            ("1 5\n1 5\n", "different times"),
        ] {
            let error = read(text).expect_err(text).to_string();
            assert!(error.contains(what), "{error}");
        }
        assert!(
            "trace:/nowhere".parse::<Service>().expect_err("no file").to_string().contains("cannot be read")
        );
    }
}
