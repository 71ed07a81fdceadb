//! Object stores: S3 and what speaks like it, and OSS, through OpenDAL.
//!
//! Addresses say where a store is and what may be asked of it; requests go through one wire of our own, which keeps to budgets,
//! tries again what failed on the way, and hears what the store says beside the bytes. OpenDAL is asynchronous; the wire blocks, so its futures are
//! done when they are first looked at, on the thread that asks. Credentials never reach an error or an address that is shown.

mod address;
mod budget;
mod credentials;
mod facts;
mod listing;
mod object;
mod pairing;
mod ready;
mod store;
mod tagging;
mod wire;

pub(super) use store::Store;
