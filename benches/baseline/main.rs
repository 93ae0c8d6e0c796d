//! How far is each model from the barest server of its kind?
//!
//! The bare servers know no HTTP, no deadline, no cap and no counters: they make the system calls that their model
//! cannot do without and send canned octets. What a model costs above its bare server is what all that costs, and it is
//! the same in every row. Servers take turns within each round; the medians are compared.
//!
//! `cargo bench --bench baseline` prints the table; `-- --save FILE` keeps it as JSON.

#[path = "../arguments/mod.rs"]
mod arguments;
mod bare;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use arguments::Asked;
use hola::analysis::sample::median;
use hola::cli::compare::CompareArgs;
use hola::lab::environment;
use hola::lab::recipe::Recipe;
use hola::lab::record::{Design, Environment, Level};
use hola::lab::target::Targets;
use hola::lab::trial::{self, Setting};
use hola_servers::models::{MODELS, Model};
use serde::Serialize;

/// Concurrent clients.
const CLIENTS: u32 = 64;
/// Rounds; every server is measured once in each.
const ROUNDS: u64 = 7;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "serve") {
        return bare::serve(&arguments[1..]);
    }
    let asked = Asked::of("baseline", arguments.iter().cloned());
    let (rounds, trial_s) = match asked {
        Asked::Nothing => return ExitCode::SUCCESS,
        Asked::Measure => (ROUNDS, None),
        Asked::TryOut => (1, Some(0.05)),
    };
    let save = arguments
        .iter()
        .skip_while(|argument| *argument != "--save")
        .nth(1);
    match table(rounds, trial_s) {
        Ok(table) => finish(&table, save.map(PathBuf::from)),
        Err(reason) => {
            eprintln!("baseline: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// What is kept of a baseline measurement.
#[derive(Debug, Serialize)]
struct Table {
    command: Vec<String>,
    clients: u32,
    rounds: u64,
    environment: Environment,
    rows: Vec<Row>,
}

/// One model beside its bare server: medians over rounds.
#[derive(Debug, Serialize)]
struct Row {
    model: &'static str,
    model_cpu_us_per_request: f64,
    bare_cpu_us_per_request: f64,
    /// Median of the rounds' ratios, which compare neighbours in time.
    ratio: f64,
    trials: Vec<[f64; 2]>,
}

fn table(rounds: u64, trial_s: Option<f64>) -> Result<Table, String> {
    let bare = std::env::current_exe().map_err(|error| error.to_string())?;
    let hola = Path::new(env!("CARGO_BIN_EXE_hola"));
    let (plans, _) = CompareArgs::quick(PathBuf::new()).designs(&Targets::none(hola));
    let plan = plans.into_iter().find(|plan| plan.experiment == "churn");
    let plan = plan.ok_or("there is no experiment of that kind")?;
    let design = Design {
        trial_s: trial_s.unwrap_or(plan.trial_s),
        ..plan
    };
    // A model without a bare server of its kind has no floor to be far from.
    let models: Vec<&Model> = MODELS
        .iter()
        .filter(|model| bare::has(model.name))
        .collect();
    let mut trials: Vec<Vec<[f64; 2]>> = vec![Vec::new(); models.len()];
    for round in 0..rounds {
        for (model, pairs) in models.iter().zip(&mut trials) {
            eprintln!("round {} of {rounds}: {}", round + 1, model.name);
            let cost = |program: &Path| cpu_us_per_request(program, &design, model.name, round);
            // Who goes first changes from round to round.
            pairs.push(if round % 2 == 0 {
                let first = cost(hola)?;
                [first, cost(&bare)?]
            } else {
                let first = cost(&bare)?;
                [cost(hola)?, first]
            });
        }
    }
    let rows = models
        .iter()
        .zip(trials)
        .map(|(model, trials)| row(model.name, trials))
        .collect();
    let command = ["cargo", "bench", "--bench", "baseline"]
        .map(String::from)
        .into();
    Ok(Table {
        command,
        clients: CLIENTS,
        rounds,
        environment: environment::read(),
        rows,
    })
}

fn cpu_us_per_request(
    program: &Path,
    design: &Design,
    model: &str,
    seed: u64,
) -> Result<f64, String> {
    let level = Level {
        clients: CLIENTS,
        ..Level::default()
    };
    let setting = Setting {
        hola: program,
        targets: &Targets::none(program),
        design,
        level: &level,
        model,
        seed,
        interrupted: &AtomicBool::new(false),
    };
    let made = trial::make(&setting, Recipe::default())?;
    made.server
        .and_then(|server| server.cpu_us_per_request)
        .ok_or_else(|| format!("{model} answered nothing"))
}

fn row(model: &'static str, trials: Vec<[f64; 2]>) -> Row {
    let median_of = |of: fn(&[f64; 2]) -> f64| {
        median(&trials.iter().map(of).collect::<Vec<_>>()).unwrap_or(f64::NAN)
    };
    Row {
        model,
        model_cpu_us_per_request: median_of(|pair| pair[0]),
        bare_cpu_us_per_request: median_of(|pair| pair[1]),
        ratio: median_of(|pair| pair[0] / pair[1]),
        trials,
    }
}

fn finish(table: &Table, save: Option<PathBuf>) -> ExitCode {
    println!(
        "{:20} {:>10} {:>10} {:>7}",
        "server CPU/request", "model, µs", "bare, µs", "ratio"
    );
    for row in &table.rows {
        let (model, bare) = (row.model_cpu_us_per_request, row.bare_cpu_us_per_request);
        println!(
            "{:20} {model:>10.1} {bare:>10.1} {:>7.2}",
            row.model, row.ratio
        );
    }
    let Some(path) = save else {
        return ExitCode::SUCCESS;
    };
    let saved = serde_json::to_string_pretty(table).map_err(std::io::Error::other);
    match saved.and_then(|json| std::fs::write(&path, json + "\n")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("baseline: cannot write {}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}
