//! How to read the report, how and where it was measured, and how to measure it again.

use hola_servers::models::Bilingual;

use crate::experiments::level_name;
use crate::lab::record::{Design, Level, Run};
use crate::language::Language;

use super::numbers;
use super::view::{Section, Table};
use super::words;

/// The meaning of every column, and of the loads.
pub(super) fn reading(run: &Run, language: Language) -> Section {
    let mut table = Table::new(
        "",
        2,
        &[language.of(words::TERM), language.of(words::MEANING)],
    );
    for (term, meaning) in words::READING_TERMS {
        table.push(vec![language.of(term).into(), language.of(meaning).into()]);
    }
    let levels = || run.experiments.iter().flat_map(|design| &design.levels);
    let mut loads = Vec::new();
    if levels().any(Level::is_closed) {
        loads.push(language.of(words::CLOSED_LOOP).to_owned());
    }
    if levels().any(Level::is_open) {
        loads.push(language.of(words::OPEN_LOOP).to_owned());
    }
    Section {
        title: language.of(words::READING).to_owned(),
        paragraphs: loads,
        tables: vec![table],
        command: None,
    }
}

/// Plan, machine, command and data.
pub(super) fn method(run: &Run, language: Language) -> Section {
    let environment = &run.environment;
    let mut tables = vec![named(
        language.of(words::RUN_CAPTION),
        words::RUN_NAMES,
        run_values(run, language),
        language,
    )];
    for design in &run.experiments {
        let caption = words::plan_caption(&design.experiment, language);
        let values = plan_values(design, language);
        tables.push(named(&caption, words::PLAN_NAMES, values, language));
        tables.push(levels(design, language));
        let caption = words::settings_caption(&design.experiment, language);
        tables.extend(lines(
            &caption,
            &settings(&design.server_settings),
            language,
        ));
    }
    tables.push(named(
        language.of(words::ENVIRONMENT_CAPTION),
        words::ENVIRONMENT_NAMES,
        environment_values(run, language),
        language,
    ));
    let caption = language.of(words::LIMITS_CAPTION);
    tables.extend(lines(caption, &environment.limits, language));
    let caption = language.of(words::MITIGATIONS_CAPTION);
    tables.extend(lines(caption, &environment.mitigations, language));
    Section {
        title: language.of(words::METHOD).to_owned(),
        paragraphs: vec![
            words::where_data(&run.name, language),
            language.of(words::RERUN).to_owned(),
        ],
        tables,
        command: Some(command(&run.command)),
    }
}

/// Version of Hola, with the commit it was built from.
pub(super) fn version(run: &Run, language: Language) -> String {
    let environment = &run.environment;
    // Twelve digits name a commit in any repository of this size.
    let short = |commit: &String| commit.chars().take(12).collect::<String>();
    words::version(
        &environment.version,
        environment.commit.as_ref().map(short).as_deref(),
        environment.dirty,
        language,
    )
}

fn run_values(run: &Run, language: Language) -> [String; 4] {
    [
        run.profile.clone(),
        // Not grouped: it is there to be copied.
        run.seed.to_string(),
        run.started_at.clone(),
        run.finished_at
            .clone()
            .unwrap_or_else(|| language.of(words::UNKNOWN).to_owned()),
    ]
}

fn plan_values(design: &Design, language: Language) -> [String; 9] {
    [
        words::recorded(&design.question, language).to_owned(),
        design.models.join(", "),
        design.control.clone(),
        numbers::count(design.trials_per_cell),
        words::seconds(&numbers::tick(design.trial_s, language)),
        words::seconds(&numbers::tick(design.warmup_s, language)),
        list(&design.server_cpus, language),
        list(&design.generator_cpus, language),
        match design.tolerates.as_slice() {
            [] => language.of(words::NOTHING).to_owned(),
            checks => checks.join(", "),
        },
    ]
}

/// What each level is.
fn levels(design: &Design, language: Language) -> Table {
    let caption = words::levels_of(&design.experiment, language);
    let columns = [
        language.of(words::LEVEL),
        language.of(words::LOAD),
        language.of(words::SERVER_OPTIONS),
        language.of(words::MEASURED_MODELS),
    ];
    let mut table = Table::new(caption, columns.len(), &columns);
    for level in &design.levels {
        let mut options = level.server_options.clone();
        options.extend(
            level
                .pool_workers
                .map(|workers| words::pool_workers(workers, language)),
        );
        options.extend(level.placement.as_ref().map(|placement| {
            words::placement(
                &list(&placement.server_cpus, language),
                &list(&placement.generator_cpus, language),
                language,
            )
        }));
        table.push(vec![
            level_name(&level.name, language).into_owned().into(),
            words::load(level, language).into(),
            if options.is_empty() {
                numbers::NONE.into()
            } else {
                options.join(" ").into()
            },
            if level.models.is_empty() {
                language.of(words::ALL_MODELS).into()
            } else {
                level.models.join(", ").into()
            },
        ]);
    }
    table
}

fn environment_values(run: &Run, language: Language) -> [String; 13] {
    let environment = &run.environment;
    let unknown = || language.of(words::UNKNOWN).to_owned();
    [
        environment.cpu_model.clone(),
        numbers::count(environment.cpus),
        numbers::memory_kib(environment.memory_mib as f64 * 1024.0, language),
        environment.kernel.clone(),
        if environment.virtualised {
            language.of(words::YES)
        } else {
            language.of(words::NO)
        }
        .to_owned(),
        environment.clock_source.clone().unwrap_or_else(unknown),
        environment.governor.clone().unwrap_or_else(unknown),
        numbers::load(environment.load_before, language),
        environment
            .load_after
            .map_or_else(unknown, |load| numbers::load(load, language)),
        environment
            .steal_share
            .map_or_else(unknown, |share| numbers::percent(share, language)),
        environment.rustc.clone(),
        environment.build.clone(),
        version(run, language),
    ]
}

fn named<const N: usize>(
    caption: &str,
    names: [Bilingual; N],
    values: [String; N],
    language: Language,
) -> Table {
    let mut table = Table::new(
        caption,
        2,
        &[language.of(words::NAME), language.of(words::VALUE)],
    );
    for (name, value) in names.into_iter().zip(values) {
        table.push(vec![language.of(name).into(), value.into()]);
    }
    table
}

/// A table of `name = value` lines; `None` when there is none.
fn lines(caption: &str, lines: &[String], language: Language) -> Option<Table> {
    let mut table = Table::new(
        caption,
        2,
        &[language.of(words::NAME), language.of(words::VALUE)],
    );
    for line in lines {
        let (name, value) = line
            .split_once('=')
            .or_else(|| line.split_once(": "))
            .unwrap_or((line, ""));
        table.push(vec![name.trim().into(), value.trim().into()]);
    }
    (!lines.is_empty()).then_some(table)
}

/// Settings as `name = value` lines, by name.
fn settings(settings: &serde_json::Value) -> Vec<String> {
    match settings {
        serde_json::Value::Null => Vec::new(),
        serde_json::Value::Object(fields) => {
            let mut lines: Vec<String> = fields
                .iter()
                .map(|(name, value)| match value {
                    serde_json::Value::String(text) => format!("{name} = {text}"),
                    _ => format!("{name} = {value}"),
                })
                .collect();
            lines.sort();
            lines
        }
        other => vec![other.to_string()],
    }
}

fn list(numbers: &[impl ToString], language: Language) -> String {
    if numbers.is_empty() {
        return language.of(words::UNKNOWN).to_owned();
    }
    let written: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    written.join(", ")
}

/// A command line as a shell reads it back.
fn command(arguments: &[String]) -> String {
    let quoted: Vec<String> = arguments.iter().map(|argument| quoted(argument)).collect();
    quoted.join(" ")
}

fn quoted(argument: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=,@%+".contains(letter);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_pasted_back_into_a_shell() {
        let arguments = ["hola", "compare", "--output", "my results", "it's", ""];
        let written = command(&arguments.map(str::to_owned));
        assert_eq!(written, r"hola compare --output 'my results' 'it'\''s' ''");
    }
}
