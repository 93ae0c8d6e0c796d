//! Arguments of one process of several that make a load together.

use std::env;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use jiff::Timestamp;

use super::scheduler;
use crate::rank::Rank;
use crate::units::utc;

/// Most processes of a load.
const RANKS_MAX: u32 = 65_536;

/// Farthest planned start: a later one is milliseconds taken for seconds, or another slip.
const AHEAD_MAX: Duration = Duration::from_secs(24 * 3600);

/// Longest name of a load, in bytes: file names have 255 at most.
const RUN_ID_BYTES_MAX: usize = 100;

/// Arguments of one process of several.
#[derive(Args, Clone, Debug)]
pub(super) struct RankArgs {
    /// Make one of N equal shares of the load, together with N-1 other processes that have the same arguments; or `auto`,
    /// if the program that started them says how many there are. Each writes its result into the folder --output, and
    /// `hola merge` adds them up. Without this, a process makes the whole load, wherever it runs
    #[arg(long, value_name = "N|auto", value_parser = parse_rank_count, requires = "start_at", requires = "output",
        conflicts_with_all = ["find_max", "hlog", "hgrm", "junit", "format", "fail_if", "strict"])]
    ranks: Option<RankCount>,
    /// With --ranks: number of this process, from 0 to N-1 [default: what Slurm, Open MPI, PMI, PMIx, an Indexed Job of
    /// Kubernetes or GNU parallel has put into the environment; if they say different things, that is an error]
    #[arg(long, value_name = "R", requires = "ranks")]
    rank: Option<u32>,
    /// With --ranks: name of the load, with which the names of its files begin [default: the instant of --start-at]
    #[arg(long, value_name = "ID", value_parser = parse_run_id, requires = "ranks")]
    run_id: Option<String>,
    /// Start at this instant, as 2026-11-28T15:00:00Z or @SECONDS since 1970; a load that is ready only later exits with 5
    /// [default: as soon as it is ready]
    #[arg(long, value_name = "TIME", value_parser = parse_start)]
    start_at: Option<SystemTime>,
}

/// How many processes there are; `None` if the environment says it.
type RankCount = Option<u32>;

impl RankArgs {
    /// The share of this process.
    ///
    /// # Errors
    /// Says what is missing or contradictory.
    pub(super) fn rank(&self) -> Result<Rank, String> {
        match (self.ranks, self.rank) {
            (None, _) => Ok(Rank::ONLY),
            // What is said in full needs no environment, whatever that says.
            (Some(Some(ranks)), Some(rank)) => scheduler::rank_of(rank, ranks),
            (Some(ranks), rank) => scheduler::rank(rank, ranks, &variable),
        }
    }

    /// The planned start, which must not be too far away.
    ///
    /// # Errors
    /// Says that it is.
    pub(super) fn start_at(&self) -> Result<Option<SystemTime>, String> {
        let ahead = |at: &SystemTime| at.duration_since(SystemTime::now()).unwrap_or_default();
        match self.start_at.filter(|at| ahead(at) > AHEAD_MAX) {
            Some(at) => Err(format!("--start-at {} is more than a day ahead", utc(at))),
            None => Ok(self.start_at),
        }
    }

    /// Whether anything here is for one load alone.
    pub(super) fn are_for_one_load(&self) -> bool {
        self.ranks.is_some() || self.start_at.is_some()
    }

    /// Name of the load and its start, if this is one process of several.
    pub(super) fn run(&self) -> Option<(String, SystemTime)> {
        let (_, start_at) = self.ranks.zip(self.start_at)?;
        let run_id = self.run_id.clone();
        // All ranks have the same start. A colon is not allowed in all file systems.
        let run_id = run_id.unwrap_or_else(|| utc(start_at).replace(':', ""));
        Some((run_id, start_at))
    }
}

/// A variable of the environment.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

fn parse_rank_count(text: &str) -> Result<RankCount, String> {
    match text.parse() {
        _ if text == "auto" => Ok(None),
        Ok(ranks @ 1..=RANKS_MAX) => Ok(Some(ranks)),
        _ => Err(format!(
            "`{text}` is neither a number from 1 to {RANKS_MAX} nor `auto`"
        )),
    }
}

/// A name of a load, which is a part of file names.
pub(super) fn parse_run_id(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_name = (1..=RUN_ID_BYTES_MAX).contains(&text.len())
        && text.chars().all(is_plain)
        && !text.starts_with(['.', '-']);
    match is_name {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` is no name of up to {RUN_ID_BYTES_MAX} letters, digits, `-`, `_` and `.`"
        )),
    }
}

/// An instant: RFC 3339, or `@` and the seconds since 1970.
fn parse_start(text: &str) -> Result<SystemTime, String> {
    let instant = match text.strip_prefix('@') {
        Some(seconds) => since_epoch(seconds),
        None => text.parse::<Timestamp>().ok().map(SystemTime::from),
    };
    instant.ok_or_else(|| {
        format!("`{text}` is not an instant such as 2026-11-28T15:00:00Z or @1764342000")
    })
}

/// The instant so many seconds after 1970; digits beyond a nanosecond are cut off.
fn since_epoch(seconds: &str) -> Option<SystemTime> {
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let nanoseconds = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    UNIX_EPOCH.checked_add(Duration::new(whole.parse().ok()?, nanoseconds))
}
