//! What `hola serve` and `hola models` print.

use std::io::{self, IsTerminal, Write};

use nix::unistd::geteuid;
use serde::Serialize;

use super::arguments::StatsFormat;
use crate::log;
use crate::models::{MODELS, Model};
use crate::operator;
use crate::server::Server;

pub(super) fn announce(server: &Server) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let (name, address) = (server.model(), server.address()?);
    writeln!(stdout, "{name} listening on {address}")?;
    stdout.flush()?;
    // Only now, so that what an operator prints of it follows that line.
    let counters = server.counters().memory().ok();
    operator::listening(address, server.settings().workers, counters);
    log::line(&server.settings().to_string());
    if geteuid().is_root() {
        log::line("warning: running as root, which serving does not need");
    }
    if io::stderr().is_terminal() {
        log::line("Ctrl-C stops it");
    }
    Ok(())
}

pub(super) fn print_stats(server: &Server, format: StatsFormat) -> io::Result<()> {
    let counters = server.counters().snapshot();
    let text = match format {
        StatsFormat::Json => {
            let (model, settings) = (server.model(), server.settings());
            serde_json::json!({"model": model, "settings": settings, "counters": counters})
                .to_string()
        }
        StatsFormat::Text => format!(
            "clients: {} accepted, {} closed, {} refused\n\
             requests answered: {}\n\
             conversations: {} expired, {} broken off, {} crashed\n\
             accepting: {} wake-ups, backed off {} times\n\
             clients by worker: {:?}",
            counters.accepted,
            counters.closed,
            counters.refused,
            counters.answers,
            counters.expired,
            counters.broken,
            counters.crashed,
            counters.wakeups,
            counters.backed_off,
            counters.accepted_by_worker
        ),
    };
    writeln!(io::stderr(), "{text}")
}

/// The table of models, for people.
pub fn models_text() -> String {
    let widths = MODELS.iter().map(|model| model.name.len());
    let width = widths.max().unwrap_or(0);
    let line = |model: &Model| match (model.available)() {
        Ok(()) => format!("{:width$}  {}\n", model.name, model.summary.en),
        Err(reason) => format!("{:width$}  skipped: {reason}\n", model.name),
    };
    MODELS.iter().map(line).collect()
}

/// The table of models, for programs: a JSON array. `skipped` says why a model is not available here, or is `null`.
///
/// # Errors
/// None that can happen: the table is plain data.
pub fn models_json() -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Row {
        #[serde(flatten)]
        model: &'static Model,
        skipped: Option<String>,
    }
    let row = |model| Row {
        model,
        skipped: (model.available)().err(),
    };
    serde_json::to_string_pretty(&MODELS.iter().map(row).collect::<Vec<_>>())
}
