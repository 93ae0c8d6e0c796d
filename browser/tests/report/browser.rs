//! A browser for one test: headless, offline, with a profile of its own, and gone when the test is.

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
use hola_lab::made::MadeName;
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{self, Runtime};
use url::{ParseError, Url};

use crate::driver::{Driver, Programs};

/// Longest wait for one command: the audit of a long page takes a while on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// Set where everything has been installed: then a test that cannot run has failed.
const REQUIRED: &str = "HOLA_BROWSER_REQUIRED";

/// The programs, or why there is nothing to test with, said once.
static PROGRAMS: LazyLock<Option<Programs>> = LazyLock::new(|| {
    let missing = match Programs::find() {
        Ok(programs) => return Some(programs),
        Err(missing) => missing,
    };
    assert!(env::var_os(REQUIRED).is_none(), "{missing}");
    // Not by a macro: what a test prints with those is kept from the reader when it passes.
    let reason = format!("skipped: {missing} here; browser/install installs it\n");
    let _ = io::stderr().write_all(reason.as_bytes());
    None
});

/// A place in the window, in CSS pixels from its upper left corner.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    x: f64,
    y: f64,
}

/// A running browser with one window. Every method fails the test when the browser cannot do it.
pub(crate) struct Browser {
    runtime: Runtime,
    client: Client,
    pub(crate) programs: &'static Programs,
    // In this order: nobody writes to the profile any more when it is removed.
    _driver: Driver,
    _profile: TempDir,
}

impl Browser {
    /// Starts one; `None` where it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let programs = PROGRAMS.as_ref()?;
        let profile = tempfile::Builder::new()
            // The keeper removes what its starter has made, and nothing else.
            .prefix(&MadeName::prefix())
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
            .block_on(async { tokio::time::timeout(PATIENCE, builder.connect(&url)).await })
            .expect("a browser in time")
            .expect("a browser");
        let browser = Self {
            runtime,
            client,
            programs,
            _driver: driver,
            _profile: profile,
        };
        let patience = TimeoutConfiguration::new(Some(PATIENCE), Some(PATIENCE), None);
        browser.wait(browser.client.update_timeouts(patience));
        // A new window shows a page of the browser's own, whose requests are none of ours.
        browser.wait(browser.client.goto("about:blank"));
        browser.requests();
        Some(browser)
    }

    /// Opens a file, or opens it again.
    pub(crate) fn open(&self, page: &Path) {
        let url = Url::from_file_path(page).expect("an absolute path");
        self.wait(self.client.goto(url.as_str()));
    }

    /// Opens a file at an anchor: by a detour, since the browser would only scroll a page that it shows already.
    pub(crate) fn open_at(&self, page: &Path, anchor: &str) {
        let mut url = Url::from_file_path(page).expect("an absolute path");
        url.set_fragment(Some(anchor));
        self.wait(self.client.goto("about:blank"));
        self.wait(self.client.goto(url.as_str()));
    }

    /// What a script returns. Scripts of the tests run even where those of the page may not.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.wait(self.client.execute(script, Vec::new()))
    }

    /// What a script hands to `done`.
    pub(crate) fn run_until_done(&self, script: &str) -> Value {
        let script = format!("const done = arguments[arguments.length - 1];\n{script}");
        self.wait(self.client.execute_async(&script, Vec::new()))
    }

    /// Whether an expression holds.
    pub(crate) fn holds(&self, expression: &str) -> bool {
        self.run(&format!("return Boolean({expression});")) == true
    }

    /// The lines that a script gives: mostly what is wrong with the page.
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

    /// Makes the system's colours `light` or `dark`, and the page one for the screen or for `print`.
    pub(crate) fn emulate(&self, medium: &str, colours: &str) {
        let features = json!([
            {"name": "prefers-color-scheme", "value": colours},
            // So that what a press changes has changed.
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

    /// Presses the mouse in the middle of the element that an expression gives.
    pub(crate) fn click(&self, element: &str) {
        let place = self.place_of(element);
        self.point_at(place);
        let press = MouseActions::new("mouse".to_owned())
            .then(PointerAction::Down {
                button: MOUSE_BUTTON_LEFT,
            })
            .then(PointerAction::Up {
                button: MOUSE_BUTTON_LEFT,
            });
        self.wait(self.client.perform_actions(press));
    }

    /// The middle of the element that an expression gives, scrolled into sight; nothing may cover it.
    pub(crate) fn place_of(&self, element: &str) -> Place {
        let script = include_str!("scripts/place.js");
        let found = self.run(&format!("const element = {element};\n{script}"));
        match (found["x"].as_f64(), found["y"].as_f64()) {
            (Some(x), Some(y)) => Place { x, y },
            _ => panic!("{element} cannot be pressed: {found}"),
        }
    }

    /// Moves the mouse there, from elsewhere: where the page was scrolled below a mouse that stays, the browser takes its
    /// time to notice.
    pub(crate) fn point_at(&self, place: Place) {
        let to = |x, y| PointerAction::MoveTo {
            duration: None,
            x,
            y,
        };
        let mouse = MouseActions::new("mouse".to_owned());
        let motion = mouse.then(to(1.0, 1.0)).then(to(place.x, place.y));
        self.wait(self.client.perform_actions(motion));
    }

    /// Presses a key and lets go of it.
    pub(crate) fn press(&self, key: Key) {
        let value = char::from(key);
        let press = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value });
        self.wait(self.client.perform_actions(press));
    }

    /// Presses Tab, from the beginning of one element, until another is in focus; both as expressions.
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

    /// The page as PDF, on A4. By the browser's own protocol: the standard's command gives the browser ten seconds, which
    /// fifty pages do not take on a quiet machine and do on a busy one.
    pub(crate) fn print(&self) -> Vec<u8> {
        const MM_PER_INCH: f64 = 25.4;
        let paper = json!({"paperWidth": 210.0 / MM_PER_INCH, "paperHeight": 297.0 / MM_PER_INCH});
        let answer = self.tell("Page.printToPDF", &paper);
        let text = answer["data"].as_str().expect("a document");
        BASE64_STANDARD.decode(text).expect("base64")
    }

    /// What has been asked for, over whatever protocol, since the last call.
    pub(crate) fn requests(&self) -> Vec<String> {
        let entries = self.log("performance");
        let messages = entries.iter().map(|entry| {
            let text = entry["message"].as_str().expect("text");
            let message: Value = serde_json::from_str(text).expect("JSON");
            message["message"].clone()
        });
        messages
            .filter(|message| message["method"] == "Network.requestWillBeSent")
            .map(|message| {
                let url = message["params"]["request"]["url"].as_str();
                url.expect("a request has an address").to_owned()
            })
            .collect()
    }

    /// Errors on the console since the last call: thrown, logged, or the browser's own.
    pub(crate) fn errors(&self) -> Vec<String> {
        let entries = self.log("browser").into_iter();
        entries
            .filter(|entry| entry["level"] == "SEVERE")
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
            .block_on(async { tokio::time::timeout(PATIENCE, command).await })
            .expect("an answer in time")
            .unwrap_or_else(|error| panic!("the browser refuses: {error}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // If it cannot end well, its keeper ends it.
        let closed = self.client.clone().close();
        let _ = self
            .runtime
            .block_on(async { tokio::time::timeout(Duration::from_secs(10), closed).await });
    }
}

/// A command of chromedriver's beyond the standard.
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
        // Chromium's sandbox refuses root, which is who tests run as in a container; the page is our own.
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
        // Offline: whatever a page asks for cannot be found.
        "--host-resolver-rules=MAP * ~NOTFOUND",
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
