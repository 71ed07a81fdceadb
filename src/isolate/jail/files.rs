//! Landlock: no path can be opened and no port used, whatever the user may (Linux 5.13; `Documentation/userspace-api/landlock.rst`).

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, RestrictionStatus, Ruleset, RulesetAttr,
    RulesetError, RulesetStatus, Scope,
};

/// Newest interface whose rights are named here.
const NEWEST: ABI = ABI::V6;

/// Denies everything that this kernel can deny; returns the version of its interface, 0 if nothing was enforced.
pub(super) fn deny() -> u8 {
    let Ok(status) = restrict() else { return 0 };
    match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _) => 0,
        (_, LandlockStatus::Available { effective_abi, kernel_abi }) => {
            let version = kernel_abi.unwrap_or(effective_abi as i32);
            u8::try_from(version).unwrap_or(u8::MAX)
        }
        _ => 0,
    }
}

fn restrict() -> Result<RestrictionStatus, RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .restrict_self()
}
