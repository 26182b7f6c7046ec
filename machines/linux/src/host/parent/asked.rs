//! Requests that the machine has not answered yet: a bounded number, whoever asked and has gone meanwhile.

use std::collections::BTreeMap;

use crate::host::control::protocol::Request;
use crate::host::control::server::ConnectionId;

/// Requests of each kind that may be with the machine at one time: twice as many as there are connections, each of which waits for one. The
/// rest are those whose clients have gone, which the machine answers all the same.
const MOST: usize = 64;
/// Bytes that the machine may not have taken yet: some long requests. One that takes nothing is stopped or about to end.
const MOST_UNTAKEN_BYTES: usize = 1 << 20;

/// How long the machine may take for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    /// It answers as soon as it has read the question.
    None,
    /// It waits for something first. Those that do must not take the places of the others.
    Some,
}

/// All of them, by number.
#[derive(Debug, Default)]
pub(super) struct Asked {
    open: BTreeMap<u64, (ConnectionId, Patience)>,
    next: u64,
}

impl Asked {
    /// A connection's request goes to the machine, which has not taken so many bytes yet: its number.
    ///
    /// # Errors
    /// Why not, for the client: there are too many.
    pub(super) fn admit(
        &mut self,
        connection: ConnectionId,
        request: &Request,
        untaken_bytes: usize,
    ) -> Result<u64, String> {
        let patience = if request.takes_time() { Patience::Some } else { Patience::None };
        let like_it = self.open.values().filter(|(_, other)| *other == patience).count();
        if like_it >= MOST || untaken_bytes > MOST_UNTAKEN_BYTES {
            return Err(format!(
                "too many requests wait: the machine has not answered {like_it}; it was not done"
            ));
        }
        let id = self.next;
        self.next += 1;
        self.open.insert(id, (connection, patience));
        Ok(id)
    }

    /// The machine has answered: whom.
    pub(super) fn answered(&mut self, id: u64) -> Option<ConnectionId> {
        self.open.remove(&id).map(|(connection, _)| connection)
    }

    /// The machine will not answer any more: whom.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = ConnectionId> + use<> {
        std::mem::take(&mut self.open).into_values().map(|(connection, _)| connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send() -> Request {
        Request::Send { endpoint: "a.b".into(), hex: String::new(), patience_ns: None }
    }

    #[test]
    fn what_takes_time_leaves_room_for_what_does_not() {
        let mut asked = Asked::default();
        let client = ConnectionId::numbered(1);
        for number in 0..MOST as u64 {
            assert_eq!(asked.admit(client, &send(), 0), Ok(number));
        }
        let error = asked.admit(client, &send(), 0).unwrap_err();
        assert!(error.contains("too many requests wait"), "{error}");
        let number = asked.admit(client, &Request::Ps, 0).unwrap();
        assert_eq!(asked.answered(number), Some(client));
        assert_eq!(asked.answered(number), None);
        // One answer makes room for one.
        assert_eq!(asked.answered(5), Some(client));
        assert!(asked.admit(client, &send(), 0).is_ok() && asked.admit(client, &send(), 0).is_err());
        assert_eq!(asked.take_all().count(), MOST);
        assert!(asked.admit(client, &send(), 0).is_ok());
    }

    #[test]
    fn a_machine_that_takes_nothing_is_asked_nothing() {
        let mut asked = Asked::default();
        let client = ConnectionId::numbered(1);
        assert!(asked.admit(client, &Request::Ps, MOST_UNTAKEN_BYTES).is_ok());
        assert!(asked.admit(client, &Request::Ps, MOST_UNTAKEN_BYTES + 1).is_err());
    }
}
