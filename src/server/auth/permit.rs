//! What a key allows.

use super::gate::Caller;
use crate::server::action::Action;
use crate::server::fault::Fault;

/// Whether the caller may do that in that project.
pub(in crate::server) fn authorize(caller: &Caller, action: &Action, project: &str) -> Result<(), Fault> {
    let (grant, role) = (&caller.key.grant, action.role);
    let reason = if grant.role < role {
        format!("it needs the role {role}, and this access key has {}", grant.role)
    } else if !action.global && !grant.covers(project) {
        "this access key is bound to other projects".to_owned()
    } else {
        return Ok(());
    };
    let message = format!("You are not authorized to do this action: {reason}.");
    let mut fault = Fault::new(403, "NoPermission", message);
    fault.denied.extend([
        ("AuthAction", format!("imm:{}", action.name)),
        ("AuthPrincipalDisplayName", grant.id.clone()),
        ("AuthPrincipalType", "AccessKey".to_owned()),
        ("NoPermissionType", "ImplicitDeny".to_owned()),
    ]);
    Err(fault)
}
