//! `hola compare`: measure every model, keep the records, write the reports.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use clap::Args;
use hola_servers::models::{MODELS, Model};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;

use super::{INTERRUPTED, interrupt_flag};
use crate::experiments::{EXPERIMENTS, Experiment, Profile};
use crate::lab::record::{Bilingual, Design, ModelCard, Run, SCHEMA_VERSION, Skipped, Status};
use crate::lab::store::{self, RunFolder};
use crate::lab::{environment, run};
use crate::report;

/// Arguments of `compare`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola compare
  hola compare --profile full
  hola compare --models iterative,tokio --clients 1,64 --rounds 9

Writes DIR/<date>-<profile>/ with run.json, trials.jsonl, report.md, report.html and trials.csv. Ctrl-C keeps the trials
made so far. A quiet machine gives narrower intervals; the report says how quiet it was.")]
pub struct CompareArgs {
    /// How much to measure
    #[arg(long, value_name = "NAME", default_value = "quick", value_parser = ["quick", "full"])]
    pub profile: String,
    /// Models to measure, separated by commas [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = hola_servers::cli::model_named)]
    pub models: Vec<&'static Model>,
    /// Numbers of concurrent clients, separated by commas [default: the profile's]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub clients: Vec<u32>,
    /// Trials of each model at each level [default: the profile's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub rounds: Option<u32>,
    /// Measured window of a trial, such as 500ms or 2s [default: the profile's]
    #[arg(long, value_name = "TIME", value_parser = hola_loadgen::cli::parse_duration)]
    pub duration: Option<Duration>,
    /// Folder that gets the run's folder
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub output: PathBuf,
    /// Seed of the trial order, the schedules and the intervals [default: from the clock]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

impl CompareArgs {
    /// The quick comparison of everything, into `output`.
    pub fn quick(output: PathBuf) -> Self {
        CompareArgs {
            profile: "quick".into(),
            models: Vec::new(),
            clients: Vec::new(),
            rounds: None,
            duration: None,
            output,
            seed: None,
        }
    }

    /// The command that makes the same comparison again, in the same order; where it was kept is nobody's business.
    fn command(&self, seed: u64) -> Vec<String> {
        let mut command = vec![
            "hola".into(),
            "compare".into(),
            format!("--profile={}", self.profile),
        ];
        let mut option = |name: &str, values: Vec<String>| {
            if !values.is_empty() {
                command.push(format!("--{name}={}", values.join(",")));
            }
        };
        option(
            "models",
            self.models
                .iter()
                .map(|model| model.name.to_owned())
                .collect(),
        );
        option("clients", self.clients.iter().map(u32::to_string).collect());
        option("rounds", self.rounds.iter().map(u32::to_string).collect());
        option(
            "duration",
            self.duration
                .iter()
                .map(|time| format!("{}ms", time.as_millis()))
                .collect(),
        );
        option("seed", vec![seed.to_string()]);
        command
    }

    /// What these arguments plan.
    ///
    /// # Errors
    /// When there is no such profile.
    pub fn design(&self) -> Result<Design> {
        let experiment = &EXPERIMENTS[0];
        let profile = experiment
            .profiles
            .iter()
            .find(|profile| profile.name == self.profile);
        let profile = profile.with_context(|| format!("there is no profile `{}`", self.profile))?;
        Ok(design(self, experiment, profile))
    }
}

/// Runs the comparison with this very program as the server.
///
/// # Errors
/// When nothing could be measured or written.
pub fn run(args: &CompareArgs) -> Result<ExitCode> {
    let hola = std::env::current_exe().context("cannot find this program's own file")?;
    compare(args, &hola)
}

/// Runs the comparison with `hola` as the server program.
///
/// # Errors
/// When nothing could be measured or written.
pub fn compare(args: &CompareArgs, hola: &Path) -> Result<ExitCode> {
    let interrupted = interrupt_flag()?;
    let mut run = plan(args)?;
    eprintln!("{}", announcement(&run));
    let mut folder = RunFolder::create(&args.output, &run)?;
    run::make(hola, &mut run, &mut folder, &interrupted)?;
    let written = write_reports(folder.path())?;
    println!("{}", report::readme_table(&written.run, &written.trials));
    println!("report: {}", folder.path().join("report.html").display());
    match run.status {
        Status::Interrupted => Ok(ExitCode::from(INTERRUPTED)),
        Status::Complete | Status::Running => Ok(ExitCode::SUCCESS),
    }
}

/// A run read back, with its reports written.
pub(super) struct Written {
    run: Run,
    trials: Vec<crate::lab::record::Trial>,
}

/// Writes every report of the run in `folder` from what is stored there.
pub(super) fn write_reports(folder: &Path) -> Result<Written> {
    let (run, trials) = store::read(folder)?;
    store::write_report(folder, "report.md", &report::markdown(&run, &trials))?;
    store::write_report(folder, "report.html", &report::html(&run, &trials))?;
    store::write_report(folder, "trials.csv", &report::csv(&run, &trials))?;
    Ok(Written { run, trials })
}

fn plan(args: &CompareArgs) -> Result<Run> {
    let started_at = run::now();
    let seed = args.seed.unwrap_or_else(seed_from_clock);
    Ok(Run {
        schema_version: SCHEMA_VERSION,
        name: format!("{}-{}", started_at.replace(':', ""), args.profile),
        profile: args.profile.clone(),
        status: Status::Running,
        started_at,
        finished_at: None,
        seed,
        command: args.command(seed),
        design: args.design()?,
        models: models(args)
            .filter(|model| (model.available)().is_ok())
            .map(card)
            .collect(),
        skipped: models(args).filter_map(skipped).collect(),
        environment: environment::read(),
    })
}

fn design(args: &CompareArgs, experiment: &Experiment, profile: &Profile) -> Design {
    let cpus = allowed_cpus();
    // One CPU each, whatever there is: more would compare how many cores a model takes, not what a client costs.
    let (server_cpus, generator_cpus) = match cpus.as_slice() {
        [first, .., last] => (vec![*first], vec![*last]),
        _ => (cpus.clone(), cpus.clone()),
    };
    Design {
        experiment: experiment.name.into(),
        question: experiment.question.into(),
        levels: if args.clients.is_empty() {
            profile.clients.to_vec()
        } else {
            args.clients.clone()
        },
        trials_per_cell: args.rounds.unwrap_or(profile.rounds),
        trial_s: args
            .duration
            .unwrap_or(Duration::from_millis(profile.trial_ms))
            .as_secs_f64(),
        warmup_s: Duration::from_millis(profile.warmup_ms).as_secs_f64(),
        requests_per_connection: experiment.requests_per_connection,
        control: experiment.control.into(),
        server_cpus,
        generator_cpus,
        server_settings: serde_json::Value::Null,
    }
}

/// In teaching order, whatever the order asked in.
fn models(args: &CompareArgs) -> impl Iterator<Item = &'static Model> {
    let asked = |model: &&Model| {
        args.models.is_empty() || args.models.iter().any(|each| each.name == model.name)
    };
    MODELS.iter().filter(asked)
}

/// A model that this system does not have, and why.
fn skipped(model: &Model) -> Option<Skipped> {
    let reason = (model.available)().err()?;
    Some(Skipped {
        model: model.name.into(),
        reason,
    })
}

fn card(model: &Model) -> ModelCard {
    let both = |text: hola_servers::models::Bilingual| Bilingual {
        en: text.en.into(),
        es: text.es.into(),
    };
    ModelCard {
        name: model.name.into(),
        title: both(model.title),
        summary: both(model.summary),
        attention: model.attention.to_string(),
    }
}

/// The CPUs this process may use, in order.
fn allowed_cpus() -> Vec<usize> {
    let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap_or_default();
    (0..CpuSet::count())
        .filter(|&cpu| allowed.is_set(cpu).unwrap_or(false))
        .collect()
}

fn seed_from_clock() -> u64 {
    // Seconds are enough to differ from the run before, and short enough to type again.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(1, |since| since.as_secs())
}

fn announcement(run: &Run) -> String {
    let design = &run.design;
    let cells = design.levels.len() * (run.models.len() + 1);
    // Starting, stopping and reading a server takes about a tenth of a second.
    let trial_s = design.trial_s + design.warmup_s + 0.1;
    #[allow(clippy::cast_precision_loss, reason = "a number of cells is small")]
    let minutes = cells as f64 * f64::from(design.trials_per_cell) * trial_s / 60.0;
    let models: Vec<_> = run.models.iter().map(|model| model.name.as_str()).collect();
    format!(
        "{} · {} · seed {}\n{} clients × {} rounds, about {minutes:.1} minutes; Ctrl-C keeps what is done",
        design.question,
        models.join(", "),
        run.seed,
        design
            .levels
            .iter()
            .map(u32::to_string)
            .collect::<Vec<_>>()
            .join(", "),
        design.trials_per_cell,
    )
}
