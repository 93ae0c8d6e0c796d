//! The command line: subcommands and exit codes.

mod claims;
mod class;
mod client;
pub mod compare;
mod console;
mod diff;
mod experiments;
mod install;
mod judge;
mod lesson;
mod load;
mod many_runs;
mod report;
mod share;
mod site;
mod spawn;
mod supervise;
mod watch;

use std::env;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use hola_base::Language;
use hola_base::output::{print, reader_after, say, say_error};
use hola_base::visible;
use hola_loadgen::cli::MergeArgs;
use hola_servers::cli::{self as servers, ServeArgs};
use schemars::Schema;
use signal_hook::consts::{SIGINT, SIGTERM};

use self::claims::ClaimsArgs;
use self::class::ClassArgs;
use self::client::ClientArgs;
use self::compare::CompareArgs;
use self::console::ConsoleArgs;
use self::diff::DiffArgs;
use self::install::{CompletionsArgs, ManArgs};
use self::judge::JudgeArgs;
use self::lesson::LessonArgs;
use self::report::ReportArgs;
use self::share::ShareArgs;
use self::site::SiteArgs;
use self::spawn::SpawnArgs;
use self::supervise::SuperviseArgs;
use self::watch::WatchArgs;

/// A language, as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Lang {
    /// English
    En,
    /// Spanish
    Es,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::En => Language::English,
            Lang::Es => Language::Spanish,
        }
    }
}

/// Exit code of an error while running.
const RUN_ERROR: u8 = 1;
/// Exit code of a usage error.
const USAGE: u8 = 2;
/// Exit code of a comparison in which nothing could be measured.
const INVALID: u8 = 4;
/// Exit code after Ctrl-C; what was measured is kept.
const INTERRUPTED: u8 = 130;
/// Exit code after SIGTERM; what was measured is kept.
const TERMINATED: u8 = 143;
/// Exit code of a run that is worse than its base.
const REGRESSION: u8 = 99;

/// Threads, processes or async? One greeting, served every way, measured honestly
#[derive(Parser)]
#[command(
    name = "hola",
    version,
    arg_required_else_help = true,
    after_help = "\
Examples:
  hola models                          every way to serve a client
  hola serve tokio                     serve on 127.0.0.1:8080
  hola load http://127.0.0.1:8080/     measure the server that listens there
  hola load --model thread-per-client  start it, measure it, stop it
  hola merge DIR                       one result of the processes that made a load together
  hola client 127.0.0.1:8080           talk to a server line by line
  hola console epoll --page            watch a server in the browser, and answer its clients
  hola watch 8080                      a running server, live in the terminal
  hola judge -- ./server {port}        what a server of yours does right and wrong
  hola lesson 1                        learn it by measuring: eight lessons
  hola experiments                     the questions, and how long each takes
  hola compare                         answers, in a report with intervals
  hola claims                          what people say, and what decides it
  hola diff BASE CANDIDATE             what became worse from one run to another
  hola class DIR… --output OUT         what holds on how many machines

Exit codes: 0 ok, 1 error while running, 2 usage, 3 server did not start, 4 measurement invalid
(load --strict; compare; merge of a part), 5 load too late for its --start-at, 99 a gate is broken,
a run worse than its base or a check failed, 130 interrupted, 143 ended by SIGTERM. A reader that
stops early, such as `head`, is no error; output that cannot be written, as on a full disk, is one."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the models
    Models {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Serve under one model until told to stop
    Serve(ServeArgs),
    /// Put load on a server and measure it
    Load(Box<load::LoadCommand>),
    /// Add up the results of the processes that made a load together
    Merge(MergeArgs),
    /// Talk to a server line by line
    Client(ClientArgs),
    /// Serve with an operator, who sees clients and server at the terminal or in the browser
    Console(ConsoleArgs),
    /// Show a running server, or a running comparison, live in the terminal
    Watch(WatchArgs),
    /// Examine a server that somebody wrote, and say what it does right and wrong
    Judge(JudgeArgs),
    /// Take a lesson: a question, a measurement that answers it, and the reason
    Lesson(LessonArgs),
    /// List the experiments, with their levels and the time they take
    #[command(after_help = "\
Examples:
  hola experiments             every question, and what each profile makes of it on this machine
  hola experiments --json      the same as data, with the whole plan of both profiles

Levels are loads or procedures; participants are models, and reference targets that are installed.
An experiment ends before its time is up once its intervals are narrow enough.")]
    Experiments {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Measure every model and write a report
    Compare(CompareArgs),
    /// List what people say of threads, processes and async, and what decides it
    Claims(ClaimsArgs),
    /// Tell what is worse, better or the same: from one run to another, or between two servers of one run
    Diff(DiffArgs),
    /// Write a run's reports again from its stored data
    Report(ReportArgs),
    /// Put the runs of many machines together: what holds on how many, and on what it depends
    Class(ClassArgs),
    /// Write pages of many runs that open from disk, with badges and a feed
    Site(SiteArgs),
    /// Print a script that completes hola's command line in a shell
    Completions(CompletionsArgs),
    /// Write the manual pages
    Man(ManArgs),
    /// Run another program's server until standard input ends
    #[command(hide = true)]
    Supervise(SuperviseArgs),
    /// Measure what one thread, process or task costs
    #[command(hide = true)]
    Spawn(SpawnArgs),
    /// Measure what two threads or processes pay for what they share
    #[command(hide = true)]
    Share(ShareArgs),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let line = match load::with_plan(env::args_os().collect()) {
        Ok(line) => line,
        Err(reason) => return hola_loadgen::cli::refuse(reason),
    };
    let command = match Arguments::try_parse_from(&line) {
        Ok(arguments) => arguments.command,
        Err(answer) => return print_answer(&answer),
    };
    let outcome = match command {
        Command::Models { json } => models(json),
        Command::Serve(args) => return serve(&args),
        Command::Load(command) => return load::run(&command, &line),
        Command::Merge(args) => return hola_loadgen::cli::merge(&args),
        Command::Client(args) => client::run(&args),
        Command::Console(args) => console::run(&args),
        Command::Watch(args) => watch::run(&args),
        Command::Judge(args) => judge::run(&args),
        Command::Lesson(args) => lesson::run(&args),
        Command::Experiments { json } => experiments::run(json),
        Command::Compare(args) => compare::run(&args),
        Command::Claims(args) => claims::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Class(args) => class::run(&args),
        Command::Site(args) => site::run(&args),
        Command::Completions(args) => install::completions(&args),
        Command::Man(args) => install::man(&args),
        Command::Supervise(args) => supervise::run(&args),
        Command::Spawn(args) => spawn::run(&args),
        Command::Share(args) => share::run(&args),
    };
    outcome.unwrap_or_else(|error| fail(&error))
}

/// The published JSON Schema of plans for `hola load`.
pub fn load_plan_schema() -> Schema {
    load::plan_schema()
}

/// Prints the requested help text or version, or the usage error.
fn print_answer(answer: &clap::Error) -> ExitCode {
    let printed = answer.print();
    if answer.use_stderr() {
        return ExitCode::from(USAGE);
    }
    match reader_after(printed) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Says what is wrong with the arguments, and ends the program.
fn usage_error(message: &str) -> ! {
    Arguments::command()
        .error(ErrorKind::InvalidValue, visible::one_line(message))
        .exit();
}

fn fail(error: &anyhow::Error) -> ExitCode {
    say_error(error);
    ExitCode::from(RUN_ERROR)
}

fn models(json: bool) -> anyhow::Result<ExitCode> {
    print(if json {
        servers::models_json()? + "\n"
    } else {
        servers::models_text()
    })?;
    Ok(ExitCode::SUCCESS)
}

fn serve(args: &ServeArgs) -> ExitCode {
    match servers::serve(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format_args!("hola: {error}"));
            ExitCode::from(error.exit_code())
        }
    }
}

/// Whether the user has asked the program to end.
#[derive(Debug, Default)]
struct Interruption {
    /// Raised by Ctrl-C or SIGTERM.
    asked: Arc<AtomicBool>,
    /// Raised by SIGTERM.
    by_sigterm: Arc<AtomicBool>,
}

impl Interruption {
    /// Starts to watch for Ctrl-C and SIGTERM. The first signal sets flags; the second one ends the process at once.
    fn watch() -> io::Result<Self> {
        let own = Self::default();
        for (signal, code) in [(SIGINT, INTERRUPTED), (SIGTERM, TERMINATED)] {
            let asked = Arc::clone(&own.asked);
            signal_hook::flag::register_conditional_shutdown(signal, i32::from(code), asked)?;
            signal_hook::flag::register(signal, Arc::clone(&own.asked))?;
        }
        signal_hook::flag::register(SIGTERM, Arc::clone(&own.by_sigterm))?;
        Ok(own)
    }

    fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    fn exit_code(&self) -> ExitCode {
        let is_term = self.by_sigterm.load(Ordering::Relaxed);
        ExitCode::from(if is_term { TERMINATED } else { INTERRUPTED })
    }
}
