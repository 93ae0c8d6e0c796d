//! A browser for one test: headless, offline, with its own profile; it ends with the test.

use std::env;
use std::future::Future;
use std::io::{self, Write};
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fantoccini::actions::{
    InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction,
};
use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::wd::{Capabilities, TimeoutConfiguration, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use hola_lab::owned_name::OwnedName;
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{self, Runtime};
use url::{ParseError, Url};

use crate::driver::{Driver, Programs};

/// Longest wait for one command: the audit of a long page takes a while on a busy machine.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(300);

/// Set if everything must be installed: then a test that cannot run fails.
const REQUIRED: &str = "HOLA_BROWSER_REQUIRED";

/// The programs; if one is missing, `None`, and a message on stderr, once.
static PROGRAMS: LazyLock<Option<Programs>> = LazyLock::new(|| {
    let missing = match Programs::find() {
        Ok(programs) => return Some(programs),
        Err(missing) => missing,
    };
    assert!(env::var_os(REQUIRED).is_none(), "{missing}");
    // Not with a macro: the test harness hides what those print if the test passes.
    let reason = format!("skipped: {missing} here; browser/install installs it\n");
    let _ = io::stderr().write_all(reason.as_bytes());
    None
});

/// A running browser with one window. Every method fails the test if the browser cannot do it.
pub(crate) struct Browser {
    runtime: Runtime,
    client: Client,
    pub(crate) programs: &'static Programs,
    // In this order: the driver has ended, and no process writes to the profile, when it is removed.
    _driver: Driver,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser; `None` if it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let programs = PROGRAMS.as_ref()?;
        let profile = tempfile::Builder::new()
            // The supervisor removes only what the process that started it has made.
            .prefix(&OwnedName::prefix())
            .tempdir()
            .expect("a folder for the profile");
        let driver = Driver::start(programs, profile.path());
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(programs, profile.path()));
        let url = driver.url();
        let client = runtime
            .block_on(async { tokio::time::timeout(COMMAND_TIMEOUT, builder.connect(&url)).await })
            .expect("a browser in time")
            .expect("a browser");
        let browser = Self {
            runtime,
            client,
            programs,
            _driver: driver,
            _profile: profile,
        };
        let timeouts =
            TimeoutConfiguration::new(Some(COMMAND_TIMEOUT), Some(COMMAND_TIMEOUT), None);
        browser.wait(browser.client.update_timeouts(timeouts));
        // A new window shows a page of the browser; drop its requests.
        browser.wait(browser.client.goto("about:blank"));
        browser.requests();
        Some(browser)
    }

    /// Opens a file, or opens it again.
    pub(crate) fn open(&self, page: &Path) {
        let url = Url::from_file_path(page).expect("an absolute path");
        self.open_url(url.as_str());
    }

    /// Opens what is at an address.
    pub(crate) fn open_url(&self, url: &str) {
        self.wait(self.client.goto(url));
    }

    /// Opens a file at an anchor, via another page: the browser would only scroll a page that it already shows.
    pub(crate) fn open_at(&self, page: &Path, anchor: &str) {
        let mut url = Url::from_file_path(page).expect("an absolute path");
        url.set_fragment(Some(anchor));
        self.wait(self.client.goto("about:blank"));
        self.wait(self.client.goto(url.as_str()));
    }

    /// Returns the result of a script. Scripts of the tests run even if those of the page are forbidden.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.wait(self.client.execute(script, Vec::new()))
    }

    /// Returns what a script passes to `done`.
    pub(crate) fn run_until_done(&self, script: &str) -> Value {
        let script = format!("const done = arguments[arguments.length - 1];\n{script}");
        self.wait(self.client.execute_async(&script, Vec::new()))
    }

    /// Whether an expression is truthy.
    pub(crate) fn holds(&self, expression: &str) -> bool {
        self.run(&format!("return Boolean({expression});")) == true
    }

    /// Waits until an expression is truthy, looking at each frame.
    pub(crate) fn until(&self, expression: &str) {
        self.run_until_done(&format!(
            "const look = () => {{ ({expression}) ? done() : requestAnimationFrame(look); }};\nlook();"
        ));
    }

    /// The lines that a script returns: mostly the problems of the page.
    pub(crate) fn lines(&self, script: &str) -> Vec<String> {
        let lines = self.run(script);
        serde_json::from_value(lines).expect("a list of lines")
    }

    /// Shows the page in a window of that size, in CSS pixels.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        self.tell(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}),
        );
    }

    /// Emulates `light` or `dark` system colours, and the medium `screen` or `print`.
    pub(crate) fn emulate(&self, medium: &str, colours: &str) {
        let features = json!([
            {"name": "prefers-color-scheme", "value": colours},
            // Without animations, a press takes effect at once.
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.tell(
            "Emulation.setEmulatedMedia",
            &json!({"media": medium, "features": features}),
        );
    }

    /// Allows or forbids the scripts of pages opened from now on.
    pub(crate) fn allow_scripts(&self, allowed: bool) {
        self.tell(
            "Emulation.setScriptExecutionDisabled",
            &json!({"value": !allowed}),
        );
    }

    /// Clicks the middle of the element that an expression returns, scrolled into view; nothing may cover it.
    pub(crate) fn click(&self, element: &str) {
        let script = include_str!("scripts/place.js");
        let found = self.run(&format!("const element = {element};\n{script}"));
        let (Some(x), Some(y)) = (found["x"].as_f64(), found["y"].as_f64()) else {
            panic!("{element} cannot be pressed: {found}");
        };
        let (button, duration) = (MOUSE_BUTTON_LEFT, None);
        // From another point: if the page scrolls under a mouse that does not move, the browser notices late.
        let click = MouseActions::new("mouse".to_owned())
            .then(PointerAction::MoveTo {
                duration,
                x: 1.0,
                y: 1.0,
            })
            .then(PointerAction::MoveTo { duration, x, y })
            .then(PointerAction::Down { button })
            .then(PointerAction::Up { button });
        self.wait(self.client.perform_actions(click));
    }

    /// Presses and releases a key.
    pub(crate) fn press(&self, key: Key) {
        let value = char::from(key);
        let press = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value });
        self.wait(self.client.perform_actions(press));
    }

    /// Presses Tab, starting at `from`, until `element` is in focus; both are expressions.
    pub(crate) fn tab_to(&self, from: &str, element: &str) {
        const STOPS_MAX: u32 = 40;
        self.run(&format!(
            "const from = {from}; from.tabIndex = -1; from.focus(); from.removeAttribute('tabindex');"
        ));
        for _ in 0..STOPS_MAX {
            self.press(Key::Tab);
            if self.holds(&format!("document.activeElement === ({element})")) {
                return;
            }
        }
        panic!("the keyboard does not reach {element}");
    }

    /// The page as PDF, on A4. Uses the browser's own protocol: the command of the standard allows ten seconds, and
    /// fifty pages take longer on a busy machine.
    pub(crate) fn print(&self) -> Vec<u8> {
        const MM_PER_INCH: f64 = 25.4;
        let paper = json!({"paperWidth": 210.0 / MM_PER_INCH, "paperHeight": 297.0 / MM_PER_INCH});
        let answer = self.tell("Page.printToPDF", &paper);
        let text = answer["data"].as_str().expect("a document");
        BASE64_STANDARD.decode(text).expect("base64")
    }

    /// The URLs requested since the last call, over any protocol.
    pub(crate) fn requests(&self) -> Vec<String> {
        let message = |entry: Value| -> Value {
            let text = entry["message"].as_str().expect("text");
            serde_json::from_str(text).expect("JSON")
        };
        let messages = self.log("performance").into_iter().map(message);
        let requests =
            messages.filter(|one| one["message"]["method"] == "Network.requestWillBeSent");
        let url = |one: Value| {
            one["message"]["params"]["request"]["url"]
                .as_str()
                .map(str::to_owned)
        };
        requests
            .map(|one| url(one).expect("a request has an address"))
            .collect()
    }

    /// Errors on the console since the last call: thrown, logged, or from the browser.
    pub(crate) fn errors(&self) -> Vec<String> {
        let mut entries = self.log("browser");
        entries.retain(|entry| entry["level"] == "SEVERE");
        entries
            .iter()
            .map(|entry| entry["message"].to_string())
            .collect()
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.wait(self.client.issue_cmd(Extension {
            path: "se/log",
            body: json!({"type": kind}),
        }));
        entries.as_array().expect("a list of entries").clone()
    }

    /// A command of the browser's own protocol.
    fn tell(&self, command: &str, parameters: &Value) -> Value {
        self.wait(self.client.issue_cmd(Extension {
            path: "goog/cdp/execute",
            body: json!({"cmd": command, "params": parameters}),
        }))
    }

    fn wait<T>(&self, command: impl Future<Output = Result<T, CmdError>>) -> T {
        self.runtime
            .block_on(async { tokio::time::timeout(COMMAND_TIMEOUT, command).await })
            .expect("an answer in time")
            .unwrap_or_else(|error| panic!("the browser refuses: {error}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // If it does not end in time, the supervisor ends it.
        let closed = self.client.clone().close();
        let _ = self
            .runtime
            .block_on(async { tokio::time::timeout(Duration::from_secs(10), closed).await });
    }
}

/// A command of chromedriver that is not in the standard.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/{}", self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

fn capabilities(programs: &Programs, profile: &Path) -> Capabilities {
    let arguments = [
        "--headless=new",
        // Chromium's sandbox refuses root, and tests in a container run as root; the page is trusted.
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--disable-extensions",
        "--disable-sync",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
        "--no-default-browser-check",
        "--lang=en-US",
        // Offline: no host name resolves, but the address of a console.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ];
    let mut arguments: Vec<String> = arguments.map(str::to_owned).into();
    arguments.push(format!("--user-data-dir={}", profile.display()));
    let capabilities = json!({
        "browserName": "chrome",
        "goog:chromeOptions": {"binary": programs.chromium, "args": arguments},
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
    });
    capabilities.as_object().expect("an object").clone()
}
