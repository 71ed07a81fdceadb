//! The `medialith` command: arguments in, exit code out.

/// Many threads allocate and free documents of a few hundred bytes; see `docs/decisions/0007-allocator.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    medialith::cli::run()
}
