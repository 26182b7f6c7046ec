//! Where the fields of a core's record are.

use core::mem::offset_of;

use super::Core;

/// Names and offsets in bytes.
pub const FIELDS: &[(&str, usize)] = &[
    ("running", offset_of!(Core, running)),
    ("slice", offset_of!(Core, slice)),
    ("reason", offset_of!(Core, reason)),
    ("handoff", offset_of!(Core, handoff)),
    ("next", offset_of!(Core, next)),
    ("idle", offset_of!(Core, idle)),
    ("operating", offset_of!(Core, operating)),
    ("signalling", offset_of!(Core, signalling)),
    ("switches", offset_of!(Core, switches)),
    ("posts", offset_of!(Core, posts)),
    ("trace", offset_of!(Core, trace)),
    ("waiting", offset_of!(Core, shown)),
    ("reserved", offset_of!(Core, reserved)),
    ("congested", offset_of!(Core, congested)),
    ("home", offset_of!(Core, home)),
    ("queue", offset_of!(Core, queue)),
    ("agenda", offset_of!(Core, agenda)),
];
