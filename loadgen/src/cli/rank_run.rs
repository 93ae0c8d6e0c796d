//! Makes one rank's share of a load, and keeps its result for `hola merge`.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use hola_base::output::say;

use super::LoadArgs;
use super::exit::{EXIT_ERROR, LoadFailure, interrupt_code};
use super::outputs::{Destination, Outputs};
use super::watch::{measure, note_interrupts};
use crate::ranks::{RankRecord, file_name};
use crate::text;
use crate::text::hdr;
use crate::text::report;
use crate::workload::Workload;

/// Makes the share of `load` in the load called `run_id` that starts at `start_at`, and returns the exit code.
pub(super) fn run_rank(
    args: &LoadArgs,
    load: &Workload,
    (run_id, start_at): (&str, SystemTime),
) -> Result<u8, LoadFailure> {
    let folder = args.output.as_deref().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot make the folder {}: {error}", folder.display()))?;
    // An existing file is an error: there would be two results of one rank.
    let file =
        |ending| Destination::new(&folder.join(file_name(run_id, load.rank.index(), ending)));
    let (mut record_file, mut log_file) = (file("json")?, file("hlog")?);
    note_interrupts()?;
    let Some(totals) = measure(load, args, &mut Outputs::stdout())? else {
        return Ok(interrupt_code());
    };
    let record = RankRecord::new(run_id, &totals);
    let opened_at = start_at + load.ramp + load.warmup;
    let window = Duration::from_nanos(totals.window_counts.window_ns);
    let log = hdr::window(&totals.histograms, opened_at, window, &totals.url)?;
    // Each appears as a whole or not at all. The record comes last: where it is, the log is, too.
    log_file.write(&log)?;
    record_file.write(&text::json_line(&record)?)?;
    let (rank, ranks, line) = (record.rank, record.ranks, report::line(&record.summary));
    say(format_args!("rank {rank} of {ranks} of {run_id}: {line}"));
    Ok(match record.summary.counts.ok {
        _ if record.interrupted => interrupt_code(),
        0 => {
            say("error: not one request of this rank succeeded");
            EXIT_ERROR
        }
        _ => 0,
    })
}
