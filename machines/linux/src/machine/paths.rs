//! Which fast path each service really took, and why not the better one.
//!
//! Problem: a service that falls back to something slower still works, so nobody notices until a tail latency does. Rule: whoever sets a
//! service up reports here which of its known paths it took ([`SERVICES`]), with the reason if there is a better one. Consequence: `hallows
//! paths` shows it, and a machine that was told what it needs ([`Requirement`]) ends before any program runs instead of falling back.
//!
//! A new service is a row in [`SERVICES`] and a call of [`Paths::report`] where it is set up.

use std::fmt;
use std::str::FromStr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::host::cores::{CoreChoice, TimekeeperPlace};
use crate::host::jail::{JailReport, LandlockState};
use crate::host::memory::Locking;
use crate::host::tier::{Outcome, TierReport};
use crate::host::xdp::XdpMode;
use crate::machine::plan::StreamWay;
use crate::services::packets::Way;

/// Exit code of a machine that ends because a service did not take the path that was required.
pub const NOT_TAKEN: u8 = 72;

/// The service that is set up last: the parent claims the cores while the machine boots.
const TIER: &str = "tier";
/// Longer than any claim: some 20 ms of work, and a host that answers slowly.
const LONGEST_CLAIM: Duration = Duration::from_secs(30);

/// Something that a machine does for programs in one of several ways.
#[derive(Debug)]
pub struct Service {
    /// Its name, as in a requirement.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Its paths, the best first.
    pub paths: &'static [Path],
}

/// A way in which a service can work.
#[derive(Debug)]
pub struct Path {
    /// Its name, as in a requirement.
    pub name: &'static str,
    /// How it works.
    pub how: &'static str,
}

const fn path(name: &'static str, how: &'static str) -> Path {
    Path { name, how }
}

/// All services that report, with their paths from the best on.
pub static SERVICES: &[Service] = &[
    Service {
        name: TIER,
        what: "whose the cores are",
        paths: &[
            path("booted", "the boot line took the cores out of Linux's scheduling"),
            path("isolated", "the cores are out of Linux's scheduling while the machine runs"),
            path("shared", "threads are pinned to cores that Linux uses too"),
        ],
    },
    Service {
        name: "timekeeper",
        what: "how quanta, deadlines and timers are kept",
        paths: &[
            path("spinning", "on a core without programs, where it spins while microseconds matter"),
            path("sleeping", "on a core with programs, so it never spins: quanta are 1 ms and more"),
        ],
    },
    Service {
        name: "clock",
        what: "how the time is read",
        paths: &[
            path("counter", "the processor's time-stamp counter, without a call"),
            path("kernel", "a call of Linux for each look"),
        ],
    },
    Service {
        name: "memory",
        what: "whether Linux can take pages back while programs run",
        paths: &[
            path("locked", "all that the machine has is locked"),
            path("programs-locked", "what programs get is locked; the machine's own is not"),
            path("unlocked", "nothing is locked"),
        ],
    },
    Service {
        name: "pages",
        what: "the pages of programs' memories",
        paths: &[path("huge", "2 MiB each"), path("small", "4 KiB each, populated before they are used")],
    },
    Service {
        name: "preemption",
        what: "how a running program is stopped",
        paths: &[path(
            "checks",
            "its compiled code looks at its preemption word; native programs do in every call",
        )],
    },
    Service {
        name: "random",
        what: "where random numbers come from",
        paths: &[path("getrandom", "Linux's generator, by a system call")],
    },
    Service {
        name: "jail",
        what: "what holds code that has broken out of a program's sandbox",
        paths: &[
            path("landlock", "system call filter and all of Landlock that is asked for"),
            path("landlock-partial", "system call filter and the part of Landlock that this kernel has"),
            path("seccomp", "system call filter alone"),
        ],
    },
    Service {
        name: "files",
        what: "how a Unix program's paths are kept below its directories",
        paths: &[
            path("openat2-landlock", "openat2 resolves them, and Landlock stands behind it"),
            path("openat2", "openat2 resolves them, and nothing stands behind it"),
        ],
    },
    Service {
        name: "network",
        what: "how programs' bytes come and go",
        paths: &[
            path(
                "wire",
                "whole frames by memory that another machine of this host shares, without system calls",
            ),
            path(
                "xdp-zero-copy",
                "a card writes frames into memory that the machine shares; TCP/IP is a program's",
            ),
            path(
                "xdp",
                "whole frames of a driver's queue by AF_XDP, which Linux copies once, one system call for each batch that goes",
            ),
            path("xdp-generic", "the same, behind Linux's own work for each frame"),
            path("frames", "whole frames of an interface, by a system call each; TCP/IP is a program's"),
            path("io-uring", "ports of Linux's network, many requests with each system call"),
        ],
    },
    Service { name: "input", what: "where a Unix program's standard input is read", paths: INPUT },
    Service { name: "output", what: "where a Unix program's standard output goes", paths: OUTPUT },
    Service { name: "errors", what: "where a Unix program's standard error goes", paths: OUTPUT },
];

const INPUT: &[Path] = &[
    path("direct", "a thread of the machine reads the descriptor itself"),
    path("carried", "the parent process reads and carries it over a socket"),
];
const OUTPUT: &[Path] = &[
    path("null", "to nowhere, on the program's own thread"),
    path("direct", "a thread of the machine writes to the descriptor itself"),
];

/// The path that a service took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathTaken {
    /// The service.
    pub service: String,
    /// Its path.
    pub path: String,
    /// How that works.
    pub how: String,
    /// The better ones, from the best on; none if this is it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub better: Vec<String>,
    /// Why not a better one, and what to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Where services report what they took.
#[derive(Debug, Default)]
pub struct Paths {
    taken: Mutex<Vec<PathTaken>>,
    /// Something was reported.
    reported: Condvar,
}

/// A service and the least path that it must take: `SERVICE=PATH`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Requirement {
    service: usize,
    path: usize,
}

/// Why a text is no requirement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequirementError {
    /// No equals sign.
    #[error("write SERVICE=PATH, for example tier=isolated")]
    Form,
    /// No such service.
    #[error("there is no service `{name}`; there are {}", names(SERVICES.iter().map(|service| service.name)))]
    Service {
        /// What was asked for.
        name: String,
    },
    /// No such path.
    #[error("`{service}` has no path `{name}`; from the best on it has {}", paths_of(service))]
    Path {
        /// The service.
        service: &'static str,
        /// What was asked for.
        name: String,
    },
}

/// A service that did not take the path that was required.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathsError {
    /// It took a lesser one.
    #[error("{required} is required, and {} takes the path {}: {}", taken.service, taken.path, taken.why.as_deref().unwrap_or("no reason is known"))]
    Lesser {
        /// What was required.
        required: Requirement,
        /// What it took.
        taken: Box<PathTaken>,
    },
    /// The claim of the cores never ended.
    #[error("tier is required, and after 30 s the cores are not claimed yet")]
    NoClaim,
}

fn names(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// The place of a path among those of a service, the best first.
fn place_of(service: &str, path: &str) -> Option<usize> {
    let service = SERVICES.iter().find(|known| known.name == service)?;
    service.paths.iter().position(|known| known.name == path)
}

fn paths_of(service: &str) -> String {
    let service = SERVICES.iter().find(|known| known.name == service);
    names(service.into_iter().flat_map(|service| service.paths).map(|path| path.name))
}

impl FromStr for Requirement {
    type Err = RequirementError;

    fn from_str(text: &str) -> Result<Self, RequirementError> {
        let (service, path) = text.split_once('=').ok_or(RequirementError::Form)?;
        let place = SERVICES.iter().position(|known| known.name == service);
        let place = place.ok_or_else(|| RequirementError::Service { name: service.to_owned() })?;
        let Service { name, paths, .. } = &SERVICES[place];
        let number = paths.iter().position(|known| known.name == path);
        let number = number.ok_or_else(|| RequirementError::Path { service: name, name: path.to_owned() })?;
        Ok(Self { service: place, path: number })
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Service { name, paths, .. } = &SERVICES[self.service];
        write!(formatter, "{name}={}", paths[self.path].name)
    }
}

impl TryFrom<String> for Requirement {
    type Error = RequirementError;

    fn try_from(text: String) -> Result<Self, RequirementError> {
        text.parse()
    }
}

impl From<Requirement> for String {
    fn from(requirement: Requirement) -> Self {
        requirement.to_string()
    }
}

impl Requirement {
    /// Which service it is about.
    #[must_use]
    pub fn service(&self) -> &'static str {
        SERVICES[self.service].name
    }

    /// Whether a path is at least the required one. One of another service is.
    #[must_use]
    pub fn is_met_by(&self, taken: &PathTaken) -> bool {
        let Service { name, paths, .. } = &SERVICES[self.service];
        taken.service != *name || paths[..=self.path].iter().any(|path| path.name == taken.path)
    }
}

impl Paths {
    fn taken(&self) -> MutexGuard<'_, Vec<PathTaken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A service took a path; `why` not a better one. A later report about the same service takes the place of the one before. What
    /// [`SERVICES`] does not know is a defect of who reports, and not shown.
    pub fn report(&self, service: &'static str, path: &'static str, why: Option<String>) {
        let Some(known) = SERVICES.iter().find(|known| known.name == service) else { return };
        let Some(place) = known.paths.iter().position(|known| known.name == path) else { return };
        let row = PathTaken {
            service: service.to_owned(),
            path: path.to_owned(),
            how: known.paths[place].how.to_owned(),
            better: known.paths[..place].iter().map(|path| path.name.to_owned()).collect(),
            why: why.filter(|_| place > 0),
        };
        let mut taken = self.taken();
        taken.retain(|other| other.service != row.service);
        taken.push(row);
        self.reported.notify_all();
    }

    /// What was reported, in the order of [`SERVICES`].
    #[must_use]
    pub fn list(&self) -> Vec<PathTaken> {
        let taken = self.taken();
        let rows = SERVICES.iter().filter_map(|known| taken.iter().find(|row| row.service == known.name));
        rows.cloned().collect()
    }

    /// Whether all that is required is so. A service that this machine does not have does not fall back. Waits for the claim of the cores if a
    /// requirement is about it.
    ///
    /// # Errors
    /// [`PathsError`] with the first service that took a lesser path.
    pub fn check(&self, requirements: &[Requirement]) -> Result<(), PathsError> {
        if requirements.iter().any(|requirement| requirement.service() == TIER) {
            let is_missing = |taken: &mut Vec<PathTaken>| !taken.iter().any(|row| row.service == TIER);
            let waited = self.reported.wait_timeout_while(self.taken(), LONGEST_CLAIM, is_missing);
            if waited.is_ok_and(|(_, result)| result.timed_out()) {
                return Err(PathsError::NoClaim);
            }
        }
        let list = self.list();
        for required in requirements {
            if let Some(taken) = list.iter().find(|taken| !required.is_met_by(taken)) {
                return Err(PathsError::Lesser {
                    required: required.clone(),
                    taken: Box::new(taken.clone()),
                });
            }
        }
        Ok(())
    }

    /// What was given of the host's network, if anything was.
    pub fn report_network<'w>(&self, interfaces: impl Iterator<Item = &'w Way>, has_ports: bool) {
        let of = |way: &Way| match way {
            Way::Xdp { traits, .. } => match traits.mode {
                XdpMode::ZeroCopy => ("xdp-zero-copy", "it is an interface of this host's"),
                XdpMode::Driver => (
                    "xdp",
                    "the interface's driver has no zero copy here (`hallows probe` names those that are known to)",
                ),
                XdpMode::Generic => (
                    "xdp-generic",
                    "the interface's driver runs no programs of XDP itself (`hallows probe` names some that do)",
                ),
            },
            Way::Wire { .. } => ("wire", ""),
            Way::Tap(_) => {
                ("frames", "--net xdp:NAME takes the frames of an interface that is there by AF_XDP")
            }
        };
        let ports = has_ports.then_some((
            "io-uring",
            "TCP/IP is Linux's own where ports of it were given; --net xdp:NAME and tap:NAME give an interface",
        ));
        // Of several, the least.
        let least = interfaces.map(of).chain(ports).max_by_key(|(path, _)| place_of("network", path));
        if let Some((path, why)) = least {
            let wire = "--net wire:NAME gives a wire to another machine of this host";
            self.report("network", path, Some(format!("{why}; {wire}")));
        }
    }

    /// What the choice of cores says of the timekeeper.
    pub fn report_cores(&self, choice: &CoreChoice) {
        match choice.timekeeper {
            TimekeeperPlace::OwnCore => self.report("timekeeper", "spinning", None),
            TimekeeperPlace::WithPrograms => self.report(
                "timekeeper",
                "sleeping",
                Some(format!(
                    "core {} runs programs too; give it a core of its own with --housekeeping, or programs fewer with --cores",
                    choice.timekeeper_core()
                )),
            ),
        }
    }

    /// How the clock is read.
    pub fn report_clock(&self, reads_counter: bool) {
        let why = "the processor's counter does not run at one rate, or Linux does not use it as its own clock source \
                   (/sys/devices/system/clocksource/clocksource0/current_clocksource)";
        let path = if reads_counter { "counter" } else { "kernel" };
        self.report("clock", path, Some(why.to_owned()));
    }

    /// What of the machine's memory is locked; what holds for every machine comes along.
    pub fn report_memory(&self, locking: &Locking) {
        match locking {
            Locking::Everything => self.report("memory", "locked", None),
            Locking::Programs => self.report(
                "memory",
                "programs-locked",
                Some("the limit of lockable memory is finite, so what is mapped later could fail; raise it (`ulimit -l unlimited`) or run as root".to_owned()),
            ),
            Locking::Nothing { outcome } => self.report("memory", "unlocked", reason(outcome)),
        }
        self.report(
            "pages",
            "small",
            Some(
                "programs start by copying a few pages and share single ones; a huge page could do neither"
                    .to_owned(),
            ),
        );
        self.report("preemption", "checks", None);
        self.report("random", "getrandom", None);
    }

    /// What the jail consists of; whether a Unix program has directories.
    pub fn report_jail(&self, jail: &JailReport) {
        let (jailed, files, why) = match &jail.landlock {
            LandlockState::Full { .. } => ("landlock", "openat2-landlock", None),
            LandlockState::Partial { version } => {
                let why = format!(
                    "this kernel has version {version} of Landlock, which knows less; a newer one has it all"
                );
                ("landlock-partial", "openat2-landlock", Some(why))
            }
            LandlockState::Missing { why } => {
                ("seccomp", "openat2", Some(format!("there is no Landlock: {why}")))
            }
        };
        if jail.directories > 0 {
            self.report("files", files, why.clone());
        }
        self.report("jail", jailed, why);
    }

    /// Where the streams of Unix programs go; of several programs, the lesser path.
    pub fn report_streams(&self, programs: impl Iterator<Item = [StreamWay; 3]> + Clone) {
        let all = |stream: usize| programs.clone().filter_map(move |ways| ways.get(stream).copied());
        if programs.clone().next().is_none() {
            return;
        }
        if all(0).any(|way| way != StreamWay::Nowhere) {
            let input = if all(0).any(|way| way == StreamWay::Carried) { "carried" } else { "direct" };
            let why =
                "it is a terminal, which only a process in the foreground may read; redirect it (`< FILE`)";
            self.report("input", input, Some(why.to_owned()));
        }
        for (service, stream) in [("output", 1), ("errors", 2)] {
            let is_nowhere = all(stream).all(|way| way == StreamWay::Nowhere);
            let path = if is_nowhere { "null" } else { "direct" };
            self.report(
                service,
                path,
                Some("only what goes to /dev/null needs no thread of Linux".to_owned()),
            );
        }
    }

    /// How the claim of the cores ended.
    pub fn report_tier(&self, report: &TierReport) {
        use crate::host::tier::Tier;
        let path = match report.tier {
            Tier::Booted => "booted",
            Tier::Isolated => "isolated",
            Tier::Shared => "shared",
        };
        let missing =
            report.steps.iter().find_map(|step| Some(format!("{}: {}", step.name, reason(&step.outcome)?)));
        let otherwise = match report.tier {
            Tier::Isolated => {
                "cores are not given to hallows by the boot line (isolcpus=, nohz_full=); see `hallows probe`"
            }
            Tier::Booted | Tier::Shared => "no better one was asked for; --tier best takes what it can",
        };
        self.report(TIER, path, Some(missing.unwrap_or_else(|| otherwise.to_owned())));
    }
}

/// Why a step is missing, and what would change that.
fn reason(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Missing { why, remedy } => Some(format!("{why}; {remedy}")),
        Outcome::Done { .. } | Outcome::NotNeeded { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn required(text: &str) -> Requirement {
        text.parse().expect("a requirement")
    }

    #[test]
    fn every_requirement_is_said_as_it_is_read_and_unknown_ones_name_what_there_is() {
        for service in SERVICES {
            for path in service.paths {
                let text = format!("{}={}", service.name, path.name);
                assert_eq!(required(&text).to_string(), text);
                let json = serde_json::to_string(&required(&text)).expect("a string");
                assert_eq!(serde_json::from_str::<Requirement>(&json).expect("the same"), required(&text));
            }
        }
        assert_eq!("tier".parse::<Requirement>(), Err(RequirementError::Form));
        let error = "teir=shared".parse::<Requirement>().expect_err("unknown").to_string();
        assert!(error.contains("tier, timekeeper, clock"), "{error}");
        let error = "tier=best".parse::<Requirement>().expect_err("unknown").to_string();
        assert!(error.contains("booted, isolated, shared"), "{error}");
    }

    #[test]
    fn a_better_path_than_the_required_one_is_enough_and_a_lesser_one_is_not() {
        let paths = Paths::default();
        paths.report("tier", "isolated", Some("no isolcpus".to_owned()));
        paths.check(&[required("tier=isolated"), required("tier=shared")]).expect("is met");
        let error = paths.check(&[required("tier=booted")]).expect_err("is lesser").to_string();
        assert_eq!(error, "tier=booted is required, and tier takes the path isolated: no isolcpus");
        // This machine has no files that could fall back.
        paths.check(&[required("files=openat2-landlock")]).expect("is not there");
    }

    #[test]
    fn rows_name_the_better_paths_and_a_reason_only_where_there_is_one() {
        let paths = Paths::default();
        paths.report_clock(true);
        paths.report_memory(&Locking::Programs);
        paths.report_streams(std::iter::once([StreamWay::Carried, StreamWay::Nowhere, StreamWay::Direct]));
        paths.report("nothing", "known", None);
        let rows = paths.list();
        let row = |name: &str| rows.iter().find(|row| row.service == name).expect("was reported");
        assert_eq!((row("clock").path.as_str(), &row("clock").why), ("counter", &None));
        assert_eq!(row("memory").better, ["locked"]);
        assert!(row("memory").why.as_ref().is_some_and(|why| why.contains("ulimit -l")));
        assert_eq!(
            [&row("input").path, &row("output").path, &row("errors").path],
            ["carried", "null", "direct"]
        );
        assert!(rows.iter().all(|row| row.better.is_empty() == row.why.is_none()));
    }

    #[test]
    fn who_requires_a_wire_and_has_none_is_told_how_to_have_one() {
        let paths = Paths::default();
        paths.report_network(std::iter::empty(), true);
        let error = paths.check(&[required("network=wire")]).expect_err("is lesser").to_string();
        assert!(
            error.starts_with("network=wire is required, and network takes the path io-uring: "),
            "{error}"
        );
        assert!(error.contains("--net wire:NAME"), "{error}");
        paths.check(&[required("network=io-uring")]).expect("is met");
    }

    #[test]
    fn a_later_report_takes_the_place_of_the_one_before() {
        let paths = Paths::default();
        paths.report_clock(false);
        paths.report_clock(true);
        assert_eq!(paths.list().len(), 1);
        assert_eq!(paths.list()[0].path, "counter");
    }

    #[test]
    fn a_requirement_of_the_tier_waits_for_the_claim() {
        let paths = Paths::default();
        std::thread::scope(|scope| {
            let checked = scope.spawn(|| paths.check(&[required("tier=shared")]));
            paths.report("tier", "shared", None);
            assert_eq!(checked.join().expect("no panic"), Ok(()));
        });
    }
}
