//! The `medialith` command: arguments in, exit code out; and the workers that it starts of itself.

/// Many threads allocate and free documents of a few hundred bytes; see `docs/decisions/0007-allocator.md`.
#[global_allocator]
static ALLOCATOR: medialith::isolate::Counted<mimalloc::MiMalloc> = medialith::isolate::Counted(mimalloc::MiMalloc);

fn main() -> std::process::ExitCode {
    // IMPORTANT: first, while this process has one thread and no file open: it may be a worker.
    medialith::isolate::serve_if_asked();
    medialith::cli::run()
}
