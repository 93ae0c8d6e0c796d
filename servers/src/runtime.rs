//! Tokio runtimes that are whole or not there at all.

use std::any::Any;
use std::io;
use std::panic::{self, AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, OnceLock};
use std::thread;

use tokio::runtime::{Builder, Runtime};

use crate::context::Context;

/// A runtime on the calling thread alone.
///
/// # Errors
/// A refused descriptor, in one plain line.
pub(crate) fn on_this_thread() -> io::Result<Runtime> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.context(|| "cannot make a Tokio runtime".to_owned())
}

/// A work-stealing runtime with all of its threads.
///
/// Where the system refuses one of them, Tokio panics, and then waits for ever for those it has. So they wait until the
/// runtime is made, and end if it is not.
///
/// # Errors
/// A refused thread or descriptor, in one plain line.
pub(crate) fn work_stealing(workers: usize) -> io::Result<Runtime> {
    let is_whole = Arc::new(OnceLock::<bool>::new());
    let (of_worker, of_panic) = (Arc::clone(&is_whole), Arc::clone(&is_whole));
    let mut builder = Builder::new_multi_thread();
    builder
        .worker_threads(workers)
        .enable_all()
        .on_thread_start(move || {
            if !*of_worker.wait() {
                // Unlike a panic, this says nothing.
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
    let built = built.unwrap_or_else(|panic| Err(io::Error::other(words(&*panic))));
    built.context(|| format!("cannot make a Tokio runtime with {workers} threads"))
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic")
        .to_owned()
}
