//! A thread per client, and threads created beforehand.

use std::io;
use std::thread;

use hola_servers::spawning;

use super::{Bare, answer, each_client, workers};

pub(super) fn per_client(bare: &'static Bare) -> io::Result<()> {
    let mut refused = None;
    each_client(bare, |client| {
        // Created as in the model, which costs less than a thread of `std`.
        refused = refused
            .take()
            .or(spawning::detached(move || answer(client)).err());
    })?;
    refused.map_or(Ok(()), Err)
}

pub(super) fn pre_threaded(bare: &'static Bare) -> io::Result<()> {
    let count = workers("pre-threaded")?;
    let work = || each_client(bare, answer);
    let threads = (0..count)
        .map(|_| thread::Builder::new().spawn(work))
        .collect::<io::Result<Vec<_>>>()?;
    for thread in threads {
        thread
            .join()
            .map_err(|_| io::Error::other("a worker panicked"))??;
    }
    Ok(())
}
