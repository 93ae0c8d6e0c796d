//! The WebDriver server: Debian's chromedriver on a free port, for the duration of a test.

use std::env;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hola_lab::owned_name::OwnedName;

/// The program that supervises the browser, and serves pages.
pub(crate) const HOLA: &str = env!("CARGO_BIN_EXE_hola-under-test");

/// Longest wait for a line of the driver while it starts.
const START_MAX: Duration = Duration::from_secs(30);

/// Programs that the tests need and the repository does not contain.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    pub(crate) chromium: PathBuf,
    pub(crate) chromedriver: PathBuf,
    /// axe-core, one file.
    pub(crate) axe: PathBuf,
}

impl Programs {
    /// All programs, or the name of a missing one.
    pub(crate) fn find() -> Result<Self, String> {
        let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("node_modules/axe-core/axe.min.js");
        Ok(Self {
            chromium: on_path("chromium")?,
            chromedriver: on_path("chromedriver")?,
            axe: axe.is_file().then_some(axe).ok_or("no axe-core")?,
        })
    }
}

fn on_path(name: &str) -> Result<PathBuf, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .ok_or_else(|| format!("no {name}"))
}

/// A running driver. The supervisor ends it and every browser it started when this is dropped or the test dies.
#[derive(Debug)]
pub(crate) struct Driver {
    supervisor: Child,
    port: u16,
}

impl Driver {
    /// Starts the driver. It and its browsers write only to `folder`, a temporary folder that this process named. The
    /// supervisor removes it if the test cannot.
    pub(crate) fn start(programs: &Programs, folder: &Path) -> Self {
        let name = OwnedName::from_path(folder).expect("a name that says who made it");
        let supervisor = Command::new(HOLA)
            .args(["supervise", "--folder"])
            .arg(name.as_str())
            .arg("--")
            .arg(&programs.chromedriver)
            .arg("--port=0")
            .env("HOME", folder)
            .env("XDG_CONFIG_HOME", folder)
            .env("XDG_CACHE_HOME", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Its own process group: Ctrl-C reaches only the test, and the supervisor then ends the rest.
            .process_group(0)
            .spawn();
        let mut driver = Self {
            supervisor: supervisor.expect("the supervisor runs"),
            port: 0,
        };
        let stderr = driver.supervisor.stderr.take().expect("piped");
        driver.port = port(stderr);
        driver
    }

    /// The URL on which the driver listens.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let _ = self.supervisor.wait();
    }
}

/// The port that the driver prints. A thread reads and drops all later output, so the driver and its browsers never
/// block.
fn port(words: ChildStderr) -> u16 {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(words).lines().map_while(Result::ok) {
            // Fails once the port is known and the receiver is dropped.
            let _ = sender.send(line);
        }
    });
    let mut said = String::new();
    while let Ok(line) = lines.recv_timeout(START_MAX) {
        let named = line
            .split_once("was started successfully on port ")
            .and_then(|(_, port)| port.trim_end_matches('.').parse().ok());
        if let Some(port) = named {
            return port;
        }
        said.push_str(&line);
        said.push('\n');
    }
    panic!("chromedriver names no port: {said}");
}
