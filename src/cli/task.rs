//! `medialith task`: work that takes longer than a call.

use super::args::Place;
use super::exit::Exit;
use super::index::bucket_of;
use super::output::{Output, complain, printable};
use super::table::{self, Cell};
use crate::engine::{Buckets, Engine, TaskOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Order, ProjectSpec, Task, TaskKind, TaskOrder, TaskQuery, TaskSort, TaskState, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = "\
A task belongs to a project and is kept for seven days after its end. One that was made without --wait is done by `medialith serve`
with the bucket that its address names. `video-labels` finds the shots of a film and what they show, and when. Films in H.264, Motion
JPEG, VP8 (key frames) and PNG are decoded by medialith itself, others by ffmpeg if it is installed. See docs/tasks.md.")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Make a task that finds the shots of a film and what they show
    VideoLabels(VideoLabels),
    /// Make a task of any type for a file of a bucket
    Create(Create),
    /// Print a task
    Get(Get),
    /// List tasks
    List(List),
    /// End a task before its time
    Cancel(Cancel),
}

#[derive(clap::Args)]
struct VideoLabels {
    /// The film: MP4, MOV, MPEG-TS, MKV, AVI, FLV or M3U8
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Text that is told again with the task
    #[arg(long, default_value = "", value_name = "TEXT")]
    user_data: String,
    /// A tag by which it can be listed (may be repeated)
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    tags: Vec<String>,
    /// Do the task now and print what came of it
    #[arg(long)]
    wait: bool,
    /// Print the API's result document, with the shots
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Create {
    /// The file: oss://bucket/key
    #[arg(value_name = "URI")]
    uri: String,
    /// TaskType
    #[arg(long = "type", default_value = "VideoLabelClassification", value_name = "TYPE")]
    kind: String,
    /// Text that is told again with the task
    #[arg(long, default_value = "", value_name = "TEXT")]
    user_data: String,
    /// A tag by which it can be listed (may be repeated)
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    tags: Vec<String>,
}

#[derive(clap::Args)]
struct Get {
    /// TaskId
    #[arg(value_name = "ID")]
    id: String,
    /// Print JSON, with the result if there is one
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct List {
    /// Only tasks with this tag (may be repeated)
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    tags: Vec<String>,
    /// Only tasks in this state: Running, Succeeded or Failed
    #[arg(long, default_value = "", value_parser = ["", "Running", "Succeeded", "Failed"], value_name = "STATUS")]
    status: String,
    /// Order: TaskId, StartTime or EndTime
    #[arg(long, default_value = "StartTime", value_parser = ["TaskId", "StartTime", "EndTime"], value_name = "FIELD")]
    sort: String,
    /// The last ones first
    #[arg(long)]
    desc: bool,
    /// Most tasks to print
    #[arg(short, long, default_value_t = 100, value_name = "COUNT")]
    number: usize,
    /// One JSON object per line
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Cancel {
    /// TaskId
    #[arg(value_name = "ID")]
    id: String,
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    match &args.verb {
        Verb::VideoLabels(args) => video_labels(args, place),
        Verb::Create(args) => create(args, place),
        Verb::Get(args) => {
            let engine = place.read()?;
            let task = engine.task(&place.project, None, &args.id)?;
            print(&engine, &task, args.json)
        }
        Verb::List(args) => list(args, place),
        Verb::Cancel(args) => {
            let engine = place.write()?;
            let task = engine.cancel_task(&place.project, &args.id)?;
            print(&engine, &task, false)
        }
    }
}

fn tags(given: &[String]) -> Result<BTreeMap<String, String>> {
    let pair = |text: &String| match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Error::invalid(format!("--tag: expected KEY=VALUE, got {text:?}"))),
    };
    given.iter().map(pair).collect()
}

fn order(kind: TaskKind, place: &Place, uri: &str, user_data: &str, given: &[String]) -> Result<TaskOrder> {
    let tags = tags(given)?;
    let mut definition = json!({ "ProjectName": place.project, "SourceURI": uri });
    if let Some(object) = definition.as_object_mut() {
        object.extend((!user_data.is_empty()).then(|| ("UserData".to_owned(), json!(user_data))));
        object.extend((!tags.is_empty()).then(|| ("Tags".to_owned(), json!(tags))));
    }
    Ok(TaskOrder { user_data: user_data.to_owned(), tags, ..TaskOrder::new(kind, definition.to_string()) })
}

/// The database and the project for making a task: they are created where they are missing.
fn open(place: &Place) -> Result<Engine> {
    let engine = place.open_or_make()?;
    match engine.create_project(&place.project, &ProjectSpec::default()) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(e),
        _ => Ok(engine),
    }
}

fn video_labels(args: &VideoLabels, place: &Place) -> Result<Exit> {
    let file = args.file.canonicalize().map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::new(ErrorKind::NotFound, format!("there is no {}", args.file.display())),
        _ => Error::io(format_args!("find {}", args.file.display()), e),
    })?;
    let (folder, name) = (file.parent(), file.file_name().and_then(|name| name.to_str()));
    let (Some(folder), Some(name)) = (folder, name) else {
        let shown = args.file.display();
        return Err(Error::invalid(format!("{shown}: expected a file with a name in UTF-8, got another path")));
    };
    let bucket = bucket_of(&file);
    let mut buckets = Buckets::new();
    buckets.add(&bucket, folder)?;
    let uri = format!("oss://{bucket}/{name}");
    let order = order(TaskKind::VIDEO_LABELS, place, &uri, &args.user_data, &args.tags)?;
    let engine = open(place)?;
    let made = engine.create_task(&place.project, &order)?;
    if !args.wait {
        return print(&engine, &made, args.json);
    }
    let task = engine.run_task(&place.project, &made.id, buckets, TaskOptions::default())?;
    print(&engine, &task, args.json)
}

fn create(args: &Create, place: &Place) -> Result<Exit> {
    let kind = TaskKind::parse(&args.kind)?;
    let order = order(kind, place, &args.uri, &args.user_data, &args.tags)?;
    let engine = open(place)?;
    let made = engine.create_task(&place.project, &order)?;
    print(&engine, &made, false)
}

fn list(args: &List, place: &Place) -> Result<Exit> {
    let engine = place.read()?;
    let sort = match args.sort.as_str() {
        "TaskId" => TaskSort::Id,
        "EndTime" => TaskSort::End,
        _ => TaskSort::Start,
    };
    let order = if args.desc { Order::Desc } else { Order::Asc };
    let mut query =
        TaskQuery { tags: tags(&args.tags)?, status: args.status.clone(), sort, order, ..TaskQuery::default() };
    let (mut out, mut left, mut rows) = (Output::new(), args.number, Vec::new());
    while left > 0 {
        query.max_results = left.min(crate::model::task::MAX_TASK_PAGE);
        let page = engine.tasks(&place.project, &query)?;
        left = left.saturating_sub(page.items.len());
        for task in &page.items {
            match args.json {
                true => out.line(document(task))?,
                false => rows.push(row(task)),
            }
        }
        query.token = page.next_token;
        if query.token.is_empty() {
            break;
        }
    }
    table::lines(&rows).iter().try_for_each(|line| out.line(line))?;
    out.flush()?;
    Ok(Exit::Done)
}

fn row(task: &Task) -> Vec<Cell> {
    let progress = if task.state == TaskState::Running { format!("{} %", task.progress) } else { String::new() };
    let text = |text: &str| Cell::from(printable(text).to_string());
    vec![
        text(&task.id),
        Cell::from(task.state.name().to_owned()),
        Cell::right(progress),
        Cell::from(Timestamp(task.start_time).to_string()),
        text(&task.code),
    ]
}

/// A task with the API's member names.
fn document(task: &Task) -> Value {
    let mut members = json!({
        "ProjectName": task.project,
        "TaskId": task.id,
        "TaskType": task.kind.name(),
        "EventId": task.event_id,
        "Status": task.state.status(),
        "Progress": task.progress,
        "StartTime": Timestamp(task.start_time).to_string(),
    });
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty()).map(Value::String);
    let optional = [
        ("EndTime", task.end_time.map(|time| json!(Timestamp(time).to_string()))),
        ("Code", text(&task.code)),
        ("Message", text(&task.message)),
        ("UserData", text(&task.user_data)),
        ("Tags", (!task.tags.is_empty()).then(|| json!(task.tags))),
    ];
    if let Some(object) = members.as_object_mut() {
        object.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    }
    members
}

/// Prints a task with its result, and answers how it ended.
fn print(engine: &Engine, task: &Task, json: bool) -> Result<Exit> {
    let kept = engine.task_result(&task.project, &task.id)?;
    let result: Option<Value> = kept.and_then(|text| serde_json::from_str(&text).ok());
    let mut out = Output::new();
    if json {
        let mut document = document(task);
        if let (Some(document), Some(Value::Object(result))) = (document.as_object_mut(), result) {
            document.extend(result);
        }
        out.line(document)?;
    } else {
        out.line(format_args!("{}  {}", task.id, task.state.name()))?;
        result.iter().flat_map(lines).try_for_each(|line| out.line(line))?;
    }
    out.flush()?;
    match task.state {
        TaskState::Failed | TaskState::Cancelled if !task.code.is_empty() => {
            complain(format_args!("{}: {}", printable(&task.code), printable(&task.message)));
            Ok(if task.state == TaskState::Failed { Exit::Failed } else { Exit::Done })
        }
        _ => Ok(Exit::Done),
    }
}

/// Shots and labels for people.
fn lines(result: &Value) -> Vec<String> {
    let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let number = |value: &Value| value.as_i64().unwrap_or(0);
    let shot = |shot: &Value| {
        format!("  shot  {} - {}", clock(shot.get("Start").map_or(0, number)), clock(shot.get("End").map_or(0, number)))
    };
    let mut shown: Vec<String> = list(result, "Shots").iter().map(shot).collect();
    for label in list(result, "Labels") {
        let clips: Vec<String> = list(&label, "Clips")
            .iter()
            .map(|clip| list(clip, "TimeRange").iter().map(|time| clock(number(time))).collect::<Vec<_>>().join(" - "))
            .collect();
        let name = label.get("LabelName").and_then(Value::as_str).unwrap_or("");
        shown.push(format!("  label {}  {}", printable(name), clips.join(", ")));
    }
    shown
}

/// `1:02.345`
fn clock(milliseconds: i64) -> String {
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    format!("{}:{:02}.{rest:03}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_for_people() {
        assert_eq!(clock(62_345), "1:02.345");
        assert_eq!(clock(0), "0:00.000");
    }

    #[test]
    fn tags_are_pairs() {
        assert_eq!(tags(&["a=b=c".to_owned()]).unwrap(), [("a".to_owned(), "b=c".to_owned())].into());
        assert!(tags(&["a".to_owned()]).is_err());
    }
}
