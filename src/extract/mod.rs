//! Bytes of a media file to facts. Knows no store, no network.
