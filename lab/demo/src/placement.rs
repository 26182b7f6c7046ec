//! Which core is whose.

use std::fmt;

use rustix::thread::{CpuSet, sched_getaffinity};

use crate::DemoError;

/// Cores, by Linux's numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Every contender's, one after another: never empty, in order. Of ours the first is the timekeeper's, if there are several.
    pub contenders: Vec<usize>,
    /// The generator's, and that of the tools that measure besides.
    pub generator: usize,
    /// The neighbour's; `None`: there is no neighbour.
    pub neighbour: Option<usize>,
}

/// What a user says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The contenders' cores.
    pub contenders: Option<Vec<usize>>,
    /// The generator's.
    pub generator: Option<usize>,
    /// The neighbour's; `Some(None)`: none.
    pub neighbour: Option<Option<usize>>,
}

impl Placement {
    /// What is asked for, on the cores that this process may use; for the rest: the two highest cores for contenders, the lowest of the others for the
    /// generator, the next for the neighbour. Where there is no other, generator and neighbour are on the lowest of the contenders'.
    ///
    /// # Errors
    /// [`DemoError::Argument`] if a core is not ours to use.
    pub fn of(asked: &Asked) -> Result<Self, DemoError> {
        let set =
            sched_getaffinity(None).map_err(hallows_load::LoadError::system("ask for the allowed cores"))?;
        let allowed: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect();
        Self::among(&allowed, asked)
    }

    fn among(allowed: &[usize], asked: &Asked) -> Result<Self, DemoError> {
        let highest = allowed.get(allowed.len().saturating_sub(2)..).unwrap_or_default();
        let mut contenders = asked.contenders.clone().unwrap_or_else(|| highest.to_vec());
        contenders.sort_unstable();
        contenders.dedup();
        let named = contenders.iter().copied().chain(asked.generator).chain(asked.neighbour.flatten());
        if let Some(foreign) = named.into_iter().find(|core| !allowed.contains(core)) {
            return Err(DemoError::Argument(format!(
                "core {foreign} is not ours to use; this process may use {}",
                list(allowed)
            )));
        }
        let lowest =
            *contenders.first().ok_or_else(|| DemoError::Argument("a contender needs a core".to_owned()))?;
        let mut free = allowed.iter().copied().filter(|core| !contenders.contains(core));
        let generator = asked.generator.or_else(|| free.next()).unwrap_or(lowest);
        let neighbour = asked
            .neighbour
            .unwrap_or_else(|| Some(free.find(|core| *core != generator).unwrap_or(generator)));
        Ok(Self { contenders, generator, neighbour })
    }

    /// Whether the generator runs where contenders do.
    #[must_use]
    pub fn generator_is_shared(&self) -> bool {
        self.contenders.contains(&self.generator)
    }

    /// Whether the neighbour runs where somebody else does. Then it gets only the time that they leave: it is here for memory's bandwidth, and not for cores.
    #[must_use]
    pub fn neighbour_is_shared(&self) -> bool {
        self.neighbour.is_some_and(|core| core == self.generator || self.contenders.contains(&core))
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.contenders.len();
        let plural = if count == 1 { "core" } else { "cores" };
        write!(
            formatter,
            "every contender has {count} {plural} ({}), one contender at a time; ",
            list(&self.contenders)
        )?;
        if self.generator_is_shared() {
            write!(
                formatter,
                "requests come from core {}, which is one of them: this host has no other",
                self.generator
            )?;
        } else {
            write!(formatter, "requests come from core {}, which is none of them", self.generator)?;
        }
        match self.neighbour {
            None => formatter.write_str("; no neighbour"),
            Some(core) if self.neighbour_is_shared() => {
                write!(
                    formatter,
                    "; the neighbour writes through memory on core {core}, in the time that others leave there"
                )
            }
            Some(core) => {
                write!(formatter, "; the neighbour writes through memory on core {core}, which it has alone")
            }
        }
    }
}

/// Cores as Linux writes them: `0,1`.
pub(crate) fn list(cores: &[usize]) -> String {
    cores.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(allowed: &[usize], asked: &Asked) -> (Vec<usize>, usize, Option<usize>) {
        let placement = Placement::among(allowed, asked).expect("possible");
        (placement.contenders, placement.generator, placement.neighbour)
    }

    #[test]
    fn everybody_has_cores_of_his_own_where_there_are_enough() {
        let nothing = Asked::default();
        assert_eq!(placed(&[0, 1, 2, 3], &nothing), (vec![2, 3], 0, Some(1)));
        assert_eq!(placed(&[0, 1, 2], &nothing), (vec![1, 2], 0, Some(0)));
        assert_eq!(placed(&[4, 5], &nothing), (vec![4, 5], 4, Some(4)));
        assert_eq!(placed(&[7], &nothing), (vec![7], 7, Some(7)));
    }

    #[test]
    fn what_is_asked_for_is_done_and_foreign_cores_are_refused() {
        let asked = Asked { contenders: Some(vec![3, 0, 3]), generator: Some(0), neighbour: Some(None) };
        assert_eq!(placed(&[0, 1, 2, 3], &asked), (vec![0, 3], 0, None));
        for bad in [
            Asked { contenders: Some(vec![5]), ..Asked::default() },
            Asked { contenders: Some(vec![]), ..Asked::default() },
            Asked { generator: Some(5), ..Asked::default() },
            Asked { neighbour: Some(Some(5)), ..Asked::default() },
        ] {
            assert!(Placement::among(&[0, 1], &bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn who_shares_a_core_is_said() {
        let said =
            |allowed: &[usize]| Placement::among(allowed, &Asked::default()).expect("possible").to_string();
        let shared = said(&[0, 1]);
        assert!(
            shared.contains("2 cores (0,1)")
                && shared.contains("core 0, which is one of them")
                && shared.contains("that others leave"),
            "{shared}"
        );
        let apart = said(&[0, 1, 2, 3]);
        assert!(
            apart.contains("core 0, which is none of them") && apart.contains("core 1, which it has alone"),
            "{apart}"
        );
    }
}
