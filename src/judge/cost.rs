//! What a request costs a server, beside Hola's model of its kind: both live at once, and take turns at short slices of
//! the same load.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use hola_lab::block::{self, Lab};
use hola_lab::environment::allowed_cpus;
use hola_lab::metric::Metric;
use hola_lab::pinned_program::PinnedProgram;
use hola_lab::plan::{Design, Level, Load, Participant, Stage, Task};
use hola_lab::record::Run;
use hola_lab::target::supervisor::ResourceLimits;
use hola_lab::target::{TargetSpec, Targets};
use hola_report::difference::ComparedSides;
use hola_verdict::difference::{Difference, MetricChange, RecordedRun, Selection};
use schemars::JsonSchema;
use serde::Serialize;

/// Requests per second: what every language and kind can serve on one CPU.
const RATES_PER_S: [u32; 2] = [200, 1_000];
/// Slices of each server at each rate in a block.
const CYCLES: u32 = 4;
/// Fresh pairs of servers.
const BLOCKS: u32 = 8;
/// The examined server's name beside the model.
const EXAMINED: &str = "examined";

/// What a request costs the server, beside a model.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CostComparison {
    /// The model of its kind.
    pub model: String,
    /// Every figure that could be measured; the others are absent, such as those at a rate that fills the server's CPU.
    pub figures: Vec<ComparedFigure>,
    /// The same with its words, to be shown.
    #[serde(skip)]
    #[schemars(skip)]
    pub difference: Difference,
}

impl CostComparison {
    /// What is compared with what.
    pub fn sides(&self) -> ComparedSides<'_> {
        ComparedSides {
            base: &self.model,
            candidate: EXAMINED,
        }
    }
}

/// One figure of both servers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ComparedFigure {
    /// The load, such as `new, 200/s`.
    pub level: String,
    /// What is compared.
    pub metric: Metric,
    /// The examined server's, in the metric's unit.
    pub server: f64,
    /// The model's.
    pub model: f64,
    /// The server's over the model's.
    pub ratio: f64,
    /// Its 95 % interval over blocks.
    pub interval: [f64; 2],
}

/// Compares the server that `command` starts with a model, until `deadline` at most.
///
/// # Errors
/// Returns the reason if the server cannot be measured.
pub(super) fn compare(
    hola: &PinnedProgram,
    command: &[String],
    limits: ResourceLimits,
    model: &str,
    deadline: Instant,
) -> Result<CostComparison, String> {
    let words = command.iter().map(String::as_str);
    let line = shlex::try_join(words).map_err(|error| error.to_string())?;
    let mut examined = TargetSpec::from_command(&format!("{EXAMINED}={line}"))?;
    // No group limits it: a process may be in one only (version 2), and here that one counts CPU time.
    examined.limits = limits;
    let mut targets = Targets::with_no_targets(hola.path());
    targets.add_own(examined)?;
    let lab = Lab {
        program: hola,
        targets: &targets,
        seed: 1,
        planted_percent: 0.0,
        interrupted: &AtomicBool::new(false),
    };
    let design = design(model);
    let mut blocks = Vec::new();
    for index in 0..BLOCKS {
        if Instant::now() > deadline {
            break;
        }
        let block = block::make(&lab, &design, &design.stages[0], index);
        let block = block.ok_or("the measurement was interrupted")?;
        let mut failed = block.readings.iter().filter_map(|one| one.failed.clone());
        if let Some(reason) = failed.next() {
            return Err(reason);
        }
        blocks.push(block);
    }
    let run = Run {
        designs: vec![design],
        ..Run::default()
    };
    let recorded = RecordedRun {
        run: &run,
        blocks: &blocks,
    };
    let selection = Selection {
        metrics: vec![Metric::CpuPerRequest, Metric::ResponseP50],
        ..Selection::default()
    };
    let difference = Difference::between_servers(recorded, model, EXAMINED, &selection);
    let figures: Vec<ComparedFigure> = difference.cells.iter().map(figure).collect();
    if figures.is_empty() {
        return Err("no rate could be measured".into());
    }
    Ok(CostComparison {
        model: model.into(),
        figures,
        difference,
    })
}

/// The server beside the model: every rate in each block.
fn design(model: &str) -> Design {
    let participants = [Participant::named(model), Participant::named(EXAMINED)];
    let names = participants.each_ref().map(|one| one.name.clone());
    let level = |rate_per_s: u32| Level {
        name: format!("new, {rate_per_s}/s"),
        control: model.into(),
        participants: names.to_vec(),
        cycles: CYCLES,
        task: Task::Load(Load::with_rate(rate_per_s.into())),
    };
    let cpus = allowed_cpus();
    let (server_cpus, generator_cpus) = match cpus.as_slice() {
        [first, .., last] => (vec![*first], vec![*last]),
        _ => (cpus.clone(), cpus),
    };
    let stage = Stage {
        name: "cost".into(),
        participants: participants.into(),
        server_cpus,
        generator_cpus,
        levels: RATES_PER_S.map(level).into(),
    };
    Design {
        experiment: "cost".into(),
        stages: vec![stage],
        precision: None,
        blocks_min: BLOCKS,
        blocks_max: BLOCKS,
        budget_s: 60.0,
    }
}

fn figure(cell: &MetricChange) -> ComparedFigure {
    ComparedFigure {
        level: cell.level.clone(),
        metric: cell.metric,
        server: cell.candidate.value,
        model: cell.base.value,
        ratio: cell.change.value,
        interval: [cell.change.low, cell.change.high],
    }
}
