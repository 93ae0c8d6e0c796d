//! The results of the analysis, computed once for all languages and formats.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use hola_base::Language;
use hola_lab::metric::Metric;
use hola_lab::plan::{Design, Level, Load, LoadPace, Stage, Task};
use hola_lab::record::{Block, Reading, Run, ServerCard};
use hola_verdict::analysis::{Controls, EstimateResult, Missing, Word};
use hola_verdict::claims::{CLAIMS, Claim, Decision};
use hola_verdict::{Analysis, Estimate, LevelKey};

use crate::charts::Hue;
use crate::labels;

/// Experiments that the first screen reads.
pub(crate) const CAPACITY: &str = "capacity";
pub(crate) const IDLE: &str = "idle";
pub(crate) const CRASH: &str = "crash";
pub(crate) const GRID: &str = "grid";

/// Participants that the answer names.
pub(crate) const FORK: &str = "fork-per-client";
pub(crate) const THREAD: &str = "thread-per-client";
pub(crate) const EPOLL: &str = "epoll";
pub(crate) const TOKIO: &str = "tokio";

/// A comparison with the control, and the word for it.
pub(crate) type Judged = (Estimate, Word);

/// Every comparison of a level, by participant.
pub(crate) type JudgedLevel = BTreeMap<String, Judged>;

/// The results of the analysis.
pub(crate) struct Facts<'r> {
    pub(crate) run: &'r Run,
    pub(crate) blocks: &'r [Block],
    pub(crate) analysis: Analysis<'r>,
    pub(crate) controls: Controls,
    pub(crate) decisions: Vec<(&'static Claim, Decision)>,
    /// Caches results, because every language and format asks for the same ones.
    values: RefCell<BTreeMap<FigureKey, EstimateResult>>,
    comparisons: RefCell<BTreeMap<FigureKey, Option<Estimate>>>,
    judged: RefCell<BTreeMap<(String, String, Metric), Rc<JudgedLevel>>>,
}

/// Cache key: experiment, level, participant, metric.
type FigureKey = (String, String, String, Metric);

impl<'r> Facts<'r> {
    pub(crate) fn new(run: &'r Run, blocks: &'r [Block]) -> Self {
        let analysis = Analysis::new(run, blocks);
        let controls = analysis.controls();
        let decisions = CLAIMS
            .iter()
            .map(|claim| (claim, (claim.decide)(&analysis)));
        let decisions = decisions.collect();
        Facts {
            run,
            blocks,
            analysis,
            controls,
            decisions,
            values: RefCell::default(),
            comparisons: RefCell::default(),
            judged: RefCell::default(),
        }
    }

    /// The server cards of the models or of the reference targets.
    pub(crate) fn cards(&self, are_models: bool) -> impl Iterator<Item = &'r ServerCard> {
        let cards = self.run.servers.iter();
        cards.filter(move |card| card.is_model == are_models)
    }

    pub(crate) fn design(&self, experiment: &str) -> Option<&'r Design> {
        let mut designs = self.run.designs.iter();
        designs.find(|design| design.experiment == experiment)
    }

    pub(crate) fn level(&self, at: LevelKey<'_>) -> Option<&'r Level> {
        let (_, level) = self.design(at.experiment)?.level(at.level)?;
        Some(level)
    }

    /// Whether a participant is measured at a level.
    pub(crate) fn takes_part(&self, at: LevelKey<'_>, participant: &str) -> bool {
        self.analysis.participants(at).contains(&participant)
    }

    /// The first level of an experiment, whatever its name in the profile.
    pub(crate) fn first_level(&self, experiment: &'static str) -> Option<LevelKey<'r>> {
        let (_, level) = self.design(experiment)?.levels().next()?;
        Some(LevelKey::new(experiment, &level.name))
    }

    /// A participant's measured value, or why there is none.
    pub(crate) fn value(
        &self,
        at: LevelKey<'_>,
        participant: &str,
        metric: Metric,
    ) -> EstimateResult {
        let mut values = self.values.borrow_mut();
        let value = values.entry(key(at, participant, metric));
        let compute = || self.analysis.value(at, participant, metric);
        value.or_insert_with(compute).clone()
    }

    /// A participant compared with the control.
    pub(crate) fn to_control(
        &self,
        at: LevelKey<'_>,
        participant: &str,
        metric: Metric,
    ) -> Option<Estimate> {
        let mut comparisons = self.comparisons.borrow_mut();
        let comparison = comparisons.entry(key(at, participant, metric));
        *comparison.or_insert_with(|| self.analysis.to_control(at, participant, metric).ok())
    }

    /// Every comparison of a level with its control, by participant.
    pub(crate) fn judged(&self, at: LevelKey<'_>, metric: Metric) -> Rc<JudgedLevel> {
        let key = (at.experiment.into(), at.level.into(), metric);
        let judge = || {
            let words = self.analysis.words(at, metric).into_iter();
            let words = words.map(|(name, estimate, word)| (name, (estimate, word)));
            Rc::new(words.collect())
        };
        Rc::clone(self.judged.borrow_mut().entry(key).or_insert_with(judge))
    }

    /// Readings of a participant at a level, one per block.
    pub(crate) fn readings<'a>(
        &'a self,
        at: LevelKey<'a>,
        participant: &'a str,
    ) -> impl Iterator<Item = &'r Reading> + 'a {
        let blocks = self.blocks.iter();
        let blocks = blocks.filter(move |block| block.experiment == at.experiment);
        let readings = blocks.flat_map(|block| &block.readings);
        readings.filter(move |one| one.level == at.level && one.participant == participant)
    }

    /// The colour of a participant, by what it spends on one client.
    pub(crate) fn hue(&self, stage: &Stage, participant: &str) -> Hue {
        let server = stage.participant(participant);
        let server = server.map_or(participant, |one| &one.server);
        let mut cards = self.run.servers.iter();
        let card = cards.find(|card| card.name == server);
        card.map_or(Hue::Target, hue)
    }

    /// Names of the participants of a level: its control, and those that are compared with it.
    pub(crate) fn participants(&self, at: LevelKey<'_>) -> Vec<&'r str> {
        let compared = self.analysis.compared(at);
        let control = self.level(at).map(|level| level.control.as_str());
        let mut names = self.analysis.participants(at);
        names.retain(|name| Some(*name) == control || compared.contains(name));
        names
    }

    /// Seconds that the blocks took.
    pub(crate) fn spent_s(&self) -> f64 {
        self.blocks.iter().map(|block| block.took_s).sum()
    }
}

fn key(at: LevelKey<'_>, participant: &str, metric: Metric) -> FigureKey {
    let LevelKey { experiment, level } = at;
    (experiment.into(), level.into(), participant.into(), metric)
}

/// The colour of a server.
pub(crate) fn hue(card: &ServerCard) -> Hue {
    match card.attention.as_str() {
        _ if !card.is_model => Hue::Target,
        "nothing" => Hue::Nothing,
        "task" => Hue::Task,
        "thread" => Hue::Thread,
        "process" => Hue::Process,
        _ => Hue::Target,
    }
}

/// The load of a level; `None` for a procedure.
pub(crate) fn load(level: &Level) -> Option<&Load> {
    match &level.task {
        Task::Load(load) => Some(load),
        Task::Procedure(_) => None,
    }
}

/// Offered rate of a level in an open loop.
pub(crate) fn rate_per_s(level: &Level) -> Option<f64> {
    match load(level)?.pace {
        LoadPace::Open { rate_per_s, .. } => Some(rate_per_s),
        LoadPace::Rest | LoadPace::Closed { .. } => None,
    }
}

/// Missing figures, grouped by reason and server, so that each reason is written once.
#[derive(Debug, Default)]
pub(crate) struct MissingReasons(Vec<(String, MissingByServer)>);

/// Servers, and the levels or experiments at which each has no figure.
type MissingByServer = Vec<(String, Vec<String>)>;

impl MissingReasons {
    /// Records that `server` has no figure at `level`, and why.
    pub(crate) fn add(&mut self, why: &Missing, server: &str, level: &str, language: Language) {
        let servers = entry(&mut self.0, &labels::missing(why, language));
        let levels = entry(servers, server);
        if !levels.iter().any(|one| one == level) {
            levels.push(level.into());
        }
    }

    /// A line per reason, such as `No figure (its CPU was full): iterative (equal-load; capacity)`.
    pub(crate) fn notes(&self, language: Language) -> Vec<String> {
        let no_figure = language.choose(|| "No figure", || "Sin cifra");
        let line = |(why, servers): &(String, MissingByServer)| {
            let servers = servers.iter();
            let servers =
                servers.map(|(server, levels)| format!("{server} ({})", levels.join("; ")));
            let servers = servers.collect::<Vec<_>>().join(", ");
            format!("{no_figure} ({why}): {servers}.")
        };
        self.0.iter().map(line).collect()
    }
}

/// The value of a key, added if absent; keys stay in the order of their first use.
pub(crate) fn entry<'e, T: Default>(entries: &'e mut Vec<(String, T)>, key: &str) -> &'e mut T {
    let found = entries.iter().position(|(one, _)| one == key);
    let index = found.unwrap_or_else(|| {
        entries.push((key.into(), T::default()));
        entries.len() - 1
    });
    &mut entries[index].1
}
