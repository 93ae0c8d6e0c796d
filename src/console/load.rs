//! A trial load: a small one, for a short time, so that its effect on the server can be watched.

use std::io::Read;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use hola_base::visible;
use hola_loadgen::summary::{CheckName, Summary};

use super::PROGRAM;
use super::chat::Chat;
use super::event::{ConsoleEvent, LoadResult};
use super::served::{ServedModel, name_of};

/// Requests per second: few enough that nearly every model can answer them.
const RATE_PER_S: u32 = 2_000;
/// Length of the load, in seconds.
const SECONDS: u32 = 10;
/// Most requests at once: a server that cannot keep up is not buried in connections.
const IN_FLIGHT_MAX: u32 = 1_000;

/// Puts the trial load on a server, one at a time, and records how it went.
#[derive(Debug)]
pub(super) struct TrialLoad {
    served: ServedModel,
    chat: Arc<Chat>,
    running: Mutex<Option<Child>>,
}

impl TrialLoad {
    /// A load on that server, which has not begun.
    pub(super) fn new(served: ServedModel, chat: Arc<Chat>) -> Self {
        TrialLoad {
            served,
            chat,
            running: Mutex::default(),
        }
    }

    /// Starts the load; returns false if it is under way already.
    pub(super) fn start(self: &Arc<Self>) -> bool {
        let mut running = self.running();
        if running.is_some() {
            return false;
        }
        match self.command().spawn() {
            Ok(mut child) => {
                let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
                *running = Some(child);
                self.chat.history().push(ConsoleEvent::LoadStarted {
                    rate_per_s: RATE_PER_S,
                    seconds: SECONDS,
                });
                let own = Arc::clone(self);
                thread::spawn(move || own.finish(stdout, stderr));
            }
            Err(error) => {
                let reason = error.to_string();
                self.chat
                    .history()
                    .push(ConsoleEvent::LoadFailed { reason });
            }
        }
        true
    }

    /// Ends the load, if it is under way.
    pub(super) fn stop(&self) {
        if let Some(child) = self.running().as_mut() {
            // It may have ended already.
            let _ = child.kill();
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(["load", &self.served.local_address().to_string()])
            .args(["--conversation", name_of(self.served.conversation)])
            .args(["--rate", &RATE_PER_S.to_string()])
            .args(["--duration", &format!("{SECONDS}s")])
            .args(["--max-in-flight", &IN_FLIGHT_MAX.to_string()])
            .args(["--allow-remote", "--format", "json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn finish(&self, stdout: Option<ChildStdout>, stderr: Option<ChildStderr>) {
        // What it writes to stderr fits into a pipe.
        let (result, words) = (read(stdout), read(stderr));
        if let Some(mut child) = self.running().take() {
            let _ = child.wait();
        }
        let event = match serde_json::from_str::<Summary>(&result) {
            Ok(summary) => ConsoleEvent::LoadEnded(LoadResult::from(&summary)),
            Err(_) => ConsoleEvent::LoadFailed {
                reason: visible::one_line(words.trim()),
            },
        };
        self.chat.history().push(event);
    }

    fn running(&self) -> MutexGuard<'_, Option<Child>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All that a child writes; what is no text, or cannot be read, is left out.
fn read(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

impl From<&Summary> for LoadResult {
    fn from(summary: &Summary) -> Self {
        let response = &summary.latency_us.response;
        let failed_checks = summary.validity.iter().filter(|check| !check.ok);
        let name = |check: CheckName| check.name().to_owned();
        LoadResult {
            good_per_s: summary.rates.good_per_s,
            failed: summary.counts.failed_total(),
            p50_us: response.p50,
            p99_us: response.p99,
            max_us: response.max,
            failed_checks: failed_checks.map(|check| name(check.check)).collect(),
        }
    }
}
