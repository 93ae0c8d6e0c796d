//! `hola claims`: lists the claims, and the experiments that decide them.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use hola_base::output::print;
use hola_base::{Language, Text};
use hola_verdict::claims::CLAIMS;
use serde::Serialize;

use super::Lang;

/// Arguments of `claims`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola claims                  every claim, its test and its experiments
  hola claims --lang es        the same in Spanish
  hola claims --json           the same as data, in both languages

`hola compare --profile full --claims NAME` measures what a claim needs; the report has the verdict.")]
pub(super) struct ClaimsArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Language of the text
    #[arg(long, value_enum, default_value_t = Lang::En, conflicts_with = "json")]
    lang: Lang,
}

/// A claim as data.
#[derive(Serialize)]
struct Entry {
    id: &'static str,
    statement: Text,
    why: Text,
    left_out: Text,
    experiments: &'static [&'static str],
    servers: &'static [&'static str],
    rerun: String,
}

/// Prints the claims.
pub(super) fn run(args: &ClaimsArgs) -> Result<ExitCode> {
    print(if args.json {
        let entries: Vec<Entry> = CLAIMS
            .iter()
            .map(|claim| Entry {
                id: claim.id,
                statement: claim.statement,
                why: claim.why,
                left_out: claim.left_out,
                experiments: claim.experiments,
                servers: claim.servers,
                rerun: claim.rerun(),
            })
            .collect();
        serde_json::to_string_pretty(&entries)? + "\n"
    } else {
        text(args.lang.into())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn text(language: Language) -> String {
    let mut text = String::new();
    for claim in CLAIMS {
        let experiments = match claim.experiments {
            [] => language
                .choose(|| "not measured", || "no se mide")
                .to_owned(),
            names => names.join(", "),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}\n  {}\n  {}\n  {}: {experiments}\n",
            claim.id,
            language.of(claim.statement),
            language.of(claim.why),
            language.choose(|| "experiments", || "experimentos"),
        );
    }
    text
}
