//! A thread per client, and threads made beforehand.

use std::io;
use std::thread;

use super::{Bare, answer, each_client, workers};

/// As small as a thread that calls recv and send can be.
const STACK_OCTETS: usize = 64 * 1024;

pub(super) fn per_client(bare: &'static Bare) -> io::Result<()> {
    let mut refused = None;
    each_client(bare, |client| {
        let thread = thread::Builder::new().stack_size(STACK_OCTETS);
        if let Err(error) = thread.spawn(move || answer(bare, client)) {
            refused = Some(error);
        }
    })?;
    refused.map_or(Ok(()), Err)
}

pub(super) fn beforehand(bare: &'static Bare) -> io::Result<()> {
    let count = workers("pre-threaded")?;
    let work = || each_client(bare, |client| answer(bare, client));
    let threads = (0..count)
        .map(|_| thread::Builder::new().stack_size(STACK_OCTETS).spawn(work))
        .collect::<io::Result<Vec<_>>>()?;
    for thread in threads {
        thread
            .join()
            .map_err(|_| io::Error::other("a worker panicked"))??;
    }
    Ok(())
}
