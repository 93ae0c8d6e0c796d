//! Plan files: the arguments of a load as TOML, each under its long name.
//!
//! The command line is their one definition: a plan becomes arguments, and the same parser checks them.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;

use clap::builder::PossibleValue;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, Command};
use schemars::{Schema, json_schema};
use serde_json::{Map, json};
use toml::{Table, Value};

/// Key of the URL, which is the one argument without a long name.
const URL: &str = "url";

/// Options that no plan has.
const ABOUT_PLANS: [&str; 2] = ["plan", "print-plan"];

/// Options whose one value is a list; others have one text or number, unless they may be repeated.
const LISTS: [&str; 4] = ["clients", "cpus", "expect-status", "rate"];

/// An argument by its key, and its value unless it is a flag.
type KeyedArgument = (String, Option<OsString>);

/// The arguments of a command, with those of the plan that they name by `--plan`. An argument that is given takes the place
/// of the plan's.
///
/// # Errors
/// Names the file, and the key at fault.
pub fn with_plan(command: &Command, mut arguments: Vec<OsString>) -> Result<Vec<OsString>, String> {
    let given = keyed(command, &arguments);
    let is_plan = |(key, value): &KeyedArgument| value.clone().filter(|_| key == "plan");
    let Some(file) = given.iter().find_map(is_plan) else {
        return Ok(arguments);
    };
    let file = Path::new(&file);
    let read = fs::read_to_string(file).map_err(|error| error.to_string());
    let mut planned = read
        .and_then(|text| parse(command, &text))
        .map_err(|reason| format!("--plan {}: {reason}", file.display()))?;
    planned.retain(|(key, _)| given.iter().all(|(known, _)| known != key));
    arguments.splice(0..0, planned.iter().map(written));
    Ok(arguments)
}

/// The plan that means the same as these arguments of a command.
///
/// # Errors
/// Names the argument that TOML cannot hold.
pub(super) fn plan_text(command: &Command, arguments: &[OsString]) -> Result<String, String> {
    let mut plan = Table::new();
    for (key, value) in keyed(command, arguments) {
        let Some(arg) = planned_arg(command, &key) else {
            continue;
        };
        let value = match value {
            None => Value::Boolean(true),
            Some(text) => match text.into_string() {
                Ok(text) => number_or_text(text),
                Err(_) => return Err(format!("{key}: a plan holds no text but UTF-8")),
            },
        };
        match (arg.get_action(), plan.get_mut(&key)) {
            (ArgAction::Append, Some(Value::Array(values))) => values.push(value),
            (ArgAction::Append, _) => drop(plan.insert(key, Value::Array(vec![value]))),
            _ => drop(plan.insert(key, value)),
        }
    }
    toml::to_string(&plan).map_err(|error| error.to_string())
}

/// The JSON Schema of plans for a command.
pub fn plan_schema(command: &Command) -> Schema {
    let property = |arg: &Arg| {
        let mut property = kinds(arg);
        if let Some(help) = arg.get_help() {
            property["description"] = help.to_string().into();
        }
        (key_of(arg).to_owned(), property)
    };
    let is_planned = |arg: &&Arg| !ABOUT_PLANS.contains(&key_of(arg));
    let arguments = command.get_arguments().filter(is_planned);
    let properties: Map<_, _> = arguments.map(property).collect();
    json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "LoadPlan",
        "description": "A plan of `hola load`, as TOML: each key is the long name of an option.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

/// What the values of an argument may be in a plan.
fn kinds(arg: &Arg) -> serde_json::Value {
    let names = arg.get_possible_values();
    match arg.get_action() {
        _ if !takes_value(arg) => json!({"type": "boolean"}),
        _ if !names.is_empty() => {
            json!({"enum": names.iter().map(PossibleValue::get_name).collect::<Vec<_>>()})
        }
        ArgAction::Append => json!({"type": ["string", "array"], "items": {"type": "string"}}),
        _ if !takes_several(arg) => json!({"type": ["string", "number"]}),
        _ => json!({
            "type": ["string", "number", "array"],
            "items": {"type": ["string", "number"]},
        }),
    }
}

/// Long name of an argument; of the URL, its own.
fn key_of(arg: &Arg) -> &str {
    arg.get_long().unwrap_or(URL)
}

fn find<'a>(command: &'a Command, key: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| key_of(arg) == key)
}

/// The argument that a plan may have under this key.
fn planned_arg<'a>(command: &'a Command, key: &str) -> Option<&'a Arg> {
    find(command, key).filter(|_| !ABOUT_PLANS.contains(&key))
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

fn takes_several(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append) || LISTS.contains(&key_of(arg))
}

/// A command line by its keys, up to the first argument that the parser refuses.
fn keyed(command: &Command, arguments: &[OsString]) -> Vec<KeyedArgument> {
    let parser = command.clone().no_binary_name(true).ignore_errors(true);
    // A request for help counts as an error, too, and is not ignored.
    let Ok(matches) = parser.try_get_matches_from(arguments) else {
        return Vec::new();
    };
    let mut keyed = Vec::new();
    for arg in command.get_arguments() {
        let id = arg.get_id().as_str();
        if matches.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        for values in matches.get_raw_occurrences(id).into_iter().flatten() {
            // Several values are one that was divided at its commas.
            let value = values.collect::<Vec<_>>().join(OsStr::new(","));
            keyed.push((key_of(arg).to_owned(), takes_value(arg).then_some(value)));
        }
    }
    keyed
}

/// A keyed argument as the command line has it.
fn written((key, value): &KeyedArgument) -> OsString {
    match value {
        None => format!("--{key}").into(),
        Some(url) if key == URL => url.clone(),
        Some(value) => {
            let mut option = OsString::from(format!("--{key}="));
            option.push(value);
            option
        }
    }
}

/// The arguments of a plan, each checked alone.
fn parse(command: &Command, text: &str) -> Result<Vec<KeyedArgument>, String> {
    let plan: Table = toml::from_str(text).map_err(|error| {
        // The error shows the place in several lines; the first one names it.
        let shown = error.to_string();
        let place = shown.lines().next().unwrap_or_default();
        format!("{place}: {}", error.message())
    })?;
    let mut arguments = Vec::new();
    for (key, value) in &plan {
        let at_key = |reason| format!("{key}: {reason}");
        let values = match planned_arg(command, key) {
            _ if is_table(value) => Err(
                "a plan has no tables: it is one load, or a series by several `rate` or `clients`"
                    .to_owned(),
            ),
            None => return Err(unknown(command, key)),
            Some(arg) => values(arg, value),
        };
        for value in values.map_err(at_key)? {
            let argument = (key.clone(), value);
            check(command, &argument).map_err(at_key)?;
            arguments.push(argument);
        }
    }
    Ok(arguments)
}

fn is_table(value: &Value) -> bool {
    match value {
        Value::Table(_) => true,
        Value::Array(values) => values.iter().any(Value::is_table),
        _ => false,
    }
}

/// Says that no option has this name, and which one is nearest.
fn unknown(command: &Command, key: &str) -> String {
    let refused = command
        .clone()
        .try_get_matches_from(["", &format!("--{key}")]);
    let nearest = refused.err();
    match nearest
        .as_ref()
        .and_then(|error| error.get(ContextKind::SuggestedArg))
    {
        Some(ContextValue::String(nearest)) => format!(
            "{key}: there is no such option; did you mean `{}`?",
            nearest.trim_start_matches('-')
        ),
        _ => format!("{key}: there is no such option; --help lists them"),
    }
}

/// The values of an argument: one for each time that it would be given; none for a flag.
fn values(arg: &Arg, value: &Value) -> Result<Vec<Option<OsString>>, String> {
    let texts: Option<Vec<String>> = match value {
        Value::Boolean(true) if !takes_value(arg) => return Ok(vec![None]),
        Value::Boolean(false) if !takes_value(arg) => return Ok(Vec::new()),
        _ if !takes_value(arg) => return Err("it is true or false".to_owned()),
        Value::Array(values) if takes_several(arg) => values.iter().map(text).collect(),
        value => text(value).map(|text| vec![text]),
    };
    let texts = texts.ok_or_else(|| match takes_several(arg) {
        true => "it is a text, a number, or several of them".to_owned(),
        false => "it is a text or a number".to_owned(),
    })?;
    let texts = match arg.get_action() {
        ArgAction::Append => texts,
        _ => vec![texts.join(",")],
    };
    Ok(texts.into_iter().map(|text| Some(text.into())).collect())
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An integer where that is written the same, a text otherwise.
fn number_or_text(text: String) -> Value {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => Value::Integer(number),
        _ => Value::String(text),
    }
}

/// Refuses a value that the parser refuses. What an argument needs beside it may be on the command line.
fn check(command: &Command, argument: &KeyedArgument) -> Result<(), String> {
    let parser = command.clone().no_binary_name(true);
    let Err(error) = parser.try_get_matches_from([written(argument)]) else {
        return Ok(());
    };
    match error.kind() {
        ErrorKind::ValueValidation | ErrorKind::InvalidValue | ErrorKind::InvalidUtf8 => {
            let shown = error.to_string();
            let reason = shown.lines().next().unwrap_or_default();
            Err(reason.trim_start_matches("error: ").to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::builder::OsStringValueParser;
    use clap::{Args, FromArgMatches};
    use proptest::prelude::*;

    use super::*;
    use crate::cli::LoadArgs;

    fn command() -> Command {
        LoadArgs::augment_args(Command::new("hola-load"))
    }

    /// The command, whose options take any text.
    fn lenient() -> Command {
        command().mut_args(|arg| match takes_value(&arg) {
            true => arg.value_parser(OsStringValueParser::new()),
            false => arg,
        })
    }

    /// Arguments of a command line: any option with any value, in any order, those that may be repeated several times.
    fn arguments(command: &Command, choices: Vec<(usize, String)>) -> Vec<OsString> {
        let all: Vec<&Arg> = command
            .get_arguments()
            .filter(|arg| planned_arg(command, key_of(arg)).is_some())
            .collect();
        let (mut arguments, mut url, mut known) = (Vec::new(), None, BTreeSet::new());
        for (index, value) in choices {
            let arg = all[index % all.len()];
            let is_new = known.insert(key_of(arg));
            if !is_new && !matches!(arg.get_action(), ArgAction::Append) {
                continue;
            }
            let value = takes_value(arg).then(|| OsString::from(value));
            match arg.get_long() {
                Some(long) => arguments.push(written(&(long.to_owned(), value))),
                None => url = value,
            }
        }
        arguments.extend(url.into_iter().flat_map(|url| ["--".into(), url]));
        arguments
    }

    proptest! {
        #[test]
        fn a_plan_that_was_written_is_read_as_the_same_arguments(
            choices in proptest::collection::vec(
                (any::<usize>(), prop_oneof![any::<String>(), "-?[0-9]{1,20}"]),
                0..30,
            ),
        ) {
            let command = lenient();
            let arguments = arguments(&command, choices);
            let text = plan_text(&command, &arguments).unwrap();
            let plan: Table = toml::from_str(&text).unwrap();
            let mut read = Vec::new();
            for (key, value) in &plan {
                let values = values(planned_arg(&command, key).unwrap(), value).unwrap();
                read.extend(values.into_iter().map(|value| (key.clone(), value)));
            }
            let mut written = keyed(&command, &arguments);
            written.sort_by(|a, b| a.0.cmp(&b.0));
            read.sort_by(|a, b| a.0.cmp(&b.0));
            prop_assert_eq!(read, written);
        }
    }

    #[test]
    fn a_plan_means_what_its_arguments_mean() {
        let command = command();
        assert!(LISTS.iter().all(|key| find(&command, key).is_some()));
        let plan = "url = 'http://127.0.0.1:9/a'\nrate = ['1k', 2000, 2500.5]\nconnections = 64\n\
            header = ['a: b', 'c: d,e']\nfail-if = 'p99>1s'\nstrict = true\nallow-remote = false\n";
        let line = [
            "--connections",
            "64",
            "--fail-if",
            "p99>1s",
            "--header",
            "a: b",
            "--header=c: d,e",
            "--rate",
            "1k,2000,2500.5",
            "--strict",
            "http://127.0.0.1:9/a",
        ];
        let meaning = |arguments: Vec<OsString>| {
            let matches = command
                .clone()
                .no_binary_name(true)
                .get_matches_from(arguments);
            format!("{:?}", LoadArgs::from_arg_matches(&matches).unwrap())
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plan.toml");
        fs::write(&file, plan).unwrap();
        let by_plan = |more: &[&str]| {
            let mut arguments = vec!["--plan".into(), file.clone().into_os_string()];
            arguments.extend(more.iter().map(OsString::from));
            let mut arguments = with_plan(&command, arguments).unwrap();
            arguments.retain(|argument| argument != "--plan" && *argument != file);
            meaning(arguments)
        };
        for more in [&[][..], &["--"]] {
            assert_eq!(by_plan(more), meaning(line.map(OsString::from).to_vec()));
        }
        // What is given replaces what the plan says of the same option, and nothing else.
        let mut other = line.map(OsString::from).to_vec();
        (other[3], other[8], other[10]) = ("p50>1s".into(), "3k".into(), "9".into());
        let given = ["--rate", "3k", "9", "--fail-if=p50>1s"];
        assert_eq!(by_plan(&given), meaning(other));
    }
}
