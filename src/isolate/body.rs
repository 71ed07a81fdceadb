//! The body of a job: what is done with one file, wherever it runs.

use crate::codec::ReadAt;
use crate::error::Result;
use crate::extract::{self, Extracted, Hint};

/// What is asked about one file.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// File name or key; only its extension is looked at.
    pub name: &'a str,
    /// Caps and assumptions.
    pub options: extract::Options,
    /// Whether facts and the ranges read are wanted beside members and warnings.
    pub evidence: bool,
}

/// Does one job: the file, what describes it from beside, and the request.
pub type Body = fn(&dyn ReadAt, Option<&dyn ReadAt>, &Request<'_>) -> Result<Extracted>;

/// The body of the product. What shall be known of a file beyond its metadata is added here, so that it happens behind the
/// same walls; what it gives goes into [`Extracted`] and, for its own kinds of bytes, a section of the reply (`wire`).
pub(super) fn read(source: &dyn ReadAt, sidecar: Option<&dyn ReadAt>, request: &Request<'_>) -> Result<Extracted> {
    extract::extract_with(source, sidecar, &Hint { name: request.name }, &request.options)
}
