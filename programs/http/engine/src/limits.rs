//! What a client may send.

/// The most that a request may have, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of its first line; more is answered 414.
    pub line_bytes: usize,
    /// Of its head, with the first line and with blank lines before it; of a chunked body's trailers likewise. More is answered 431.
    pub head_bytes: usize,
    /// Of its body, which nothing is done with; more is answered 413.
    pub body_bytes: u64,
}

impl Default for Limits {
    /// Those of usual servers: 8 KiB, 16 KiB, 1 MiB.
    fn default() -> Self {
        Self { line_bytes: 8 << 10, head_bytes: 16 << 10, body_bytes: 1 << 20 }
    }
}
