//! Progress on standard error, only where someone watches.

use super::output::{bytes, count};
use super::survey::Survey;
use crate::engine::Counts;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

const REDRAW: Duration = Duration::from_millis(100);

/// A count of `noun` of unknown total, with its rate.
pub(crate) fn counter(quiet: bool, noun: &str) -> ProgressBar {
    let template = format!("{{spinner}} {{human_pos}} {noun}  {{per_sec}}  {{elapsed}}  {{msg}}");
    bar(quiet, ProgressBar::no_length(), &template)
}

/// The bar of `index`: files done and to do, files/s, bytes/s, time left.
pub(crate) struct FilesBar {
    bar: ProgressBar,
    survey: Option<Survey>,
}

/// A bar over the files below `path`, which are counted meanwhile; without a path it has no end before all are found.
pub(crate) fn files(quiet: bool, path: Option<&Path>) -> FilesBar {
    let bar = bar(quiet, ProgressBar::no_length(), "{spinner} {human_pos} files  {msg}  {elapsed}");
    let survey = path.filter(|_| !bar.is_hidden()).and_then(Survey::start);
    FilesBar { bar, survey }
}

impl FilesBar {
    /// Shows these counts.
    pub(crate) fn show(&self, counts: Counts, elapsed: Duration) {
        if self.bar.is_hidden() {
            return;
        }
        let total = if counts.walked { Some(counts.found) } else { self.survey.as_ref().and_then(Survey::files) };
        if let Some(total) = total.filter(|total| self.bar.length() != Some(*total)) {
            let template = "{bar:24} {human_pos}/{human_len} files  {msg}  {elapsed}, {eta} left";
            restyle(&self.bar, template);
            self.bar.set_length(total);
        }
        let seconds = elapsed.as_secs_f64().max(0.001);
        let rate = |number: u64| (number as f64 / seconds) as u64;
        let mut rates = format!("{} files/s  {}/s", count(rate(counts.indexed)), bytes(rate(counts.indexed_bytes)));
        if counts.failed > 0 {
            rates.push_str(&format!("  {} failed", count(counts.failed)));
        }
        self.bar.set_message(rates);
        self.bar.set_position(counts.indexed + counts.unchanged);
    }

    /// Takes the bar away.
    pub(crate) fn close(self) {
        self.bar.finish_and_clear();
    }
}

fn bar(quiet: bool, bar: ProgressBar, template: &str) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
        return bar;
    }
    restyle(&bar, template);
    bar.enable_steady_tick(REDRAW);
    bar
}

fn restyle(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}
