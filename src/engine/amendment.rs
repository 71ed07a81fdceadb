//! What an operator that runs after a document was stored leaves in it.
//!
//! The document may have been read again, changed or removed meanwhile: an amendment lands only where the file's state and the
//! operator's are as they were, and touches nothing but the operator's own members.

use crate::analyze::Operator;
use crate::model::{Members, Value, field};
use crate::store::{Record, Stamp};

/// A change of one document.
#[derive(Debug, Clone)]
pub(super) struct Amendment {
    pub(super) uri: String,
    pub(super) operator: Operator,
    /// The state of the file that was looked at.
    pub(super) stamp: Option<Stamp>,
    /// States of which the operator's must be one.
    pub(super) from: &'static [&'static str],
    /// The operator's entries of `ops` from now on.
    pub(super) ops: Vec<(&'static str, String)>,
    /// Members to add; labels join those that are there.
    pub(super) gained: Members,
    /// `Reason`, where the document has none.
    pub(super) reason: Option<String>,
}

impl Amendment {
    /// Changes the record; answers whether it is the one that is meant.
    pub(super) fn apply(self, record: &mut Record) -> bool {
        let state = entry(&record.members, self.operator, "state");
        if record.stamp != self.stamp || !state.is_some_and(|state| self.from.contains(&state)) {
            return false;
        }
        let own = format!("{}.", self.operator.name());
        let entries = match record.members.get(field::OPS) {
            Some(Value::Map(pairs)) => pairs.clone(),
            _ => Vec::new(),
        };
        let others = entries.into_iter().filter(|(key, _)| !key.starts_with(&own)).map(|(k, v)| (k.into(), v.into()));
        let entries = others.chain(self.ops.into_iter().map(|(key, value)| (format!("{own}{key}"), value)));
        record.members.set(field::OPS, Value::map(entries));
        for (id, value) in self.gained.iter() {
            let value = match (record.members.get(id), value) {
                (Some(Value::Rows(before)), Value::Rows(more)) if id == field::LABELS => {
                    // Those with clips were found in the film before: it moved, and its document inherited them.
                    let given = before.iter().filter(|label| label.get(field::LABEL_CLIPS).is_none());
                    Value::Rows(given.chain(more).cloned().collect())
                }
                _ => value.clone(),
            };
            record.members.set(id, value);
        }
        if let Some(reason) = self.reason.filter(|_| record.members.get(field::REASON).is_none()) {
            record.members.set(field::REASON, reason);
        }
        true
    }
}

/// An entry of an operator in `ops`.
pub(super) fn entry<'m>(members: &'m Members, operator: Operator, key: &str) -> Option<&'m str> {
    let Some(Value::Map(pairs)) = members.get(field::OPS) else { return None };
    let name = format!("{}.{key}", operator.name());
    pairs.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::run::{DONE, RUNNING, WAITING};
    use crate::model::Timestamp;

    #[test]
    fn only_what_was_looked_at_is_changed() {
        let stamp = Stamp { size: 5, modified: 7, inode: 9 };
        let mut members = Members::new();
        members.set(field::TITLE, "Ferry");
        let ops = [("LabelClassification.state", RUNNING), ("LabelClassification.attempts", "1"), ("MIME.state", DONE)];
        members.set(field::OPS, Value::map(ops.map(|(k, v)| (k.to_owned(), v.to_owned()))));
        let of = |name: &str| {
            let mut label = Members::new();
            label.set(field::LABEL_NAME, name);
            Value::Rows(vec![label])
        };
        let mut old = of("Seen before");
        if let Value::Rows(rows) = &mut old {
            rows[0].set(field::LABEL_CLIPS, Value::Json("[]".into()));
            let Value::Rows(given) = of("Given") else { panic!() };
            rows.extend(given);
        }
        members.set(field::LABELS, old);
        let record = Record { members, created: Timestamp(1), updated: Timestamp(2), stamp: Some(stamp), bound: true };
        let mut gained = Members::new();
        gained.set(field::LABELS, of("Seen"));
        let amendment = Amendment {
            uri: "oss://b/k".into(),
            operator: Operator::LabelClassification,
            stamp: Some(stamp),
            from: &[RUNNING],
            ops: vec![("state", DONE.to_owned())],
            gained,
            reason: Some("[x] y".into()),
        };
        let mut changed = record.clone();
        assert!(amendment.clone().apply(&mut changed));
        assert_eq!(entry(&changed.members, Operator::LabelClassification, "state"), Some(DONE));
        assert_eq!(entry(&changed.members, Operator::LabelClassification, "attempts"), None);
        assert_eq!(entry(&changed.members, Operator::Mime, "state"), Some(DONE));
        assert_eq!(changed.members.text(field::TITLE), Some("Ferry"));
        let Some(Value::Rows(labels)) = changed.members.get(field::LABELS) else { panic!() };
        let names: Vec<Option<&str>> = labels.iter().map(|label| label.text(field::LABEL_NAME)).collect();
        assert_eq!(names, [Some("Given"), Some("Seen")]);
        for other in [
            Amendment { stamp: None, ..amendment.clone() },
            Amendment { from: &[WAITING], ..amendment.clone() },
            Amendment { operator: Operator::ImageHash, ..amendment },
        ] {
            let mut same = record.clone();
            assert!(!other.apply(&mut same) && same == record);
        }
    }
}
