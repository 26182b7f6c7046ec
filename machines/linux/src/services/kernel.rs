//! The kernel of the process, for services that ask it: they are made by it, and know nobody else to have it from.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::machine::Kernel;

static KERNEL: Mutex<Weak<Kernel>> = Mutex::new(Weak::new());

/// From now on it is this one.
pub(crate) fn runs(kernel: &Arc<Kernel>) {
    *KERNEL.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(kernel);
}

/// The kernel; nothing, if none runs or it has ended.
pub(super) fn running() -> Weak<Kernel> {
    KERNEL.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
