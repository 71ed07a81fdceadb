//! How a query was answered: its plan, with estimated and actual numbers of files, and times.

use super::filter::{Plan, Step, Told};
use crate::model::Condition;
use crate::model::query::{Number, Test};
use std::fmt;
use std::time::{Duration, Instant};

/// One line of the plan.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlanStep {
    /// Depth in the tree; the whole query has depth 0.
    pub depth: usize,
    /// What is asked.
    pub what: String,
    /// Files that statistics promised.
    pub estimated: u64,
    /// Files that passed, among those that the steps before had left.
    pub actual: u64,
    /// Files that were looked at one by one; 0 where all were found at once.
    pub looked_at: u64,
    /// Segments in which it was asked; elsewhere the steps before left nothing.
    pub segments: u32,
    /// Time, that of the steps below included.
    pub elapsed: Duration,
}

/// The plan of a query as it was carried out, and the time of each stage.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Explanation {
    /// The steps in the order of the query; within `and` the rarest and cheapest was asked first.
    pub steps: Vec<PlanStep>,
    /// Name and time of each stage.
    pub stages: Vec<(&'static str, Duration)>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>10} {:>10} {:>10} {:>9}  step", "estimated", "actual", "looked at", "us")?;
        for step in &self.steps {
            let (micros, indent) = (step.elapsed.as_micros(), step.depth * 2);
            let PlanStep { estimated, actual, looked_at, what, segments, .. } = step;
            let skipped = if *segments == 0 { "  (not needed)" } else { "" };
            writeln!(f, "{estimated:>10} {actual:>10} {looked_at:>10} {micros:>9}  {:indent$}{what}{skipped}", "")?;
        }
        for (stage, elapsed) in &self.stages {
            writeln!(f, "{stage}: {} us", elapsed.as_micros())?;
        }
        Ok(())
    }
}

/// Takes the time of the stages, where somebody wants to know.
pub(crate) struct Clock {
    last: Option<Instant>,
    stages: Vec<(&'static str, Duration)>,
}

impl Clock {
    pub(crate) fn new(runs: bool) -> Clock {
        Clock { last: runs.then(Instant::now), stages: Vec::new() }
    }

    pub(crate) fn lap(&mut self, stage: &'static str) {
        if let Some(last) = &mut self.last {
            self.stages.push((stage, last.elapsed()));
            *last = Instant::now();
        }
    }

    pub(crate) fn explanation(self, plan: &Plan<'_>, told: &[Told]) -> Explanation {
        let mut steps = Vec::new();
        describe(plan, 0, told, &mut steps);
        Explanation { steps, stages: self.stages }
    }
}

/// Adds what the nodes did in one segment to what they did in others.
pub(crate) fn add_up(sum: &mut Vec<Told>, more: Vec<Told>) {
    sum.resize(sum.len().max(more.len()), Told::default());
    for (sum, more) in sum.iter_mut().zip(more) {
        sum.estimated += more.estimated;
        sum.actual += more.actual;
        sum.looked_at += more.looked_at;
        sum.elapsed += more.elapsed;
        sum.segments += more.segments;
    }
}

fn describe(plan: &Plan<'_>, depth: usize, told: &[Told], steps: &mut Vec<PlanStep>) {
    let (what, below): (String, &[Plan<'_>]) = match &plan.step {
        Step::And(of) if of.is_empty() => ("all files".into(), of),
        Step::And(of) => ("and".into(), of),
        Step::Or(of) => ("or".into(), of),
        Step::Not(of) => ("not".into(), of),
        Step::Nested(array, of) => (format!("nested {array}: {} conditions", of.len()), &[]),
        Step::Is(condition) => (shown(condition), &[]),
        Step::Range(of) => (of.iter().map(|one| shown(one)).collect::<Vec<_>>().join(" and "), &[]),
        Step::Text(matcher) => (matcher.to_string(), &[]),
    };
    let Told { estimated, actual, looked_at, elapsed, segments } = told.get(plan.id).cloned().unwrap_or_default();
    steps.push(PlanStep { depth, what, estimated, actual, looked_at, segments, elapsed });
    below.iter().for_each(|plan| describe(plan, depth + 1, told, steps));
}

fn shown(condition: &Condition) -> String {
    let field = condition.field();
    match condition.test() {
        Test::Text(comparison, operand) => format!("{field} {comparison} {operand:?}"),
        Test::Prefix(operand) => format!("{field} prefix {operand:?}"),
        Test::Phrase(operand) => format!("{field} match-phrase {operand:?}"),
        Test::Number(comparison, Number::Int(int)) => format!("{field} {comparison} {int}"),
        Test::Number(comparison, Number::Float(float)) => format!("{field} {comparison} {float}"),
        Test::Time(comparison, time) => format!("{field} {comparison} {time}"),
        Test::Within(area) => format!("{field} within {area:?}"),
        Test::Exists => format!("{field} exist"),
    }
}
