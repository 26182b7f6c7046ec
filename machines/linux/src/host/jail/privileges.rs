//! Gives up every privilege for good: no capability now, none by executing anything.

use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set, remove_capability_from_bounding_set,
    set_capabilities, set_no_new_privs,
};

use super::JailError;

/// Empties all capability sets of the calling thread and forbids to gain privileges by `execve`.
pub(super) fn drop_all() -> Result<(), JailError> {
    set_no_new_privs(true).map_err(|error| JailError::step("forbid new privileges", error))?;
    // The bounding set can only be shrunk with a capability; without it there is nothing to drop that matters, because
    // no_new_privs already keeps `execve` from using the set.
    for capability in CapabilitySet::all().iter() {
        if remove_capability_from_bounding_set(capability).is_err() {
            break;
        }
    }
    clear_ambient_capability_set()
        .map_err(|error| JailError::step("clear the ambient capabilities", error))?;
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, none).map_err(|error| JailError::step("drop capabilities", error))
}
