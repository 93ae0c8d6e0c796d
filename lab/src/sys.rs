//! The crate's only unsafe code: what the kernel offers and no safe wrapper does.
#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::errno::Errno;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{getpid, getppid};

/// Has the kernel kill the process that `command` starts as soon as the thread that starts it has ended, in whatever way. What
/// that process makes is not tied by this.
pub(crate) fn end_with_starter(command: &mut Command) {
    let starter = getpid();
    let tie = move || -> io::Result<()> {
        set_pdeathsig(Signal::SIGKILL)?;
        // The starter may have died before the kernel was told.
        if getppid() != starter {
            return Err(Errno::ESRCH.into());
        }
        Ok(())
    };
    // SAFETY: between fork(2) and execve(2) this makes two system calls, which are async-signal-safe, allocates nothing and
    // takes no lock: an error from a number of the kernel's needs no memory.
    unsafe { command.pre_exec(tie) };
}
