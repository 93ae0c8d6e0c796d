//! A sandbox for a server that nobody has read, made by bwrap(1) of bubblewrap. In it the server cannot change the file
//! system, sees no home but the part that its command needs, sees no process but its own, and has no rights of root's.
//!
//! `hola supervise` is its first process: when that one ends, the kernel kills all others (pid_namespaces(7)). When the
//! process that made the sandbox ends, the kernel kills that one.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::program::find;

/// The program that makes a sandbox.
const PROGRAM: &str = "bwrap";
/// Most bytes in each place where the server can write: enough for its logs and caches.
const WRITABLE_BYTES: u64 = 64 << 20;
/// The folder of temporary files in the sandbox.
const TEMPORARY: &str = "/tmp";
/// Folders that are empty in the sandbox: homes, and sockets of the system's services. A file system that cannot be
/// written still lets a process connect to its sockets.
const HIDDEN: [&str; 3] = ["/home", "/root", "/run"];

/// Checks that a sandbox can be made here for that command, with or without a network of its own.
///
/// # Errors
/// Returns the reason, such as that bwrap is not installed.
pub fn check(command: &[String], has_own_network: bool) -> Result<(), String> {
    let (mut probe, inner) = match has_own_network {
        true => (own_network(), Some(PROGRAM)),
        false => (Command::new(PROGRAM), None),
    };
    probe.args(inner);
    let options = options(command).map_err(|error| format!("the working directory: {error}"))?;
    let hola = env::current_exe().map_err(|error| error.to_string())?;
    probe.args(options).arg("--").arg(hola).arg("--version");
    let output = probe
        .stdin(Stdio::null())
        .output()
        .map_err(|error| cannot_run(&error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or(PROGRAM);
    Err(last.trim().to_owned())
}

fn cannot_run(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no program {PROGRAM}: install bubblewrap"),
        _ => format!("cannot run {PROGRAM}: {error}"),
    }
}

/// The beginning of a command that runs a program in a network of its own, which has only loopback. Nothing else is
/// kept from that program.
pub fn own_network() -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["--die-with-parent", "--unshare-net", "--dev-bind", "/", "/"]);
    command.arg("--");
    command
}

/// Replaces this process by a sandbox in which `hola supervise` runs that command. Returns why it could not.
pub(super) fn enter(command: &[String]) -> String {
    let replace = || -> io::Result<()> {
        let hola = env::current_exe()?;
        let mut sandbox = Command::new(PROGRAM);
        sandbox.args(options(command)?).arg("--").arg(hola);
        sandbox.args(["supervise", "--"]).args(command);
        Err(sandbox.exec())
    };
    replace().map_or_else(|error| cannot_run(&error), |()| String::new())
}

/// The options of bwrap(1) for a command in this process's working directory.
fn options(command: &[String]) -> io::Result<Vec<OsString>> {
    let folder = env::current_dir()?;
    let home = env::var_os("HOME").and_then(|home| Path::new(&home).canonicalize().ok());
    let home = home.filter(|home| home.parent().is_some() && home.is_dir());
    let own: BTreeSet<PathBuf> = home.into_iter().chain([TEMPORARY.into()]).collect();
    let hidden = HIDDEN
        .iter()
        .filter_map(|path| Path::new(path).canonicalize().ok());
    let hidden: BTreeSet<PathBuf> = hidden.filter(|path| !own.contains(path)).collect();
    let covered: BTreeSet<PathBuf> = own.union(&hidden).cloned().collect();

    let mut options = Options::default();
    options.add(&["--die-with-parent", "--new-session"]);
    options.add(&[
        "--unshare-pid",
        "--as-pid-1",
        "--unshare-ipc",
        "--unshare-uts",
    ]);
    options.add(&["--cap-drop", "ALL", "--ro-bind", "/", "/"]);
    options.add(&["--proc", "/proc", "--dev", "/dev"]);
    options.add_empty(Path::new("/dev/shm"));
    options.add(&["--remount-ro", "/dev"]);
    // Parents come before what is in them.
    covered.iter().for_each(|path| options.add_empty(path));
    for path in readable(command, &folder, &covered)? {
        options.add(&["--ro-bind"]);
        options.0.extend([path.clone().into(), path.into()]);
    }
    for path in hidden {
        options.add(&["--remount-ro"]);
        options.0.push(path.into());
    }
    options.add(&["--setenv", "TMPDIR", TEMPORARY, "--chdir"]);
    options.0.push(folder.into());
    Ok(options.0)
}

/// Options of bwrap(1), which it follows from the first to the last.
#[derive(Default)]
struct Options(Vec<OsString>);

impl Options {
    fn add(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(OsString::from));
    }

    /// Puts an empty file system in memory at `path`.
    fn add_empty(&mut self, path: &Path) {
        self.add(&["--size", &WRITABLE_BYTES.to_string(), "--tmpfs"]);
        self.0.push(path.into());
    }
}

/// What the server must read of the folders that are empty in the sandbox: its working directory, this program, its own
/// program, and files that its command names.
fn readable(
    command: &[String],
    folder: &Path,
    covered: &BTreeSet<PathBuf>,
) -> io::Result<BTreeSet<PathBuf>> {
    let mut readable = BTreeSet::from([folder.to_owned(), env::current_exe()?]);
    if let Some(name) = command.first() {
        readable.extend(folders_of_program(name, folder, covered));
    }
    let named = command
        .iter()
        .filter_map(|word| folder.join(word).canonicalize().ok());
    for path in named {
        match path.parent() {
            Some(parent) if path.is_file() && is_below(parent, covered) => {
                readable.insert(parent.into())
            }
            _ if is_below(&path, covered) => readable.insert(path),
            _ => false,
        };
    }
    readable.retain(|path| covered.contains(path) || is_below(path, covered));
    Ok(readable)
}

/// The folders of a program, which may be a link to another place.
fn folders_of_program(
    name: &str,
    folder: &Path,
    covered: &BTreeSet<PathBuf>,
) -> impl Iterator<Item = PathBuf> {
    let program = find(name).map(|program| folder.join(program));
    let own = program.as_deref().and_then(|program| {
        if !name.contains('/') {
            return installation(program, covered);
        }
        // With the folder `lib` beside its own, such as that of a Python environment.
        let bin = program.parent().filter(|folder| folder.ends_with("bin"))?;
        let above = bin.parent().filter(|above| is_below(above, covered))?;
        Some(above.to_owned())
    });
    let link = program.filter(|program| program.is_symlink());
    let linked = link.and_then(|link| installation(&link.canonicalize().ok()?, covered));
    own.into_iter().chain(linked)
}

/// Where a program is installed, with its libraries: the folder directly below the one that is empty in the sandbox.
fn installation(program: &Path, covered: &BTreeSet<PathBuf>) -> Option<PathBuf> {
    let is_top = |path: &&Path| path.parent().is_some_and(|parent| covered.contains(parent));
    program.ancestors().find(is_top).map(Path::to_owned)
}

/// Whether a path is in one of the folders that are empty in the sandbox, and is none of them itself: a home that a
/// command names is not shown for that.
fn is_below(path: &Path, covered: &BTreeSet<PathBuf>) -> bool {
    let mut above = path.ancestors().skip(1);
    !covered.contains(path) && above.any(|parent| covered.contains(parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_home_only_what_the_command_needs_is_readable() {
        let home = tempfile::tempdir().expect("a folder");
        let home = home.path().canonicalize().expect("a path");
        let write = |path: &str| {
            let path = home.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(&path, "").expect("written");
            path
        };
        let (program, script) = (write(".python/bin/python"), write("work/lab/server.py"));
        write("letters/one");
        let environment = write("work/environment/bin/activate").with_file_name("python");
        std::os::unix::fs::symlink(program, &environment).expect("linked");
        let alone = write("alone.py");
        let above = home.parent().expect("a folder").to_owned();
        let covered = BTreeSet::from([above, home.clone()]);
        let command = [environment, script, alone, home.clone()]
            .map(|path| path.to_string_lossy().into_owned());
        let readable = readable(&command, Path::new("/srv"), &covered).expect("read");
        let wanted = [
            ".python",
            ".python/bin",
            "alone.py",
            "work/environment",
            "work/lab",
        ];
        assert_eq!(readable, wanted.map(|path| home.join(path)).into());
    }
}
