//! Access keys: who may call what. Secrets lie sealed in a file of their own beside the store, so that `medialith keys`
//! works while a server runs; the sealing key lies outside the database. Layout: `docs/format.md`, "Access keys".

mod grant;
mod keyring;
mod seal;
mod store;

pub use grant::{Grant, Issued, Role};
pub(super) use keyring::{Keyring, Known};
pub use seal::SealKey;
pub use store::{AccessKeys, NewKey};
