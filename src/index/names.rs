//! The only place that spells the names of segment files.

/// Number of a segment, unique in a database for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(pub u64);

const SUFFIX: &str = ".seg";

/// The name of a segment's file.
pub fn segment_file(id: SegmentId) -> String {
    format!("{:016x}{SUFFIX}", id.0)
}

/// The segment whose file has that name.
pub fn parse_segment_file(name: &str) -> Option<SegmentId> {
    let digits = name.strip_suffix(SUFFIX).filter(|d| d.len() == 16)?;
    u64::from_str_radix(digits, 16).ok().map(SegmentId)
}
