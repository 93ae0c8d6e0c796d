//! `hola supervise`: runs another program's server for the lab, and ends all its processes when the lab ends.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use hola_base::process::Cpus;

use hola_lab::owned_name::OwnedName;
use hola_lab::target::supervisor::{ResourceLimits, Supervised, supervise};

/// Arguments of `supervise`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Example:
  sleep 10 | hola supervise --cpus 0 -- python3 -m http.server

Starts the program and prints its process id. When standard input ends, stops the program and all
processes that it started, and prints how they ended. Each of these two outputs is one line of JSON.")]
pub(super) struct SuperviseArgs {
    /// Program and arguments
    #[arg(required = true, last = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// CPUs to run on, such as 0 or 0,2-3 [default: all]
    #[arg(long, value_name = "LIST")]
    cpus: Option<Cpus>,
    /// Control group for the program; may be given for several. The process that starts this one must have created it,
    /// and named it hola-PID-SUFFIX with its own process id
    #[arg(long, value_name = "NAME")]
    cgroup: Vec<OwnedName>,
    /// Temporary folder, created and named in the same way; removed at the end if that process no longer exists
    #[arg(long, value_name = "NAME")]
    folder: Option<OwnedName>,
    /// Most address space of each process, in bytes [default: no limit of its own]
    #[arg(long, value_name = "BYTES")]
    memory: Option<u64>,
    /// Most descriptors of each process [default: no limit of its own]
    #[arg(long, value_name = "N")]
    descriptors: Option<u64>,
    /// Most CPU time of each process, in seconds [default: no limit of its own]
    #[arg(long, value_name = "S")]
    cpu_seconds: Option<u64>,
    /// Largest file that each process may write, in bytes [default: no limit of its own]
    #[arg(long, value_name = "BYTES")]
    file_size: Option<u64>,
    /// Run the program in a sandbox, which bwrap(1) makes
    #[arg(long)]
    sandbox: bool,
}

/// Runs the program until standard input ends.
pub(super) fn run(args: &SuperviseArgs) -> Result<ExitCode> {
    supervise(&Supervised {
        command: args.command.clone(),
        cpus: args.cpus.clone(),
        cgroups: args.cgroup.clone(),
        folder: args.folder.clone(),
        limits: ResourceLimits {
            memory_bytes: args.memory,
            descriptors: args.descriptors,
            cpu_s: args.cpu_seconds,
            file_bytes: args.file_size,
            sandbox: args.sandbox,
        },
    })
    .map_err(anyhow::Error::msg)?;
    Ok(ExitCode::SUCCESS)
}
