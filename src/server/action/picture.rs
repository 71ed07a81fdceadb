//! Detection in pictures without storing (operations.md 7, "Detect*"): labels, score, croppings, texts, faces.

use super::project::PROJECT;
use super::table::{Action, Call, Kind, Param, Reply};
use crate::engine::detect::{Detection, Ratio};
use crate::error::{Error, ErrorKind};
use crate::model::{FieldId, File, field};
use crate::server::access::Role;
use crate::server::fault::Fault;

const SOURCE: Param =
    Param::required("SourceURI", Kind::Bytes { most: crate::model::uri::MAX_URI_BYTES }, "The picture's address.");
const CREDENTIAL: Param =
    Param::ignored("CredentialConfig", Kind::Object, "There are no other credentials than the access key's.");
/// Ratios of one call (operations.md 7).
const MOST_RATIOS: usize = 5;

pub(super) static ACTIONS: &[Action] = &[
    Action {
        name: "DetectImageLabels",
        role: Role::Read,
        global: false,
        params: &[
            PROJECT,
            SOURCE,
            Param::optional("Threshold", Kind::Text { chars: 32 }, "Least LabelConfidence, 0 to 1; by default 0.1."),
            CREDENTIAL,
        ],
        answer: &["Labels"],
        about: "What a picture shows: colours, light, medium, and what model packs tell.",
        run: labels,
    },
    Action {
        name: "DetectImageScore",
        role: Role::Read,
        global: false,
        params: &[PROJECT, SOURCE, CREDENTIAL],
        answer: &["ImageScore"],
        about: "How good a picture is technically.",
        run: score,
    },
    Action {
        name: "DetectImageCropping",
        role: Role::Read,
        global: false,
        params: &[
            PROJECT,
            SOURCE,
            Param::optional(
                "AspectRatios",
                Kind::List { most: MOST_RATIOS },
                "Proportions such as 2:3, whole numbers below 20, one at most twice the other; or auto alone, the default.",
            ),
            Param::ignored(
                "InclusionHints",
                Kind::List { most: 1 },
                "What is to stay inside is not understood in words.",
            ),
            CREDENTIAL,
        ],
        answer: &["Croppings"],
        about: "Which part of a picture to show in frames of other proportions.",
        run: croppings,
    },
    Action {
        name: "DetectImageTexts",
        role: Role::Read,
        global: false,
        params: &[PROJECT, SOURCE, CREDENTIAL],
        answer: &["OCRContents", "OCRTexts"],
        about: "The text in a picture, where Tesseract is installed beside the server.",
        run: texts,
    },
    Action {
        name: "DetectImageFaces",
        role: Role::Read,
        global: false,
        params: &[PROJECT, SOURCE, CREDENTIAL],
        answer: &["Faces"],
        about: "The faces in a picture, where a model pack for them is installed.",
        run: faces,
    },
];

fn labels(call: &Call<'_>) -> Result<Reply, Fault> {
    let threshold = match call.params.get("Threshold").filter(|text| !text.is_empty()) {
        None => 0.0,
        Some(text) => text
            .parse::<f64>()
            .ok()
            .filter(|n| (0.0..=1.0).contains(n))
            .ok_or_else(|| Fault::invalid(format!("Threshold: expected a number from 0 to 1, got {text:?}")))?,
    };
    let found = detect(call, &Detection::Labels(threshold))?;
    listed(Reply::new(), "Labels", &found, field::LABELS)
}

fn score(call: &Call<'_>) -> Result<Reply, Fault> {
    let found = detect(call, &Detection::Score)?;
    found.get(field::IMAGE_SCORE).map_or(Ok(Reply::new()), |value| Reply::new().with("ImageScore", value))
}

fn texts(call: &Call<'_>) -> Result<Reply, Fault> {
    let found = detect(call, &Detection::Texts)?;
    let reply = listed(Reply::new(), "OCRContents", &found, field::OCR_CONTENTS)?;
    reply.with("OCRTexts", found.text(field::OCR_TEXTS).unwrap_or(""))
}

fn faces(call: &Call<'_>) -> Result<Reply, Fault> {
    let found = detect(call, &Detection::Faces)?;
    listed(Reply::new(), "Faces", &found, field::FIGURES)
}

fn croppings(call: &Call<'_>) -> Result<Reply, Fault> {
    let given: Vec<String> = call.params.list("AspectRatios")?;
    if call.params.get("AspectRatios").is_some_and(|text| !text.is_empty()) && given.is_empty() {
        return Err(Fault::invalid(format!("AspectRatios: expected 1 to {MOST_RATIOS} entries, got none")));
    }
    let auto = given.iter().all(|ratio| ratio == "auto");
    let read =
        |ratio: &String| Ratio::parse(ratio).map_err(|e| Fault::invalid(format!("AspectRatios: {}", e.message())));
    let ratios: Vec<Ratio> = if auto { Vec::new() } else { given.iter().map(read).collect::<Result<_, _>>()? };
    call.state.engine.project(call.project())?;
    let found = call.state.indexer.detect_croppings(call.params.text("SourceURI"), &ratios).map_err(|e| refused(&e))?;
    let croppings: Vec<serde_json::Value> = found.iter().map(|cropping| cropping.to_json()).collect();
    Reply::new().with("Croppings", &croppings)
}

fn detect(call: &Call<'_>, detection: &Detection) -> Result<File, Fault> {
    call.state.engine.project(call.project())?;
    call.state.indexer.detect_image(call.params.text("SourceURI"), detection).map_err(|e| refused(&e))
}

/// A list of members; an empty one where there are none.
fn listed(reply: Reply, name: &str, found: &File, id: FieldId) -> Result<Reply, Fault> {
    match found.get(id) {
        Some(value) => reply.with(name, value),
        None => reply.with(name, &[(); 0]),
    }
}

/// The file cannot be had or is not what the operation is for: the caller's parameter is at fault.
fn refused(error: &Error) -> Fault {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::Io | ErrorKind::InvalidArgument => {
            Fault::invalid(format!("SourceURI: {}", error.message()))
        }
        ErrorKind::BudgetExceeded => Fault::quota(format!("SourceURI: {}", error.message())),
        kind => Fault::from(Error::new(kind, error.message())),
    }
}
