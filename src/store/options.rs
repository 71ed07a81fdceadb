//! Tuning of RocksDB from one memory budget: one function per column family.

use super::table::Table;
use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType, DBRecoveryMode, LogLevel,
    Options,
};

/// What the store may use.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Bytes for all memtables together.
    pub write_buffer_bytes: usize,
    /// Bytes for blocks, indexes and filters of table files.
    pub cache_bytes: usize,
    /// Threads that flush and compact, 1 to 16.
    pub background_jobs: u8,
    /// Open without writing anything.
    pub read_only: bool,
    /// Make an empty store where there is none.
    pub create: bool,
}

#[cfg(test)]
impl StoreOptions {
    /// A new store of a test.
    pub(crate) fn small() -> StoreOptions {
        StoreOptions {
            write_buffer_bytes: 4 << 20,
            cache_bytes: 1 << 20,
            background_jobs: 1,
            read_only: false,
            create: true,
        }
    }
}

/// Smallest memtable of a table that holds few rows.
const SMALL_BUFFER: usize = 1 << 20;
/// Bits per key of the bloom filters: about 1 % false positives (RocksDB wiki, "RocksDB Bloom Filter").
const BLOOM_BITS: f64 = 10.0;
/// Bytes of a data block before compression.
const BLOCK_BYTES: usize = 8 << 10;

pub(super) fn database(options: &StoreOptions) -> Options {
    let mut db = Options::default();
    db.create_if_missing(options.create);
    // Tables that are younger than the database.
    db.create_missing_column_families(!options.read_only);
    db.set_max_background_jobs(i32::from(options.background_jobs.clamp(1, 16)));
    db.set_db_write_buffer_size(options.write_buffer_bytes);
    db.set_max_total_wal_size(options.write_buffer_bytes as u64 * 2);
    // The default preallocates 4 MiB of manifest, which fills a small volume.
    db.set_manifest_preallocation_size(64 << 10);
    db.set_max_manifest_file_size(4 << 20);
    db.set_track_and_verify_wals_in_manifest(true);
    // Up to the first record that is not whole: after a crash that is a write that was never acknowledged.
    db.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    db.set_max_open_files(256);
    db.set_skip_stats_update_on_db_open(true);
    db.set_keep_log_file_num(2);
    db.set_max_log_file_size(1 << 20);
    db.set_log_level(LogLevel::Warn);
    db.set_stats_dump_period_sec(0);
    db.set_bytes_per_sync(1 << 20);
    db
}

pub(super) fn families(options: &StoreOptions) -> Vec<ColumnFamilyDescriptor> {
    let cache = Cache::new_lru_cache(options.cache_bytes);
    let family = |table: Table| {
        let tuned = match table {
            Table::Files => files(options, &cache),
            Table::Changes => changes(options, &cache),
            Table::Default | Table::Catalog | Table::Segments | Table::Outbox | Table::Queues | Table::Tasks => {
                small(&cache)
            }
        };
        ColumnFamilyDescriptor::new(table.name(), tuned)
    };
    Table::ALL.into_iter().map(family).collect()
}

fn blocks(cache: &Cache) -> BlockBasedOptions {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    blocks.set_block_size(BLOCK_BYTES);
    blocks.set_bloom_filter(BLOOM_BITS, false);
    // Whole indexes and filters of large table files do not fit the cache's shards: they would be read for every row.
    blocks.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    blocks.set_partition_filters(true);
    blocks.set_metadata_block_size(4 << 10);
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_pin_top_level_index_and_filter(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    blocks.set_optimize_filters_for_memory(true);
    blocks
}

/// Records: most of the bytes. New ones are compressed for speed, settled ones for size.
fn files(options: &StoreOptions, cache: &Cache) -> Options {
    let mut family = Options::default();
    family.set_block_based_table_factory(&blocks(cache));
    family.set_write_buffer_size((options.write_buffer_bytes / 2).max(SMALL_BUFFER));
    family.set_max_write_buffer_number(3);
    // Each compaction out of level 0 rewrites much of the level below: with fewer of them an import costs a third less
    // CPU, and a look-up asks a few filters more.
    family.set_level_zero_file_num_compaction_trigger(8);
    // A put looks whether its file exists, which mostly it does not: the filter answers without a search.
    family.set_memtable_prefix_bloom_ratio(0.02);
    family.set_memtable_whole_key_filtering(true);
    family.set_compression_type(DBCompressionType::Lz4);
    family.set_bottommost_compression_type(DBCompressionType::Zstd);
    family.set_level_compaction_dynamic_level_bytes(true);
    family.set_target_file_size_base(32 << 20);
    family.set_max_bytes_for_level_base(128 << 20);
    family
}

/// Rows that live until the next seal: written once, read at recovery, dropped by range.
fn changes(options: &StoreOptions, cache: &Cache) -> Options {
    let mut family = Options::default();
    family.set_block_based_table_factory(&blocks(cache));
    family.set_write_buffer_size((options.write_buffer_bytes / 6).max(SMALL_BUFFER));
    family.set_max_write_buffer_number(2);
    family.set_compression_type(DBCompressionType::Lz4);
    family
}

fn small(cache: &Cache) -> Options {
    let mut family = Options::default();
    family.set_block_based_table_factory(&blocks(cache));
    family.set_write_buffer_size(SMALL_BUFFER);
    family.set_max_write_buffer_number(2);
    family.set_compression_type(DBCompressionType::Lz4);
    family
}
