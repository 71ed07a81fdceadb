//! The `medialith` command: arguments in, exit code out.
fn main() {}
