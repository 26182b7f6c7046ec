//! What a Unix program's cell is granted, and under which names it looks for that ([`hallows-wasi`](../../../../wasi/src/services.rs)).

use hallows_sdk::Rights;

use super::badge::Badge;

/// The name of each service, beside those of directories, and the badge of its capability.
pub const GRANTS: [(&str, Badge); 6] = [
    ("console.in", Badge::Stream(0)),
    ("console.out", Badge::Stream(1)),
    ("console.err", Badge::Stream(2)),
    ("invocation", Badge::Invocation),
    ("clock", Badge::Clock),
    ("random", Badge::Random),
];

/// The rights of all of them: to call, and to be passed on, as a directory is in a rename.
pub const GRANT_RIGHTS: Rights = Rights(Rights::SEND.0 | Rights::TRANSFER.0);

/// The name under which a directory is granted that the program knows as `guest`.
#[must_use]
pub fn directory_grant(guest: &str) -> String {
    format!("dir:{guest}")
}
