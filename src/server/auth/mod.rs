//! Who is calling, and may they (wire.md 2, limits.md 5.2).
//!
//! `claim` finds what a signature scheme says of a request, `gate` checks it against keys, clock and nonces, `permit` what
//! the key allows.

mod claim;
mod gate;
mod permit;

pub(super) use claim::Request;
pub(super) use gate::Gate;
pub(super) use permit::authorize;

#[cfg(test)]
mod tests;
