//! The table of column families: every one that exists, with what it holds.

/// A column family. RocksDB opens `default` whether or not it is used, so it is listed and sized too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Unused; listed so that its options are ours.
    Default,
    /// The database row, projects, datasets, counters.
    Catalog,
    /// Dataset id and URI -> record of a file.
    Files,
    /// Dataset id and commit number -> URIs of that commit, until a segment covers it.
    Changes,
    /// Dataset id and segment id -> size and tombstones of a segment file.
    Segments,
    /// Number of an event -> what happened, until everybody was told.
    Outbox,
    /// Topics, queues and their messages, webhooks, and how far each receiver has been told.
    Queues,
    /// Tasks, their results, and the lists of those that wait and of those that will be forgotten.
    Tasks,
}

impl Table {
    /// Every column family.
    pub const ALL: [Table; 8] = [
        Table::Default,
        Table::Catalog,
        Table::Files,
        Table::Changes,
        Table::Segments,
        Table::Outbox,
        Table::Queues,
        Table::Tasks,
    ];

    /// Its name on disk.
    pub fn name(self) -> &'static str {
        match self {
            Table::Default => "default",
            Table::Catalog => "catalog",
            Table::Files => "files",
            Table::Changes => "changes",
            Table::Segments => "segments",
            Table::Outbox => "outbox",
            Table::Queues => "queues",
            Table::Tasks => "tasks",
        }
    }
}
