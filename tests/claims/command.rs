//! `hola claims`, as a user sees it.

use std::process::{Command, Output};

use hola::claims::all;
use serde_json::Value;

fn hola(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hola"))
        .arg("claims")
        .args(arguments)
        .output()
        .expect("hola runs")
}

fn text(arguments: &[&str]) -> String {
    let output = hola(arguments);
    assert!(output.status.success() && output.stderr.is_empty());
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn every_claim_is_listed_with_what_decides_it() {
    let english = text(&[]);
    for claim in all() {
        assert!(english.contains(&format!("{}\n  {}\n", claim.id, claim.statement.en)));
    }
    assert!(english.contains("  experiment keep-alive: requests per connection\n"));
    assert!(english.contains("  holds if: "));
}

#[test]
fn spanish_is_spanish() {
    let spanish = text(&["--lang", "es"]);
    for claim in all() {
        assert!(spanish.contains(claim.statement.es) && !spanish.contains(claim.statement.en));
    }
    assert!(spanish.contains("  se cumple si: "));
}

#[test]
fn json_holds_the_rule_as_data_and_in_words() {
    let rows: Value = serde_json::from_str(&text(&["--json"])).expect("JSON");
    let rows = rows.as_array().expect("a list");
    assert_eq!(rows.len(), all().count());
    let selectors = rows.iter().find(|row| row["id"] == "selectors-scale");
    let selectors = selectors.expect("the claim");
    let test = &selectors["rule"]["test"];
    assert_eq!(test["figure"], "cpu_us_per_request");
    assert_eq!(test["over"]["model"], "thread-per-client");
    assert_eq!(test["expect"]["less_than"], 0.9);
    assert_eq!(selectors["experiments"], serde_json::json!(["churn"]));
    for language in ["en", "es"] {
        assert!(selectors["rule_words"][language][0].is_string());
    }
    assert!(selectors["rerun"].as_str().is_some());
}

#[test]
fn an_unknown_language_is_a_usage_error() {
    let output = hola(&["--lang", "fr"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
}
