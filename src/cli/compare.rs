//! `hola compare`: measure every model, keep the records, write the reports.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use clap::Args;
use hola_servers::models;

use super::{INTERRUPTED, RUN_ERROR, contenders, interrupt_flag};
use crate::claims::words::card;
use crate::claims::{self, Claim};
use crate::experiments::plan::{self, Wishes};
use crate::experiments::{self, EXPERIMENTS, Experiment, Levels, Profile};
use crate::lab::record::{
    Design, Environment, Level, Outcome, Run, SCHEMA_VERSION, Skipped, Status, Trial,
};
use crate::lab::store::{self, RunFolder};
use crate::lab::target::Targets;
use crate::lab::{environment, estimate, run};
use crate::language::Language;
use crate::output::{print, say};
use crate::report::{Reports, exports};

/// Arguments of `compare`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola compare
  hola compare --profile full
  hola compare --experiments churn --models iterative,tokio --clients 1,64 --rounds 9
  hola compare --experiments churn --models epoll,nginx,hyper
  hola compare --profile full --claims isolation,fork-vs-thread
  hola compare --resume results/2026-11-21T101502Z-full

Says first how long it will take. Writes DIR/<date>-<profile>/ with run.json, trials.jsonl, report.md, report.html, trials.csv,
and data for other tools in csv/, hlog/ and exports/. Ctrl-C keeps the trials made so far, and --resume goes on with them.
A quiet machine gives narrower intervals; the report says how quiet it was.

Exit codes: 0 ok, 1 nothing could be measured or written, or a trial failed (the others are kept and reported), 2 usage,
130 interrupted.")]
pub struct CompareArgs {
    /// How much to measure
    #[arg(long, value_name = "NAME", default_value = "quick", value_parser = ["quick", "full"])]
    pub profile: String,
    /// Experiments to make, separated by commas, those that the profile leaves out among them; `hola experiments` lists
    /// them [default: the profile's]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = experiment_named)]
    pub experiments: Vec<&'static Experiment>,
    /// Claims to decide, separated by commas: makes the experiments they rest on; `hola claims` lists them
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = claim_named, conflicts_with = "experiments")]
    pub claims: Vec<&'static Claim>,
    /// Models to measure, and reference targets (scripts/targets.toml), separated by commas [default: the profile's]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = contenders::named)]
    pub models: Vec<String>,
    /// Numbers of concurrent clients, separated by commas, for experiments of which they are the levels; without
    /// --experiments, those alone are made [default: the profile's]
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
    /// Go on with an interrupted run: same plan, same seed, same order; trials already there are not made again
    #[arg(long, value_name = "DIR", conflicts_with_all = ["profile", "experiments", "claims", "models", "clients", "rounds", "duration", "output", "seed"])]
    pub resume: Option<PathBuf>,
}

impl CompareArgs {
    /// The quick comparison of everything, into `output`.
    pub fn quick(output: PathBuf) -> Self {
        CompareArgs {
            profile: "quick".into(),
            experiments: Vec::new(),
            claims: Vec::new(),
            models: Vec::new(),
            clients: Vec::new(),
            rounds: None,
            duration: None,
            output,
            seed: None,
            resume: None,
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
            "experiments",
            names(self.experiments.iter().map(|each| each.name)),
        );
        option("claims", names(self.claims.iter().map(|each| each.id)));
        option("models", self.models.clone());
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

    /// What these arguments plan: an experiment each, in the order they are made, and whom they leave out.
    pub fn designs(&self, targets: &Targets) -> (Vec<Design>, Vec<Skipped>) {
        let wishes = Wishes {
            models: self.models.clone(),
            clients: self.clients.clone(),
            rounds: self.rounds,
            duration: self.duration,
        };
        let (mut designs, mut skipped) = (Vec::new(), Vec::new());
        for experiment in EXPERIMENTS
            .iter()
            .filter(|experiment| self.asks(experiment))
        {
            let Some(profile) = self.profile_of(experiment) else {
                continue;
            };
            let (design, left_out) = plan::of(experiment, profile, &wishes, targets);
            designs.push(design);
            for one in left_out {
                // A target that is not installed is left out of each alike.
                if !skipped.contains(&one) {
                    skipped.push(one);
                }
            }
        }
        (designs, skipped)
    }

    /// How much of an experiment is done; one that the profile leaves out is done as in the profile that has it, when it
    /// was asked for by name.
    fn profile_of(&self, experiment: &Experiment) -> Option<&'static Profile> {
        let is_named = !(self.experiments.is_empty() && self.claims.is_empty());
        let any = experiment.profiles.first().filter(|_| is_named);
        experiment.profile(&self.profile).or(any)
    }

    fn asks(&self, experiment: &Experiment) -> bool {
        if !self.claims.is_empty() {
            let rests_on = |claim: &&Claim| {
                let experiments = claim.rule.experiments();
                experiments.iter().any(|one| one.name == experiment.name)
            };
            return self.claims.iter().any(rests_on);
        }
        match self.experiments.as_slice() {
            [] if self.clients.is_empty() => true,
            [] => experiment
                .profile(&self.profile)
                .is_some_and(|profile| matches!(profile.levels, Levels::Clients(_))),
            asked => asked.iter().any(|one| one.name == experiment.name),
        }
    }
}

fn names<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    names.map(str::to_owned).collect()
}

/// The experiment of that name, as an argument.
///
/// # Errors
/// The names there are, when it is none of them.
fn experiment_named(name: &str) -> Result<&'static Experiment, String> {
    experiments::find(name).ok_or_else(|| {
        let names: Vec<_> = EXPERIMENTS
            .iter()
            .map(|experiment| experiment.name)
            .collect();
        format!("no such experiment; there are {}", names.join(", "))
    })
}

/// The claim of that name, as an argument.
///
/// # Errors
/// Where the names are to be found, when there is no such claim.
fn claim_named(id: &str) -> Result<&'static Claim, String> {
    claims::find(id).ok_or_else(|| "no such claim; `hola claims` lists them".to_owned())
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
    let targets = contenders::targets(hola);
    let (mut folder, mut run) = match &args.resume {
        Some(path) => resume(path)?,
        None => {
            let run = plan(args, &targets)?;
            (RunFolder::create(&args.output, &run)?, run)
        }
    };
    say(announcement(&run, folder.positions()).trim_end());
    let begun = Instant::now();
    let recipe =
        |design: &Design, level: &Level| experiments::recipe(&design.experiment, &level.name);
    run::make(hola, &targets, &mut run, &mut folder, recipe, &interrupted)?;
    say(format_args!(
        "measured for {}",
        time(begun.elapsed().as_secs_f64())
    ));
    let written = write_reports(folder.path())?;
    let reports = Reports::of(&written.run, &written.trials);
    print(&format!(
        "{}\n{}\nreport: {}\n",
        reports.readme_table(Language::English),
        card::tally(reports.decisions(), Language::English),
        folder.path().join("report.html").display()
    ))?;
    let failed = written.failed();
    if failed > 0 {
        let trials = written.trials.len();
        say(format_args!(
            "hola: {failed} of {trials} trials failed; the report says why"
        ));
    }
    Ok(match (run.status, failed) {
        (Status::Interrupted, _) => ExitCode::from(INTERRUPTED),
        (Status::Complete | Status::Running, 0) => ExitCode::SUCCESS,
        (Status::Complete | Status::Running, _) => ExitCode::from(RUN_ERROR),
    })
}

/// A run read back, with its reports written.
pub(super) struct Written {
    run: Run,
    trials: Vec<Trial>,
}

impl Written {
    /// Trials that came to no measurement.
    fn failed(&self) -> usize {
        let is_failed = |trial: &&Trial| matches!(trial.outcome, Outcome::Failed(_));
        self.trials.iter().filter(is_failed).count()
    }
}

/// Writes every report and export of the run in `folder` from what is stored there, and removes the exports that another
/// version or other records had left.
pub(super) fn write_reports(folder: &Path) -> Result<Written> {
    let (run, trials) = store::read(folder)?;
    let files = Reports::of(&run, &trials).files();
    store::write_reports(folder, &files, &exports::FOLDERS, exports::is_export)?;
    Ok(Written { run, trials })
}

/// An interrupted run, to be gone on with by the program that began it.
fn resume(path: &Path) -> Result<(RunFolder, Run)> {
    let (folder, mut run, _) = RunFolder::open(path)?;
    ensure!(
        run.status != Status::Complete,
        "{} is complete: there is nothing to go on with",
        path.display()
    );
    ensure!(
        same_place(&environment::read(), &run.environment),
        "{} was begun by another build or on another machine: trials of both would not compare",
        path.display()
    );
    run.status = Status::Running;
    run.finished_at = None;
    run.resumed_at.push(run::now());
    folder.write_run(&run)?;
    Ok((folder, run))
}

/// Whether trials made in both are of one kind.
fn same_place(here: &Environment, there: &Environment) -> bool {
    let known = |of: &Environment| {
        let build = [&of.version, &of.build, &of.rustc].map(Clone::clone);
        let machine = [&of.cpu_model, &of.kernel].map(Clone::clone);
        (build, machine, of.commit.clone(), of.cpus)
    };
    known(here) == known(there)
}

fn plan(args: &CompareArgs, targets: &Targets) -> Result<Run> {
    let started_at = run::now();
    let seed = args.seed.unwrap_or_else(seed_from_clock);
    let (designs, left_out) = args.designs(targets);
    ensure!(
        designs.iter().any(|design| !design.models.is_empty()),
        "nothing is left to measure"
    );
    Ok(Run {
        schema_version: SCHEMA_VERSION,
        name: format!("{}-{}", started_at.replace(':', ""), args.profile),
        profile: args.profile.clone(),
        status: Status::Running,
        started_at,
        resumed_at: Vec::new(),
        finished_at: None,
        seed,
        command: args.command(seed),
        models: contenders::cards(&designs, targets),
        skipped: contenders::unavailable(&args.models)
            .chain(left_out)
            .collect(),
        experiments: designs,
        environment: environment::read(),
    })
}

fn seed_from_clock() -> u64 {
    // Seconds are enough to differ from the run before, and short enough to type again.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(1, |since| since.as_secs())
}

/// What is about to be done, and how long it takes.
fn announcement(run: &Run, made: &BTreeSet<u32>) -> String {
    let mut text = String::new();
    for design in &run.experiments {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:12} {}, {} levels, {} rounds: {} trials, {}",
            design.experiment,
            rows(design),
            design.levels.len(),
            design.trials_per_cell,
            estimate::trials(design),
            time(estimate::experiment_s(design)),
        );
    }
    for skipped in run.skipped.iter().filter(|one| one.experiment.is_none()) {
        let _ = writeln!(text, "{} is skipped: {}", skipped.model, skipped.reason);
    }
    if !made.is_empty() {
        let _ = writeln!(text, "{} trials are there already", made.len());
    }
    let left = time(estimate::left_s(run, made));
    let _ = writeln!(
        text,
        "seed {}; about {left} in all; Ctrl-C keeps what is done",
        run.seed
    );
    text
}

/// How many models, and how many targets beside them.
fn rows(design: &Design) -> String {
    let is_model = |name: &&String| models::find(name).is_some();
    let models = design.models.iter().filter(is_model).count();
    match design.models.len() - models {
        0 => format!("{models} models"),
        targets => format!("{models} models, {targets} targets"),
    }
}

/// A time as people say it.
pub(super) fn time(seconds: f64) -> String {
    if seconds < 100.0 {
        format!("{seconds:.0} s")
    } else {
        format!("{:.1} min", seconds / 60.0)
    }
}
