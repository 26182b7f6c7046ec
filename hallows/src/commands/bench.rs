//! `hallows bench`: measures, beside Linux in the same run.

use crate::cli::Bench;
use crate::failure::Failure;

pub fn bench(_options: &Bench) -> Result<u8, Failure> {
    Err(Failure::usage("soon"))
}
