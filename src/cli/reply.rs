//! What a query found and did, as JSON with the API's member names.

use crate::engine::{Explanation, Highlight};
use serde_json::{Value, json};

/// The places where a query matches in one file: ranges are pairs of byte offsets.
pub(crate) fn highlights(found: &[Highlight]) -> Value {
    let one = |highlight: &Highlight| {
        let ranges: Vec<[usize; 2]> = highlight.ranges.iter().map(|range| [range.start, range.end]).collect();
        json!({ "Field": highlight.field.to_string(), "Element": highlight.element, "Ranges": ranges })
    };
    Value::Array(found.iter().map(one).collect())
}

/// The plan as it was carried out.
pub(crate) fn explanation(explanation: &Explanation) -> Value {
    let step = |step: &crate::engine::PlanStep| {
        json!({
            "Depth": step.depth, "What": step.what, "Estimated": step.estimated, "Actual": step.actual,
            "LookedAt": step.looked_at, "Segments": step.segments, "Micros": step.elapsed.as_micros() as u64,
        })
    };
    let stage =
        |(name, elapsed): &(&str, std::time::Duration)| json!({ "Stage": name, "Micros": elapsed.as_micros() as u64 });
    json!({
        "Steps": explanation.steps.iter().map(step).collect::<Vec<_>>(),
        "Stages": explanation.stages.iter().map(stage).collect::<Vec<_>>(),
    })
}
