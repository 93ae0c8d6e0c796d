//! `hola judge`: examines a server that somebody wrote, and prints what it does right and wrong.

mod course;
mod junit;
mod page;

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use hola_base::output::{print, say};
use hola_base::visible;
use hola_base::{Language, Text, text};
use hola_lab::pinned_program::PinnedProgram;
use hola_lab::record::StoredText;
use hola_lab::target::supervisor::ResourceLimits;
use hola_lab::target::{GroupLimits, ReachedLimit, sandbox};
use hola_report::difference;
use hola_servers::cli::size;

use super::{Lang, REGRESSION, RUN_ERROR, usage_error};
use crate::judge::{
    CheckState, Examination, ExaminedServer, Examiner, Rubric, SandboxChoice, ServerKind,
    UsedSandbox, examine,
};

/// Exit code when the server did not start.
const NOT_STARTED: u8 = 3;
/// Most descriptors of each process: more than a server needs that leaks one for each of 2,000 requests.
const DESCRIPTORS_MAX: u64 = 4096;
/// Largest file that it may write.
const FILE_MAX: u64 = 64 << 20;
/// Most processes and threads at once: more than a server has that leaves a zombie for each of 2,000 requests.
const PROCESSES_MAX: u32 = 4096;
/// Stands before what to read about a failed check.
const READ: Text = text("Read", "Lectura");
/// Stands for the port in a command.
const PORT: &str = "{port}";

/// Arguments of `judge`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola judge -- python3 server.py {port}            start it for each check, examine it, end it
  hola judge --expect thread-per-client -- ./server --port {port}
  hola judge --lang es --rubric rubric.toml -- java Server {port}
  hola judge --cost -- ./server {port}              and what a request costs, beside our model of its kind
  hola judge --format html -- ./server {port} > judge.html   a page for the student, with what to read
  hola judge --format junit -- ./server {port} > judge.xml
  hola judge --format gradescope -- ./server {port} > /autograder/results/results.json
  hola judge --sandbox bwrap -- ./server {port}     in a sandbox or not at all
  hola judge --url http://127.0.0.1:8080/           a server that runs: what its processes show is left out

A rubric has a line for each check that gets other than one point, such as `greeting = 2`.
The command keeps PATH, HOME, TMPDIR and LANG of the environment, and runs with limits: on memory,
processes, descriptors (4096), CPU time (--deadline) and the length of a file (64 MiB).

Where bwrap (bubblewrap) works, it runs in a sandbox: the file system is read-only; /tmp, the home
directory and /dev/shm are empty and take 64 MiB each; of the home directory it reads what the command
needs: the working directory, the program's installation and files that are named. It sees no other
process, and no network but loopback, which it shares with the judge alone. Without a sandbox it can do
what its user can: read and delete files, fill the disk, end other processes. Run it there by a user, or
in a machine, of its own.

Exit codes: 0 every check was passed, 1 error while running, 2 usage, 3 the server did not start,
99 a check failed.")]
pub(super) struct JudgeArgs {
    /// Program and arguments; `{port}` stands for the port to listen on
    #[arg(required_unless_present = "url", last = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// Examine the server that runs at this address instead
    #[arg(long, value_name = "URL", conflicts_with = "command", value_parser = address)]
    url: Option<SocketAddr>,
    /// Fail the server if it is of another kind
    #[arg(long, value_name = "KIND", value_enum, conflicts_with = "url")]
    expect: Option<ServerKind>,
    /// Also compare what a request costs with the model of the server's kind, in half a minute
    #[arg(long, conflicts_with = "url")]
    cost: bool,
    /// File of points for each check
    #[arg(long, value_name = "FILE")]
    rubric: Option<PathBuf>,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Language of the text; JSON and HTML have both
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
    /// Longest examination, in seconds; a check that has no time left fails
    #[arg(long, value_name = "S", default_value_t = 180, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    deadline: u64,
    /// Most address space of each process of the server, and most memory of all together, which is half of the
    /// machine's at most, where a control group can be made
    #[arg(long, value_name = "SIZE", default_value = "16G", value_parser = size)]
    memory: u64,
    /// Most processes and threads of the server at once, where a control group can be made
    #[arg(long, value_name = "N", default_value_t = PROCESSES_MAX, value_parser = clap::value_parser!(u32).range(1..))]
    processes: u32,
    /// What keeps the server from the rest of the machine
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = SandboxChoice::Auto, conflicts_with = "url")]
    sandbox: SandboxChoice,
    /// This process is in a network of its own already
    #[arg(long, hide = true)]
    own_network: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// Everything, by the published schema
    Json,
    /// A page that needs no other file, in both languages
    Html,
    /// JUnit XML
    Junit,
    /// The file results.json of an autograder
    Gradescope,
    /// The result of a grader, for its reporter
    Classroom,
}

/// The address of a URL such as `http://127.0.0.1:8080/`.
fn address(url: &str) -> Result<SocketAddr, String> {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let host = rest.strip_suffix('/').unwrap_or(rest);
    let mut found = host
        .to_socket_addrs()
        .map_err(|error| format!("{error}; write http://127.0.0.1:8080/"))?;
    found.next().ok_or_else(|| "no address".into())
}

/// Examines, and prints what was found.
pub(super) fn run(args: &JudgeArgs) -> Result<ExitCode> {
    let rubric = rubric(args.rubric.as_deref());
    let server = match args.url {
        Some(address) => ExaminedServer::Address(address),
        None => {
            let sandbox = used_sandbox(args);
            if sandbox.has_own_network && !args.own_network {
                return run_in_own_network();
            }
            command(args, sandbox)?
        }
    };
    let longest = Duration::from_secs(args.deadline);
    let examination = match examine(
        &Examiner::new(server, args.expect, args.cost, longest),
        &rubric,
    ) {
        Ok(examination) => examination,
        Err(reason) => {
            say(format_args!("hola: {reason}"));
            return Ok(ExitCode::from(NOT_STARTED));
        }
    };
    print(match args.format {
        Format::Text => shown(&examination, args.lang.into()),
        Format::Json => serde_json::to_string_pretty(&examination)? + "\n",
        Format::Html => page::html(&examination),
        Format::Junit => junit::junit(&examination, args.lang.into()),
        Format::Gradescope => course::gradescope(&examination, args.lang.into()),
        Format::Classroom => course::classroom(&examination, args.lang.into()),
    })?;
    Ok(match examination.count(CheckState::Failed) {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(REGRESSION),
    })
}

/// What keeps the server from the rest of the machine. Exits with a usage error if the command or the sandbox is at
/// fault.
fn used_sandbox(args: &JudgeArgs) -> UsedSandbox {
    if !args.command.iter().any(|argument| argument.contains(PORT)) {
        usage_error(&format!(
            "the command must name its port: write {PORT} where it belongs"
        ));
    }
    if args.own_network {
        return UsedSandbox::COMPLETE;
    }
    UsedSandbox::find(args.sandbox, &args.command)
        .unwrap_or_else(|why_not| usage_error(&format!("--sandbox bwrap: {why_not}")))
}

/// Runs this program again with the same arguments, in a network of its own: so the server, which is started from
/// there, can be asked and still has no way out.
fn run_in_own_network() -> Result<ExitCode> {
    let own = env::current_exe().context("cannot find this program's own file")?;
    let mut command = sandbox::own_network();
    command.arg(own).args(["judge", "--own-network"]);
    // After the program's name and that of the subcommand.
    let ended = command.args(env::args_os().skip(2)).status();
    let code = ended.context("cannot run bwrap")?.code();
    let code = code.and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(RUN_ERROR)))
}

fn command(args: &JudgeArgs, sandbox: UsedSandbox) -> Result<ExaminedServer> {
    Ok(ExaminedServer::Command {
        hola: PinnedProgram::open(Path::new("/proc/self/exe"))
            .context("cannot open this program's own file")?,
        command: args.command.clone(),
        limits: ResourceLimits {
            memory_bytes: Some(args.memory),
            descriptors: Some(DESCRIPTORS_MAX),
            cpu_s: Some(args.deadline),
            file_bytes: Some(FILE_MAX),
            sandbox: sandbox.is_sandboxed,
        },
        together: GroupLimits {
            processes: args.processes,
            memory_bytes: args.memory,
        },
        sandbox,
    })
}

/// The rubric of that file; without a file, a point for each check. Exits with a usage error if it cannot be read.
fn rubric(file: Option<&Path>) -> Rubric {
    let Some(file) = file else {
        return Rubric::default();
    };
    let read = fs::read_to_string(file).map_err(|error| error.to_string());
    read.and_then(|text| Rubric::parse(&text))
        .unwrap_or_else(|why_not| usage_error(&format!("--rubric {}: {why_not}", file.display())))
}

fn stored(text: &StoredText, language: Language) -> &str {
    language.choose(|| &*text.en, || &*text.es)
}

fn shown(examination: &Examination, language: Language) -> String {
    let mut text = String::new();
    for check in &examination.checks {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{} {} ({}/{})\n  {}\n  {}",
            language.of(state(check.state)),
            check.id,
            check.points,
            check.points_max,
            stored(&check.expected, language),
            visible::one_line(stored(&check.seen, language)),
        );
        if check.state == CheckState::Failed {
            let read = language.of(READ);
            let (command, reading) = (&check.reproduce, &check.reading);
            let _ = writeln!(text, "  $ {command}\n  {read}: {reading}");
        }
    }
    let conclusion = conclusion(examination, language).join("\n");
    format!("{text}\n{conclusion}\n{}", cost(examination, language))
}

/// What kept the server from the rest of the machine, and the limits that it reached.
fn confinement(examination: &Examination, language: Language) -> Vec<String> {
    let sandbox = examination.sandbox.iter();
    let told = sandbox.map(|sandbox| visible::one_line(stored(&sandbox.told(), language)));
    let limits = examination.reached_limits.iter();
    let limits = limits.map(|limit| language.of(reached(*limit)).to_owned());
    told.map(|line| line.to_string()).chain(limits).collect()
}

fn reached(limit: ReachedLimit) -> Text {
    match limit {
        ReachedLimit::Processes => text(
            "limit reached: it was refused more processes or threads (--processes)",
            "límite alcanzado: se le negaron más procesos o hilos (--processes)",
        ),
        ReachedLimit::Memory => text(
            "limit reached: a process was killed for want of memory (--memory)",
            "límite alcanzado: se mató un proceso por falta de memoria (--memory)",
        ),
    }
}

/// What a request costs; empty if that was not asked.
fn cost(examination: &Examination, language: Language) -> String {
    match (&examination.cost, &examination.cost_missing) {
        (Some(cost), _) => {
            let table = difference::text(&cost.difference, cost.sides(), language);
            format!("\n{table}")
        }
        (None, Some(reason)) => {
            let why = language.choose(|| "no figures of its cost", || "sin cifras de su coste");
            format!("\n{why}: {}\n", visible::one_line(reason))
        }
        (None, None) => String::new(),
    }
}

/// What the server is, and the sum of all checks.
fn conclusion(examination: &Examination, language: Language) -> Vec<String> {
    const UNKNOWN: Text = text("unknown", "desconocido");
    let kind = language.of(examination.kind.map_or(UNKNOWN, ServerKind::title));
    let at_once = examination.serves_at_once.map_or_else(
        || format!("> {}", examination.tried_at_once),
        |count| count.to_string(),
    );
    let [passed, failed] =
        [CheckState::Passed, CheckState::Failed].map(|state| examination.count(state));
    let (points, most) = (examination.points, examination.points_max);
    let mut lines: Vec<String> = language
        .choose(
            || {
                [
                    format!("kind: {kind}; clients served at once: {at_once}"),
                    format!("{passed} passed, {failed} failed, {points} of {most} points"),
                ]
            },
            || {
                [
                    format!("tipo: {kind}; clientes atendidos a la vez: {at_once}"),
                    format!("{passed} superadas, {failed} no superadas, {points} de {most} puntos"),
                ]
            },
        )
        .into();
    lines.extend(confinement(examination, language));
    lines
}

fn state(state: CheckState) -> Text {
    match state {
        CheckState::Passed => text("passed", "superada"),
        CheckState::Failed => text("FAILED", "NO SUPERADA"),
        CheckState::NotExamined => text("left out", "omitida"),
    }
}
