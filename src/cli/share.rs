//! `hola share`: measures what two threads or processes pay for what they share. The lab runs it as a fresh process.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use hola_base::output::print;
use hola_lab::plan::SharedResource;
use hola_lab::procedures::share::{Operation, Partner};
use hola_servers::sharing;

use super::spawn::ProcessArgs;

/// Arguments of `share`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola share thread counter
  hola share process message --count 20000

Prints one line of JSON: the mean time of one addition to the counter, or of one message and its
answer.")]
pub(super) struct ShareArgs {
    /// Whether two threads or two processes share it
    #[arg(value_enum)]
    partner: Partner,
    /// What they share
    #[arg(value_enum)]
    shared: SharedResource,
    /// How many additions each makes, or messages one sends
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    count: u32,
    #[command(flatten)]
    process: ProcessArgs,
}

/// Measures it, and prints the cost.
pub(super) fn run(args: &ShareArgs) -> Result<ExitCode> {
    args.process.apply()?;
    let measure = match (args.partner, args.shared) {
        (Partner::Thread, SharedResource::Counter) => sharing::counter_of_threads,
        (Partner::Process, SharedResource::Counter) => sharing::counter_of_processes,
        (Partner::Thread, SharedResource::Message) => sharing::messages_of_threads,
        (Partner::Process, SharedResource::Message) => sharing::messages_of_processes,
    };
    let operation = Operation::new(args.shared, args.count, measure(args.count)?);
    print(serde_json::to_string(&operation)? + "\n")?;
    Ok(ExitCode::SUCCESS)
}
