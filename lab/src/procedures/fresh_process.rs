//! A fresh process of this program that measures something and prints it.

use std::io::Read;
use std::process::Stdio;
use std::time::Duration;

use clap::ValueEnum;
use serde::de::DeserializeOwned;

use super::FreshServer;
use crate::child::ChildProcess;

/// Timeout of one such process.
const LONGEST: Duration = Duration::from_secs(60);

/// Runs a subcommand of `hola` with these arguments on the server's CPUs, and returns what it prints as JSON.
pub(super) fn printed<T: DeserializeOwned>(
    fresh: &FreshServer<'_>,
    subcommand: &str,
    arguments: &[&str],
) -> Result<T, String> {
    let name = format!("hola {subcommand}");
    let mut command = fresh.lab.program.command(subcommand, fresh.server_cpus);
    command
        .args(arguments)
        .args(["--parent", &std::process::id().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let process = ChildProcess::spawn(&name, &mut command);
    let mut process = process.map_err(|error| format!("cannot run {name}: {error}"))?;
    let status = process.wait_while(LONGEST, || fresh.stop_if_interrupted())?;
    // It writes less than a pipe holds, so a full pipe has not blocked it.
    if !status.success() {
        let error = text(process.child.stderr.take());
        return Err(format!("{name} failed: {}", error.trim_end()));
    }
    serde_json::from_str(&text(process.child.stdout.take()))
        .map_err(|error| format!("{name} gave no readable figures: {error}"))
}

fn text(pipe: Option<impl Read>) -> String {
    let mut text = String::new();
    if let Some(mut pipe) = pipe {
        // If this fails, the text is incomplete, and the caller reports that.
        let _ = pipe.read_to_string(&mut text);
    }
    text
}

/// A value as it is written on the command line.
pub(super) fn word(value: &impl ValueEnum) -> String {
    let word = value.to_possible_value();
    word.map_or_else(String::new, |word| word.get_name().to_owned())
}
