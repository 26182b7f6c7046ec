//! What is wanted of a cell, and its text: one argument of the supervisor's start information for each cell. A pure pair.
//!
//! `NAME restart=on-fault minimum_run_ms=100 back_off_ms=10 back_off_limit_ms=1000 give_up_after=5 missed_deadlines=0 dependents=0 awaited`, without
//! what is as it usually is.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;
use core::time::Duration;

/// Which ends are followed by a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// None.
    Never,
    /// Those that are a failure: a fault, or an exit with another status than 0.
    OnFault,
    /// All, also a return, an exit and a kill.
    Always,
}

impl Restart {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Never, Self::OnFault, Self::Always];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::OnFault => "on-fault",
            Self::Always => "always",
        }
    }
}

/// How a cell is kept alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Which ends are followed by a restart.
    pub restart: Restart,
    /// A life that lasted so long was a success: the next one begins at once, and earlier failures are forgotten.
    pub minimum_run: Duration,
    /// The pause after a shorter life; it doubles with each further one in a row.
    pub back_off: Duration,
    /// The longest pause.
    pub back_off_limit: Duration,
    /// After so many short lives in a row it stays down; 0: never.
    pub give_up_after: u32,
    /// When it has missed so many deadlines in one life it is ended and begins anew; 0: never.
    pub missed_deadlines: u32,
}

impl Policy {
    /// For who has no wishes.
    pub const USUAL: Self = Self {
        // A program that did its work, or was told to end, has no reason to run again.
        restart: Restart::OnFault,
        // Far longer than a start takes, far shorter than what a user would call "it ran".
        minimum_run: Duration::from_millis(100),
        // A crash in the first message is restarted before its client has lost patience …
        back_off: Duration::from_millis(10),
        // … and one that needs somebody else to come back is tried every second.
        back_off_limit: Duration::from_secs(1),
        // 10 + 20 + 40 + 80 ms: long enough for a neighbour's restart.
        give_up_after: 5,
        // To miss one is nothing that a new life would mend, if nobody says so.
        missed_deadlines: 0,
    };
}

/// A cell under supervision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ward {
    /// Its name: its capability is granted as `cell.NAME`.
    pub name: String,
    /// How it is kept alive.
    pub policy: Policy,
    /// How many are told when it stays down: their notifications are granted as `gone.NAME.0`, `gone.NAME.1`, ….
    pub dependents: u32,
    /// Whether the system is there for its sake: when all such cells are over for good, the supervisor ends.
    pub awaited: bool,
}

/// Why a text is no [`Ward`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// The word that could not be read.
    pub word: String,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "cannot read `{}`; a ward is a name, then any of restart=never|on-fault|always, minimum_run_ms=N, \
             back_off_ms=N, back_off_limit_ms=N, give_up_after=N, missed_deadlines=N, dependents=N, awaited",
            self.word
        )
    }
}

impl core::error::Error for PolicyError {}

impl Ward {
    /// A cell with the usual policy.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_string(), policy: Policy::USUAL, dependents: 0, awaited: false }
    }
}

impl fmt::Display for Ward {
    /// Its text. Durations are cut to milliseconds, and to what 64 bits hold.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (policy, usual) = (&self.policy, &Policy::USUAL);
        formatter.write_str(&self.name)?;
        if policy.restart != usual.restart {
            write!(formatter, " restart={}", policy.restart.name())?;
        }
        for (key, value, usual) in [
            ("minimum_run_ms", policy.minimum_run, usual.minimum_run),
            ("back_off_ms", policy.back_off, usual.back_off),
            ("back_off_limit_ms", policy.back_off_limit, usual.back_off_limit),
        ] {
            if value != usual {
                write!(formatter, " {key}={}", u64::try_from(value.as_millis()).unwrap_or(u64::MAX))?;
            }
        }
        if policy.give_up_after != usual.give_up_after {
            write!(formatter, " give_up_after={}", policy.give_up_after)?;
        }
        if policy.missed_deadlines != usual.missed_deadlines {
            write!(formatter, " missed_deadlines={}", policy.missed_deadlines)?;
        }
        if self.dependents != 0 {
            write!(formatter, " dependents={}", self.dependents)?;
        }
        if self.awaited {
            formatter.write_str(" awaited")?;
        }
        Ok(())
    }
}

impl FromStr for Ward {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let mut words = text.split(' ');
        let bad = |word: &str| PolicyError { word: word.to_string() };
        let name = words.next().filter(|name| !name.is_empty()).ok_or_else(|| bad(text))?;
        let mut ward = Self::new(name);
        for word in words {
            if word == "awaited" {
                ward.awaited = true;
                continue;
            }
            let (key, value) = word.split_once('=').ok_or_else(|| bad(word))?;
            let number = || value.parse::<u64>().map_err(|_| bad(word));
            let small = || value.parse::<u32>().map_err(|_| bad(word));
            match key {
                "restart" => {
                    let named = Restart::ALL.into_iter().find(|restart| restart.name() == value);
                    ward.policy.restart = named.ok_or_else(|| bad(word))?;
                }
                "minimum_run_ms" => ward.policy.minimum_run = Duration::from_millis(number()?),
                "back_off_ms" => ward.policy.back_off = Duration::from_millis(number()?),
                "back_off_limit_ms" => ward.policy.back_off_limit = Duration::from_millis(number()?),
                "give_up_after" => ward.policy.give_up_after = small()?,
                "missed_deadlines" => ward.policy.missed_deadlines = small()?,
                "dependents" => ward.dependents = small()?,
                _ => return Err(bad(word)),
            }
        }
        Ok(ward)
    }
}

#[cfg(test)]
mod tests {
    use std::prelude::v1::*;

    use proptest::prelude::*;

    use super::{Policy, Restart, Ward};
    use core::time::Duration;

    fn duration() -> impl Strategy<Value = Duration> {
        prop_oneof![any::<u64>(), 0..2_000_u64].prop_map(Duration::from_millis)
    }

    prop_compose! {
        fn ward()(
            name in "[a-z0-9_.-]{1,12}",
            restart in prop::sample::select(Restart::ALL.to_vec()),
            minimum_run in duration(),
            back_off in duration(),
            back_off_limit in duration(),
            give_up_after: u32,
            missed_deadlines: u32,
            dependents: u32,
            awaited: bool,
        ) -> Ward {
            let policy =
                Policy { restart, minimum_run, back_off, back_off_limit, give_up_after, missed_deadlines };
            Ward { name, policy, dependents, awaited }
        }
    }

    proptest! {
        #[test]
        fn a_ward_survives_its_text(ward in ward()) {
            prop_assert_eq!(ward.to_string().parse::<Ward>(), Ok(ward));
        }

        #[test]
        fn any_text_is_a_ward_or_an_error_that_names_a_word_of_it(text in "[a-z_= 0-9-]{0,40}") {
            if let Err(error) = text.parse::<Ward>() {
                prop_assert!(text.contains(&error.word));
            }
        }
    }

    #[test]
    fn what_is_usual_is_not_said() {
        assert_eq!(Ward::new("calculator").to_string(), "calculator");
        assert_eq!("calculator".parse(), Ok(Ward::new("calculator")));
    }

    #[test]
    fn a_word_that_means_nothing_is_named() {
        let word = |text: &str| text.parse::<Ward>().expect_err("is none").word;
        assert_eq!(word("calculator restart=sometimes"), "restart=sometimes");
        assert_eq!(word("calculator back_off_ms=-1"), "back_off_ms=-1");
        assert_eq!(word("calculator often"), "often");
    }
}
