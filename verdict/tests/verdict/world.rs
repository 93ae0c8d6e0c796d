//! Simulated runs: the true values of each participant, plus noise.

use hola_lab::metric::{Metric, ValueSource};
use hola_lab::plan::{Design, Level, Load, Participant, Procedure, Profile, Role, Stage, Task};
use hola_lab::record::{
    Block, Environment, Reading, Run, RunStatus, SCHEMA_VERSION, ServerCard, Slice,
};
use hola_loadgen::Histograms;
use hola_loadgen::schedule::splitmix64;
use hola_verdict::{Analysis, RULES_VERSION};
use statrs::distribution::{ContinuousCDF, Normal};

/// Residuals of logarithms to draw from: normal ones, or those of a stored run.
#[derive(Clone, Debug)]
pub struct Residuals {
    /// Of a participant's blocks.
    pub blocks: Vec<f64>,
    /// Of a participant's cycles within a block.
    pub cycles: Vec<f64>,
    /// Of the machine's drift from cycle to cycle, the same for all participants.
    pub drift: Vec<f64>,
}

impl Residuals {
    /// Normal residuals with these standard deviations.
    pub fn normal(block_sd: f64, cycle_sd: f64, drift_sd: f64) -> Self {
        let normal = Normal::new(0.0, 1.0).expect("a standard deviation above 0");
        let grid = |sd: f64| {
            let quantile = |index: i32| normal.inverse_cdf((f64::from(index) + 0.5) / 500.0);
            (0..500).map(|index| sd * quantile(index)).collect()
        };
        Residuals {
            blocks: grid(block_sd),
            cycles: grid(cycle_sd),
            drift: grid(drift_sd),
        }
    }

    /// Little noise, for tests that are not about noise.
    pub fn little() -> Self {
        Self::normal(0.004, 0.01, 0.1)
    }
}

/// Random draws, the same for the same seed.
struct Draws {
    seed: u64,
    drawn: u64,
}

impl Draws {
    fn from(&mut self, values: &[f64]) -> f64 {
        self.drawn += 1;
        let draw = splitmix64(self.seed, self.drawn) % values.len() as u64;
        values[usize::try_from(draw).expect("a small number")]
    }
}

/// A true property of one participant at one level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fact {
    /// The value of a metric.
    Is(Metric, f64),
    /// The share of the planned requests that it answers.
    Serves(f64),
}

impl Fact {
    fn from_text(fact: &str, column: usize) -> Self {
        let (name, values) = fact.split_once('=').expect("a name and a value");
        let values = values
            .split('/')
            .map(|value| value.parse().expect("a number"));
        let values: Vec<f64> = values.collect();
        let value = *values.get(column).unwrap_or(&values[0]);
        match name {
            "serves" => Fact::Serves(value),
            name => Fact::Is(Metric::named(name).expect(name), value),
        }
    }
}

/// The truth behind a simulated run.
#[derive(Clone, Debug)]
pub struct World {
    /// Experiment, level, participant, and its facts there. A participant `NAME, again` or `NAME, planted` is a control.
    pub facts: Vec<(String, String, String, Vec<Fact>)>,
    /// Noise.
    pub residuals: Residuals,
    /// Number of blocks.
    pub blocks: u32,
    /// Number of cycles in a block.
    pub cycles: u32,
    /// Work added to a planted participant, in microseconds.
    pub planted_us: Option<f64>,
}

/// A run and its blocks.
#[derive(Clone, Debug)]
pub struct Records {
    /// The run.
    pub run: Run,
    /// Its blocks.
    pub blocks: Vec<Block>,
}

impl Records {
    /// The analysis of the run.
    pub fn analysis(&self) -> Analysis<'_> {
        Analysis::new(&self.run, &self.blocks)
    }
}

/// Requests per second of every open loop.
pub const RATE_PER_S: f64 = 2_000.0;
const WINDOW_US: u64 = 200_000;

impl World {
    /// A world without facts; eight blocks of four cycles.
    pub fn new(residuals: Residuals) -> Self {
        World {
            facts: Vec::new(),
            residuals,
            blocks: 8,
            cycles: 4,
            planted_us: None,
        }
    }

    /// Adds the facts of a participant at a level. The first participant of a level is its control.
    pub fn with(mut self, experiment: &str, level: &str, name: &str, facts: &[Fact]) -> Self {
        let row = (experiment.into(), level.into(), name.into(), facts.to_vec());
        self.facts.push(row);
        self
    }

    /// Adds the facts of a table. A line is `experiment | levels | participants | facts`; levels and participants are
    /// separated by `;`. A fact is `serves=SHARE`, or the name of a metric and its value; of two values `a/b`, `column`
    /// chooses one.
    pub fn with_table(mut self, table: &str, column: usize) -> Self {
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            let fields: Vec<&str> = line.split('|').map(str::trim).collect();
            let [experiment, levels, participants, facts] = fields[..] else {
                panic!("four fields: {line}");
            };
            let facts = facts.split_whitespace();
            let facts: Vec<Fact> = facts.map(|fact| Fact::from_text(fact, column)).collect();
            for level in levels.split("; ") {
                for participant in participants.split("; ") {
                    self = self.with(experiment, level, participant, &facts);
                }
            }
        }
        self
    }

    /// Simulates a run that measures this world, by a plan with one stage for each experiment.
    pub fn measure(&self, seed: u64) -> Records {
        self.measure_by(self.designs(), seed)
    }

    /// Simulates a run that measures this world by that plan.
    pub fn measure_by(&self, designs: Vec<Design>, seed: u64) -> Records {
        let mut draws = Draws { seed, drawn: 0 };
        let mut blocks = Vec::new();
        for design in &designs {
            for index in 0..self.blocks {
                let stages = design.stages.iter();
                blocks.extend(stages.map(|stage| self.block(design, stage, index, &mut draws)));
            }
        }
        Records {
            run: self.run(designs, seed),
            blocks,
        }
    }

    fn designs(&self) -> Vec<Design> {
        let mut designs: Vec<Design> = Vec::new();
        for (experiment, level, name, facts) in &self.facts {
            let found = designs.iter().position(|one| one.experiment == *experiment);
            let place = found.unwrap_or(designs.len());
            if found.is_none() {
                designs.push(design(experiment));
            }
            let design = &mut designs[place];
            let stage = &mut design.stages[0];
            if stage.participant(name).is_none() {
                stage.participants.push(Participant {
                    role: role_from_name(name),
                    ..Participant::named(name)
                });
            }
            match stage.levels.iter_mut().find(|one| one.name == *level) {
                Some(level) => level.participants.push(name.clone()),
                None => stage.levels.push(Level {
                    name: level.clone(),
                    control: name.clone(),
                    participants: vec![name.clone()],
                    cycles: self.cycles,
                    task: task(facts),
                }),
            }
        }
        designs
    }

    fn block(&self, design: &Design, stage: &Stage, index: u32, draws: &mut Draws) -> Block {
        let mut readings = Vec::new();
        for level in &stage.levels {
            let mut drift = || draws.from(&self.residuals.drift);
            let drift: Vec<f64> = (0..level.cycles).map(|_| drift()).collect();
            for (experiment, name, participant, facts) in &self.facts {
                if *experiment == design.experiment && *name == level.name {
                    readings.push(self.reading(level, participant, facts, &drift, draws));
                }
            }
        }
        Block {
            schema_version: SCHEMA_VERSION,
            experiment: design.experiment.clone(),
            stage: stage.name.clone(),
            index,
            started_at: String::new(),
            took_s: 1.0,
            stolen_share: None,
            planted_us: self.planted_us,
            readings,
        }
    }

    fn reading(
        &self,
        level: &Level,
        participant: &str,
        facts: &[Fact],
        drift: &[f64],
        draws: &mut Draws,
    ) -> Reading {
        let own = draws.from(&self.residuals.blocks);
        let mut reading = Reading::default();
        reading.participant = participant.into();
        reading.level = level.name.clone();
        if matches!(level.task, Task::Procedure(_)) {
            for fact in facts {
                if let Fact::Is(metric, value) = fact {
                    let noise = own + draws.from(&self.residuals.cycles);
                    reading.figures.insert(*metric, value * noise.exp());
                }
            }
            return reading;
        }
        for (cycle, drift) in (0..).zip(drift) {
            let noise = own + drift + draws.from(&self.residuals.cycles);
            reading.slices.push(slice(cycle, facts, noise.exp()));
        }
        let noise = (own + draws.from(&self.residuals.cycles)).exp();
        let latency = |wanted: Metric| value_of(facts, wanted).map(|value| value * noise);
        if let Some(p99) = latency(Metric::ResponseP99) {
            let p50 = latency(Metric::ResponseP50).unwrap_or(p99 / 4.0);
            reading.response_histogram = Some(histogram(p50, p99));
        }
        reading
    }

    fn run(&self, designs: Vec<Design>, seed: u64) -> Run {
        let card = |name: &str, attention: &str| ServerCard {
            name: name.into(),
            is_model: true,
            attention: attention.into(),
            ..ServerCard::default()
        };
        Run {
            schema_version: SCHEMA_VERSION,
            rules_version: RULES_VERSION,
            name: "made-up".into(),
            profile: Profile::Full,
            status: RunStatus::Complete,
            seed,
            planted_percent: 10.0,
            designs,
            servers: vec![
                card("fork-per-client", "process"),
                card("pre-forked", "process"),
                card("thread-per-client", "thread"),
            ],
            environment: Environment {
                memory_mib: 8_192,
                ..Environment::default()
            },
            ..Run::default()
        }
    }
}

/// The role of a participant, from the end of its name.
fn role_from_name(participant: &str) -> Role {
    match participant.split_once(", ") {
        Some((control, "again")) => Role::Again(control.into()),
        Some((control, "planted")) => Role::Planted(control.into()),
        _ => Role::Compared,
    }
}

fn value_of(facts: &[Fact], wanted: Metric) -> Option<f64> {
    facts.iter().find_map(|fact| match fact {
        Fact::Is(metric, value) if *metric == wanted => Some(*value),
        _ => None,
    })
}

fn design(experiment: &str) -> Design {
    Design {
        experiment: experiment.into(),
        stages: vec![Stage {
            name: "only".into(),
            participants: Vec::new(),
            server_cpus: vec![0],
            generator_cpus: vec![1],
            levels: Vec::new(),
        }],
        precision: None,
        blocks_min: 5,
        blocks_max: 40,
        budget_s: 1.0,
    }
}

/// A procedure if a fact is a procedure's figure; a closed loop if a fact is a rate; otherwise an open loop.
fn task(facts: &[Fact]) -> Task {
    let is_of_procedure = |fact: &Fact| match fact {
        Fact::Is(metric, _) => matches!(metric.definition().from, ValueSource::Procedure),
        _ => false,
    };
    if facts.iter().any(is_of_procedure) {
        return Task::Procedure(Procedure::Spawn { count: 1 });
    }
    let is_rate =
        |fact: &Fact| matches!(fact, Fact::Is(Metric::GoodPerS | Metric::CapacityPerS, _));
    Task::Load(match facts.iter().any(is_rate) {
        true => Load::with_clients(64),
        false => Load::with_rate(RATE_PER_S),
    })
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small positive numbers"
)]
fn slice(cycle: u32, facts: &[Fact], noise: f64) -> Slice {
    let window_s = WINDOW_US as f64 / 1e6;
    let served = facts.iter().find_map(|fact| match fact {
        Fact::Serves(share) => Some(*share),
        _ => None,
    });
    let rate = value_of(facts, Metric::GoodPerS).or(value_of(facts, Metric::CapacityPerS));
    let good = match rate {
        // Times 1,000: whole requests would be coarser than the noise.
        Some(rate) => (rate * noise * 1e3 * window_s).round() as u64,
        None => (RATE_PER_S * window_s * served.unwrap_or(1.0)).round() as u64,
    };
    let is_full = value_of(facts, Metric::CapacityPerS).is_some();
    let cpu_us = match value_of(facts, Metric::CpuPerRequest) {
        Some(cost) if !is_full => cost * noise * good as f64,
        _ if is_full => 0.98 * WINDOW_US as f64,
        _ => 1.0,
    };
    Slice {
        cycle,
        window_us: WINDOW_US,
        cpu_us,
        server_cpus: 1,
        answered: good,
        switches: value_of(facts, Metric::SwitchesPerRequest)
            .map(|switches| (switches * noise * good as f64).round() as u64),
        ..Slice::default()
    }
}

/// A histogram with these two percentiles.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times in nanoseconds"
)]
fn histogram(p50_us: f64, p99_us: f64) -> String {
    let mut histogram = Histograms::new().response;
    for index in 0..2_000 {
        let share = (f64::from(index) + 0.5) / 2_000.0;
        let value_us = match share {
            share if share <= 0.5 => p50_us * (0.8 + 0.4 * share),
            share => p50_us * (p99_us / p50_us).powf((share - 0.5) / 0.49),
        };
        histogram
            .record((value_us * 1e3) as u64)
            .expect("within bounds");
    }
    Histograms::encode(&histogram)
}
