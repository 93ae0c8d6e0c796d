//! `hola claims`: what people say, and what decides it.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Lang;
use crate::claims::names::Experiment;
use crate::claims::words;
use crate::claims::{self, Claim};
use crate::language::Language;
use crate::output::print;

/// Arguments of `claims`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola claims                  every claim, its experiments and its rule
  hola claims --lang es        the same in Spanish
  hola claims --json           the same as data, in both languages")]
pub(super) struct ClaimsArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Language of the text
    #[arg(long, value_enum, default_value_t = Lang::En, conflicts_with = "json")]
    lang: Lang,
}

/// A claim as data, its rule in words beside it.
#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    claim: &'static Claim,
    experiments: Vec<&'static Experiment>,
    models: Vec<&'static str>,
    rule_words: Words,
    rerun: Option<String>,
}

#[derive(Serialize)]
struct Words {
    en: Vec<String>,
    es: Vec<String>,
}

/// Prints the claims.
pub(super) fn run(args: &ClaimsArgs) -> Result<ExitCode> {
    let text = if args.json {
        let rows: Vec<Row> = claims::all().map(row).collect();
        serde_json::to_string_pretty(&rows)? + "\n"
    } else {
        text(args.lang.into())
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn row(claim: &'static Claim) -> Row {
    Row {
        claim,
        experiments: claim.rule.experiments(),
        models: claim.rule.models(),
        rule_words: Words {
            en: words::rule(&claim.rule, Language::English),
            es: words::rule(&claim.rule, Language::Spanish),
        },
        rerun: claim.rule.rerun(),
    }
}

fn text(language: Language) -> String {
    let mut text = String::new();
    for claim in claims::all() {
        let [asks, decides] = words::labels(language);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}\n  {}", claim.id, language.of(claim.statement));
        for experiment in claim.rule.experiments() {
            let factor = language.of(experiment.factor);
            let _ = writeln!(text, "  {asks} {}: {factor}", experiment.name);
        }
        let mut label = format!("{decides}: ");
        for line in words::rule(&claim.rule, language) {
            let _ = writeln!(text, "  {label}{line}");
            label = "  ".into();
        }
        text.push('\n');
    }
    text
}
