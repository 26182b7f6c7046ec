//! Who watches the machine: monitors that are attached, one of which may own it, and those that wait for its log.

use crate::host::control::server::ConnectionId;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Monitors {
    attached: Vec<Monitor>,
    next_number: u64,
    /// Who waits for the log to go on, and behind which place.
    listeners: Vec<(ConnectionId, u64)>,
}

#[derive(Debug)]
struct Monitor {
    number: u64,
    connection: ConnectionId,
    /// The machine ends with it.
    owns: bool,
    /// It wants to be told when it is detached.
    waits: bool,
}

impl Monitors {
    /// A connection is a monitor's from now on; its number.
    pub(super) fn attach(&mut self, connection: ConnectionId, owns: bool) -> u64 {
        self.attached.retain(|monitor| monitor.connection != connection);
        self.next_number += 1;
        let number = self.next_number;
        self.attached.push(Monitor { number, connection, owns, waits: false });
        number
    }

    /// A monitor wants to be told when it is detached. Whether there is one on this connection.
    pub(super) fn await_detach(&mut self, connection: ConnectionId) -> bool {
        let found = self.attached.iter_mut().find(|monitor| monitor.connection == connection);
        found.map(|monitor| monitor.waits = true).is_some()
    }

    /// Detaches the monitor of that number, or all: how many, and whom of them to tell.
    pub(super) fn detach(&mut self, number: Option<u64>) -> (u64, Vec<ConnectionId>) {
        let is_meant = |monitor: &mut Monitor| number.is_none_or(|number| monitor.number == number);
        let detached: Vec<Monitor> = self.attached.extract_if(.., is_meant).collect();
        let told = detached.iter().filter(|monitor| monitor.waits).map(|monitor| monitor.connection);
        (detached.len() as u64, told.collect())
    }

    /// Forgets connections that are gone. Whether one that owned the machine is among them.
    pub(super) fn forget(&mut self, is_gone: impl Fn(ConnectionId) -> bool) -> bool {
        self.listeners.retain(|(connection, _)| !is_gone(*connection));
        let mut gone = self.attached.extract_if(.., |monitor| is_gone(monitor.connection));
        gone.any(|monitor| monitor.owns)
    }

    /// A connection waits for the log.
    pub(super) fn listen(&mut self, connection: ConnectionId, after: u64) {
        self.listeners.push((connection, after));
    }

    /// Those for whom there is something now.
    pub(super) fn take_listeners(&mut self, has_news: impl Fn(u64) -> bool) -> Vec<(ConnectionId, u64)> {
        self.listeners.extract_if(.., |(_, after)| has_news(*after)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(number: u64) -> ConnectionId {
        ConnectionId::numbered(number)
    }

    #[test]
    fn the_machine_ends_with_its_owner_unless_that_was_detached() {
        let mut monitors = Monitors::default();
        monitors.attach(connection(1), true);
        monitors.attach(connection(2), false);
        assert!(!monitors.forget(|gone| gone == connection(2)));
        assert!(monitors.forget(|gone| gone == connection(1)));
        let number = monitors.attach(connection(3), true);
        assert_eq!(monitors.detach(Some(number)), (1, vec![]));
        assert!(!monitors.forget(|_| true));
    }

    #[test]
    fn who_waits_is_told_of_its_detachment() {
        let mut monitors = Monitors::default();
        for number in 1..=3 {
            monitors.attach(connection(number), false);
        }
        assert!(monitors.await_detach(connection(2)) && !monitors.await_detach(connection(4)));
        assert_eq!(monitors.detach(None), (3, vec![connection(2)]));
        assert_eq!(monitors.detach(None), (0, vec![]));
    }

    #[test]
    fn listeners_are_given_out_once_and_forgotten_with_their_connection() {
        let mut monitors = Monitors::default();
        monitors.listen(connection(1), 0);
        monitors.listen(connection(2), 10);
        assert_eq!(monitors.take_listeners(|after| after < 5), [(connection(1), 0)]);
        monitors.forget(|gone| gone == connection(2));
        assert_eq!(monitors.take_listeners(|_| true), []);
    }
}
