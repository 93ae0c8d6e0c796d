//! Limits of a process, and system calls that the kernel refuses.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use nix::unistd::Pid;

use super::HOLA;

/// A user without other processes. Limits on processes bind this user; they do not bind root.
pub struct OtherUser {
    _folder: tempfile::TempDir,
    program: PathBuf,
}

impl OtherUser {
    /// `None`, with the reason printed, where this process is not root.
    pub fn new() -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            println!("skipped: only root can give a server a user of its own");
            return None;
        }
        // If only root can read the source tree, that user cannot run the program in it.
        let folder = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir()
            .expect("a folder");
        let program = folder.path().join("hola");
        fs::copy(HOLA, &program).expect("a copy");
        Some(OtherUser {
            _folder: folder,
            program,
        })
    }

    /// Runs the program as `user`, who may have that many processes and threads.
    pub fn command(&self, user: u32, processes: u32) -> Command {
        let mut command = as_user(user);
        command
            .args(["prlimit", &format!("--nproc={processes}:{processes}")])
            .arg(&self.program);
        command
    }

    /// Sets the limit on processes and threads of that user's `process`.
    pub fn limit(&self, user: u32, process: Pid, processes: u32) {
        let mut command = as_user(user);
        command.args(["prlimit", &format!("--pid={process}")]);
        // Only the soft limit can be raised again.
        let limited = command.arg(format!("--nproc={processes}:")).status();
        assert!(limited.expect("setpriv runs").success());
    }
}

fn as_user(user: u32) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args([format!("--reuid={user}"), format!("--regid={user}")])
        .arg("--clear-groups");
    command
}

/// Runs the program with certain system calls refused, by strace's `inject=CALLS:error=…`. `None`, with the reason
/// printed, if strace is missing or may not trace.
pub fn with_refused(calls: &str, how: &str) -> Option<Command> {
    let inject = format!("inject={calls}:{how}");
    let strace = |program: &str| {
        let mut command = Command::new("strace");
        // With `-D` strace runs as a grandchild, and the program is this process's child.
        command.args(["-D", "-f", "-qq", "-o", "/dev/null", "-e"]);
        command
            .arg(format!("trace={calls}"))
            .args(["-e", &inject, program]);
        command
    };
    let traces = strace("true").output();
    if !traces.is_ok_and(|output| output.status.success()) {
        println!("skipped: strace is missing or may not trace");
        return None;
    }
    Some(strace(HOLA))
}

/// Sets limits of a process with prlimit(1).
pub fn limit(process: Pid, limits: &str) {
    let limited = Command::new("prlimit")
        .args([&format!("--pid={process}"), limits])
        .status();
    assert!(limited.expect("prlimit runs").success(), "{limits}");
}
