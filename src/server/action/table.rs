//! The table of operations (operations.md), and what a handler gets and gives.

use super::{
    binding, bucket, cluster, dataset, detect, figure, file, index, picture, project, query, region, task, video,
    webhook,
};
use crate::server::access::Role;
use crate::server::fault::Fault;
use crate::server::params::Params;
use crate::server::state::State;
use serde::Serialize;

/// What a parameter's value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The name of a project or dataset.
    Name,
    /// Text of at most that many characters.
    Text {
        /// Most characters.
        chars: usize,
    },
    /// Text of at most that many bytes.
    Bytes {
        /// Most bytes.
        most: usize,
    },
    /// An integer in a range.
    Int {
        /// The least.
        least: i64,
        /// The most.
        most: i64,
    },
    /// An integer whose maximum is a quota: beyond it the code is `LimitExceededError`.
    Quota {
        /// The least.
        least: i64,
        /// The most.
        most: i64,
    },
    /// `true` or `false` in any case.
    Bool,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// An object in JSON.
    Object,
    /// An array in JSON.
    List {
        /// Most entries.
        most: usize,
    },
}

/// Whether a parameter must be given, and whether it has an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Must be given and not empty.
    Required,
    /// May be given.
    Optional,
    /// Is accepted and has no effect.
    Ignored,
}

/// One parameter of an operation.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What its value must be.
    pub kind: Kind,
    /// Whether it must be given.
    pub need: Need,
    /// What it says, or why it is ignored.
    pub about: &'static str,
}

impl Param {
    /// A parameter that must be given.
    pub(super) const fn required(name: &'static str, kind: Kind, about: &'static str) -> Param {
        Param { name, kind, need: Need::Required, about }
    }

    /// A parameter that may be given.
    pub(super) const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Param {
        Param { name, kind, need: Need::Optional, about }
    }

    /// A parameter that is accepted without effect.
    pub(super) const fn ignored(name: &'static str, kind: Kind, about: &'static str) -> Param {
        Param { name, kind, need: Need::Ignored, about }
    }
}

/// A request to a handler: its parameters have passed [`crate::server::params::check`].
pub(in crate::server) struct Call<'a> {
    pub(in crate::server) state: &'a State,
    pub(in crate::server) params: &'a Params,
    /// `RequestId` that the answer will carry.
    pub(in crate::server) request_id: &'a str,
}

impl Call<'_> {
    pub(super) fn project(&self) -> &str {
        self.params.text("ProjectName")
    }

    /// The dataset that the parameters name.
    pub(super) fn dataset(&self) -> Result<crate::engine::Dataset, Fault> {
        Ok(self.state.engine.dataset(self.project(), self.params.text("DatasetName"))?)
    }
}

/// The members of an answer, as JSON text.
#[derive(Debug, Default)]
pub(in crate::server) struct Reply(Vec<u8>);

impl Reply {
    /// An answer without data.
    pub(super) fn new() -> Reply {
        Reply::default()
    }

    /// Adds a member.
    pub(super) fn with<T: Serialize + ?Sized>(mut self, name: &str, value: &T) -> Result<Reply, Fault> {
        let failed = |e| Fault::new(500, "InternalError", format!("an answer could not be written: {e}"));
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        serde_json::to_writer(&mut self.0, name).map_err(failed)?;
        self.0.push(b':');
        serde_json::to_writer(&mut self.0, value).map_err(failed)?;
        Ok(self)
    }

    /// Adds a member of text, unless it is empty.
    pub(super) fn with_text(self, name: &str, text: &str) -> Result<Reply, Fault> {
        if text.is_empty() { Ok(self) } else { self.with(name, text) }
    }

    /// The document with its `RequestId`.
    pub(in crate::server) fn finish(self, request_id: &str) -> Vec<u8> {
        // A string serializes always.
        let mut bytes = self.with("RequestId", request_id).map(|reply| reply.0).unwrap_or_default();
        bytes.push(b'}');
        bytes
    }
}

/// One operation.
pub struct Action {
    /// Its name.
    pub name: &'static str,
    /// The least role that may call it.
    pub role: Role,
    /// Whether keys that are bound to projects may call it for no project.
    pub global: bool,
    /// Its parameters.
    pub params: &'static [Param],
    /// Members of the answer beside `RequestId`.
    pub answer: &'static [&'static str],
    /// What it does, in a sentence.
    pub about: &'static str,
    pub(in crate::server) run: fn(&Call<'_>) -> Result<Reply, Fault>,
}

impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The tables of the resources, in the order of operations.md.
pub static ACTIONS: &[&[Action]] = &[
    project::ACTIONS,
    dataset::ACTIONS,
    binding::ACTIONS,
    file::ACTIONS,
    index::ACTIONS,
    query::ACTIONS,
    task::ACTIONS,
    video::ACTIONS,
    detect::ACTIONS,
    picture::ACTIONS,
    figure::ACTIONS,
    cluster::ACTIONS,
    region::ACTIONS,
    bucket::ACTIONS,
    webhook::ACTIONS,
];

/// The operation of that name.
pub(in crate::server) fn find(name: &str) -> Option<&'static Action> {
    ACTIONS.iter().copied().flatten().find(|action| action.name == name)
}

/// Operations of the API that are not served: they are answered so, instead of as unknown (operations.md 3, 6 and 7).
pub static UNSERVED: &[&str] = &[
    "AddImageMosaic",
    "AddStoryFiles",
    "CompareImageFaces",
    "ContextualAnswer",
    "ContextualRetrieval",
    "CreateArchiveFileInspectionTask",
    "CreateBatch",
    "CreateCompressPointCloudTask",
    "CreateCustomizedStory",
    "CreateDecodeBlindWatermarkTask",
    "CreateFacesSearchingTask",
    "CreateFileCompressionTask",
    "CreateFileUncompressionTask",
    "CreateHighlightTask",
    "CreateImageModerationTask",
    "CreateImageSplicingTask",
    "CreateImageToPDFTask",
    "CreateMediaConvertTask",
    "CreateOfficeConversionTask",
    "CreateStory",
    "CreateTrigger",
    "CreateVideoModerationTask",
    "DeleteBatch",
    "DeleteStory",
    "DeleteTrigger",
    "DetectImageBodies",
    "DetectImageCars",
    "DetectImageCodes",
    "DetectTextAnomaly",
    "EncodeBlindWatermark",
    "ExtractDocumentText",
    "GenerateVideoPlaylist",
    "GenerateWebofficeToken",
    "GetBatch",
    "GetDRMLicense",
    "GetDecodeBlindWatermarkResult",
    "GetImageModerationResult",
    "GetStory",
    "GetTrigger",
    "GetVideoModerationResult",
    "ListBatches",
    "ListTriggers",
    "QueryStories",
    "RefreshWebofficeToken",
    "RemoveStoryFiles",
    "ResumeBatch",
    "ResumeTrigger",
    "SearchImageFigureCluster",
    "SuspendBatch",
    "SuspendTrigger",
    "UpdateBatch",
    "UpdateStory",
    "UpdateTrigger",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_parameters_too() {
        let mut names = BTreeSet::new();
        for action in ACTIONS.iter().copied().flatten() {
            assert!(names.insert(action.name), "{}", action.name);
            let params: BTreeSet<&str> = action.params.iter().map(|p| p.name).collect();
            assert_eq!(params.len(), action.params.len(), "{}", action.name);
            assert!(action.about.ends_with('.') && action.params.iter().all(|p| !p.about.is_empty()));
        }
        assert!(UNSERVED.is_sorted() && UNSERVED.iter().all(|name| names.insert(name)));
    }

    #[test]
    fn replies() {
        assert_eq!(Reply::new().finish("R"), br#"{"RequestId":"R"}"#);
        let reply = Reply::new().with("N", &1).unwrap().with_text("T", "").unwrap();
        assert_eq!(reply.finish("R"), br#"{"N":1,"RequestId":"R"}"#);
    }
}
