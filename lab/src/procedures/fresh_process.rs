//! A fresh process of this program that measures something and prints it.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::FreshServer;
use crate::model_server::cpu_list;

/// Timeout of one such process.
const LONGEST: Duration = Duration::from_secs(60);
/// Polling interval for its end.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Runs `hola` with these arguments on the server's CPUs, and returns what it prints.
///
/// # Errors
/// Returns the reason if it cannot be run, fails (with its stderr), takes too long or is interrupted.
pub(super) fn printed(fresh: &FreshServer<'_>, arguments: &[&str]) -> Result<String, String> {
    let mut command = fresh.image.command();
    command
        .args(arguments)
        .args(["--parent", &std::process::id().to_string()]);
    if !fresh.server_cpus.is_empty() {
        command.args(["--cpus", &cpu_list(fresh.server_cpus)]);
    }
    let name = format!("hola {}", arguments[0]);
    output(command, &name, fresh)
}

/// Returns the standard output of a process once it has ended. On any earlier return, kills the process.
fn output(mut command: Command, name: &str, fresh: &FreshServer<'_>) -> Result<String, String> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn();
    let mut child = KillOnDrop(child.map_err(|error| format!("cannot run {name}: {error}"))?);
    let deadline = Instant::now() + LONGEST;
    let status = loop {
        fresh.stop_if_interrupted()?;
        match child.0.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < deadline => thread::sleep(POLL_INTERVAL),
            Ok(None) => {
                return Err(format!("{name} did not end within {} s", LONGEST.as_secs()));
            }
            Err(error) => return Err(format!("{name}: {error}")),
        }
    };
    // It writes less than a pipe holds, so a full pipe has not blocked it.
    if status.success() {
        return Ok(text(child.0.stdout.take()));
    }
    let error = text(child.0.stderr.take());
    Err(format!("{name} failed: {}", error.trim_end()))
}

struct KillOnDrop(Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        // Both fail harmlessly when it has ended and been waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn text(pipe: Option<impl Read>) -> String {
    let mut text = String::new();
    if let Some(mut pipe) = pipe {
        // If this fails, the text is incomplete, and the caller reports that.
        let _ = pipe.read_to_string(&mut text);
    }
    text
}
