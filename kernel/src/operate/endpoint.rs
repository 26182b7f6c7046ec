//! Endpoints: a message to one goes to its server, so what is done with the endpoint itself is asked of `SELF`, and names it by its handle.

use alloc::vec::Vec;

use hallows_abi::{Error, ObjectKind, OnEndpoint, Reply, Rights};

use super::Request;
use crate::slot::{Name, Via};
use crate::sync::Ordering;
use crate::{Context, Engine, Kernel};

/// What is done through the capability of an endpoint.
type Act<E> = fn(&Kernel<E>, &mut Context, &Request<'_, E>) -> Result<Reply, Error>;

impl<E: Engine> Kernel<E> {
    pub(super) fn operate_endpoint(
        &self,
        context: &mut Context,
        request: &Request<'_, E>,
        operation: OnEndpoint,
    ) -> Result<Reply, Error> {
        let (OnEndpoint::Watch { endpoint }
        | OnEndpoint::Destroy { endpoint }
        | OnEndpoint::Reassign { endpoint, .. }
        | OnEndpoint::Recognise { endpoint }) = operation;
        let named = self.named(request, endpoint)?;
        if named.capability.kind != ObjectKind::Endpoint {
            return Err(Error::WrongObject);
        }
        let request = Request { found: &named, ..*request };
        let act: Act<E> = match operation {
            OnEndpoint::Watch { .. } => Self::watch,
            OnEndpoint::Destroy { .. } => Self::destroy,
            OnEndpoint::Reassign { .. } => Self::reassign_named,
            OnEndpoint::Recognise { .. } => return self.recognise(&request),
        };
        self.through(context, &named, |context| act(self, context, &request))
    }

    /// The badge of a capability whose endpoint the asking cell serves: whether it is one of its own, or one that somebody made to look like
    /// it (the brand of KeyKOS; seL4 gives a server the badge in place of such a capability).
    fn recognise(&self, request: &Request<'_, E>) -> Result<Reply, Error> {
        let capability = &request.found.capability;
        let record = self.endpoints.at(capability.index);
        // Alive behind it: what was read is not the server of the next endpoint at this index.
        let server = record.serving.server();
        if !record.generation.is(capability.generation) {
            return Err(Error::Gone);
        }
        if server == request.cell { Ok(Reply::Number(capability.badge)) } else { Err(Error::NoRight) }
    }

    fn reassign_named(&self, context: &mut Context, request: &Request<'_, E>) -> Result<Reply, Error> {
        request.needs(Rights::MANAGE)?;
        let server = self.served_by(request, !request.message.transfers.is_empty())?;
        self.reassign(context, request.name(), server)
    }

    /// The cell that is to serve an endpoint: the one that comes with the message (MANAGE), or the caller.
    pub(super) fn served_by(&self, request: &Request<'_, E>, of_another: bool) -> Result<Name, Error> {
        if !of_another {
            return Ok(self.present_cell(request.cell));
        }
        let served = self.argument_with(request, 0, ObjectKind::Cell, Rights::MANAGE)?;
        Ok(served.capability.name())
    }

    fn watch(&self, context: &mut Context, request: &Request<'_, E>) -> Result<Reply, Error> {
        request.needs(Rights::WATCH)?;
        let target = self.argument_with(request, 0, ObjectKind::Notification, Rights::SEND)?;
        // So many watchers an endpoint: telling them is one stretch.
        const MAX_WATCHERS: usize = 64;
        let record = self.endpoints.at(request.index());
        let watched = |via: Via| self.capabilities.held(via).map(|held| (held.index, held.generation));
        let (over, full) = {
            let (mut watchers, _) = record.watchers.lock(&mut context.token);
            // Notifications that are gone, as with each life of a watcher, make room.
            let over: Vec<Via> = watchers.extract_if(.., |via| !self.is_watch_alive(*via)).collect();
            if watchers
                .iter()
                .any(|via| watched(*via) == Some((target.capability.index, target.capability.generation)))
            {
                return Ok(Reply::Done);
            }
            (over, watchers.len() >= MAX_WATCHERS)
        };
        for via in over {
            self.release_held(&mut context.token, context.core.0, via);
        }
        if full {
            return Err(Error::TableFull);
        }
        let held = self.hold_to_watch(&mut context.token, &target)?;
        {
            // Under the lock that the endpoint's end takes its watchers under: they are not the next one's at this index.
            let (mut watchers, _) = record.watchers.lock(&mut context.token);
            if record.generation.is(request.generation()) {
                watchers.push(held);
                record.watched.store(1, Ordering::Relaxed);
                return Ok(Reply::Done);
            }
        }
        self.release_held(&mut context.token, context.core.0, held);
        Err(Error::Gone)
    }

    fn is_watch_alive(&self, via: Via) -> bool {
        self.capabilities
            .held(via)
            .is_some_and(|held| self.notifications.at(held.index).generation.is(held.generation))
    }
}
