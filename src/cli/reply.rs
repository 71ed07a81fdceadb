//! What a query computed or did, as JSON with the API's member names.

use crate::engine::{Aggregate, Explanation, Highlight};
use serde_json::{Value, json};

/// `Aggregations` of an answer: `Value` where there is a number, `Groups` where there are groups.
pub(crate) fn aggregations(aggregates: &[Aggregate]) -> Value {
    let one = |aggregate: &Aggregate| {
        let mut members = json!({ "Field": aggregate.field.to_string(), "Operation": aggregate.operation.to_string() });
        if let (Some(members), Some(value)) = (members.as_object_mut(), aggregate.value) {
            members.insert("Value".to_owned(), json!(value));
        }
        let groups: Vec<Value> =
            aggregate.groups.iter().map(|group| json!({ "Value": group.value, "Count": group.count })).collect();
        if let (Some(members), false) = (members.as_object_mut(), groups.is_empty()) {
            members.insert("Groups".to_owned(), Value::Array(groups));
        }
        members
    };
    Value::Array(aggregates.iter().map(one).collect())
}

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
