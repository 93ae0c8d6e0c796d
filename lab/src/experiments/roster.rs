//! The participants: models and reference targets, with the options that make them comparable.

use std::cell::RefCell;

use hola_servers::models::{Attention, Capacity, MODELS, Model};

use crate::plan::{Design, Level, Load, LoadPace, Participant, Profile, Role, Stage, Task};
use crate::procedures::SPARE_CLIENTS;
use crate::record::{ServerCard, Skipped};
use crate::target::{TargetSpec, Targets};

/// Every model.
pub const ALL: &[&str] = &[];

/// One model of each kind, for experiments in which all of them would take too long.
pub const KINDS: &[&str] = &[
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

/// The models that the project's main question is about.
pub const FEW: &[&str] = &[
    "iterative",
    "fork-per-client",
    "thread-per-client",
    "epoll",
    "tokio",
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
    pub fn is_full(&self) -> bool {
        self.profile == Profile::Full
    }

    /// One of two values, by profile.
    pub fn choose<T>(&self, quick: T, full: T) -> T {
        if self.is_full() { full } else { quick }
    }

    /// A stage with one CPU for the servers and one for the generator: with more, it would compare how many cores a
    /// model uses, not what a client costs.
    pub fn stage(&self, name: &str, participants: Vec<Participant>) -> Stage {
        let (server_cpus, generator_cpus) = match self.cpus.as_slice() {
            [first, .., last] => (vec![*first], vec![*last]),
            _ => (self.cpus.clone(), self.cpus.clone()),
        };
        Stage {
            name: name.into(),
            participants,
            server_cpus,
            generator_cpus,
            levels: Vec::new(),
        }
    }

    /// The models that the user asked for; if there are none, those of `names` (`ALL` means every one); the `control`
    /// in any case. Skips models that are not available or cannot hold `held` clients at once.
    pub fn models(
        &self,
        experiment: &str,
        control: &str,
        names: &[&str],
        held: Option<u32>,
    ) -> Vec<Participant> {
        let wanted = |model: &&Model| {
            let is_listed = names.is_empty() || names.contains(&model.name);
            let is_asked =
                self.asked.is_empty() || self.asked.iter().any(|name| name == model.name);
            model.name == control
                || (if self.asked.is_empty() {
                    is_listed
                } else {
                    is_asked
                })
        };
        let mut participants = Vec::new();
        for model in MODELS.iter().filter(wanted) {
            match takes_part(model, held) {
                Ok(options) => participants.push(Participant {
                    name: model.name.into(),
                    server: model.name.into(),
                    options,
                    role: Role::Compared,
                }),
                Err(reason) => self.skip(model.name, experiment, reason),
            }
        }
        participants
    }

    /// The targets that the user asked for; if there are none and the profile is full, those of `names` (`ALL` means
    /// every one that is not a bare server). Skips targets that are not installed or cannot serve `load`.
    pub fn targets(&self, experiment: &str, names: &[&str], load: &Load) -> Vec<Participant> {
        let wanted = |spec: &&TargetSpec| {
            let is_named = names.contains(&spec.name.as_str());
            let is_listed = is_named || names.is_empty() && spec.floor_of.is_none();
            match self.asked.as_slice() {
                [] => is_listed && self.is_full(),
                asked => asked.contains(&spec.name),
            }
        };
        let mut participants = Vec::new();
        for spec in self.targets.specs.iter().filter(wanted) {
            match target_takes_part(spec, self.targets, load) {
                Ok(()) => participants.push(Participant {
                    name: spec.name.clone(),
                    server: spec.name.clone(),
                    options: Vec::new(),
                    role: Role::Compared,
                }),
                Err(reason) => self.skip(&spec.name, experiment, reason),
            }
        }
        participants
    }

    /// Why system calls cannot be counted on this machine; `None` when they can.
    pub(super) fn system_calls_unavailable(&self) -> Option<String> {
        crate::procedures::system_calls::unavailable()
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
    let option = |name: &str, value: u32| vec![name.to_owned(), value.to_string()];
    match (model.capacity, model.attention) {
        (Capacity::One, _) if held > 1 => {
            Err(format!("it serves one client at a time, and {held} stay"))
        }
        (Capacity::One, _) => Ok(Vec::new()),
        // A smaller pool would show its size, not its kind. The cap must not be below the number of workers.
        (Capacity::Workers, _) => Ok([
            option("--workers", held + SPARE_CLIENTS),
            option("--max-clients", held + SPARE_CLIENTS),
        ]
        .concat()),
        (Capacity::Unbounded, Attention::Process | Attention::Thread) => {
            Ok(option("--max-clients", held + SPARE_CLIENTS))
        }
        (Capacity::Unbounded, Attention::Nothing | Attention::Task) => Ok(Vec::new()),
    }
}

fn target_takes_part(spec: &TargetSpec, targets: &Targets, load: &Load) -> Result<(), String> {
    spec.program(&targets.places)?;
    let path = load.path_for(&spec.name);
    if !spec.answers(path) {
        return Err(format!("it has no answer to {path}"));
    }
    if load.requests_per_connection != Some(1) && !spec.keep_alive {
        return Err("it takes one request per connection".into());
    }
    let held = match load.pace {
        LoadPace::Open {
            connections: Some(connections),
            ..
        } => connections,
        _ => 0,
    };
    match spec.serves_at_once() {
        Some(most) if most < held => {
            Err(format!("it serves {most} clients at once, and {held} stay"))
        }
        _ => Ok(()),
    }
}

/// Adds a second server of `control`: the results of the two must not differ.
pub fn with_again(mut participants: Vec<Participant>, control: &str) -> Vec<Participant> {
    participants.extend(copy(
        &participants,
        control,
        "again",
        Role::Again(control.into()),
    ));
    participants
}

/// Adds a server of `control` with a known amount of extra work per request.
pub fn with_planted(mut participants: Vec<Participant>, control: &str) -> Vec<Participant> {
    participants.extend(copy(
        &participants,
        control,
        "planted",
        Role::Planted(control.into()),
    ));
    participants
}

fn copy(participants: &[Participant], of: &str, suffix: &str, role: Role) -> Option<Participant> {
    let original = participants.iter().find(|one| one.name == of)?;
    Some(Participant {
        name: format!("{of}, {suffix}"),
        role,
        ..original.clone()
    })
}

/// Adds a variant of `of` with these additional options.
pub fn with_variant(
    mut participants: Vec<Participant>,
    of: &str,
    suffix: &str,
    options: &[&str],
) -> Vec<Participant> {
    let variant = copy(&participants, of, suffix, Role::Compared).map(|mut variant| {
        // Options are pairs of a name and a value. A variant's own options replace the usual ones.
        let is_usual = |usual: &&[String]| !options.contains(&usual[0].as_str());
        let usual = variant
            .options
            .chunks(2)
            .filter(is_usual)
            .flatten()
            .cloned();
        let own = options.iter().map(|&option| option.to_owned());
        variant.options = usual.chain(own).collect();
        variant
    });
    participants.extend(variant);
    participants
}

impl Stage {
    /// Adds a level for all its participants.
    pub(super) fn level(mut self, name: &str, control: &str, cycles: u32, task: Task) -> Self {
        let participants = self
            .participants
            .iter()
            .map(|one| one.name.clone())
            .collect();
        self.levels.push(Level {
            name: name.into(),
            control: control.into(),
            participants,
            cycles,
            task,
        });
        self
    }

    /// Adds a load for all its participants.
    pub(super) fn load(self, name: &str, control: &str, cycles: u32, load: Load) -> Self {
        self.level(name, control, cycles, Task::Load(load))
    }
}

/// The cards of all servers that take part in any of the designs: models in teaching order, then targets.
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
        .chain(specs.map(|spec| spec.card(&targets.places)))
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
