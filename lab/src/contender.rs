//! Who works on requests.

use hallows_bench::Description;

use crate::LabError;
use crate::run::{Finished, Run};

/// A way to work on requests, really there.
pub trait Contender {
    /// Name and configuration, for reports.
    fn describe(&self) -> Description;

    /// Works on all requests as they come.
    ///
    /// # Errors
    /// When it cannot run here.
    fn run(&mut self, run: &Run<'_>) -> Result<Finished, LabError>;
}
