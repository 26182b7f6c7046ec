//! What the contestants of `wakeup` have in common: the shape of schbench (Mason, 2016), which schedulers are compared with.
//!
//! Workers ask a messenger to be woken, and sleep. It wakes all that have asked, and tells them the time at which it began to. A worker that runs again
//! says how long that took, pauses as if it waited for a network, multiplies matrices ([`crate::kernels::Matrices`]), and asks again. schbench's work takes
//! milliseconds; this takes some ten microseconds, as programs do that a microsecond scheduler is for. A time is that of one wake-up: how long the messenger itself had to wait until it ran is not in it.

use std::time::Duration;

/// How long a worker pauses between being woken and its work: schbench's.
pub const PAUSE: Duration = Duration::from_micros(100);
/// So many wake-ups of each worker are not counted: the first ones start programs and warm caches.
pub const WARM_UP: usize = 20;
