//! One target, as a list or the user describes it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use hola_servers::models::Attention;
use serde::Deserialize;

use super::TargetPaths;
use super::program::find;
use super::supervisor::ResourceLimits;
use crate::record::{ServerCard, StoredText};

/// One target, as the list describes it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetSpec {
    /// Name on the command line and in reports.
    pub name: String,
    /// Title, in English and in Spanish.
    pub title: StoredText,
    /// Candidate programs; the first one that is found is run.
    pub programs: Vec<String>,
    /// How to install it.
    pub install: String,
    /// Arguments that make the program print its version.
    pub version: Vec<String>,
    /// Arguments of the server.
    pub arguments: Vec<String>,
    /// Template files of `scripts/reference/`, filled in and written to the server's own folder.
    #[serde(default)]
    pub templates: Vec<String>,
    /// The paths of the models that it also answers.
    pub paths: Vec<String>,
    /// Whether it answers a second request on a connection.
    pub keep_alive: bool,
    /// Whether a client that stays keeps all others waiting.
    #[serde(default)]
    pub one_at_a_time: bool,
    /// Processes that serve.
    pub processes: FixedOrPerClient,
    /// Threads that serve, in each of these processes.
    pub threads: FixedOrPerClient,
    /// Whether its runtime compiles its code while it runs: then it is loaded before each block until it is steady.
    #[serde(default)]
    pub compiles_while_running: bool,
    /// The model that it is the bare server of.
    #[serde(default)]
    pub floor_of: Option<String>,
    /// The command as the user gave it; `None` for a target of a list.
    #[serde(skip)]
    pub command: Option<String>,
    /// Limits of each of its processes.
    #[serde(skip)]
    pub limits: ResourceLimits,
    /// Routes that it was found not to answer rightly, such as `/wait/N`, and what was wrong.
    #[serde(skip)]
    pub not_answered: BTreeMap<String, String>,
}

/// A number, or one for each client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "a number or \"clients\" is wanted")]
pub enum FixedOrPerClient {
    /// A fixed number.
    Fixed(u32),
    /// One for each client.
    Each(ForEach),
}

/// What each of them is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ForEach {
    /// Clients.
    Clients,
}

impl TargetSpec {
    /// The program to run.
    ///
    /// # Errors
    /// Returns the reason and how to install the program; the target is skipped with this text.
    pub fn program(&self, places: &TargetPaths) -> Result<PathBuf, String> {
        let (programs, installed) = (places.programs().to_string_lossy(), places.installed());
        let found = self.programs.iter().find_map(|name| {
            let name = name.replace("@programs@", &programs);
            find(&name.replace("@installed@", &installed.to_string_lossy()))
        });
        found.ok_or_else(|| format!("{} is not installed: {}", self.name, self.install))
    }

    /// The first line of the program's version output.
    ///
    /// # Errors
    /// Returns an error if the program is not installed, cannot be run, or prints nothing.
    pub fn version(&self, places: &TargetPaths) -> Result<String, String> {
        let program = self.program(places)?;
        let output = Command::new(&program)
            .args(&self.version)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        // nginx prints it on stderr.
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let line = said.lines().map(str::trim).find(|line| !line.is_empty());
        line.map(str::to_owned)
            .ok_or_else(|| format!("{} says no version", program.display()))
    }

    /// Whether it answers `path`: exactly, or by a route such as `/wait/N` for `/wait/5`.
    pub fn answers(&self, path: &str) -> bool {
        self.paths.iter().any(|route| leads_to(route, path))
    }

    /// Why `path` is not asked of it.
    pub fn reason_without_answer(&self, path: &str) -> String {
        let mut found = self.not_answered.iter();
        match found.find(|(route, _)| leads_to(route, path)) {
            Some((_, why_not)) => why_not.clone(),
            None => format!("it has no answer to {path}"),
        }
    }

    /// What one client costs it: nothing but a turn if it serves one at a time, a thread if its processes have several,
    /// a process if it has several of one thread each, otherwise a task of its single event loop.
    pub fn attention(&self) -> Attention {
        match (self.processes, self.threads) {
            _ if self.one_at_a_time => Attention::Nothing,
            (FixedOrPerClient::Fixed(0 | 1), FixedOrPerClient::Fixed(0 | 1)) => Attention::Task,
            (_, FixedOrPerClient::Fixed(0 | 1)) => Attention::Process,
            _ => Attention::Thread,
        }
    }

    /// Clients that it serves at once; `None` means no limit.
    pub fn serves_at_once(&self) -> Option<u32> {
        match (self.attention(), self.processes, self.threads) {
            (Attention::Nothing, ..) => Some(1),
            (Attention::Task, ..) => None,
            (_, FixedOrPerClient::Fixed(processes), FixedOrPerClient::Fixed(threads)) => {
                Some(processes * threads)
            }
            _ => None,
        }
    }

    /// Its card for readers, like that of a model.
    pub fn card(&self, places: &TargetPaths) -> ServerCard {
        let summary = match &self.command {
            Some(command) => StoredText {
                en: format!("A server of the user's own, not a model of Hola's: {command}"),
                es: format!("Un servidor propio, no un modelo de Hola: {command}"),
            },
            None => self.reference_summary(places),
        };
        ServerCard {
            name: self.name.clone(),
            title: self.title.clone(),
            summary,
            attention: self.attention().to_string(),
            lines_of_code: None,
            is_model: false,
        }
    }

    fn reference_summary(&self, places: &TargetPaths) -> StoredText {
        // Without a version, the card shows the reason.
        let version = self.version(places).unwrap_or_else(|reason| reason);
        StoredText {
            en: format!("A reference, not a model of Hola's, as it is installed here: {version}."),
            es: format!(
                "Una referencia, no un modelo de Hola, tal como está instalada aquí: {version}."
            ),
        }
    }
}

/// Whether a route, such as `/wait/N`, is that of `path`.
fn leads_to(route: &str, path: &str) -> bool {
    match route.strip_suffix('N') {
        None => route == path,
        Some(route) => path.strip_prefix(route).is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
        }),
    }
}
