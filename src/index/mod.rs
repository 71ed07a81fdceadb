//! Immutable segments over documents. Knows bytes and DocIds, not RocksDB.
