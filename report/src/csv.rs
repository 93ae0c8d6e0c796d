//! The figures as data: the analysis of each cell, and the readings of each slice.

use hola_base::Language;
use hola_lab::experiments;
use hola_lab::metric::Metric;
use hola_lab::plan::{Level, Role, Stage};
use hola_lab::record::{Block, CheckName, Reading, Slice};
use hola_verdict::{Estimate, LevelKey};

use crate::facts::Facts;
use crate::{escape, labels};

const CELLS: &str = "experiment,level,participant,role,metric,value,low,high,against_control,against_low,against_high,word,blocks,missing";
const BLOCKS: &str = "experiment,stage,block,level,participant,cycle,window_us,cpu_us,server_share,generator_share,answered,failed,switches,disturbed,failed_checks,metric,value";

/// A row for each experiment, level, participant and metric.
pub(crate) fn cells(facts: &Facts<'_>) -> String {
    let mut table = format!("{CELLS}\n");
    for design in &facts.run.designs {
        let known = experiments::find(&design.experiment);
        for (stage, level) in design.levels() {
            for metric in Metric::ALL.iter().copied() {
                let at = LevelKey::new(&design.experiment, &level.name);
                let names = level.participants.iter();
                let mut has_value = names.map(|name| facts.value(at, name, metric).is_ok());
                let is_declared = known.is_some_and(|known| known.metrics.contains(&metric));
                if is_declared || has_value.any(|has_value| has_value) {
                    for name in &level.participants {
                        push(&mut table, &cell(facts, at, (stage, level), name, metric));
                    }
                }
            }
        }
    }
    table
}

fn cell(
    facts: &Facts<'_>,
    at: LevelKey<'_>,
    (stage, level): (&Stage, &Level),
    name: &str,
    metric: Metric,
) -> Vec<String> {
    let role = match stage.participant(name).map(|one| &one.role) {
        Some(Role::Again(_)) => "again",
        Some(Role::Planted(_)) => "planted",
        _ if name == level.control => "control",
        _ => "compared",
    };
    let value = facts.value(at, name, metric);
    let judged = facts.judged(at, metric);
    let word = judged
        .get(name)
        .map_or("", |(_, word)| labels::word_name(*word));
    let missing = match &value {
        Ok(_) => String::new(),
        Err(why) => labels::missing(why, Language::English),
    };
    let value = value.ok();
    let mut fields = [at.experiment, at.level, name, role, metric.name()]
        .map(str::to_owned)
        .to_vec();
    fields.extend(numbers(value));
    fields.extend(numbers(facts.to_control(at, name, metric)));
    fields.extend([
        word.into(),
        or_empty(value.map(|value| value.blocks)),
        missing,
    ]);
    fields
}

fn numbers(estimate: Option<Estimate>) -> [String; 3] {
    estimate.map_or_else(Default::default, |one| {
        [one.value, one.low, one.high].map(|number| number.to_string())
    })
}

fn or_empty(value: Option<impl ToString>) -> String {
    value.map_or(String::new(), |value| value.to_string())
}

/// A row for each slice, and for each figure of a procedure.
pub fn blocks(blocks: &[Block]) -> String {
    let mut table = format!("{BLOCKS}\n");
    for block in blocks {
        for reading in &block.readings {
            for slice in &reading.slices {
                row(&mut table, block, reading, slice_fields(slice), ["", ""]);
            }
            let figures = reading.figures.iter();
            let figures = figures.map(|(metric, value)| (metric.name(), value.to_string()));
            let failed = reading.failed.iter().map(|why| ("failed", why.clone()));
            for (name, value) in figures.chain(failed) {
                row(
                    &mut table,
                    block,
                    reading,
                    Default::default(),
                    [name, &value],
                );
            }
        }
    }
    table
}

fn slice_fields(slice: &Slice) -> [String; 10] {
    [
        slice.cycle.to_string(),
        slice.window_us.to_string(),
        slice.cpu_us.to_string(),
        format!("{:.4}", slice.server_share()),
        format!("{:.4}", slice.generator_share),
        slice.answered.to_string(),
        slice.failed.to_string(),
        or_empty(slice.switches),
        u8::from(slice.is_disturbed).to_string(),
        CheckName::join(&slice.failed_checks, "; "),
    ]
}

fn row(
    table: &mut String,
    block: &Block,
    reading: &Reading,
    slice: [String; 10],
    figure: [&str; 2],
) {
    let mut fields = vec![
        block.experiment.clone(),
        block.stage.clone(),
        block.index.to_string(),
        reading.level.clone(),
        reading.participant.clone(),
    ];
    fields.extend(slice);
    fields.extend(figure.map(str::to_owned));
    push(table, &fields);
}

fn push(table: &mut String, fields: &[String]) {
    let fields: Vec<String> = fields.iter().map(|field| escape::csv(field)).collect();
    table.push_str(&fields.join(","));
    table.push('\n');
}
