//! Tasks (operations.md 6). No operation that is served makes tasks: there are none to find, and lists of them are empty.

use super::project::PROJECT;
use super::table::{Action, Call, Kind, Param, Reply};
use crate::model::Timestamp;
use crate::server::access::Role;
use crate::server::fault::Fault;
use serde::Deserialize;

const TYPES: &[&str] = &[
    "VideoLabelClassification",
    "FaceClustering",
    "OfficeConversion",
    "ImageModeration",
    "VideoModeration",
    "MediaConvert",
    "FileCompression",
    "ArchiveFileInspection",
    "FileUncompression",
    "PointCloudCompress",
    "ImageToPDF",
    "StoryCreation",
    "LocationDateClustering",
    "ImageSplicing",
    "FacesSearching",
    "SimilarImageClustering",
    "FigureClustersMerging",
    "DecodeBlindWatermark",
    "Highlight",
];
const DEFINITION: Param = Param::optional("RequestDefinition", Kind::Bool, "Whether to show the original request.");

pub(super) static ACTIONS: &[Action] = &[
    Action {
        name: "GetTask",
        role: Role::Read,
        global: false,
        params: &[
            PROJECT,
            Param::required("TaskType", Kind::Choice(TYPES), "The type of the task."),
            Param::required("TaskId", Kind::Text { chars: 128 }, "The task."),
            DEFINITION,
        ],
        answer: &[],
        about: "Answers that the task is not found: no operation that is served makes tasks.",
        run: get,
    },
    Action {
        name: "ListTasks",
        role: Role::Read,
        global: false,
        params: &[
            PROJECT,
            Param::optional("TaskTypes", Kind::List { most: 100 }, "Types to list."),
            Param::optional("Status", Kind::Choice(&["Running", "Succeeded", "Failed"]), "States to list."),
            Param::optional("TagSelector", Kind::Text { chars: 4096 }, "Tags to list, as key=value."),
            Param::optional("StartTimeRange", Kind::Object, "Start and End in RFC 3339."),
            Param::optional("EndTimeRange", Kind::Object, "Start and End in RFC 3339."),
            Param::optional("Sort", Kind::Choice(&["TaskId", "StartTime", "EndTime"]), "What to sort by."),
            Param::optional("Order", Kind::Choice(&["asc", "desc"]), "The direction."),
            Param::optional("MaxResults", Kind::Int { least: 1, most: 100 }, "Entries of a page."),
            Param::optional("NextToken", Kind::Bytes { most: 4096 }, "Where the page begins."),
            DEFINITION,
        ],
        answer: &["ProjectName", "Tasks", "MaxResults"],
        about: "Answers an empty list: no operation that is served makes tasks.",
        run: list,
    },
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TimeRange {
    start: Option<String>,
    end: Option<String>,
}

fn get(call: &Call<'_>) -> Result<Reply, Fault> {
    call.state.engine.project(call.project())?;
    Err(Fault::missing("The specified resource task is not found."))
}

fn list(call: &Call<'_>) -> Result<Reply, Fault> {
    let project = call.state.engine.project(call.project())?;
    let types: Vec<String> = call.params.list("TaskTypes")?;
    if let Some(unknown) = types.iter().find(|t| !TYPES.contains(&t.as_str())) {
        let shown: String = unknown.chars().take(60).collect();
        return Err(Fault::invalid(format!("TaskTypes: expected types of tasks, got {shown:?}")));
    }
    for name in ["StartTimeRange", "EndTimeRange"] {
        let range: Option<TimeRange> = call.params.json(name)?;
        let times = range.into_iter().flat_map(|r| [r.start, r.end]).flatten();
        for time in times {
            Timestamp::parse(&time).map_err(|e| Fault::invalid(format!("{name}: {}", e.message())))?;
        }
    }
    if !call.params.text("NextToken").is_empty() {
        return Err(Fault::invalid("NextToken: expected one that ListTasks gave, got another text"));
    }
    let none: [(); 0] = [];
    Reply::new().with("ProjectName", &project.name)?.with("Tasks", &none)?.with("MaxResults", "0")
}
