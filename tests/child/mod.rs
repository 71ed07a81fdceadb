//! A child of the same test binary: started with its orders in the environment, heard through a pipe.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

/// A running child. What it said is read to the end even after its death.
pub(crate) struct Running {
    /// The process, to be killed.
    pub(crate) child: Child,
    /// Lines heard so far.
    pub(crate) heard: Arc<AtomicUsize>,
    said: JoinHandle<Vec<String>>,
}

/// Starts the test `name` of this binary with `orders` in its environment.
pub(crate) fn start(name: &str, orders: &[(&str, String)]) -> Running {
    start_under(&[], name, orders)
}

/// The same under another command, such as a tracer, that runs what follows its arguments.
pub(crate) fn start_under(under: &[String], name: &str, orders: &[(&str, String)]) -> Running {
    let itself = std::env::current_exe().expect("this binary");
    let mut command = match under {
        [] => Command::new(itself),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments).arg(itself);
            command
        }
    };
    command.args([name, "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
    command.envs(orders.iter().map(|(key, value)| (*key, value.as_str())));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a child starts");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let heard = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&heard);
    let counted = move |line| {
        count.fetch_add(1, Ordering::SeqCst);
        line
    };
    let said = std::thread::spawn(move || lines.map_while(Result::ok).filter_map(message).map(counted).collect());
    Running { child, heard, said }
}

/// Lines of ours begin with a mark: the test harness of the child talks too.
const MARK: &str = "child: ";

fn message(line: String) -> Option<String> {
    line.strip_prefix(MARK).map(str::to_owned)
}

/// Says one line to the supervisor; on return it is in the pipe, and survives the death of the child.
pub(crate) fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    // One write, begun on a line of its own.
    out.write_all(format!("\n{MARK}{what}\n").as_bytes()).and_then(|()| out.flush()).expect("the supervisor listens");
}

/// An order of the supervisor; `None` where this is no child.
pub(crate) fn order(key: &str) -> Option<String> {
    std::env::var(key).ok()
}

impl Running {
    /// Waits for its end.
    pub(crate) fn ended(mut self) -> (ExitStatus, Vec<String>) {
        let status = self.child.wait().expect("it can be waited for");
        let (count, said) = (self.heard, self.said.join().expect("its output is read"));
        assert_eq!(count.load(Ordering::SeqCst), said.len(), "each line is counted");
        (status, said)
    }
}
