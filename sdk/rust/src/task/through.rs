//! Stubs of interfaces in async programs.

use hallows_abi::{Error, Handle, Outcome, Transfer};

use super::Events;
use crate::rights::{All, CanSend, RightSet};
use crate::stub::AsyncCaller;
use crate::{Deadline, Endpoint};

/// What stubs' async clients call through: an endpoint, and the cell's events.
#[derive(Clone, Copy, Debug)]
pub struct Through<'e, R: RightSet = All> {
    events: &'e Events,
    endpoint: Endpoint<R>,
}

impl Events {
    /// For async clients of an interface: `calc::Client(events.through(endpoint)).calculate_async(…)`.
    pub const fn through<R: CanSend>(&self, endpoint: Endpoint<R>) -> Through<'_, R> {
        Through { events: self, endpoint }
    }
}

impl<R: CanSend> AsyncCaller for Through<'_, R> {
    async fn call(
        &self,
        bytes: &[u8],
        transfers: &[Transfer],
        reply: &mut [u8],
        handles: &mut [Handle],
        deadline: Deadline,
    ) -> Result<Outcome, Error> {
        let room = u32::try_from(reply.len()).unwrap_or(u32::MAX);
        let call = self.events.call(self.endpoint, bytes, transfers, room);
        let answered = match deadline {
            Deadline::NEVER => call.await?,
            deadline => self.events.with_deadline(deadline, call).await??,
        };
        let (length, count) = (answered.bytes.len(), answered.handles.len());
        match (reply.get_mut(..length), handles.get_mut(..count)) {
            (Some(reply), Some(handles)) => {
                reply.copy_from_slice(&answered.bytes);
                handles.copy_from_slice(&answered.handles);
            }
            _ => {
                answered.discard();
                return Err(Error::AnswerTooLong);
            }
        }
        let count_of = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(Outcome { length: count_of(length), handles: count_of(count) })
    }
}
