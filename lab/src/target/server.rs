//! One fresh target: starts it, checks that it listens and greets, reads its cost, and stops it.

use std::fs::{self, File, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use hola_loadgen::workload::GREETING;
use tempfile::TempDir;

use super::files::{Placeholders, free_port, write_files};
use super::supervised::{END_MAX, SupervisedServer, last_words};
use super::{TargetPaths, TargetSpec};
use crate::cgroup::Cgroup;
use crate::listening;
use crate::owned_name::OwnedName;
use crate::pinned_program::PinnedProgram;
use crate::procedures::client::ask;
use crate::process_tree::ServerAccount;

/// Longest wait for its first greeting.
const GREET_MAX: Duration = Duration::from_secs(5);
/// The file of its output, in its folder.
const OUTPUT: &str = "said";

/// A running target. Dropping it ends it and all its descendants.
#[derive(Debug)]
pub struct Target {
    server: SupervisedServer,
    address: SocketAddr,
    account: ServerAccount,
    folder: TempDir,
}

impl Target {
    /// Starts a target on `cpus` (none means any). Waits until the kernel shows that it listens, and until it greets.
    ///
    /// # Errors
    /// Returns the reason if the target does not start, for example because it is not installed
    /// ([`TargetSpec::program`] says that beforehand). No process is left running then.
    pub fn start(
        hola: &PinnedProgram,
        spec: &TargetSpec,
        places: &TargetPaths,
        cpus: &[usize],
    ) -> Result<Self, String> {
        let (name, program) = (&spec.name, spec.program(places)?);
        let folder = tempfile::Builder::new()
            .prefix(&OwnedName::prefix())
            // Workers drop root's rights, and must still read the greeting.
            .permissions(Permissions::from_mode(0o755))
            .tempdir()
            .map_err(|error| format!("no folder for {name}: {error}"))?;
        let port = free_port()?;
        let placeholders = Placeholders::new(places, folder.path(), port)?;
        write_files(spec, places, folder.path(), &placeholders)?;
        let failed = |error: std::io::Error| format!("cannot start {name}: {error}");
        let output = File::create(folder.path().join(OUTPUT)).map_err(failed)?;
        let cgroup = Cgroup::new().ok();
        let mut command = hola.command("supervise", cpus);
        let group = cgroup.as_ref().map(Cgroup::folder);
        for (option, path) in [("--folder", Some(folder.path())), ("--cgroup", group)] {
            if let Some(name) = path.and_then(Path::file_name) {
                command.arg(option).arg(name);
            }
        }
        command.args(spec.limits.options());
        command.arg("--").arg(program);
        let fill = |argument: &String| placeholders.fill(argument);
        command.args(spec.arguments.iter().map(fill));
        command.stderr(output);
        let group = group.map(Path::to_owned);
        let server = SupervisedServer::spawn(name, &mut command, group).map_err(failed)?;
        // From here on, dropping `target` ends all its processes.
        let mut target = Target {
            server,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            account: ServerAccount::new(cgroup, 0),
            folder,
        };
        let started = target.server.wait_until_started();
        target.account.pid = started.ok_or_else(|| target.did_not("start"))?;
        let (pid, address) = (target.pid(), target.address);
        let is_listening = || listening::is_held_by(pid, address);
        if !target.server.wait_until_listening(is_listening) {
            return Err(target.did_not("listen"));
        }
        match ask(target.address, "/", Some(GREETING), GREET_MAX, || true) {
            Ok(200) => Ok(target),
            Ok(status) => Err(format!("{name} answers / with status {status}")),
            // A server that has died says why in its last words.
            Err(_) if !target.is_alive() => Err(target.did_not("answer /")),
            Err(error) => Err(format!(
                "{name} does not answer / with the greeting: {error}: {}",
                last_words(&target.output())
            )),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Process id of its first process; the others are its descendants.
    pub fn pid(&self) -> i32 {
        self.account.pid
    }

    /// Its account.
    pub fn account(&self) -> &ServerAccount {
        &self.account
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        self.server.supervisor().is_alive()
    }

    /// Ends it and all its descendants.
    ///
    /// # Errors
    /// Returns the reason if it ended before it was told to.
    pub fn stop(mut self) -> Result<(), String> {
        self.server.request_stop();
        let report = self.server.wait_for_report(END_MAX).cloned();
        let report = report.ok_or_else(|| self.did_not("end"))?;
        if report.asked {
            return Ok(());
        }
        let name = self.server.supervisor().name.clone();
        let (ending, last_words) = (report.ending, last_words(&self.output()));
        Err(format!("{name} ended by itself: {ending}: {last_words}"))
    }

    fn did_not(&mut self, what: &str) -> String {
        let output = self.output();
        self.server.did_not(what, &output)
    }

    fn output(&self) -> Vec<u8> {
        fs::read(self.folder.path().join(OUTPUT)).unwrap_or_default()
    }
}
