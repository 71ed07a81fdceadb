//! RocksDB behind one door: nothing of `rocksdb::` leaves this folder.
