//! WebDriver's other end: Debian's chromedriver on a free port, for as long as a test needs it.

use std::env;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hola_lab::made::MadeName;

/// The program that keeps the browser.
const HOLA: &str = env!("CARGO_BIN_EXE_hola-under-test");

/// Longest wait for the driver's first words.
const START_MAX: Duration = Duration::from_secs(30);

/// What the tests need and do not bring along.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    pub(crate) chromium: PathBuf,
    pub(crate) chromedriver: PathBuf,
    /// axe-core, one file.
    pub(crate) axe: PathBuf,
}

impl Programs {
    /// All of them, or which one is missing.
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

/// A running driver. Its keeper ends it, and every browser that it made, when this is dropped or the test dies.
#[derive(Debug)]
pub(crate) struct Driver {
    keeper: Child,
    port: u16,
}

impl Driver {
    /// Starts it; all that it and its browsers write goes to `folder`, a temporary one with a name of this process's, which
    /// the keeper removes if the test cannot do it.
    pub(crate) fn start(programs: &Programs, folder: &Path) -> Self {
        let name = MadeName::of(folder).expect("a name that says who made it");
        let keeper = Command::new(HOLA)
            .args(["keep", "--folder"])
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
            // A group of its own: Ctrl-C is for the test, and then the keeper sees to the rest.
            .process_group(0)
            .spawn();
        let mut driver = Self {
            keeper: keeper.expect("the keeper runs"),
            port: 0,
        };
        let stderr = driver.keeper.stderr.take().expect("piped");
        driver.port = port(stderr);
        driver
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// The port that the driver names; what it and its browsers say afterwards is read and dropped, so that they never wait.
fn port(words: ChildStderr) -> u16 {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(words).lines().map_while(Result::ok) {
            // Nobody listens any more once the port is known.
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
