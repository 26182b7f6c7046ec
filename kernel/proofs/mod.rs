//! Proofs by machine: exhaustive exploration of the real capability, inbox and monitor code at small bounds.
//!
//! Each model drives the very types that the kernel runs, through every sequence of operations up to a bound, beside an oracle
//! that states what should be true in a few plain lines. A state that was seen is not explored again, so the search is exhaustive for all
//! sequences within the bound, not a sample. The same models are then driven through long random histories, far beyond the bound.

mod capability_model;
mod explore;
mod inbox_model;
mod monitor_model;
