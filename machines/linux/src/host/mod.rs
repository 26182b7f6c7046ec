//! What a machine needs from Linux: cores, memory, time, a jail, and a parent process that puts everything back.
//!
//! # Two processes
//!
//! The *parent* ([`parent::supervise`]) holds the terminal, the control socket and everything it changed on the host.
//! The *machine* ([`child::machine_process`]) holds the pinned threads and runs jailed. They talk over one socket
//! ([`link`]). Whatever happens to the machine, the parent restores the host; whatever happens to the parent, the
//! kernel kills the machine, and the next start restores the host from the journal ([`tier::journal`]).
//!
//! # Order of a start
//!
//! 1. The parent chooses cores ([`cores`]), locks them ([`core_locks`]), and starts the machine process.
//! 2. The machine reserves and locks [`memory`], starts pinned [`threads`], reports them and closes the [`jail`].
//! 3. While programs start already, a thread of the parent claims the best [`tier`], moves the machine's threads to the
//!    isolated cores and tells the machine.

pub mod child;
pub mod control;
pub mod core_locks;
pub mod core_set;
pub mod cores;
pub mod facts;
pub(crate) mod files;
mod interface;
pub mod jail;
pub mod limits;
pub(crate) mod line_socket;
pub mod link;
pub mod memory;
pub mod near_miss;
pub mod nearness;
pub mod outgoing;
pub mod parent;
pub mod port;
pub mod probe;
pub mod process_id;
pub mod quantity;
pub(crate) mod random;
pub mod runtime_dir;
pub mod tap;
#[cfg(test)]
pub(crate) mod test_support;
pub mod threads;
pub mod tier;
pub mod timer;
pub(crate) mod uring;
pub mod wire;
pub mod xdp;
