//! Asking who serves an interface while programs run, and saying that one serves it.
//!
//! A system grants a [`Namespace`] of its registry (`services/registry`), usually under the name `registry`. Interfaces are named by their stubs:
//!
//! ```no_run
//! # mod tally {
//! #     pub struct Client(hallows_sdk::Endpoint);
//! #     impl hallows_sdk::stub::Interface for Client {
//! #         const NAME: &'static str = "tally";
//! #         const HASH: [u8; 32] = [7; 32];
//! #         fn through(endpoint: hallows_sdk::Endpoint) -> Self { Self(endpoint) }
//! #     }
//! # }
//! use hallows_sdk::registry::{Namespace, Problem};
//! use hallows_sdk::{Budget, Deadline, Service, Start};
//!
//! fn client(start: &Start<'_>) -> Result<(), Problem> {
//!     let namespace = Namespace::granted(start, "registry")?;
//!     let tally: tally::Client = namespace.resolve(Deadline::NEVER)?;
//!     // … and its functions are called as ever.
//! #   let _ = tally;
//!     Ok(())
//! }
//!
//! fn server(start: &Start<'_>) -> Result<(), Problem> {
//!     let namespace = Namespace::granted(start, "registry")?;
//!     let endpoint = Budget::OWN.create_endpoint(Service::Active { queue: 16 })?;
//!     namespace.provide::<tally::Client>(endpoint, Deadline::NEVER)?;
//!     Ok(())
//! }
//! # hallows_testing::link();
//! ```

mod identity;
mod problem;
#[rustfmt::skip]
pub mod protocol;

use core::time::Duration;

pub use problem::Problem;
pub use protocol::{Identity, Refusal};

use crate::stub::{Interface, Own};
use crate::{Deadline, Endpoint, Error, Start, pause, process, space};

/// How long to wait before a registry is asked again for what nobody provides yet: much longer than asking takes, and nothing to a person.
const PATIENCE: Duration = Duration::from_millis(1);

/// A namespace of a registry.
///
/// Its functions wait for a registry that does not run yet, or not at the moment. So they are for mains that wait for nothing else, and for the
/// start of servers: an event that comes meanwhile is lost. (In the handler of a passive server they end with [`Error::NotReady`].)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Namespace(pub protocol::Namespace);

/// That this cell (or whoever had it before) provides an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration(pub protocol::Registration);

impl Namespace {
    /// The namespace that was granted under this name.
    ///
    /// # Errors
    ///
    /// [`Error::BadHandle`], which the log explains, if nothing was.
    pub fn granted(start: &Start<'_>, name: &str) -> Result<Self, Error> {
        start.grant(name).map(|endpoint| Self(protocol::Namespace(endpoint)))
    }

    /// The server of an interface, as a client of it. Its capability may be called, watched and passed on; it stays the same when another
    /// server takes over.
    ///
    /// # Errors
    ///
    /// [`Refusal::Nobody`] if nobody provides it; those of [`crate::call`].
    pub fn resolve<I: Interface>(&self, deadline: Deadline) -> Result<I, Problem> {
        let answer = patiently(deadline, || self.0.resolve(Identity::of::<I>(), deadline));
        Ok(I::through(Problem::of::<I, _>(answer)?.0.0))
    }

    /// The same, as soon as somebody provides it.
    ///
    /// # Errors
    ///
    /// As [`Self::resolve`]: [`Refusal::Nobody`] when the deadline has passed.
    pub fn await_provider<I: Interface>(&self, deadline: Deadline) -> Result<I, Problem> {
        loop {
            match self.resolve(deadline) {
                Err(Problem::Refused { refusal: Refusal::Nobody, .. })
                    if process::now()? < deadline.nanoseconds() =>
                {
                    pause(PATIENCE)?;
                }
                result => return result,
            }
        }
    }

    /// Provides an interface. The registry gets a copy of the endpoint with all the rights that there are; this cell keeps it.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotPermitted`], [`Refusal::Taken`], [`Refusal::Unfit`], [`Refusal::Full`]; [`Error::SpaceFull`]; those of [`crate::call`].
    pub fn provide<I: Interface>(
        &self,
        endpoint: Endpoint,
        deadline: Deadline,
    ) -> Result<Registration, Problem> {
        let copy = space::copy(endpoint)?;
        let given = Own(protocol::Server(copy));
        let answer = patiently(deadline, || {
            // Of a registry that does not run it comes back.
            self.0.provide(Identity::of::<I>(), I::NAME, given, &mut [0; ROOM_BYTES], deadline)
        });
        if answer.is_err() {
            // It may have gone with the message; then there is nothing to delete.
            let _ = space::delete(copy);
        }
        Ok(Registration(Problem::of::<I, _>(answer)?.0))
    }

    /// The registration of whoever provides an interface here, to come after it. For clients that may provide it themselves.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotPermitted`]; [`Refusal::Nobody`]; those of [`crate::call`].
    pub fn succeed<I: Interface>(&self, deadline: Deadline) -> Result<Registration, Problem> {
        let answer = patiently(deadline, || self.0.succeed(Identity::of::<I>(), deadline));
        Ok(Registration(Problem::of::<I, _>(answer)?.0))
    }

    /// A new namespace below this one: it has what this one has, until something else is provided in it.
    ///
    /// # Errors
    ///
    /// [`Refusal::Full`], [`Refusal::TooDeep`]; those of [`crate::call`].
    pub fn child(&self, deadline: Deadline) -> Result<Self, Problem> {
        match patiently(deadline, || self.0.child(deadline))? {
            Ok(Own(child)) => Ok(Self(child)),
            Err(refusal) => Err(Problem::Refused { interface: "", refusal }),
        }
    }
}

impl Registration {
    /// Makes this cell the server, in the place of the present one; no call gets an error because of it
    /// ([`Endpoint::take_over`]). The endpoint, and how many calls former servers have yet: ask the endpoint again to see them go.
    ///
    /// # Errors
    ///
    /// Those of [`Endpoint::take_over`] and [`crate::call`]; [`Refusal::Nobody`] if it is withdrawn.
    pub fn take_over(&self, deadline: Deadline) -> Result<(Endpoint, u64), Problem> {
        match self.0.server(deadline)? {
            Ok(Own(server)) => {
                let left = server.0.take_over().inspect_err(|_| {
                    // Nobody else knows of it.
                    let _ = space::delete(server.0);
                })?;
                Ok((server.0, left))
            }
            Err(refusal) => Err(Problem::Refused { interface: "", refusal }),
        }
    }

    /// Nobody finds it any more. Who has resolved keeps what it has.
    ///
    /// # Errors
    ///
    /// Those of [`crate::call`].
    pub fn withdraw(&self, deadline: Deadline) -> Result<(), Error> {
        self.0.withdraw(deadline)?;
        space::delete(self.0.0)
    }
}

/// Calls a registry, again as long as it does not run: at the start of a system, or of its next life. Who may not wait (a passive server's
/// handler) is told at once.
fn patiently<T>(deadline: Deadline, mut call: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    loop {
        match call() {
            Err(Error::NotReady) if process::now()? < deadline.nanoseconds() => match pause(PATIENCE) {
                Err(Error::NotInHandler) => return Err(Error::NotReady),
                paused => paused?,
            },
            result => return result,
        }
    }
}

/// The longest message of `provide`: tag, identity, the longest name; and its answer behind it.
const ROOM_BYTES: usize = 128;
