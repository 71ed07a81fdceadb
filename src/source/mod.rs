//! Where bytes come from: local folders, later object stores.
