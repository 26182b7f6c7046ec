//! `indirect-call-and-copies`: the floor under every protected call. No isolation, no check, no capability.

use std::hint::black_box;

use super::message::{self, MESSAGE_BYTES, Message};
use super::priority_text;
use crate::contestant::{Contestant, Description};
use crate::cores::{Priority, on_core};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;

/// A call through a pointer, 64 bytes copied in and 64 out.
#[derive(Default)]
pub struct IndirectCall;

impl Contestant for IndirectCall {
    fn describe(&self) -> Description {
        Description {
            name: "indirect-call-and-copies".to_owned(),
            configuration: format!(
                "one thread, pinned, {}; native code; a call through a pointer unknown to the compiler, 64 bytes \
                 copied each way; nothing isolates the two sides",
                priority_text(Priority::RealtimeIfAllowed)
            ),
            cores_used: 1,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        on_core(turn.cores.first(), Priority::RealtimeIfAllowed, || {
            let callee: fn(&Message, &mut Message) = black_box(serve);
            let mut number = 0;
            turn.measure(|| {
                number += 1;
                let request = black_box(message::request(number));
                let mut answer = [0; MESSAGE_BYTES];
                callee(&request, &mut answer);
                message::check(number, black_box(&answer))
            })
        })?
    }
}

/// Copies in, serves, copies out, like a server with memory of its own.
#[inline(never)]
fn serve(request: &Message, answer: &mut Message) {
    let own = black_box(*request);
    *answer = black_box(message::answer(&own));
}

#[cfg(test)]
mod tests {
    use super::super::test_support::play_twice;
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn messages_go_round() {
        play_twice(&mut IndirectCall, Sampling::BATCH, 5);
    }
}
