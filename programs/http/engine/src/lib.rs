//! HTTP/1.1 for a server of files (RFC 9110, RFC 9112), without input and output.
//!
//! [`Input`] takes what a client has sent, in pieces of any size, and gives [`Step`]s: requests, and what there is to be said at once. [`Server`] makes an
//! [`Answer`] of a request and of what is known of the file: a head, and which bytes of the file follow. Whoever calls this reads, writes and looks at files.
//!
//! What a client sends takes at most [`Limits::head_bytes`] and one piece of memory, and is told the same however it is split.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod answer;
mod chunks;
mod date;
mod head;
mod input;
mod limits;
mod listing;
mod media;
mod metrics;
mod path;
mod precondition;
mod range;
mod request;
mod status;
mod tag;

pub use answer::{Answer, Facts, Part, Server};
pub use date::{Moment, parse_date};
pub use input::{Input, Step};
pub use limits::Limits;
pub use listing::{Entry, EntryKind};
pub use media::media_type;
pub use metrics::{CellMetrics, Counters, MachineMetrics, Metrics};
pub use path::Path;
pub use range::{MOST_RANGES, Span};
pub use request::{Method, Request, Version};
pub use status::Status;
