//! Conditions on one element of an array, as `nested` asks them, looked at in the element itself rather than in an index.

use super::filter::{holds, set_holds};
use crate::model::query::{Number, Test};
use crate::model::{Condition, Filter, Kind, Members, Timestamp, Value};
use std::cmp::Ordering;

/// Whether an element of an array fulfils all of these filters on its members. Texts and groups, which cannot stand there, hold
/// nowhere.
pub fn fits(of: &[Filter], element: &Members) -> bool {
    of.iter().all(|filter| fulfils(filter, element))
}

fn fulfils(filter: &Filter, element: &Members) -> bool {
    match filter {
        Filter::And(of) => fits(of, element),
        Filter::Or(of) => of.iter().any(|filter| fulfils(filter, element)),
        Filter::Not(of) => !of.iter().any(|filter| fulfils(filter, element)),
        Filter::Is(condition) => is(condition, element),
        Filter::Nested(..) | Filter::Text(_) => false,
    }
}

fn is(condition: &Condition, element: &Members) -> bool {
    let id = condition.field().id;
    let Some(value) = element.get(id) else { return false };
    match (condition.test(), value) {
        (Test::Exists, _) => true,
        (Test::Number(comparison, number), Value::Int(int)) => comparison.holds(whole_order(*int, *number)),
        (Test::Number(comparison, number), Value::Float(float)) => {
            let order = match number {
                Number::Int(int) => float.partial_cmp(&(*int as f64)),
                Number::Float(other) => float.partial_cmp(other),
            };
            order.is_some_and(|order| comparison.holds(order))
        }
        (Test::Time(comparison, time), Value::Text(text)) => {
            Timestamp::parse(text).is_ok_and(|own| comparison.holds(own.cmp(time)))
        }
        (test, Value::Text(text)) if id.field().kind == Kind::Set => set_holds(test, text),
        (test, Value::Text(text)) => holds(test, text.as_bytes(), true),
        _ => false,
    }
}

/// How an integer compares with a number that need not be one, exactly.
fn whole_order(int: i64, number: Number) -> Ordering {
    let float = match number {
        Number::Int(other) => return int.cmp(&other),
        Number::Float(float) => float,
    };
    let floor = float.floor();
    // Floats beyond 64 bits saturate in 128.
    let order = i128::from(int).cmp(&(floor as i128));
    if order.is_eq() && floor < float { Ordering::Less } else { order }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::field;

    #[test]
    fn elements_are_looked_at_as_nested_does() {
        let mut element = Members::new();
        element.set(field::SCENE_LABEL_NAME, Value::set(["Dog".to_owned(), "Beach".to_owned()]));
        element.set(field::SCENE_START, 1200);
        let asked = |tree: &str| {
            let Filter::Nested(_, of) = Filter::parse(tree).unwrap() else { panic!("{tree}") };
            fits(&of, &element)
        };
        let nested =
            |inner: &str| format!(r#"{{"Operation":"nested","Field":"SceneElements","SubQueries":[{inner}]}}"#);
        let label = |op: &str, name: &str| {
            format!(r#"{{"Operation":"{op}","Field":"SceneElements.Labels.LabelName","Value":"{name}"}}"#)
        };
        let start =
            |op: &str, n: &str| format!(r#"{{"Operation":"{op}","Field":"SceneElements.Start","Value":"{n}"}}"#);
        assert!(asked(&nested(&format!("{},{}", label("eq", "Beach"), label("eq", "Dog")))));
        assert!(!asked(&nested(&label("eq", "Do"))) && asked(&nested(&label("prefix", "Do"))));
        assert!(!asked(&nested(&label("eq", "dog"))) && asked(&nested(&label("gt", "Cat"))));
        assert!(asked(&nested(&start("lt", "1200.5"))) && !asked(&nested(&start("lt", "1200"))));
        assert!(asked(&nested(&start("gt", "-1e300"))) && asked(&nested(&start("lte", "1200"))));
        let not = format!(r#"{{"Operation":"not","SubQueries":[{}]}}"#, label("eq", "Cat"));
        assert!(asked(&nested(&not)));
        assert!(!asked(&nested(r#"{"Operation":"exist","Field":"SceneElements.End"}"#)));
    }
}
