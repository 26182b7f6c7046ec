//! The policy: least attained service first (foreground-background; Rai, Urvoy-Keller and Biersack, "Analysis of LAS scheduling for job size distributions
//! with high variance", SIGMETRICS 2003).

use hallows::{Candidate, Policy};

/// Who has run less goes before who has run more; who has run about as long as another takes turns with it.
#[derive(Debug)]
pub struct LeastAttained;

/// What counts as about as long, in ns: without it two programs would stop each other all the time.
const STEP_NS: u64 = 50_000;

impl Policy for LeastAttained {
    fn name(&self) -> &str {
        "least-attained"
    }

    fn order(&self, candidate: &Candidate<'_>) -> u64 {
        candidate.ran_ns() / STEP_NS
    }
}
