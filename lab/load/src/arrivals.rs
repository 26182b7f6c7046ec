//! How requests are spread over time.

use std::fmt;
use std::str::FromStr;

use rand::Rng;
use rand_distr::{Distribution, Exp1};

/// How requests are spread over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// At random, independent of each other: many clients.
    Poisson,
    /// One as long after another.
    Uniform,
}

impl Arrivals {
    /// The time until the next request, in ns, where it is `mean_ns` on average.
    pub fn gap_ns(self, mean_ns: f64, random: &mut impl Rng) -> f64 {
        match self {
            Self::Uniform => mean_ns,
            Self::Poisson => {
                let drawn: f64 = Exp1.sample(random);
                drawn * mean_ns
            }
        }
    }
}

/// There is no such way to arrive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no way to arrive; there are poisson and uniform")]
pub struct NoSuchArrivals(String);

impl FromStr for Arrivals {
    type Err = NoSuchArrivals;

    fn from_str(text: &str) -> Result<Self, NoSuchArrivals> {
        match text {
            "poisson" => Ok(Self::Poisson),
            "uniform" => Ok(Self::Uniform),
            _ => Err(NoSuchArrivals(text.to_owned())),
        }
    }
}

impl fmt::Display for Arrivals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Poisson => "poisson",
            Self::Uniform => "uniform",
        })
    }
}
