//! Questions for the addresses of names.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::Problem;
use super::bell::{Bell, Shared};
use super::network::{delete, patience};
use super::protocol::{self, Refusal};

/// The longest name that can be asked for (RFC 1035, with its dots), and what stands beside it in a message.
pub(super) const NAME_BYTES: usize = 255 + 64;
/// Room for as many addresses as a service gives: 32, of 17 bytes.
const ANSWER_BYTES: usize = 1_024;

/// A question, until it is dropped.
struct Lookup(protocol::Lookup);

impl Drop for Lookup {
    fn drop(&mut self) {
        if let Ok(patience) = patience() {
            // A service that is gone has closed it.
            let _ = self.0.close(patience);
        }
        delete(self.0);
    }
}

/// Waits for the addresses.
pub(super) async fn addresses(
    shared: &Rc<Shared<'_>>,
    lookup: protocol::Lookup,
) -> Result<Vec<IpAddr>, Problem> {
    let Lookup(stub) = &Lookup(lookup);
    let mut bell = Bell::new(shared)?;
    bell.give(|bell, deadline| stub.tell(bell, deadline))?;
    let mut room = vec![0; ANSWER_BYTES];
    loop {
        shared.check()?;
        match stub.addresses(&mut room, patience()?)? {
            Ok(addresses) => return Ok(addresses.iter().map(IpAddr::from).collect()),
            Err(Refusal::NotNow) => {}
            Err(refusal) => return Err(refusal.into()),
        }
        bell.rung().await?;
    }
}
