//! Reference targets: common servers, measured beside the models. The list of targets, and how each one starts, is data
//! (`scripts/targets.toml`). A server that is not installed is skipped with a reason.

mod any_server;
mod own;
mod probe;
mod server;
mod supervised;
pub mod supervisor;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hola_loadgen::workload::GREETING;
use hola_servers::models::{self, Attention};
use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::{Group, User};
use serde::Deserialize;

pub use self::any_server::AnyServer;
pub use self::server::Target;
use crate::record::{ServerCard, StoredText};

/// Folders of server programs that only root has in its `PATH`.
const PATHS_OF_ROOT: &[&str] = &["/usr/local/sbin", "/usr/sbin"];

/// Folders of Apache's modules: on Debian, and on other systems.
const APACHE_MODULES: &[&str] = &[
    "/usr/lib/apache2/modules",
    "/usr/lib64/httpd/modules",
    "/usr/lib/httpd/modules",
];

/// The folder of `targets.toml`: that of the source tree that this program was built from. A program that is built to be
/// given away names another (`HOLA_SCRIPTS` in the environment of its build), since what it starts must not depend on
/// who may write to the builder's path on the user's machine.
const SCRIPTS: &str = match option_env!("HOLA_SCRIPTS") {
    Some(folder) => folder,
    None => concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts"),
};

/// Paths of the files that targets need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetPaths {
    /// The `hola` program, which supervises targets; an example of its build may be a target itself.
    pub hola: PathBuf,
    /// The folder of `targets.toml`.
    pub scripts: PathBuf,
}

impl TargetPaths {
    /// The paths in the source tree that this program was built from, or in the folder that its build named instead.
    pub fn with_source_tree(hola: &Path) -> Self {
        TargetPaths {
            hola: hola.to_owned(),
            scripts: SCRIPTS.into(),
        }
    }

    /// Reads the list of targets.
    ///
    /// # Errors
    /// Returns the reason if it cannot be read or parsed.
    pub fn targets(&self) -> Result<Vec<TargetSpec>, String> {
        #[derive(Deserialize)]
        struct List {
            target: Vec<TargetSpec>,
        }
        let path = self.scripts.join("targets.toml");
        let list = || -> anyhow::Result<List> { Ok(toml::from_str(&fs::read_to_string(&path)?)?) };
        let list = list().map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(list.target)
    }

    fn reference(&self) -> PathBuf {
        self.scripts.join("reference")
    }

    /// The folder of what `scripts/reference/install` gets beside the system's packages.
    fn installed(&self) -> PathBuf {
        self.reference().join(".installed")
    }

    /// The folder of the programs that cargo has built.
    fn programs(&self) -> &Path {
        self.hola.parent().unwrap_or(Path::new("."))
    }
}

/// The targets of a list, and the paths of their files.
#[derive(Clone, Debug, PartialEq)]
pub struct Targets {
    /// Paths of their files.
    pub places: TargetPaths,
    /// The targets, in the order of the list.
    pub specs: Vec<TargetSpec>,
    /// Those of the user, who asked for them: they take part wherever they can.
    pub own: Vec<TargetSpec>,
}

impl Targets {
    /// An empty list.
    pub fn with_no_targets(hola: &Path) -> Self {
        Targets {
            places: TargetPaths::with_source_tree(hola),
            specs: Vec::new(),
            own: Vec::new(),
        }
    }

    /// Reads the list at `places`.
    ///
    /// # Errors
    /// As [`TargetPaths::targets`].
    pub fn new(places: TargetPaths) -> Result<Self, String> {
        let specs = places.targets()?;
        let own = Vec::new();
        Ok(Targets { places, specs, own })
    }

    /// Adds a target of the user's.
    ///
    /// # Errors
    /// Returns the reason if its name is taken.
    pub fn add_own(&mut self, spec: TargetSpec) -> Result<(), String> {
        let name = &spec.name;
        if models::find(name).is_some() {
            return Err(format!("the name `{name}` is taken by a model"));
        }
        if self.named(name).is_some() {
            return Err(format!("the name `{name}` is taken by another target"));
        }
        self.own.push(spec);
        Ok(())
    }

    /// All targets: those of the list, then those of the user.
    pub fn all(&self) -> impl Iterator<Item = &TargetSpec> {
        self.specs.iter().chain(&self.own)
    }

    /// The target of that name.
    pub fn named(&self, name: &str) -> Option<&TargetSpec> {
        self.all().find(|spec| spec.name == name)
    }
}

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

/// Finds a program's file in `PATH`, as a shell does, then in root's folders.
fn find(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(PATHS_OF_ROOT.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The values of the placeholders for one start.
struct Placeholders(Vec<(&'static str, String)>);

impl Placeholders {
    fn new(places: &TargetPaths, folder: &Path, port: u16) -> Result<Self, String> {
        let shown = |path: &Path| path.display().to_string();
        // If root starts a server, its workers drop root's rights.
        let nobody = User::from_name("nobody")
            .ok()
            .flatten()
            .ok_or("this system has no user nobody")?;
        let group = Group::from_gid(nobody.gid).ok().flatten();
        let group = group.map_or_else(|| nobody.gid.to_string(), |group| group.name);
        let mut modules = APACHE_MODULES.iter();
        let modules = modules.find(|folder| Path::new(folder).is_dir());
        let modules = modules.unwrap_or(&APACHE_MODULES[0]);
        let (_, descriptors) = getrlimit(Resource::RLIMIT_NOFILE)
            .map_err(|errno| format!("limit on open files: {}", errno.desc()))?;
        Ok(Placeholders(vec![
            ("@port@", port.to_string()),
            ("@folder@", shown(folder)),
            ("@reference@", shown(&places.reference())),
            ("@programs@", shown(places.programs())),
            ("@installed@", shown(&places.installed())),
            ("@user@", nobody.name),
            ("@group@", group),
            ("@modules@", (*modules).to_owned()),
            ("@descriptors@", descriptors.to_string()),
        ]))
    }

    fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.0 {
            text = text.replace(name, value);
        }
        text
    }
}

/// Writes the files that a target needs into its folder.
fn write_files(
    spec: &TargetSpec,
    places: &TargetPaths,
    folder: &Path,
    placeholders: &Placeholders,
) -> Result<(), String> {
    let write = || -> std::io::Result<()> {
        fs::create_dir(folder.join("public"))?;
        fs::write(folder.join("public/greeting"), GREETING)?;
        for template in &spec.templates {
            let text = fs::read_to_string(places.reference().join(template))?;
            // A template of the user's is anywhere.
            let name = Path::new(template).file_name().unwrap_or_default();
            let name = name.to_string_lossy();
            let name = name.strip_suffix(".in").unwrap_or(&name);
            fs::write(folder.join(name), placeholders.fill(&text))?;
        }
        Ok(())
    };
    write().map_err(|error| format!("the folder of {}: {error}", spec.name))
}

/// A port that is free now. If another process takes it first, the start fails, because the target's listener is not
/// found.
fn free_port() -> Result<u16, String> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("no free port: {error}"))
}
