//! Query and index snapshot to ordered hits. Knows no store and no wire.
