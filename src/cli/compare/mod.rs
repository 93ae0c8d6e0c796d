//! `hola compare`: measure every model, keep the records, write the reports.

mod announcement;
mod arguments;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, ensure};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use hola_base::Language;
use hola_base::output::{print, say};
use hola_lab::block::{self, Lab};
use hola_lab::environment;
use hola_lab::experiments::server_cards;
use hola_lab::pinned_program::PinnedProgram;
use hola_lab::plan::{Design, Profile};
use hola_lab::record::{Block, Environment, Reading, Run, RunStatus, SCHEMA_VERSION, ServerCard};
use hola_lab::run;
use hola_lab::store::{self, RunFolder};
use hola_lab::target::{TargetPaths, Targets};
use hola_verdict::{RULES_VERSION, precision_reached};

use self::announcement::announcement;
pub(super) use self::announcement::time;
use self::arguments::PLANTED_PERCENT;
pub use self::arguments::{CompareArgs, ProfileName};
use super::{Arguments, Command, INVALID, Interruption, RUN_ERROR};

/// The reference targets. If their list cannot be read: no targets, and a message.
pub(super) fn targets(hola: &Path) -> Targets {
    Targets::new(TargetPaths::with_source_tree(hola)).unwrap_or_else(|reason| {
        say(format_args!("no reference targets: {reason}"));
        Targets::with_no_targets(hola)
    })
}

/// Runs the comparison with this program itself as the server program.
pub(super) fn run(args: &CompareArgs) -> Result<ExitCode> {
    compare(args, Path::new("/proc/self/exe"))
}

/// Runs the comparison with `hola` as the server program.
///
/// # Errors
/// Returns an error if nothing is left to measure, or if a file cannot be opened or written.
pub fn compare(args: &CompareArgs, hola: &Path) -> Result<ExitCode> {
    let interruption = Interruption::watch()?;
    let program =
        PinnedProgram::open(hola).with_context(|| format!("cannot open {}", hola.display()))?;
    let own_path = std::fs::read_link(hola).unwrap_or_else(|_| hola.to_owned());
    let mut targets = targets(&own_path);
    let (mut folder, mut run, mut blocks) = match &args.resume {
        Some(path) => resume(path, &program, &mut targets)?,
        None => {
            add_targets(args, &program, &mut targets)?;
            let mut run = plan(args, &targets)?;
            (RunFolder::create(&args.output, &mut run)?, run, Vec::new())
        }
    };
    say(announcement(&run, &blocks, &targets.own));
    let lab = Lab {
        program: &program,
        targets: &targets,
        seed: run.seed,
        planted_percent: run.planted_percent,
        interrupted: &interruption.asked,
    };
    let mut keep = |block: &Block| folder.add_block(block);
    run::make(&lab, &mut run, &mut keep, &mut blocks, &precision_reached)?;
    folder.write_run(&run)?;
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
    print(format!(
        "{}\nreport: {}\n",
        hola_report::summary(&run, &blocks, Language::default()).trim_end(),
        path.join("report.html").display()
    ))?;
    let mut readings = blocks.iter().flat_map(|block| &block.readings);
    let counts = |one: &Reading| one.counted().next().is_some() || !one.figures.is_empty();
    if !readings.any(counts) {
        say("hola: nothing could be measured: every reading failed, and the report says why");
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
    let mut failures = BTreeSet::new();
    for block in blocks {
        for reading in &block.readings {
            if let Some(reason) = &reading.failed {
                let (experiment, name) = (&block.experiment, &reading.participant);
                failures.insert(format!("{experiment}: {name}: {reason}"));
            }
        }
    }
    failures
}

/// Adds the user's own targets, and asks those that are installed what they answer. A wrong name and a command without
/// its program are usage errors.
fn add_targets(args: &CompareArgs, program: &PinnedProgram, targets: &mut Targets) -> Result<()> {
    if let Err(why_not) = args.add_targets(targets) {
        let mut command = Arguments::command();
        command.error(ErrorKind::InvalidValue, why_not).exit();
    }
    let places = &targets.places;
    let installed = targets.own.iter_mut();
    for spec in installed.filter(|spec| spec.program(places).is_ok()) {
        let asked = spec.probe(program, places);
        asked.map_err(anyhow::Error::msg)?;
    }
    Ok(())
}

/// Opens an interrupted run, and adds its own targets by its command. Only the build and the machine that began it may
/// resume it, with the same targets.
fn resume(
    path: &Path,
    program: &PinnedProgram,
    targets: &mut Targets,
) -> Result<(RunFolder, Run, Vec<Block>)> {
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
    let begun = Arguments::try_parse_from(&run.command).map_err(|error| {
        let error = error.to_string();
        let reason = error.lines().next().unwrap_or_default();
        let reason = reason.trim_start_matches("error: ");
        anyhow!("{}: its command no longer works: {reason}", path.display())
    })?;
    if let Command::Compare(begun) = begun.command {
        add_targets(&begun, program, targets)?;
    }
    for card in server_cards(&run.designs, targets) {
        // The summary has a model's sentence, a target's version, or the user's command.
        let is_same =
            |begun: &ServerCard| (&begun.name, &begun.summary) == (&card.name, &card.summary);
        ensure!(
            run.servers.iter().any(is_same),
            "{} was begun with another {}: blocks of both would not compare",
            path.display(),
            card.name
        );
    }
    run.status = RunStatus::Running;
    run.finished_at = None;
    run.resumed_at.push(block::now());
    folder.write_run(&run)?;
    Ok((folder, run, blocks))
}

/// Whether blocks made in both environments can be compared.
fn same_place(here: &Environment, there: &Environment) -> bool {
    fn known(one: &Environment) -> impl PartialEq {
        let build = (&one.version, &one.build, &one.rustc, &one.commit);
        (build, &one.cpu_model, &one.kernel, &one.cpus)
    }
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
    let (designs, skipped) = args.designs(targets);
    if designs.is_empty() {
        let reasons = skipped
            .iter()
            .map(|one| format!("{}: {}", one.server, one.reason));
        let reasons: Vec<String> = BTreeSet::from_iter(reasons).into_iter().collect();
        anyhow::bail!("nothing is left to measure; {}", reasons.join("; "));
    }
    let profile = Profile::from(args.profile);
    let run = begin(profile.name(), designs, targets);
    let seed = args.seed.unwrap_or(run.seed);
    Ok(Run {
        profile,
        seed,
        command: args.command(seed),
        planted_percent: args.plant,
        skipped,
        ..run
    })
}

/// A run of these designs that begins now; `suffix` ends its name.
pub(super) fn begin(suffix: &str, designs: Vec<Design>, targets: &Targets) -> Run {
    let started_at = block::now();
    let mut environment = environment::read(build());
    let stages = designs.iter().flat_map(|design| &design.stages);
    let cpus: BTreeSet<usize> = stages
        .flat_map(|stage| &stage.server_cpus)
        .copied()
        .collect();
    environment.switches_not_counted = run::switches_not_counted(&Vec::from_iter(cpus));
    Run {
        schema_version: SCHEMA_VERSION,
        rules_version: RULES_VERSION,
        name: format!("{}-{suffix}", started_at.replace(':', "")),
        profile: Profile::Quick,
        status: RunStatus::Running,
        started_at,
        resumed_at: Vec::new(),
        finished_at: None,
        // A seed in seconds differs from that of the run before, and is short enough to type again.
        seed: jiff::Timestamp::now().as_second().unsigned_abs(),
        command: Vec::new(),
        planted_percent: PLANTED_PERCENT,
        servers: server_cards(&designs, targets),
        designs,
        skipped: Vec::new(),
        environment,
    }
}

/// Writes every report of a run into its folder.
pub(super) fn write_reports(folder: &Path, run: &Run, blocks: &[Block]) -> Result<()> {
    store::write_reports(folder, &hola_report::files(run, blocks))
}
