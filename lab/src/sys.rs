//! The crate's only unsafe code: kernel functions that have no safe wrapper.
#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::errno::Errno;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{getpid, getppid};

/// Makes the kernel kill the process that `command` starts as soon as the thread that starts it ends. Descendants of
/// that process are not affected.
pub(crate) fn end_with_starter(command: &mut Command) {
    let starter = getpid();
    let tie = move || -> io::Result<()> {
        set_pdeathsig(Signal::SIGKILL)?;
        // The starter may have ended before that call.
        if getppid() != starter {
            return Err(Errno::ESRCH.into());
        }
        Ok(())
    };
    // SAFETY: between fork(2) and execve(2) this makes two system calls, which are async-signal-safe. It allocates
    // nothing and takes no lock: an error from an errno needs no memory.
    unsafe { command.pre_exec(tie) };
}
