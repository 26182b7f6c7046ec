//! Takes away files, network and signals by name: a Landlock rule set that handles everything and allows nothing.
//!
//! Landlock: M. Salaün, Documentation/userspace-api/landlock.rst. Open descriptors are not affected.

use std::os::fd::BorrowedFd;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use super::{JailError, LandlockState};

/// The newest version that is asked for; an older kernel enforces the part that it knows.
pub(super) const NEWEST: ABI = ABI::V6;

/// What to do where there is no Landlock.
pub(super) const REMEDY: &str =
    "this kernel was built or booted without it; add `landlock` to the boot option lsm=";

/// A directory that stays in reach.
#[derive(Clone, Copy, Debug)]
pub struct Reachable<'a> {
    /// The directory.
    pub directory: BorrowedFd<'a>,
    /// What may be done with it and below it.
    pub access: BitFlags<AccessFs>,
}

/// Forbids files by name, but for what is below these directories.
pub(super) fn forbid_all_but(reachable: &[Reachable<'_>]) -> Result<LandlockState, JailError> {
    let version = version();
    let status = restrict(reachable).map_err(|error| JailError::step("set up Landlock", error))?;
    Ok(match status {
        RulesetStatus::FullyEnforced => LandlockState::Full { version },
        RulesetStatus::PartiallyEnforced => LandlockState::Partial { version },
        RulesetStatus::NotEnforced => LandlockState::Missing { why: REMEDY.to_owned() },
    })
}

/// The kernel's version of Landlock; 0 without it.
pub(super) fn version() -> u32 {
    /// `LANDLOCK_CREATE_RULESET_VERSION` of `linux/landlock.h`.
    const ASK_FOR_VERSION: libc::c_uint = 1;
    // SAFETY: with this flag and no attributes, the call only answers with a number.
    let version = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<libc::c_void>(), 0, ASK_FOR_VERSION)
    };
    u32::try_from(version).unwrap_or(0)
}

fn restrict(reachable: &[Reachable<'_>]) -> Result<RulesetStatus, RulesetError> {
    let rules =
        reachable.iter().map(|place| Ok::<_, RulesetError>(PathBeneath::new(place.directory, place.access)));
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?;
    let created = ruleset.create()?.add_rules(rules)?;
    Ok(created.restrict_self()?.ruleset)
}
