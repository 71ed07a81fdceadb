//! The one integration-test binary (each binary would link RocksDB again). One module per concern.

mod docs;
mod layers;
mod style;
mod tree;
