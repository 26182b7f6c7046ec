//! What a policy looks at: the functions that its module imports, and the values that they have for one thread.

use hallows_kernel::Candidate;
use serde::{Deserialize, Serialize};
use wasmparser::ValType;

/// What a policy can look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// Whose thread it is.
    Cell,
    /// Whether it was woken or started (1), and not preempted (0).
    IsFresh,
    /// How long it has said that its work takes, in ns; 0 if it has not.
    ExpectedNs,
    /// How long its work was seen to run, in ns.
    RanNs,
    /// The class's quantum, in ns: not an import, but the parameter of `quantum_ns`.
    UsualNs,
}

impl Input {
    /// All of them: a register each, in this order.
    pub const ALL: [Self; 5] = [Self::Cell, Self::IsFresh, Self::ExpectedNs, Self::RanNs, Self::UsualNs];

    /// The name that it is imported by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cell => "cell",
            Self::IsFresh => "is_fresh",
            Self::ExpectedNs => "expected_ns",
            Self::RanNs => "ran_ns",
            Self::UsualNs => "usual_ns",
        }
    }

    /// The import of a name.
    pub(crate) fn imported(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|input| *input != Self::UsualNs && input.name() == name)
    }

    /// The type of its value.
    pub(crate) const fn value_type(self) -> ValType {
        match self {
            Self::Cell | Self::IsFresh => ValType::I32,
            Self::ExpectedNs | Self::RanNs | Self::UsualNs => ValType::I64,
        }
    }
}

/// What a policy sees of one thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// [`Input::Cell`].
    pub cell: u32,
    /// [`Input::IsFresh`].
    pub is_fresh: bool,
    /// [`Input::ExpectedNs`], in ns.
    pub expected_ns: u64,
    /// [`Input::RanNs`], in ns.
    pub ran_ns: u64,
    /// [`Input::UsualNs`], in ns; nothing looks at it in `order`.
    pub usual_ns: u64,
}

impl Seen {
    /// Of a thread that waits for a core, or runs there. `usual_ns` is its class's quantum, in ns.
    #[must_use]
    pub fn of(candidate: &Candidate<'_>, usual_ns: u64) -> Self {
        Self {
            cell: candidate.cell().0,
            is_fresh: candidate.is_fresh(),
            expected_ns: candidate.expected_ns().unwrap_or(0),
            ran_ns: candidate.ran_ns(),
            usual_ns,
        }
    }

    /// In the order of [`Input::ALL`].
    pub(crate) fn registers(&self) -> [u64; Input::ALL.len()] {
        [u64::from(self.cell), u64::from(self.is_fresh), self.expected_ns, self.ran_ns, self.usual_ns]
    }
}
