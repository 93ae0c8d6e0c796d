//! Creates Tokio runtimes: with all of their threads, or not at all.

use std::io;
use std::panic::{self, AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, OnceLock};
use std::thread;

use tokio::runtime::{Builder, Runtime};

use crate::context::ErrorContext;

/// A runtime that uses only the calling thread. Fails with one plain line if the system refuses a descriptor.
pub(crate) fn on_this_thread() -> io::Result<Runtime> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.context(|| "cannot make a Tokio runtime".to_owned())
}

/// A work-stealing runtime with all of its threads.
///
/// If the system refuses a thread, Tokio panics and then waits for ever for the threads that it has. So each thread
/// first waits until the runtime is complete, and ends if it cannot be completed. Fails with one plain line if the
/// system refuses a thread or a descriptor.
pub(crate) fn work_stealing(workers: usize) -> io::Result<Runtime> {
    let is_whole = Arc::new(OnceLock::<bool>::new());
    let (of_worker, of_panic) = (Arc::clone(&is_whole), Arc::clone(&is_whole));
    let mut builder = Builder::new_multi_thread();
    builder
        .worker_threads(workers)
        .enable_all()
        .on_thread_start(move || {
            if !*of_worker.wait() {
                // Unlike a panic, this writes no message.
                resume_unwind(Box::new("the runtime was not made"));
            }
        });
    let (usual, this_thread) = (panic::take_hook(), thread::current().id());
    panic::set_hook(Box::new(move |_| {
        if thread::current().id() == this_thread {
            let _ = of_panic.set(false);
        }
    }));
    let built = catch_unwind(AssertUnwindSafe(|| builder.build()));
    panic::set_hook(usual);
    let _ = is_whole.set(matches!(built, Ok(Ok(_))));
    let built = built.unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>();
        Err(io::Error::other(message.map_or("a panic", String::as_str)))
    });
    built.context(|| format!("cannot make a Tokio runtime with {workers} threads"))
}
