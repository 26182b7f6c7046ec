//! Which core each request comes to.

use std::fmt;
use std::str::FromStr;

use rand::Rng;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;

/// How requests are spread over cores, as the queues of a network device spread flows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Skew {
    /// All cores get equally many.
    Even,
    /// The core of rank r gets a part that goes with 1 / r^s (Zipf). Which core has which rank is drawn.
    Zipf(f64),
}

/// The forms, for error messages and the manual.
pub const FORMS: &str = "even, zipf:EXPONENT (0 to 2)";

/// The steepest skew: of 1,024 cores the first then gets 61 % of all.
const STEEPEST: f64 = 2.0;

impl FromStr for Skew {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("'{text}' says no way to spread requests over cores; there are {FORMS}");
        match text.split_once(':') {
            None if text == "even" => Ok(Self::Even),
            Some(("zipf", exponent)) => {
                let exponent: f64 = exponent.parse().map_err(|_| unknown())?;
                if (0.0..=STEEPEST).contains(&exponent) { Ok(Self::Zipf(exponent)) } else { Err(unknown()) }
            }
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for Skew {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Even => formatter.write_str("even"),
            Self::Zipf(exponent) => write!(formatter, "zipf:{exponent}"),
        }
    }
}

impl Skew {
    /// Which part of all requests comes to each core.
    #[must_use]
    pub fn parts(self, cores: u32, seed: u64) -> Vec<f64> {
        let exponent = match self {
            Self::Even => 0.0,
            Self::Zipf(exponent) => exponent,
        };
        let mut weights: Vec<f64> = (1..=cores).map(|rank| f64::from(rank).powf(-exponent)).collect();
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        weights.shuffle(&mut SmallRng::seed_from_u64(seed));
        weights
    }

    /// The core of each of so many requests.
    #[must_use]
    pub fn homes(parts: &[f64], requests: usize, seed: u64) -> Vec<u32> {
        let sums: Vec<f64> = parts
            .iter()
            .scan(0.0, |sum, part| {
                *sum += part;
                Some(*sum)
            })
            .collect();
        let mut random = SmallRng::seed_from_u64(seed);
        let last = parts.len().saturating_sub(1);
        (0..requests)
            .map(|_| {
                let drawn: f64 = random.random();
                sums.partition_point(|sum| *sum <= drawn).min(last) as u32
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skews_are_read_and_written_and_what_is_none_is_refused() {
        for text in ["even", "zipf:0.9", "zipf:0"] {
            assert_eq!(text.parse::<Skew>().map(|skew| skew.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "zipf", "zipf:", "zipf:-1", "zipf:3", "zipf:nan", "even:1"] {
            assert!(text.parse::<Skew>().is_err_and(|error| error.contains("zipf:EXPONENT")), "{text}");
        }
    }

    #[test]
    fn cores_get_the_parts_that_the_law_says() {
        let parts = Skew::Zipf(1.0).parts(4, 3);
        let mut sorted = parts.clone();
        sorted.sort_by(|one, other| other.total_cmp(one));
        // 1 + 1/2 + 1/3 + 1/4 = 25/12.
        for (part, expected) in sorted.iter().zip([12.0 / 25.0, 6.0 / 25.0, 4.0 / 25.0, 3.0 / 25.0]) {
            assert!((part - expected).abs() < 1e-9);
        }
        let homes = Skew::homes(&parts, 200_000, 5);
        for (core, part) in parts.iter().enumerate() {
            let found = homes.iter().filter(|home| **home == core as u32).count() as f64 / 200_000.0;
            assert!((found - part).abs() < 0.01, "{core}: {found}, not {part}");
        }
        assert!(Skew::Even.parts(8, 1).iter().all(|part| (part - 0.125).abs() < 1e-12));
    }
}
