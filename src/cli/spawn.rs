//! `hola spawn`: measures what one thread, process or task costs. The lab runs it as a fresh process.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use hola_base::process::{Cpus, end_with};
use hola_servers::cli::size;
use hola_servers::{ballast, spawning};

use hola_base::output::print;
use hola_lab::procedures::spawn::{SpawnKind, Spawned};

/// Arguments of `spawn`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola spawn thread
  hola spawn process --count 500 --ballast 500M

Prints one line of JSON: the median time to start one and wait for its end, and the 99th percentile
if there are at least 1000.")]
pub(super) struct SpawnArgs {
    /// What to make
    #[arg(value_enum)]
    kind: SpawnKind,
    /// How many, one after another
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: u32,
    /// Memory to allocate and touch first, such as 500M: a fork must copy its page tables
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size)]
    ballast: u64,
    #[command(flatten)]
    process: ProcessArgs,
}

/// Settings of the measuring process itself.
#[derive(Args, Clone, Debug)]
pub(super) struct ProcessArgs {
    /// CPUs to run on, such as 0 or 0,2-3 [default: all]
    #[arg(long, value_name = "LIST")]
    cpus: Option<Cpus>,
    /// End with this process, whatever happens to it
    #[arg(long, value_name = "PID", hide = true)]
    parent: Option<i32>,
}

impl ProcessArgs {
    /// Applies the settings to this process.
    pub(super) fn apply(&self) -> Result<()> {
        if let Some(parent) = self.parent {
            end_with(parent).map_err(anyhow::Error::msg)?;
        }
        if let Some(cpus) = &self.cpus {
            cpus.run_on()
                .map_err(|why_not| anyhow::anyhow!("--cpus {why_not}"))?;
        }
        Ok(())
    }
}

/// Makes them, and prints the cost.
pub(super) fn run(args: &SpawnArgs) -> Result<ExitCode> {
    args.process.apply()?;
    ballast::keep(args.ballast)?;
    let times = match args.kind {
        SpawnKind::Thread => spawning::threads(args.count),
        SpawnKind::Process => spawning::processes(args.count),
        SpawnKind::Task => spawning::tasks(args.count),
    };
    let spawned = Spawned::new(args.kind, args.ballast, &times?);
    print(serde_json::to_string(&spawned)? + "\n")?;
    Ok(ExitCode::SUCCESS)
}
