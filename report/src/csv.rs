//! The figures as data: the analysis of each cell, and the readings of each slice.

use hola_base::Language;
use hola_lab::metric::Metric;
use hola_lab::plan::Role;
use hola_lab::record::{Block, CheckName, Reading, Slice};
use hola_verdict::Estimate;

use crate::escape;
use crate::experiments::at;
use crate::facts::Facts;
use crate::words;

const CELLS: &str = "experiment,level,participant,role,metric,value,low,high,against_control,against_low,against_high,word,blocks,missing";
const BLOCKS: &str = "experiment,stage,block,level,participant,cycle,window_us,cpu_us,server_share,generator_share,answered,failed,switches,failed_checks,metric,value";

/// A row for each experiment, level, participant and metric.
pub(crate) fn cells(facts: &Facts<'_>) -> String {
    let mut table = format!("{CELLS}\n");
    for design in &facts.run.designs {
        for (stage, level) in design.levels() {
            let at = at(design, level);
            for metric in Metric::ALL.iter().copied() {
                let judged = facts.judged(at, metric);
                let values: Vec<_> = level
                    .participants
                    .iter()
                    .map(|name| facts.value(at, name, metric))
                    .collect();
                let is_declared = crate::facts::experiment(&design.experiment)
                    .is_some_and(|known| known.metrics.contains(&metric));
                if !is_declared && values.iter().all(Option::is_none) {
                    continue;
                }
                for (name, value) in level.participants.iter().zip(values) {
                    let role = match stage.participant(name).map(|one| &one.role) {
                        Some(Role::Again(_)) => "again",
                        Some(Role::Planted(_)) => "planted",
                        _ if *name == level.control => "control",
                        _ => "compared",
                    };
                    let against = facts.to_control(at, name, metric);
                    let word = judged
                        .get(name)
                        .map_or("", |(_, word)| words::word_name(*word));
                    let blocks = value.map_or(String::new(), |value| value.blocks.to_string());
                    let missing = match value {
                        Some(_) => String::new(),
                        None => words::missing(
                            &facts.analysis.missing(at, name, metric),
                            Language::English,
                        ),
                    };
                    let [value, low, high] = numbers(value);
                    let [ratio, ratio_low, ratio_high] = numbers(against);
                    push(
                        &mut table,
                        &[
                            &design.experiment,
                            &level.name,
                            name,
                            role,
                            metric.name(),
                            &value,
                            &low,
                            &high,
                            &ratio,
                            &ratio_low,
                            &ratio_high,
                            word,
                            &blocks,
                            &missing,
                        ],
                    );
                }
            }
        }
    }
    table
}

fn numbers(estimate: Option<Estimate>) -> [String; 3] {
    estimate.map_or_else(Default::default, |one| {
        [one.value, one.low, one.high].map(|number| number.to_string())
    })
}

/// A row for each slice, and for each figure of a procedure.
pub(crate) fn blocks(blocks: &[Block]) -> String {
    let mut table = format!("{BLOCKS}\n");
    for block in blocks {
        for reading in &block.readings {
            for slice in &reading.slices {
                row(&mut table, block, reading, Some(slice), ["", ""]);
            }
            for (metric, value) in &reading.figures {
                row(
                    &mut table,
                    block,
                    reading,
                    None,
                    [metric.name(), &value.to_string()],
                );
            }
            if let Some(why) = &reading.failed {
                row(&mut table, block, reading, None, ["failed", why]);
            }
        }
    }
    table
}

fn row(
    table: &mut String,
    block: &Block,
    reading: &Reading,
    slice: Option<&Slice>,
    figure: [&str; 2],
) {
    let mut fields: Vec<String> = vec![
        block.experiment.clone(),
        block.stage.clone(),
        block.index.to_string(),
        reading.level.clone(),
        reading.participant.clone(),
    ];
    match slice {
        Some(slice) => fields.extend([
            slice.cycle.to_string(),
            slice.window_us.to_string(),
            slice.cpu_us.to_string(),
            format!("{:.4}", slice.server_share()),
            format!("{:.4}", slice.generator_share),
            slice.answered.to_string(),
            slice.failed.to_string(),
            slice
                .switches
                .map_or(String::new(), |switches| switches.to_string()),
            CheckName::join(&slice.failed_checks, "; "),
        ]),
        None => fields.extend(vec![String::new(); 9]),
    }
    fields.extend(figure.map(str::to_owned));
    push(
        table,
        &fields.iter().map(String::as_str).collect::<Vec<_>>(),
    );
}

fn push(table: &mut String, fields: &[&str]) {
    let fields: Vec<String> = fields.iter().map(|field| escape::csv(field)).collect();
    table.push_str(&fields.join(","));
    table.push('\n');
}
