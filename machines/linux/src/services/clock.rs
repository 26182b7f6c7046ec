//! `clock`: the machine's monotonic time, and the host's time of day.

use hallows_sdk::process;
use hallows_sdk::stub::Client;
use hallows_system::clock::{Instant, Service};
use rustix::time::{ClockId, clock_gettime};

/// Serves `clock`. It has no state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock;

impl Service for Clock {
    fn monotonic(&mut self, _: Client) -> u64 {
        // The only error is that this cell is being ended: then nobody hears the answer.
        process::now().unwrap_or(0)
    }

    fn realtime(&mut self, _: Client) -> Instant {
        let now = clock_gettime(ClockId::Realtime);
        Instant { seconds: now.tv_sec, nanoseconds: u32::try_from(now.tv_nsec).unwrap_or(0) }
    }

    fn resolution(&mut self, _: Client) -> u64 {
        1
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use hallows_sdk::stub::Client;
    use hallows_system::clock::Service;

    use super::Clock;

    #[test]
    fn the_time_of_day_is_the_hosts() {
        let client = Client { badge: 0 };
        let before = SystemTime::now();
        let now = Clock.realtime(client);
        let after = SystemTime::now();
        let seconds = u64::try_from(now.seconds).expect("after 1970");
        let now = SystemTime::UNIX_EPOCH + Duration::new(seconds, now.nanoseconds);
        assert!(before <= now && now <= after, "{before:?} {now:?} {after:?}");
        assert_eq!(Clock.resolution(client), 1);
    }
}
