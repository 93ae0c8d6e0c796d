//! The participants: models and reference targets, with the options that make them comparable. How stages and designs
//! are made of them.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use hola_servers::models::{Attention, Capacity, MODELS, Model};

use super::Experiment;
use crate::metric::Metric;
use crate::plan::{
    Design, Level, Load, Network, Participant, Precision, Procedure, Profile, Role, Stage, Task,
};
use crate::procedures::SPARE_CLIENTS;
use crate::record::{ServerCard, Skipped};
use crate::target::{TargetSpec, Targets};

/// Every model.
pub(super) const ALL: &[&str] = &[];

/// One model of each kind, for experiments in which all of them would take too long.
pub(super) const KINDS: &[&str] = &[
    "iterative",
    "fork-per-client",
    "pre-forked",
    "thread-per-client",
    "pre-threaded",
    "thread-pool",
    "epoll",
    "tokio-current-thread",
    "tokio",
];

/// Models of the quick profile: those of the main question, and others that claims are about.
pub(super) const QUICK: &[&str] = &[
    "iterative",
    "fork-per-client",
    "thread-per-client",
    "epoll",
    "tokio",
    "io-uring",
];

/// The conditions that a design is made for.
#[derive(Debug)]
pub struct Setting<'s> {
    /// How much is measured.
    pub profile: Profile,
    /// CPUs that this process may use.
    pub cpus: Vec<usize>,
    /// The reference targets.
    pub targets: &'s Targets,
    /// Servers that the user asked for by name; if empty, each experiment chooses.
    pub asked: Vec<String>,
    /// Servers left out so far, and why.
    pub skipped: RefCell<Vec<Skipped>>,
}

impl Setting<'_> {
    /// Whether this is the full profile.
    pub(super) fn is_full(&self) -> bool {
        self.profile == Profile::Full
    }

    /// Leaves an experiment out of the quick profile: `None` there.
    pub(super) fn only_full(&self) -> Option<()> {
        self.is_full().then_some(())
    }

    /// One of two values, by profile.
    pub(super) fn choose<T>(&self, quick: T, full: T) -> T {
        if self.is_full() { full } else { quick }
    }

    /// Begins a stage with one CPU for the servers and one for the generator: with more, it would compare how many cores
    /// a model uses, not what a client costs.
    pub(super) fn stage(
        &self,
        experiment: &Experiment,
        name: &str,
        control: &'static str,
    ) -> StageDraft<'_> {
        let (server_cpus, generator_cpus) = match self.cpus.as_slice() {
            [first, .., last] => (vec![*first], vec![*last]),
            _ => (self.cpus.clone(), self.cpus.clone()),
        };
        StageDraft {
            setting: self,
            experiment: experiment.name,
            control,
            stage: Stage {
                name: name.into(),
                participants: Vec::new(),
                server_cpus,
                generator_cpus,
                levels: Vec::new(),
            },
        }
    }

    /// Records that a server is left out of an experiment, and why.
    pub(super) fn skip(&self, server: &str, experiment: &str, reason: String) {
        let skipped = Skipped {
            server: server.into(),
            experiment: Some(experiment.into()),
            reason,
        };
        let mut all = self.skipped.borrow_mut();
        if !all.contains(&skipped) {
            all.push(skipped);
        }
    }
}

/// The options with which a model holds `held` clients at once, or the reason why it does not take part.
fn takes_part(model: &Model, held: Option<u32>) -> Result<Vec<String>, String> {
    (model.available)()?;
    let Some(held) = held else {
        return Ok(Vec::new());
    };
    // The cap must not be below the number of workers.
    let names: &[&str] = match (model.capacity, model.attention) {
        (Capacity::One, _) if held > 1 => {
            return Err(one_at_a_time(held));
        }
        // A smaller pool would show its size, not its kind.
        (Capacity::Workers, _) => &["--workers", "--max-clients"],
        (Capacity::Unbounded, Attention::Process | Attention::Thread) => &["--max-clients"],
        _ => &[],
    };
    let option = |name: &&str| [(*name).to_owned(), (held + SPARE_CLIENTS).to_string()];
    Ok(names.iter().flat_map(option).collect())
}

fn one_at_a_time(held: u32) -> String {
    format!("it serves one client at a time, and {held} stay")
}

fn target_takes_part(
    spec: &TargetSpec,
    targets: &Targets,
    load: &Load,
) -> Result<Vec<String>, String> {
    spec.program(&targets.places)?;
    let path = load.path_for(&spec.name);
    if !spec.answers(path) {
        return Err(spec.reason_without_answer(path));
    }
    if load.requests_per_connection != Some(1) && !spec.keep_alive {
        return Err("it takes one request per connection".into());
    }
    let held = load.kept_connections().unwrap_or(0);
    match spec.serves_at_once() {
        Some(1) if held > 1 => Err(one_at_a_time(held)),
        Some(most) if most < held => {
            Err(format!("it serves {most} clients at once, and {held} stay"))
        }
        _ => Ok(Vec::new()),
    }
}

/// A stage in the making: first its participants, then its levels, which are for all of them.
pub(super) struct StageDraft<'s> {
    setting: &'s Setting<'s>,
    experiment: &'static str,
    /// The participant that others are compared with.
    control: &'static str,
    stage: Stage,
}

impl StageDraft<'_> {
    /// Puts the servers and the generator on other CPUs.
    pub(super) fn with_cpus(mut self, servers: Vec<usize>, generator: usize) -> Self {
        self.stage.server_cpus = servers;
        self.stage.generator_cpus = vec![generator];
        self
    }

    /// Adds, before the others, the models that the user asked for; if there are none, those of `names` (`ALL` means
    /// every one); the control in any case. Skips models that are not available or cannot hold `held` clients at once.
    pub(super) fn models(mut self, names: &[&str], held: Option<u32>) -> Self {
        let wanted = |model: &&Model| {
            let is_chosen = match self.setting.asked.as_slice() {
                [] => names.is_empty() || names.contains(&model.name),
                asked => asked.iter().any(|name| name == model.name),
            };
            is_chosen || model.name == self.control
        };
        let models = MODELS.iter().filter(wanted);
        let models = models.map(|model| (model.name, takes_part(model, held)));
        self.stage.participants = [self.compared(models), self.stage.participants].concat();
        self
    }

    /// Adds the targets that the user asked for; if there are none and the profile is full, those of `names` (`ALL`
    /// means every one that is not a bare server). Skips targets that are not installed or cannot serve `load`.
    pub(super) fn targets(self, names: &[&str], load: &Load) -> Self {
        let setting = self.setting;
        let wanted = |spec: &&TargetSpec| {
            let is_named = names.contains(&spec.name.as_str());
            let is_listed = is_named || names.is_empty() && spec.floor_of.is_none();
            match setting.asked.as_slice() {
                [] => is_listed && setting.is_full(),
                asked => asked.contains(&spec.name),
            }
        };
        self.with_targets(setting.targets.specs.iter().filter(wanted), load)
    }

    /// Adds the user's own targets. Skips those that cannot serve `load`.
    pub(super) fn own_targets(self, load: &Load) -> Self {
        let own = self.setting.targets.own.iter();
        self.with_targets(own, load)
    }

    fn with_targets<'n>(
        mut self,
        specs: impl Iterator<Item = &'n TargetSpec>,
        load: &Load,
    ) -> Self {
        let answers = |spec: &TargetSpec| target_takes_part(spec, self.setting.targets, load);
        let targets = self.compared(specs.map(|spec| (spec.name.as_str(), answers(spec))));
        self.stage.participants.extend(targets);
        self
    }

    /// Those of the servers that take part, with their options. Skips the others.
    fn compared<'n>(
        &self,
        servers: impl Iterator<Item = (&'n str, Result<Vec<String>, String>)>,
    ) -> Vec<Participant> {
        let mut participants = Vec::new();
        for (name, options) in servers {
            match options {
                Ok(options) => participants.push(Participant {
                    options,
                    ..Participant::named(name)
                }),
                Err(reason) => self.setting.skip(name, self.experiment, reason),
            }
        }
        participants
    }

    /// Has each server hold that conversation instead of HTTP.
    pub(super) fn with_conversation(mut self, conversation: &str) -> Self {
        for participant in &mut self.stage.participants {
            let options = ["--conversation", conversation].map(str::to_owned);
            participant.options.extend(options);
        }
        self
    }

    /// Puts each server into a network namespace of its own.
    pub(super) fn over_veth(mut self) -> Self {
        for participant in &mut self.stage.participants {
            participant.network = Network::Veth;
        }
        self
    }

    /// How many targets take part.
    pub(super) fn count_targets(&self) -> u32 {
        let participants = self.stage.participants.iter();
        let targets = participants.filter(|one| self.setting.targets.named(&one.server).is_some());
        targets.map(|_| 1).sum()
    }

    /// Names of the participants so far.
    pub(super) fn names(&self) -> Vec<String> {
        let participants = self.stage.participants.iter();
        participants.map(|one| one.name.clone()).collect()
    }

    /// Leaves out the participants that do not suit the question.
    pub(super) fn retain(mut self, suits: impl FnMut(&Participant) -> bool) -> Self {
        self.stage.participants.retain(suits);
        self
    }

    /// Adds a second server of the control: the results of the two must not differ.
    pub(super) fn with_again(self) -> Self {
        let control = self.control;
        self.with_copy(control, "again", Role::Again(control.into()), &[])
    }

    /// Adds a server of the control with a known amount of extra work per request.
    pub(super) fn with_planted(self) -> Self {
        let control = self.control;
        self.with_copy(control, "planted", Role::Planted(control.into()), &[])
    }

    /// Adds a variant of `of` with these options, pairs of a name and a value. They replace the usual ones.
    pub(super) fn with_variant(self, of: &str, suffix: &str, options: &[&str]) -> Self {
        self.with_copy(of, suffix, Role::Compared, options)
    }

    /// Adds such a variant of each participant.
    pub(super) fn with_variant_of_each(self, suffix: &str, options: &[&str]) -> Self {
        let names = self.names();
        let add = |stage: Self, of: &String| stage.with_variant(of, suffix, options);
        names.iter().fold(self, add)
    }

    fn with_copy(mut self, of: &str, suffix: &str, role: Role, options: &[&str]) -> Self {
        let mut participants = self.stage.participants.iter();
        let copy = participants.find(|one| one.name == of).map(|original| {
            let is_usual = |usual: &&[String]| !options.contains(&usual[0].as_str());
            let usual = original.options.chunks(2).filter(is_usual).flatten();
            let own = options.iter().map(|&option| option.to_owned());
            Participant {
                name: format!("{of}, {suffix}"),
                options: usual.cloned().chain(own).collect(),
                role,
                ..original.clone()
            }
        });
        self.stage.participants.extend(copy);
        self
    }

    /// Adds a load, for that many slices of each participant in a block.
    pub(super) fn load(self, name: &str, cycles: u32, load: Load) -> Self {
        self.level(name, cycles, Task::Load(load))
    }

    /// Adds a procedure.
    pub(super) fn procedure(self, name: &str, procedure: Procedure) -> Self {
        self.level(name, 1, Task::Procedure(procedure))
    }

    fn level(mut self, name: &str, cycles: u32, task: Task) -> Self {
        let level = Level {
            name: name.into(),
            control: self.control.into(),
            participants: self.names(),
            cycles,
            task,
        };
        self.stage.levels.push(level);
        self
    }
}

impl Design {
    /// A plan of `blocks` blocks of each stage, within `budget_s` seconds.
    pub(super) fn new<'s>(
        experiment: &Experiment,
        stages: impl IntoIterator<Item = StageDraft<'s>>,
        blocks: RangeInclusive<u32>,
        budget_s: f64,
    ) -> Self {
        let (blocks_min, blocks_max) = blocks.into_inner();
        Design {
            experiment: experiment.name.into(),
            stages: stages.into_iter().map(|draft| draft.stage).collect(),
            precision: None,
            blocks_min,
            blocks_max,
            budget_s,
        }
    }

    /// Ends the experiment as soon as the intervals of `metric` are narrow enough at these levels.
    pub(super) fn until_precise(
        mut self,
        metric: Metric,
        half_width: f64,
        levels: &[&str],
    ) -> Self {
        self.precision = Some(Precision {
            metric,
            levels: levels.iter().map(|&level| level.into()).collect(),
            half_width,
        });
        self
    }
}

/// The cards of all servers that take part in any of the designs: models in teaching order, then targets. Those of the
/// user have a card in any case, which says why they take no part.
pub fn server_cards(designs: &[Design], targets: &Targets) -> Vec<ServerCard> {
    let takes_part = |name: &str| {
        let stages = designs.iter().flat_map(|design| &design.stages);
        let mut participants = stages.flat_map(|stage| &stage.participants);
        participants.any(|one| one.server == name)
    };
    let models = MODELS.iter().filter(|model| takes_part(model.name));
    let specs = targets.specs.iter().filter(|spec| takes_part(&spec.name));
    models
        .map(model_card)
        .chain(
            specs
                .chain(&targets.own)
                .map(|spec| spec.card(&targets.places)),
        )
        .collect()
}

fn model_card(model: &Model) -> ServerCard {
    ServerCard {
        name: model.name.into(),
        is_model: true,
        title: model.title.into(),
        summary: model.summary.into(),
        attention: model.attention.to_string(),
        lines_of_code: u32::try_from(model.lines_of_code()).ok(),
    }
}
