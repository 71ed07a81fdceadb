//! Progress on standard error, only where someone watches.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

const REDRAW: Duration = Duration::from_millis(100);

/// A count of `noun` of unknown total, with its rate.
pub(crate) fn counter(quiet: bool, noun: &str) -> ProgressBar {
    let template = format!("{{spinner}} {{human_pos}} {noun}  {{per_sec}}  {{elapsed}}  {{msg}}");
    bar(quiet, ProgressBar::no_length(), &template)
}

/// A bar of bytes with files/s and the time left, for a known total.
pub(crate) fn gauge(quiet: bool, total_bytes: u64) -> ProgressBar {
    let template = "{wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  {msg}  ETA {eta}";
    bar(quiet, ProgressBar::new(total_bytes), template)
}

fn bar(quiet: bool, bar: ProgressBar, template: &str) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
        return bar;
    }
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(REDRAW);
    bar
}
