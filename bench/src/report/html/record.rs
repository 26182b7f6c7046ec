//! A line of the JSON report, read.

use serde::Deserialize;

use crate::requirement::{State, Verdict};
use crate::turn::Sampling;

/// What was measured of one bench.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    pub bench: String,
    pub variant: Option<String>,
    pub unit: String,
    pub ours: Option<Contestant>,
    pub ours_p50_cycles: Option<f64>,
    pub rivals: Vec<Rival>,
    pub path: String,
    pub met: bool,
    pub requirements: Vec<Verdict>,
    pub why: Option<String>,
    pub what: String,
    pub sampling: Sampling,
    pub rounds: u32,
    pub cores: String,
    pub clock_cost_ns: f64,
    #[serde(default)]
    pub published: Vec<Published>,
    /// Not in reports of older versions.
    pub environment: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Rival {
    #[serde(flatten)]
    pub contestant: Contestant,
    pub ratio: Option<f64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Contestant {
    pub name: String,
    #[serde(flatten)]
    pub figures: Option<Figures>,
    pub unavailable: Option<String>,
    pub configuration: String,
    pub remark: Option<String>,
    pub cores_used: u32,
}

#[derive(Debug, Deserialize)]
pub(super) struct Figures {
    pub p50: f64,
    pub p99: f64,
    #[serde(rename = "p99.9")]
    pub p99_9: f64,
    pub max: f64,
    pub samples: u64,
    pub p50_spread: [f64; 2],
    /// Shares of the samples, and what they are at most; not in reports of older versions.
    #[serde(default)]
    pub quantiles: Vec<[f64; 2]>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Published {
    pub name: String,
    pub cycles: f64,
    pub what: String,
    pub source: String,
}

impl Line {
    /// `cross-core-call/parked`, or the name alone.
    pub fn title(&self) -> String {
        self.variant
            .as_ref()
            .map_or_else(|| self.bench.clone(), |variant| format!("{}/{variant}", self.bench))
    }

    /// Ours, then the rivals with their ratios.
    pub fn contestants(&self) -> impl Iterator<Item = (&Contestant, Option<f64>)> {
        let rivals = self.rivals.iter().map(|rival| (&rival.contestant, rival.ratio));
        self.ours.iter().map(|ours| (ours, None)).chain(rivals)
    }

    /// The rival with the smallest median.
    pub fn fastest_rival(&self) -> Option<&Rival> {
        let p50 =
            |rival: &&Rival| rival.contestant.figures.as_ref().map_or(f64::INFINITY, |figures| figures.p50);
        self.rivals.iter().min_by(|one, other| p50(one).total_cmp(&p50(other)))
    }

    /// What to say of a bench that is not met.
    pub fn worst(&self) -> State {
        let missed = self.requirements.iter().any(|requirement| requirement.state == State::Missed);
        if missed { State::Missed } else { State::Unverified }
    }

    /// How samples were made.
    pub fn sampling(&self) -> String {
        match self.sampling {
            _ if self.unit != "ns" => "each sample is one count".to_owned(),
            Sampling::Single => format!(
                "each sample is one operation, of which {} ns are the clock's",
                super::figure(self.clock_cost_ns)
            ),
            Sampling::MeanOf(operations) => {
                format!(
                    "each sample is the mean of {operations} operations, so p99 and p99.9 are of such means"
                )
            }
        }
    }
}
