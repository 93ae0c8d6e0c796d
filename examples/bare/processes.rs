//! A process per client, and processes created beforehand.

use std::io;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, close, fork, getpid, getppid};

use super::{Bare, answer, each_client, workers};

pub(super) fn per_client(bare: &'static Bare) -> io::Result<()> {
    let mut refused = None;
    each_client(bare, |client| {
        let child = fork_child(|| {
            let _ = close(bare.listener.as_raw_fd());
            answer(client);
            true
        });
        let _ = close(client);
        refused = refused.take().or(child.err());
        reap(Some(WaitPidFlag::WNOHANG));
    })?;
    reap(None);
    refused.map_or(Ok(()), Err)
}

/// Reaps the children that have ended, or waits for all; returns how many ended without error.
fn reap(flags: Option<WaitPidFlag>) -> usize {
    let mut ended_well = 0;
    loop {
        match waitpid(None, flags) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return ended_well,
            Ok(WaitStatus::Exited(_, 0)) => ended_well += 1,
            _ => {}
        }
    }
}

pub(super) fn pre_forked(bare: &'static Bare) -> io::Result<()> {
    let parent = getpid();
    let work = || {
        let with_its_parent = set_pdeathsig(Signal::SIGTERM).is_ok() && getppid() == parent;
        with_its_parent && each_client(bare, answer).is_ok()
    };
    let count = workers("pre-forked")?;
    let children = (0..count).map(|_| fork_child(work)).collect::<Vec<_>>();
    if children.iter().all(Result::is_ok) {
        bare.wait_for_stop();
    }
    for child in children.iter().flatten() {
        // It may have ended already.
        let _ = kill(*child, Signal::SIGTERM);
    }
    if reap(None) == count {
        Ok(())
    } else {
        Err(io::Error::other(
            "a worker was not made, or did not end well",
        ))
    }
}

/// Forks a child that runs `work` and exits with 0 if `work` returns `true`.
fn fork_child(work: impl Fn() -> bool) -> io::Result<Pid> {
    // SAFETY: this process has one thread.
    match unsafe { fork()? } {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            let done = work();
            // SAFETY: _exit(2) does not return; the parent's destructors are not the child's to run.
            unsafe { libc::_exit((!done).into()) }
        }
    }
}
