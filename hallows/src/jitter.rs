//! `hallows bench jitter`: goes through tiers, ways and neighbours, and has ours and the rivals take turns in each.
//!
//! Ours is a machine that this command boots as a user would, at each tier, so that what it does to the host is what it does to it, and it puts the host back itself.
//! Rivals run where its programs would: on the same core, which is taken from Linux in the same way and given back behind each turn ([`guest`]).

mod child;
mod guest;
mod machine;
pub mod stops;

use hallows_bench::contestant::Description;
use hallows_bench::cores::Priority;
use hallows_bench::jitter::antagonist;
use hallows_bench::jitter::case::{Beside, Case, How, Row, Title, Turn};
use hallows_bench::{Core, Cores};
use hallows_linux::host::core_set::{CoreId, CoreSet};
use hallows_linux::host::cores::{CoreChoice, Topology};
use hallows_linux::host::tier::{TierLimit, TierReport};

use self::guest::{Ground, Guest};
use self::machine::Ours;
use self::stops::Stops;
use crate::cli::{DEFAULT_MEMORY, DEFAULT_QUANTUM_US, MachineOptions};
use crate::commands::run::choose_cores;
use crate::failure::{Failure, SOFTWARE, USAGE};

/// Turns of each in a case: the smallest number that has a spread.
const ROUNDS: u32 = 2;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Names of cases; each case that one of them means is measured.
    pub names: Vec<String>,
    /// Linux's core first, then the one that is measured on, then the antagonist's, if that is to have one of its own.
    pub cores: Cores,
    /// How long each measures in each case, in all its turns, in seconds.
    pub seconds: f64,
    /// The period, in microseconds.
    pub period_us: u64,
}

/// One turn of somebody.
#[derive(Clone, Copy, Debug)]
struct Assignment<'a> {
    place: &'a Place,
    limit: TierLimit,
    how: How,
    period_us: u64,
    /// Periods in this turn.
    count: u64,
}

impl Assignment<'_> {
    /// Whether rivals are put on the core by us: in a cpuset, where they cannot name another one.
    fn is_lent(&self) -> bool {
        self.place.tier(self.limit) == "isolated"
    }
}

/// Where everybody runs.
#[derive(Debug)]
struct Place {
    core: Core,
    other_core: Core,
    antagonist: Core,
    topology: Topology,
    choice: CoreChoice,
}

/// Why a turn has no figures.
#[derive(Debug)]
enum TurnError {
    /// A signal wants this command to end.
    Stopped(i32),
    /// Something else, in words.
    Wrong(String),
}

impl TurnError {
    fn wrong(what: impl std::fmt::Display) -> Self {
        Self::Wrong(what.to_string())
    }
}

/// Somebody who takes turns.
trait Contender {
    fn describe(&self, assignment: &Assignment<'_>) -> Description;

    /// A turn, and the tier that it was made at.
    fn turn(&mut self, assignment: &Assignment<'_>) -> Result<(Turn, TierReport), TurnError>;
}

/// Measures all cases that are meant, and hands each to `tell`. Whether ours reached what it must in all of them.
///
/// # Errors
/// When the cores cannot be had, a signal wants an end (its code is 128 and the signal's number), or `tell` fails.
pub fn measure_cases(
    asked: &Asked,
    tell: &mut dyn FnMut(&Case) -> Result<(), Failure>,
) -> Result<bool, Failure> {
    let place = Place::choose(&asked.cores)?;
    let stops = Stops::take().map_err(|error| Failure::other(SOFTWARE, error))?;
    let ground = Ground::find()?;
    let mut all_met = true;
    for limit in [TierLimit::SharedOnly, TierLimit::Best] {
        // Of a tier that this host does not have, it is said why, and nothing more is tried.
        let mut unavailable = None;
        for (how, beside) in How::ALL.into_iter().flat_map(|how| Beside::ALL.map(|beside| (how, beside))) {
            let title = Title { tier: place.tier(limit).to_owned(), how, beside };
            if !asked.names.iter().any(|name| title.is_meant(name)) {
                continue;
            }
            let count = (asked.seconds * 1e6 / f64::from(ROUNDS) / asked.period_us as f64).ceil() as u64;
            let assignment =
                Assignment { place: &place, limit, how, period_us: asked.period_us, count: count.max(1) };
            let mut case = place.case(title, asked.period_us);
            measure(&mut case, &assignment, &stops, &ground, &mut unavailable)?;
            all_met &= case.is_met();
            tell(&case)?;
        }
    }
    Ok(all_met)
}

impl Place {
    fn choose(cores: &Cores) -> Result<Self, Failure> {
        let refused = |error| Failure::other(USAGE, error);
        let (other_core, core) = (cores.first(), cores.second().map_err(refused)?);
        let of = |core: Core| u16::try_from(core.0).map(|core| CoreSet::from(CoreId(core)));
        let of = |core| of(core).map_err(|error| Failure::other(USAGE, error));
        let topology = Topology::read().map_err(|error| Failure::other(SOFTWARE, error))?;
        let options = MachineOptions {
            cores: Some(of(core)?),
            housekeeping: Some(of(other_core)?),
            memory: DEFAULT_MEMORY,
            tier: None,
            quantum_us: DEFAULT_QUANTUM_US,
        };
        let choice = choose_cores(&options, &topology)?;
        let antagonist = cores.all().get(2).copied().unwrap_or(other_core);
        Ok(Self { core, other_core, antagonist, topology, choice })
    }

    /// The tier that a limit is there for.
    fn tier(&self, limit: TierLimit) -> &'static str {
        match limit {
            TierLimit::SharedOnly => "shared",
            TierLimit::Best if self.choice.programs.is_subset(&self.topology.isolated) => "booted",
            TierLimit::Best => "isolated",
        }
    }

    fn case(&self, title: Title, period_us: u64) -> Case {
        Case {
            antagonist: (title.beside == Beside::Antagonist).then_some(self.antagonist),
            title,
            period_ns: period_us * 1_000,
            core: self.core,
            other_core: self.other_core,
            tier: Vec::new(),
            rounds: ROUNDS,
            rows: Vec::new(),
        }
    }
}

/// Fills a case: everybody's turns, there and back.
fn measure(
    case: &mut Case,
    assignment: &Assignment<'_>,
    stops: &Stops,
    ground: &Ground,
    unavailable: &mut Option<String>,
) -> Result<(), Failure> {
    let guest = |kind| Box::new(Guest { kind, ground, stops }) as Box<dyn Contender>;
    let mut contenders: Vec<Box<dyn Contender + '_>> = vec![Box::new(Ours { stops })];
    match assignment.how {
        How::Sleeping => contenders.push(guest(guest::Kind::Cyclictest)),
        How::Spinning => contenders.extend([guest::Kind::LinuxThread, guest::Kind::Oslat].map(guest)),
    }
    let mut rows: Vec<Row> = contenders
        .iter()
        .map(|one| Row { description: one.describe(assignment), turns: Ok(Vec::new()) })
        .collect();
    for round in 0..ROUNDS {
        let order: Vec<usize> = match round % 2 {
            0 => (0..rows.len()).collect(),
            _ => (0..rows.len()).rev().collect(),
        };
        for number in order {
            let row = &mut rows[number];
            if let Some(why) = unavailable {
                row.turns = Err(why.clone());
            }
            let Ok(turns) = &mut row.turns else { continue };
            stops::show(&case.title.to_string(), &row.description.name, round + 1, ROUNDS);
            let turn = antagonist::beside(case.antagonist, Priority::Ordinary, || {
                contenders[number].turn(assignment)
            })
            .unwrap_or_else(|error| Err(TurnError::wrong(error)));
            stops::hide();
            match turn {
                Ok((turn, tier)) => match wrong_tier(case, &tier) {
                    None => {
                        if number == 0 {
                            case.tier = tier.lines();
                        }
                        turns.push(turn);
                    }
                    Some(why) => {
                        row.turns = Err(why.clone());
                        if number == 0 {
                            *unavailable = Some(why);
                        }
                    }
                },
                Err(TurnError::Wrong(why)) => row.turns = Err(why),
                Err(TurnError::Stopped(signal)) => return Err(stops::ended_by(signal)),
            }
        }
    }
    case.rows = rows;
    Ok(())
}

/// Why a turn at this tier is none of the case's; `None` if it is one.
fn wrong_tier(case: &Case, reached: &TierReport) -> Option<String> {
    let is_asked = case.title.tier == "shared" || case.title.tier == reached.tier.to_string();
    (!is_asked).then(|| {
        format!("not verified: this host gives no tier {}: {}", case.title.tier, reached.lines().join("; "))
    })
}
