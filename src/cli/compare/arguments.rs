//! What a comparison is asked to do.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use hola_lab::block;
use hola_lab::environment;
use hola_lab::experiments::{self, EXPERIMENTS, Experiment, Setting};
use hola_lab::plan::{Design, Profile};
use hola_lab::record::Skipped;
use hola_lab::target::{TargetSpec, Targets};
use hola_servers::models::MODELS;
use hola_verdict::claims::{self, Claim};

/// Work added to each request of the planted control, as a percentage of the control's cost: twice the difference that
/// the method must detect.
pub(super) const PLANTED_PERCENT: f64 = 10.0;

/// Arguments of `compare`.
#[derive(Args, Clone)]
#[command(after_help = "\
Examples:
  hola compare
  hola compare --profile full
  hola compare --experiments equal-load --models iterative,tokio,nginx --blocks 12
  hola compare --profile full --claims isolation,fork-vs-thread
  hola compare --models tokio --target mine='python3 server.py {port}'
  hola compare --resume results/2026-11-21T101502Z-full

Prints the plan and its longest duration first. Writes the records (run.json, blocks.jsonl) and the
reports to DIR/<date>-<profile>/. Ctrl-C keeps the blocks made so far; --resume makes the others. On
a quiet machine intervals are narrower; the report names the smallest difference that it detects.

A server of one's own answers GET / on 127.0.0.1:{port} with the body `Hola, cliente!`. What else
it answers is found out first: /wait/MS waits and answers `waited MS ms` and a newline, /compute/N
as models do. Where it cannot take part it is left out, and the report says why.

Exit codes: 0 ok, 1 error while running (also if one server did not start, or died; other results
are kept), 2 usage, 4 nothing could be measured, 130 interrupted (143 by SIGTERM).")]
pub struct CompareArgs {
    /// How much to measure
    #[arg(long, value_name = "NAME", value_enum, default_value = "quick")]
    pub profile: ProfileName,
    /// Experiments to run, separated by commas; `hola experiments` lists them [default: the profile's]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = experiment_named)]
    pub experiments: Vec<&'static Experiment>,
    /// Claims to decide, separated by commas: runs the experiments that they need, if the profile has them; `hola claims`
    /// lists the claims
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = claim_named, conflicts_with = "experiments")]
    pub claims: Vec<&'static Claim>,
    /// Models and reference targets (scripts/targets.toml) to measure, separated by commas; the control, and servers of
    /// one's own, take part in any case [default: the experiment's]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub models: Vec<String>,
    /// Server of one's own to put beside the models; may be given several times. The command is split into words as a
    /// shell does it, without a shell, and {port} is replaced by the port to listen on
    #[arg(long, value_name = "NAME=COMMAND", value_parser = TargetSpec::from_command)]
    pub target: Vec<TargetSpec>,
    /// File of servers of one's own, in the format of scripts/targets.toml: for what a command does not say, such as
    /// that a runtime compiles while it runs; may be given several times
    #[arg(long, value_name = "FILE", value_parser = OwnList::read)]
    pub targets: Vec<OwnList>,
    /// Blocks of each experiment; with fewer than 3 there are no intervals [default: until the intervals are narrow enough
    /// or the time is up]
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
    /// Folder of an interrupted run to resume, with the same build on the same machine; plan, seed and existing blocks
    /// stay
    #[arg(long, value_name = "DIR", conflicts_with_all = ["profile", "experiments", "claims", "models", "target", "targets", "blocks", "plant", "output", "seed"])]
    pub resume: Option<PathBuf>,
}

/// A list of the user's own targets, as an argument.
#[derive(Clone, Debug)]
pub struct OwnList {
    path: String,
    specs: Vec<TargetSpec>,
}

impl OwnList {
    fn read(path: &str) -> Result<Self, String> {
        let specs = TargetSpec::from_list(Path::new(path))?;
        let path = path.into();
        Ok(OwnList { path, specs })
    }
}

/// A profile, as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProfileName {
    /// At most five minutes, and half a minute more for each target that is asked for
    Quick,
    /// At most 48 minutes, and half a minute more for each reference target
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
            target: Vec::new(),
            targets: Vec::new(),
            blocks: None,
            plant: PLANTED_PERCENT,
            output,
            seed: None,
            resume: None,
        }
    }

    /// The command that repeats this comparison in the same order; it leaves out the output folder.
    pub(super) fn command(&self, seed: u64) -> Vec<String> {
        let names = |names: Vec<&str>| (!names.is_empty()).then(|| names.join(","));
        let is_other_plant = (self.plant - PLANTED_PERCENT).abs() > f64::EPSILON;
        let options = [
            ("profile", Some(Profile::from(self.profile).name().into())),
            (
                "experiments",
                names(self.experiments.iter().map(|one| one.name).collect()),
            ),
            (
                "claims",
                names(self.claims.iter().map(|one| one.id).collect()),
            ),
            (
                "models",
                names(self.models.iter().map(String::as_str).collect()),
            ),
            ("blocks", self.blocks.map(|blocks| blocks.to_string())),
            ("plant", is_other_plant.then(|| self.plant.to_string())),
            ("seed", Some(seed.to_string())),
        ];
        let own = self.target.iter().filter_map(|spec| {
            let command = spec.command.as_ref()?;
            Some(("target", Some(format!("{}={command}", spec.name))))
        });
        let lists = self.targets.iter();
        let lists = lists.map(|list| ("targets", Some(list.path.clone())));
        let given = options
            .into_iter()
            .chain(own)
            .chain(lists)
            .filter_map(|(name, value)| Some(format!("--{name}={}", value?)));
        ["hola", "compare"]
            .map(str::to_owned)
            .into_iter()
            .chain(given)
            .collect()
    }

    /// Adds the user's own targets to the known ones, and checks all names.
    ///
    /// # Errors
    /// Returns the option at fault, and the reason: a name that is taken, or unknown.
    pub(super) fn add_targets(&self, targets: &mut Targets) -> Result<(), String> {
        for spec in &self.target {
            // A list may name what another machine has; a command is for this one.
            spec.program(&targets.places)
                .map(|_| ())
                .and_then(|()| targets.add_own(spec.clone()))
                .map_err(|why_not| format!("--target: {why_not}"))?;
        }
        for OwnList { path, specs } in &self.targets {
            for spec in specs {
                let added = targets.add_own(spec.clone());
                added.map_err(|why_not| {
                    format!("{path}: target `{}`: key `name`: {why_not}", spec.name)
                })?;
            }
        }
        let models = MODELS.iter().map(|model| model.name);
        let names: Vec<&str> = models
            .chain(targets.all().map(|spec| spec.name.as_str()))
            .collect();
        match self
            .models
            .iter()
            .find(|name| !names.contains(&name.as_str()))
        {
            None => Ok(()),
            Some(name) => Err(format!(
                "--models: {name}: no such model or target; there are {}",
                names.join(", ")
            )),
        }
    }

    fn asks(&self, name: &str) -> bool {
        if !self.claims.is_empty() {
            let mut needed = self.claims.iter().flat_map(|claim| claim.experiments);
            return needed.any(|one| *one == name);
        }
        self.experiments.is_empty() || self.experiments.iter().any(|one| one.name == name)
    }

    /// The designs that these arguments ask for, in execution order, and the servers that are left out.
    pub(in crate::cli) fn designs(&self, targets: &Targets) -> (Vec<Design>, Vec<Skipped>) {
        let setting = Setting {
            profile: self.profile.into(),
            cpus: environment::allowed_cpus(),
            targets,
            asked: self.models.clone(),
            skipped: RefCell::default(),
        };
        let asked = EXPERIMENTS.iter().filter(|one| self.asks(one.name));
        let designs = asked.filter_map(|experiment| (experiment.design)(&setting));
        let mut designs: Vec<Design> = designs.collect();
        if let Some(blocks) = self.blocks {
            for design in &mut designs {
                block::fix_blocks(design, blocks);
            }
        }
        (designs, setting.skipped.into_inner())
    }
}

/// The experiment of that name, as an argument.
fn experiment_named(name: &str) -> Result<&'static Experiment, String> {
    experiments::find(name).ok_or_else(|| {
        let names: Vec<_> = EXPERIMENTS.iter().map(|one| one.name).collect();
        format!("no such experiment; there are {}", names.join(", "))
    })
}

/// The claim of that name, as an argument.
fn claim_named(id: &str) -> Result<&'static Claim, &'static str> {
    claims::find(id).ok_or("no such claim; `hola claims` lists them")
}

fn percent(text: &str) -> Result<f64, &'static str> {
    let percent: f64 = text.parse().map_err(|_| "a number is wanted")?;
    let is_possible = (0.0..=1_000.0).contains(&percent);
    is_possible
        .then_some(percent)
        .ok_or("0 to 1000 are possible")
}
