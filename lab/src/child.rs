//! A child process of the lab, which does not outlive its owner.

use std::io;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Polling interval while a process is waited for.
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// A running child process. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct ChildProcess {
    /// Its name in errors.
    pub(crate) name: String,
    /// The process, for its pipes.
    pub(crate) child: Child,
}

impl ChildProcess {
    /// Starts `command`.
    pub(crate) fn spawn(name: &str, command: &mut Command) -> io::Result<Self> {
        Ok(ChildProcess {
            name: name.to_owned(),
            child: command.spawn()?,
        })
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap_or(i32::MAX)
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends it a signal, unless it has ended already.
    pub(crate) fn signal(&self, signal: Signal) {
        let _ = kill(Pid::from_raw(self.pid()), signal);
    }

    /// Waits for its end.
    pub(crate) fn wait_at_most(&mut self, longest: Duration) -> Result<ExitStatus, String> {
        self.wait_while(longest, || Ok(()))
    }

    /// As [`ChildProcess::wait_at_most`], for as long as `check` finds no reason to stop.
    pub(crate) fn wait_while(
        &mut self,
        longest: Duration,
        check: impl Fn() -> Result<(), String>,
    ) -> Result<ExitStatus, String> {
        let deadline = Instant::now() + longest;
        loop {
            check()?;
            match self.child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) if Instant::now() < deadline => thread::sleep(POLL_INTERVAL),
                Ok(None) => {
                    let (name, longest_s) = (&self.name, longest.as_secs_f64());
                    return Err(format!("{name} did not end within {longest_s} s"));
                }
                Err(error) => return Err(format!("{}: {error}", self.name)),
            }
        }
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        // Both calls fail harmlessly if it has ended and been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
