//! `clock`: the machine's monotonic time, and the host's time of day.

use std::time::{Duration, SystemTime};

use hallows_sdk::process;
use hallows_sdk::stub::Client;
use hallows_system::clock::{Instant, Service};

/// Serves `clock`. It has no state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock;

impl Service for Clock {
    fn monotonic(&mut self, _: Client) -> u64 {
        // The only error is that this cell is being ended: then nobody hears the answer.
        process::now().unwrap_or(0)
    }

    fn realtime(&mut self, _: Client) -> Instant {
        // Not rustix's: to find the vDSO it makes calls that the jail refuses.
        instant(SystemTime::now())
    }

    fn resolution(&mut self, _: Client) -> u64 {
        1
    }
}

/// A time as seconds and what is to be added to them, which is never negative.
fn instant(time: SystemTime) -> Instant {
    let seconds = |since: Duration| i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => Instant { seconds: seconds(since), nanoseconds: since.subsec_nanos() },
        Err(error) => {
            let before = error.duration();
            match before.subsec_nanos() {
                0 => Instant { seconds: -seconds(before), nanoseconds: 0 },
                part => Instant { seconds: -seconds(before) - 1, nanoseconds: 1_000_000_000 - part },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use hallows_sdk::stub::Client;
    use hallows_system::clock::{Instant, Service};

    use super::{Clock, instant};

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

    #[test]
    fn times_before_1970_have_nanoseconds_to_be_added_too() {
        let before = |seconds, part| instant(SystemTime::UNIX_EPOCH - Duration::new(seconds, part));
        assert_eq!(before(0, 1), Instant { seconds: -1, nanoseconds: 999_999_999 });
        assert_eq!(before(2, 0), Instant { seconds: -2, nanoseconds: 0 });
        assert_eq!(before(2, 300_000_000), Instant { seconds: -3, nanoseconds: 700_000_000 });
    }
}
