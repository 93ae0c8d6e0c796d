//! `hola compare`: measure every model, keep the records, write the reports.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use hola_base::Language;
use hola_base::output::{print, say};
use hola_lab::block::{self, Lab};
use hola_lab::environment;
use hola_lab::experiments::{self, EXPERIMENTS, Experiment, Setting, server_cards};
use hola_lab::image::Image;
use hola_lab::plan::{Design, Profile, Stage};
use hola_lab::record::{Block, Environment, Run, RunStatus, SCHEMA_VERSION, Skipped};
use hola_lab::run;
use hola_lab::store::{self, RunFolder};
use hola_lab::target::{TargetPaths, Targets};
use hola_servers::models::{self, MODELS};
use hola_verdict::{RULES_VERSION, precision_reached};

use super::{INVALID, Interruption, RUN_ERROR};

/// Work added to each request of the planted control, as a percentage of the control's cost: twice the difference that
/// the method must detect.
const PLANTED_PERCENT: f64 = 10.0;

/// Arguments of `compare`.
#[derive(Args, Clone)]
#[command(after_help = "\
Examples:
  hola compare
  hola compare --profile full
  hola compare --experiments equal-load --models iterative,tokio,nginx --blocks 12
  hola compare --profile full --claims isolation,fork-vs-thread
  hola compare --resume results/2026-11-21T101502Z-full

Says first what it is about to do and how long that takes at most. Writes DIR/<date>-<profile>/
with the records (run.json, blocks.jsonl) and the reports. Ctrl-C keeps the blocks made so far, and
--resume makes the others. On a quiet machine intervals are narrower; the report says which
differences it could tell apart.

Exit codes: 0 ok, 1 error while running (also where only one server did not start, or died: the
rest is kept), 2 usage, 4 nothing could be measured, 130 interrupted (143 by SIGTERM).")]
pub struct CompareArgs {
    /// How much to measure
    #[arg(long, value_name = "NAME", value_enum, default_value = "quick")]
    pub profile: ProfileName,
    /// Experiments to make, separated by commas; `hola experiments` lists them [default: the profile's]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = experiment_named)]
    pub experiments: Vec<&'static Experiment>,
    /// Claims to decide, separated by commas: makes the experiments they rest on, as far as the profile has them; `hola
    /// claims` lists them
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = claim_named, conflicts_with = "experiments")]
    pub claims: Vec<&'static hola_verdict::claims::Claim>,
    /// Models and reference targets (scripts/targets.toml) to measure, separated by commas; the control takes part in
    /// any case [default: the experiment's]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = server_named)]
    pub models: Vec<String>,
    /// Blocks of each experiment, however wide the intervals are then; below 3 there are none [default: until they are
    /// narrow enough or the time is up]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub blocks: Option<u32>,
    /// Work added to each request of a copy of the control, in percent of the control's cost: the comparison must find
    /// this known difference
    #[arg(long, value_name = "PERCENT", default_value_t = PLANTED_PERCENT, value_parser = percent)]
    pub plant: f64,
    /// Folder that gets the run's folder
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub output: PathBuf,
    /// Seed of the order and the schedules [default: from the clock]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Folder of an interrupted run to resume, by the same build on the same machine: same plan, same seed; blocks
    /// already there are not made again
    #[arg(long, value_name = "DIR", conflicts_with_all = ["profile", "experiments", "claims", "models", "blocks", "plant", "output", "seed"])]
    pub resume: Option<PathBuf>,
}

/// A profile, as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProfileName {
    /// At most five minutes
    Quick,
    /// At most 45 minutes
    Full,
}

impl From<ProfileName> for Profile {
    fn from(name: ProfileName) -> Self {
        match name {
            ProfileName::Quick => Profile::Quick,
            ProfileName::Full => Profile::Full,
        }
    }
}

impl CompareArgs {
    /// The quick comparison of everything, into `output`.
    pub fn quick(output: PathBuf) -> Self {
        CompareArgs {
            profile: ProfileName::Quick,
            experiments: Vec::new(),
            claims: Vec::new(),
            models: Vec::new(),
            blocks: None,
            plant: PLANTED_PERCENT,
            output,
            seed: None,
            resume: None,
        }
    }

    /// The command that repeats this comparison in the same order; it leaves out the output folder.
    fn command(&self, seed: u64) -> Vec<String> {
        let profile = Profile::from(self.profile).name();
        let mut command = vec![
            "hola".into(),
            "compare".into(),
            format!("--profile={profile}"),
        ];
        let mut option = |name: &str, values: Vec<String>| {
            if !values.is_empty() {
                command.push(format!("--{name}={}", values.join(",")));
            }
        };
        option(
            "experiments",
            owned(self.experiments.iter().map(|each| each.name)),
        );
        option("claims", owned(self.claims.iter().map(|each| each.id)));
        option("models", self.models.clone());
        option("blocks", self.blocks.iter().map(u32::to_string).collect());
        if (self.plant - PLANTED_PERCENT).abs() > f64::EPSILON {
            option("plant", vec![self.plant.to_string()]);
        }
        option("seed", vec![seed.to_string()]);
        command
    }

    fn asks(&self, experiment: &Experiment) -> bool {
        if !self.claims.is_empty() {
            let mut needed = self.claims.iter().flat_map(|claim| claim.experiments);
            return needed.any(|name| *name == experiment.name);
        }
        self.experiments.is_empty()
            || self
                .experiments
                .iter()
                .any(|one| one.name == experiment.name)
    }

    /// The designs that these arguments ask for, in execution order, and the servers that are left out.
    pub fn designs(&self, targets: &Targets) -> (Vec<Design>, Vec<Skipped>) {
        let setting = Setting {
            profile: self.profile.into(),
            cpus: environment::allowed_cpus(),
            targets,
            asked: self.models.clone(),
            skipped: RefCell::default(),
        };
        let asked = EXPERIMENTS
            .iter()
            .filter(|experiment| self.asks(experiment));
        let mut designs: Vec<Design> = asked
            .filter_map(|experiment| (experiment.design)(&setting))
            .collect();
        if let Some(blocks) = self.blocks {
            for design in &mut designs {
                design.blocks_min = blocks;
                design.blocks_max = blocks;
                design.budget_s =
                    f64::from(blocks) * design.stages.iter().map(block::estimate_s).sum::<f64>();
            }
        }
        (designs, setting.skipped.into_inner())
    }
}

fn owned<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    names.map(str::to_owned).collect()
}

/// The experiment of that name, as an argument.
///
/// # Errors
/// Returns the list of names if this is none of them.
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
/// Returns where to find the names if there is no such claim.
fn claim_named(id: &str) -> Result<&'static hola_verdict::claims::Claim, String> {
    hola_verdict::claims::find(id)
        .ok_or_else(|| "no such claim; `hola claims` lists them".to_owned())
}

/// The name of a model or of a reference target, as an argument.
///
/// # Errors
/// Returns the list of names if this is none of them.
fn server_named(name: &str) -> Result<String, String> {
    if models::find(name).is_some() {
        return Ok(name.to_owned());
    }
    let hola = std::env::current_exe().map_err(|error| error.to_string())?;
    // If the list cannot be read, only models can be named.
    let targets = TargetPaths::beside_source(&hola)
        .targets()
        .unwrap_or_default();
    if targets.iter().any(|spec| spec.name == name) {
        return Ok(name.to_owned());
    }
    let models = MODELS.iter().map(|model| model.name);
    let targets = targets.iter().map(|spec| spec.name.as_str());
    let names: Vec<&str> = models.chain(targets).collect();
    Err(format!(
        "no such model or target; there are {}",
        names.join(", ")
    ))
}

fn percent(text: &str) -> Result<f64, String> {
    let percent: f64 = text.parse().map_err(|_| "a number is wanted".to_owned())?;
    let is_sensible = (0.0..=1_000.0).contains(&percent);
    is_sensible
        .then_some(percent)
        .ok_or_else(|| "0 to 1000 are possible".to_owned())
}

/// The reference targets. If their list cannot be read: no targets, and a message.
pub(super) fn targets(hola: &Path) -> Targets {
    Targets::at(TargetPaths::beside_source(hola)).unwrap_or_else(|reason| {
        say(format_args!("no reference targets: {reason}"));
        Targets::none(hola)
    })
}

/// Runs the comparison with this program itself as the server program.
///
/// # Errors
/// Returns an error if nothing is left to measure, or if a file cannot be opened or written.
pub fn run(args: &CompareArgs) -> Result<ExitCode> {
    compare(args, Path::new("/proc/self/exe"))
}

/// Runs the comparison with `hola` as the server program.
///
/// # Errors
/// Returns an error if nothing is left to measure, or if a file cannot be opened or written.
pub fn compare(args: &CompareArgs, hola: &Path) -> Result<ExitCode> {
    let interruption = Interruption::watch()?;
    let image = Image::open(hola).with_context(|| format!("cannot open {}", hola.display()))?;
    let own_path = std::fs::read_link(hola).unwrap_or_else(|_| hola.to_owned());
    let targets = targets(&own_path);
    let (mut folder, mut run, mut blocks) = match &args.resume {
        Some(path) => resume(path)?,
        None => {
            let mut run = plan(args, &targets)?;
            (RunFolder::create(&args.output, &mut run)?, run, Vec::new())
        }
    };
    say(announcement(&run, &blocks).trim_end());
    let lab = Lab {
        image: &image,
        targets: &targets,
        seed: run.seed,
        planted_percent: run.planted_percent,
        interrupted: &interruption.asked,
    };
    run::make(&lab, &mut run, &mut folder, &mut blocks, &precision_reached)?;
    let path = folder.path().to_owned();
    drop(folder);
    write_reports(&path, &run, &blocks).with_context(|| {
        format!(
            "the records are safe: `hola report {}` writes the reports again",
            path.display()
        )
    })?;
    if run.status == RunStatus::Interrupted {
        say(format_args!(
            "interrupted: `hola compare --resume {}` makes the rest",
            path.display()
        ));
        return Ok(interruption.exit_code());
    }
    let counts = |block: &Block| {
        let mut readings = block.readings.iter();
        readings.any(|reading| reading.counted().next().is_some() || !reading.figures.is_empty())
    };
    print(format!(
        "{}\nreport: {}\n",
        hola_report::summary(&run, &blocks, Language::default()).trim_end(),
        path.join("report.html").display()
    ))?;
    if !blocks.iter().any(counts) {
        say(format_args!(
            "hola: nothing could be measured: every reading failed, and the report says why"
        ));
        return Ok(ExitCode::from(INVALID));
    }
    let failures = failures(&blocks);
    for failure in &failures {
        say(format_args!("hola: {failure}"));
    }
    Ok(ExitCode::from(if failures.is_empty() {
        0
    } else {
        RUN_ERROR
    }))
}

/// The readings that failed because a server did not start, or died; each reason once.
fn failures(blocks: &[Block]) -> BTreeSet<String> {
    let readings = blocks
        .iter()
        .flat_map(|block| block.readings.iter().map(move |reading| (block, reading)));
    readings
        .filter_map(|(block, reading)| {
            let reason = reading.failed.as_ref()?;
            Some(format!(
                "{}: {}: {reason}",
                block.experiment, reading.participant
            ))
        })
        .collect()
}

/// Opens an interrupted run. Only the build and the machine that began it may resume it.
fn resume(path: &Path) -> Result<(RunFolder, Run, Vec<Block>)> {
    let (folder, mut run, blocks) = RunFolder::open(path)?;
    ensure!(
        run.status != RunStatus::Complete,
        "{} is complete: there is nothing to resume",
        path.display()
    );
    ensure!(
        same_place(&environment::read(build()), &run.environment)
            && run.rules_version == RULES_VERSION,
        "{} was begun by another build or on another machine: blocks of both would not compare",
        path.display()
    );
    run.status = RunStatus::Running;
    run.finished_at = None;
    run.resumed_at.push(now());
    folder.write_run(&run)?;
    Ok((folder, run, blocks))
}

/// Whether blocks made in both environments can be compared.
fn same_place(here: &Environment, there: &Environment) -> bool {
    let known = |of: &Environment| {
        let build = [&of.version, &of.build, &of.rustc].map(Clone::clone);
        let machine = [&of.cpu_model, &of.kernel].map(Clone::clone);
        (build, machine, of.commit.clone(), of.cpus.clone())
    };
    known(here) == known(there)
}

/// The facts that this build knows about itself.
pub(super) fn build() -> environment::Build {
    environment::Build {
        rustc: env!("HOLA_RUSTC"),
        commit: option_env!("HOLA_COMMIT"),
        dirty: option_env!("HOLA_DIRTY").map(|dirty| dirty == "true"),
    }
}

fn plan(args: &CompareArgs, targets: &Targets) -> Result<Run> {
    let started_at = now();
    let seed = args.seed.unwrap_or_else(seed_from_clock);
    let (designs, skipped) = args.designs(targets);
    if designs.is_empty() {
        let reasons: BTreeSet<String> = skipped
            .iter()
            .map(|one| format!("{}: {}", one.server, one.reason))
            .collect();
        let reasons: Vec<String> = reasons.into_iter().collect();
        anyhow::bail!("nothing is left to measure; {}", reasons.join("; "));
    }
    let mut environment = environment::read(build());
    let cpus = designs
        .iter()
        .flat_map(|design| &design.stages)
        .flat_map(|stage| &stage.server_cpus);
    let cpus: BTreeSet<usize> = cpus.copied().collect();
    environment.switches_not_counted = run::switches_not_counted(&Vec::from_iter(cpus));
    Ok(Run {
        schema_version: SCHEMA_VERSION,
        rules_version: RULES_VERSION,
        name: format!(
            "{}-{}",
            started_at.replace(':', ""),
            Profile::from(args.profile).name()
        ),
        profile: args.profile.into(),
        status: RunStatus::Running,
        started_at,
        resumed_at: Vec::new(),
        finished_at: None,
        seed,
        command: args.command(seed),
        planted_percent: args.plant,
        servers: server_cards(&designs, targets),
        designs,
        skipped,
        environment,
    })
}

/// The current time in UTC, to the second.
fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

fn seed_from_clock() -> u64 {
    // A seed in seconds differs from that of the run before, and is short enough to type again.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(1, |since| since.as_secs())
}

/// What will be measured, how long it takes at most, and what will limit the results.
fn announcement(run: &Run, made: &[Block]) -> String {
    let mut text = String::new();
    let mut say = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    for design in &run.designs {
        let participants: BTreeSet<&str> = design
            .stages
            .iter()
            .flat_map(|stage| &stage.participants)
            .map(|one| one.name.as_str())
            .collect();
        say(format!(
            "{:12} {} participants, {} levels, {} to {} blocks: at most {}",
            design.experiment,
            participants.len(),
            design.levels().count(),
            design.blocks_min,
            design.blocks_max,
            time(design.budget_s),
        ));
    }
    for skipped in run.skipped.iter().filter(|one| one.experiment.is_none()) {
        say(format!("{} is skipped: {}", skipped.server, skipped.reason));
    }
    if run
        .designs
        .iter()
        .flat_map(|design| &design.stages)
        .all(Stage::has_no_cpu_apart)
    {
        say("servers and load generator share a CPU: rates and times would be the generator's as much as a server's, \
             so only CPU time is compared"
            .into());
    }
    if let Some(quota) = run.environment.cpu_quota {
        say(format!(
            "a control group allows this process {quota:.2} CPUs: throttled slices do not count"
        ));
    }
    if !made.is_empty() {
        say(format!("{} blocks are there already", made.len()));
    }
    let budget_s: f64 = run.designs.iter().map(|design| design.budget_s).sum();
    let spent_s: f64 = made.iter().map(|block| block.took_s).sum();
    say(format!(
        "seed {}; at most about {}; Ctrl-C keeps what is done",
        run.seed,
        time((budget_s - spent_s).max(0.0))
    ));
    text
}

/// A duration for people to read.
pub(super) fn time(seconds: f64) -> String {
    if seconds < 100.0 {
        format!("{seconds:.0} s")
    } else {
        format!("{:.1} min", seconds / 60.0)
    }
}

/// Writes every report of a run into its folder.
pub(super) fn write_reports(folder: &Path, run: &Run, blocks: &[Block]) -> Result<()> {
    store::write_reports(folder, &hola_report::files(run, blocks))
}
