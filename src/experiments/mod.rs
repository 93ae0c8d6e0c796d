//! The experiments: one file per question, asked of every model in the same way. Levels are data.

pub mod backlog;
pub mod ballast;
pub mod churn;
mod contender;
pub mod cpu;
pub mod crash;
pub mod deadlines;
pub mod grid;
pub mod idle;
pub mod keep_alive;
mod level_names;
pub mod mixed;
pub mod overload;
pub mod plan;
pub mod scaling;
pub mod sharing;
pub mod slow_client;
pub mod spawn;
pub mod wait;

use hola_servers::models::{Bilingual, Capacity, Model};

pub use level_names::level_name;

use crate::lab::beside::Disturbance;
use crate::lab::recipe::{Kind, Recipe};

/// A question and how it is put.
#[derive(Clone, Copy, Debug)]
pub struct Experiment {
    /// Name on the command line.
    pub name: &'static str,
    /// The question.
    pub question: Bilingual,
    /// What result would change our mind.
    pub changes_mind: Bilingual,
    /// The model the others are compared with.
    pub control: &'static str,
    /// Who takes part.
    pub takes_part: TakesPart,
    /// Names of the figures compared, the one that headlines first.
    pub figures: &'static [&'static str],
    /// Checks whose failure is what the experiment looks for.
    pub tolerates: &'static [&'static str],
    /// How a trial is made.
    pub kind: Kind,
    /// How much of it each profile does; a profile that is not there leaves the experiment out.
    pub profiles: &'static [Profile],
}

impl Experiment {
    /// What most experiments have in common, to be completed.
    const COMMON: Experiment = Experiment {
        name: "",
        question: Bilingual { en: "", es: "" },
        changes_mind: Bilingual { en: "", es: "" },
        control: "iterative",
        takes_part: TakesPart::All,
        figures: &["cpu_us_per_request", "good_per_s"],
        tolerates: &[],
        kind: Kind::Load,
        profiles: &[],
    };

    /// How much of it a profile does; `None` when it leaves the experiment out.
    pub fn profile(&self, name: &str) -> Option<&'static Profile> {
        self.profiles.iter().find(|profile| profile.name == name)
    }

    /// How the trials of a level are made.
    pub fn recipe(&self, level: &str) -> Recipe {
        let named = self
            .profiles
            .iter()
            .flat_map(|profile| match profile.levels {
                Levels::Named(plans) => plans,
                Levels::Clients(_) | Levels::Cpus(_) => &[],
            });
        let plan = named.into_iter().find(|plan| plan.name == level);
        Recipe {
            kind: self.kind,
            beside: plan.and_then(|plan| plan.beside),
        }
    }
}

/// Which models take part. A model that cannot hold the clients of a level is left out of that level besides, unless
/// the level says that this is its point.
#[derive(Clone, Copy, Debug)]
pub enum TakesPart {
    /// Every model.
    All,
    /// Models of which this can be said, and why the others are left out.
    Those {
        /// Whether a model takes part.
        which: fn(&Model) -> bool,
        /// Why another does not.
        why_not: &'static str,
    },
}

/// How long, how often and at which levels.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// Name on the command line.
    pub name: &'static str,
    /// Levels.
    pub levels: Levels,
    /// Models, of those that take part; empty means all of them.
    pub models: &'static [&'static str],
    /// Reference targets beside them, as far as they are installed.
    pub targets: &'static [&'static str],
    /// Trials of each cell: five are the fewest that a claim may rest on; seven where many p-values are corrected for each
    /// other, or where a claim rests on tails and a trial may be lost.
    pub rounds: u32,
    /// Measured window of a trial, in milliseconds.
    pub trial_ms: u64,
    /// Warm-up of a trial, in milliseconds.
    pub warmup_ms: u64,
    /// What a trial takes besides, in milliseconds: a measurement before it, memory to touch.
    pub extra_ms: u64,
}

/// Levels of an experiment.
#[derive(Clone, Copy, Debug)]
pub enum Levels {
    /// Numbers of clients, each with one request per connection.
    Clients(&'static [u32]),
    /// Whatever they are.
    Named(&'static [LevelPlan]),
    /// As many CPUs for the server as there are, one by one, doubling.
    Cpus(LevelPlan),
}

/// One level, as an experiment's file writes it; see [`Level`](crate::lab::record::Level) for the fields.
#[derive(Clone, Copy, Debug)]
pub struct LevelPlan {
    /// Short name, unique within the experiment.
    pub name: &'static str,
    /// Concurrent clients.
    pub clients: u32,
    /// Requests per connection; `None` is no limit.
    pub requests_per_connection: Option<u64>,
    /// What is asked for; empty where a procedure has its own way.
    pub path: &'static str,
    /// What some are asked for instead: name and path.
    pub instead: &'static [(&'static str, &'static str)],
    /// Arrivals per second of an open loop.
    pub rate_per_s: Option<f64>,
    /// Arrivals as a multiple of the model's own capacity.
    pub rate_of_capacity: Option<f64>,
    /// Longest wait of a client for one answer, in milliseconds.
    pub timeout_ms: u64,
    /// Further arguments of `hola serve`.
    pub server_options: &'static [&'static str],
    /// What goes on beside the load.
    pub beside: Option<Disturbance>,
    /// What it asks of a model's capacity.
    pub held: Held,
}

impl LevelPlan {
    /// One client, one greeting per connection.
    const COMMON: LevelPlan = LevelPlan {
        name: "",
        clients: 1,
        requests_per_connection: Some(1),
        path: "/",
        instead: &[],
        rate_per_s: None,
        rate_of_capacity: None,
        timeout_ms: 5_000,
        server_options: &[],
        beside: None,
        held: Held::Any,
    };

    /// What a procedure is given: clients are whatever it counts.
    const NO_LOAD: LevelPlan = LevelPlan {
        path: "",
        ..LevelPlan::COMMON
    };
}

/// What a level asks of a model's capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Nothing: every request brings its own connection, or clients that wait for a turn are the question.
    Any,
    /// That it hold all clients at once. Models whose workers hold a client each get as many workers as there are
    /// clients: a smaller pool would show its size, not its kind.
    All,
}

impl Held {
    /// Whether a model takes part at a level of `clients`; otherwise why not.
    fn admits(self, model: &Model, clients: u32) -> Result<(), String> {
        if self == Held::Any {
            return Ok(());
        }
        let most = match (model.capacity, model.attention) {
            (Capacity::One, _) => 1,
            // A cap that comes from descriptors is far above any level.
            (_, attention) => attention.clients_max().map_or(u32::MAX, |(most, _)| most),
        };
        match most {
            _ if most >= clients => Ok(()),
            1 => Err(format!(
                "it serves one client at a time, and {clients} stay"
            )),
            _ => Err(format!(
                "it serves {most} clients at once, and {clients} stay"
            )),
        }
    }
}

/// Every experiment, in the order they are made.
pub const EXPERIMENTS: &[Experiment] = &[
    churn::EXPERIMENT,
    keep_alive::EXPERIMENT,
    deadlines::EXPERIMENT,
    grid::EXPERIMENT,
    wait::EXPERIMENT,
    cpu::EXPERIMENT,
    mixed::EXPERIMENT,
    slow_client::EXPERIMENT,
    overload::EXPERIMENT,
    crash::EXPERIMENT,
    sharing::EXPERIMENT,
    ballast::EXPERIMENT,
    scaling::EXPERIMENT,
    idle::EXPERIMENT,
    spawn::EXPERIMENT,
    backlog::EXPERIMENT,
];

/// The models of the question in one sentence: an iteration, a process, a thread or a task for each client.
const FOUR: &[&str] = &["iterative", "fork-per-client", "thread-per-client", "tokio"];

/// One model of each kind, where all thirteen would take too long to ask often enough.
const KINDS: &[&str] = &[
    "iterative",
    "fork-per-client",
    "thread-per-client",
    "pre-threaded",
    "thread-pool",
    "epoll",
    "tokio-current-thread",
    "tokio",
];

/// Every reference target (`scripts/targets.toml`).
const TARGETS: &[&str] = &[
    "python-threads",
    "python-processes",
    "nginx",
    "apache-prefork",
    "apache-worker",
    "apache-event",
    "hyper",
];

/// The experiment of that name.
pub fn find(name: &str) -> Option<&'static Experiment> {
    EXPERIMENTS
        .iter()
        .find(|experiment| experiment.name == name)
}

/// How the trials of an experiment's level are made; as a plain load where this version does not know it.
pub fn recipe(experiment: &str, level: &str) -> Recipe {
    find(experiment).map_or_else(Recipe::default, |experiment| experiment.recipe(level))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::plan::{self, Wishes};
    use super::*;
    use crate::analysis::metric::Metric;
    use crate::lab::estimate;
    use crate::lab::record::{Design, Level};
    use crate::lab::target::{Places, Targets};

    /// Every target of the list, as if all were installed.
    fn every_target() -> Targets {
        let places = Places::beside_source(Path::new("hola"));
        let mut targets = Targets::at(places).expect("a list");
        for spec in &mut targets.specs {
            spec.programs = vec!["/proc/self/exe".into()];
        }
        targets
    }

    fn designs(profile: &str) -> Vec<Design> {
        EXPERIMENTS
            .iter()
            .filter_map(|experiment| {
                let profile = experiment.profile(profile)?;
                Some(plan::of(experiment, profile, &Wishes::default(), &every_target()).0)
            })
            .collect()
    }

    #[test]
    fn profiles_keep_their_promise_of_time() {
        for (profile, minutes) in [("quick", 5.0), ("full", 45.0)] {
            let seconds: f64 = designs(profile).iter().map(estimate::experiment_s).sum();
            assert!(seconds < minutes * 60.0, "{profile}: {seconds} s");
        }
    }

    #[test]
    fn every_experiment_has_a_control_at_every_level_and_figures_that_exist() {
        for design in designs("quick").iter().chain(&designs("full")) {
            let name = &design.experiment;
            for level in &design.levels {
                let mut models = design.models_at(level);
                assert!(models.any(|model| model == design.control), "{name}");
            }
            for figure in &design.figures {
                assert!(Metric::named(figure).is_some(), "{name}: {figure}");
            }
            // Fewer have no interval.
            assert!(design.trials_per_cell >= 3, "{name}");
        }
    }

    #[test]
    fn a_levels_name_means_the_same_in_every_profile() {
        for experiment in EXPERIMENTS {
            let mut seen: BTreeMap<String, Level> = BTreeMap::new();
            for profile in experiment.profiles {
                let (design, _) =
                    plan::of(experiment, profile, &Wishes::default(), &every_target());
                let names = design.levels.len();
                for mut level in design.levels {
                    level.models.clear();
                    let before = seen.insert(level.name.clone(), level.clone());
                    assert!(before.is_none_or(|before| before == level), "{level:?}");
                }
                assert!(seen.len() >= names, "{} has a name twice", experiment.name);
            }
        }
    }

    #[test]
    fn what_goes_on_beside_is_found_again_by_the_levels_name() {
        for design in designs("full") {
            for level in &design.levels {
                let beside = recipe(&design.experiment, &level.name).beside;
                let words = beside.map(|beside| beside.to_string());
                assert_eq!(words, level.disturbance, "{}", level.name);
            }
        }
    }

    #[test]
    fn models_that_do_not_hold_the_clients_are_left_out_with_a_reason() {
        let experiment = find("keep-alive").expect("an experiment");
        let profile = experiment.profile("quick").expect("a profile");
        let (design, skipped) = plan::of(experiment, profile, &Wishes::default(), &every_target());
        assert!(!design.models.iter().any(|model| model == "iterative"));
        let reason = &skipped[0].reason;
        assert!(
            skipped[0].model == "iterative" && reason.contains("one client at a time"),
            "{skipped:?}"
        );
        let pool = design.levels[0].pool_workers;
        assert_eq!(pool, Some(design.levels[0].clients));
    }
}
