//! In the place of a machine, for the SDK's own tests: capabilities are recognised by their handles, and nothing else is done, so that what they log
//! goes nowhere.

use hallows_abi::{Error, Handle, OnEndpoint, Operation, Outcome, Reply, encode_result};

/// Handles from here on are of endpoints that another cell serves; the badge of one below is the handle itself.
pub const FOREIGN: Handle = Handle(1_000);

/// What is answered to an operation on this cell's space.
fn answer(message: &[u8]) -> Result<Reply, Error> {
    match Operation::parse(message, message.len())? {
        Operation::Endpoint(OnEndpoint::Recognise { endpoint }) => {
            if endpoint.0 < FOREIGN.0 {
                Ok(Reply::Number(endpoint.0.into()))
            } else {
                Err(Error::NoRight)
            }
        }
        _ => Err(Error::Unsupported),
    }
}

#[unsafe(no_mangle)]
extern "C" fn hallows_native_call(
    _endpoint: u32,
    bytes: *const u8,
    length: usize,
    _transfers: *const u8,
    _transfer_count: usize,
    reply: *mut u8,
    reply_length: usize,
    _handles: *mut u32,
    _handles_length: usize,
    _deadline: i64,
) -> i64 {
    // SAFETY: the SDK's `call` gives pointer and length of a live slice of bytes.
    let message = unsafe { core::slice::from_raw_parts(bytes, length) };
    // SAFETY: as before, and that slice is borrowed for this call only.
    let reply = unsafe { core::slice::from_raw_parts_mut(reply, reply_length) };
    encode_result(answer(message).map(|answer| {
        let bytes = answer.emit();
        let length = bytes.len().min(reply.len());
        reply[..length].copy_from_slice(&bytes[..length]);
        Outcome { length: length as u32, handles: 0 }.pack()
    }))
}
