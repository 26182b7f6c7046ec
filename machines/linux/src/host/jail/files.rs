//! Takes away files, network and signals by name: a Landlock rule set that handles everything and allows nothing.
//!
//! Landlock: M. Salaün, Documentation/userspace-api/landlock.rst. Open descriptors are not affected.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetError,
    RulesetStatus, Scope,
};

use super::{JailError, LandlockState};

/// The newest version that is asked for; an older kernel enforces the part that it knows.
const NEWEST: ABI = ABI::V6;

pub(super) fn forbid_all() -> Result<LandlockState, JailError> {
    let version = version();
    let status = restrict().map_err(|error| JailError::step("set up Landlock", error))?;
    Ok(match status {
        RulesetStatus::FullyEnforced => LandlockState::Full { version },
        RulesetStatus::PartiallyEnforced => LandlockState::Partial { version },
        RulesetStatus::NotEnforced => LandlockState::Missing {
            why: "this kernel was built or booted without it; add `landlock` to the boot option lsm="
                .to_owned(),
        },
    })
}

/// The kernel's version of Landlock; 0 without it.
fn version() -> u32 {
    /// `LANDLOCK_CREATE_RULESET_VERSION` of `linux/landlock.h`.
    const ASK_FOR_VERSION: libc::c_uint = 1;
    // SAFETY: with this flag and no attributes, the call only answers with a number.
    let version = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<libc::c_void>(), 0, ASK_FOR_VERSION)
    };
    u32::try_from(version).unwrap_or(0)
}

fn restrict() -> Result<RulesetStatus, RulesetError> {
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?;
    Ok(rules.create()?.restrict_self()?.ruleset)
}
