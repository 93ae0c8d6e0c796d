//! Adds up the results of all ranks of a load, if they are all there and belong together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use super::folder::{self, RankFile};
use super::record::RankRecord;
use crate::measurement::Measurement;
use crate::summary::KernelEvidence;
use crate::totals::Totals;

/// Most missing ranks that are named one by one.
const NAMED_MAX: usize = 20;

/// A load that several ranks made.
#[derive(Debug)]
pub(crate) struct MergedRun {
    /// Name of the load.
    pub(crate) run_id: String,
    /// Number of ranks.
    pub(crate) ranks: u32,
    /// Those that were stopped before the end of their plan.
    pub(crate) interrupted: Vec<u32>,
    /// The measurement that one process would have made.
    pub(crate) measurement: Measurement,
}

/// Why there is no sum.
#[derive(Debug)]
pub(crate) enum MergeError {
    /// The folder cannot be read, or the sum not be written.
    Failed(String),
    /// Results are missing, or do not belong together; a sentence for each problem.
    Incomplete(Vec<String>),
}

/// The results by the numbers of their ranks.
type RankResults = BTreeMap<u32, (RankFile, RankRecord)>;

/// Adds up the results in `folder`; with `run_id`, only those of that load.
///
/// # Errors
/// Returns [`MergeError`] if anything is missing: a part of a load is no measurement of it.
pub(crate) fn merge(folder: &Path, run_id: Option<&str>) -> Result<MergedRun, MergeError> {
    let place = folder.display();
    let files = folder::read(folder, run_id)
        .map_err(|error| MergeError::Failed(format!("cannot read {place}: {error}")))?;
    if files.is_empty() {
        let of = run_id.map_or(String::new(), |run_id| format!(" of {run_id}"));
        let none = format!("{place} has no result of a rank{of}");
        return Err(MergeError::Incomplete(vec![none]));
    }
    let results = whole(files).map_err(MergeError::Incomplete)?;
    let mut records = results.values().map(|(_, record)| record);
    let interrupted = records.clone().filter(|record| record.interrupted);
    let interrupted = interrupted.map(|record| record.rank).collect();
    let run_id = records.next().map(|record| record.run_id.clone());
    Ok(MergedRun {
        run_id: run_id.unwrap_or_default(),
        ranks: u32::try_from(results.len()).unwrap_or(u32::MAX),
        interrupted,
        measurement: add_up(results).map_err(MergeError::Incomplete)?,
    })
}

/// The results of all ranks, if they are all there, once, and of one load; otherwise what is wrong.
fn whole(files: Vec<RankFile>) -> Result<RankResults, Vec<String>> {
    let (mut results, mut problems) = (RankResults::new(), Vec::new());
    let mut run_ids = BTreeSet::new();
    // Ranks whose record cannot be read are not missing.
    let mut present = BTreeSet::new();
    for file in files {
        match file.record() {
            Ok(record) => {
                let rank = record.rank;
                present.insert(rank);
                run_ids.insert(record.run_id.clone());
                if let Some((first, _)) = results.get(&rank) {
                    let names = format!("{} and {}", first.name, file.name);
                    problems.push(format!("rank {rank} is there twice: {names}"));
                } else {
                    results.insert(rank, (file, record));
                }
            }
            Err(reason) => {
                present.extend(file.rank_in_name());
                problems.push(reason);
            }
        }
    }
    if run_ids.len() > 1 {
        let run_ids: Vec<String> = run_ids.into_iter().collect();
        let run_ids = run_ids.join(", ");
        return Err(vec![format!(
            "there are ranks of several loads: choose one with --run-id ({run_ids})"
        )]);
    }
    problems.extend(differences(&results));
    problems.extend(missing(&results, &present));
    match problems.is_empty() {
        true => Ok(results),
        false => Err(problems),
    }
}

/// What each result has otherwise than the first one, though it should be of the same load.
fn differences(results: &RankResults) -> Vec<String> {
    let mut loads = results
        .values()
        .map(|(file, record)| (&file.name, traits(record)));
    let Some((first_name, first)) = loads.next() else {
        return Vec::new();
    };
    let differs = |(name, others): (&String, Vec<(String, Value)>)| {
        let pairs = first.iter().zip(others);
        let differing = pairs.filter(|(mine, theirs)| *mine != theirs);
        let words: Vec<String> = differing
            .map(|((name, mine), (_, theirs))| format!("{name} {mine} and {theirs}"))
            .collect();
        let words = words.join(", ");
        (!words.is_empty())
            .then(|| format!("{first_name} and {name} are of different loads: {words}"))
    };
    loads.filter_map(differs).collect()
}

/// What all ranks of a load have in common, by name.
fn traits(record: &RankRecord) -> Vec<(String, Value)> {
    let summary = &record.summary;
    let start = summary.start.as_ref().map(|start| start.at.clone());
    let urls = summary.urls.iter().map(|url| json!([url.url, url.weight]));
    let mut traits = vec![
        ("ranks".to_owned(), Value::from(record.ranks)),
        ("url".to_owned(), summary.url.clone().into()),
        ("start".to_owned(), start.into()),
        ("urls".to_owned(), urls.collect()),
    ];
    // A plan is an object, and its fields are in one order.
    if let Ok(Value::Object(plan)) = serde_json::to_value(&summary.plan) {
        traits.extend(plan);
    }
    traits
}

/// The ranks that are not there, in a sentence; `None` if none is missing.
fn missing(results: &RankResults, present: &BTreeSet<u32>) -> Option<String> {
    let ranks = results.values().map(|(_, record)| record.ranks).max()?;
    let absent = (0..ranks).filter(|rank| !present.contains(rank));
    let count = absent.clone().count();
    let named: Vec<String> = absent
        .take(NAMED_MAX)
        .map(|rank| rank.to_string())
        .collect();
    let named = named.join(", ");
    match count {
        0 => None,
        1 => Some(format!("rank {named} of {ranks} is missing")),
        2..=NAMED_MAX => Some(format!("ranks {named} of {ranks} are missing")),
        _ => Some(format!("{count} of {ranks} ranks are missing: {named}, …")),
    }
}

/// The sum of all results as a measurement, or what does not add up.
fn add_up(results: RankResults) -> Result<Measurement, Vec<String>> {
    let kernel = counters(&results);
    let (mut sum, mut problems): (Option<Totals>, _) = (None, Vec::new());
    for (file, record) in results.into_values() {
        let with_name = |reason: String| format!("{}: {reason}", file.name);
        let totals = file.histograms();
        match totals.and_then(|log| record.totals(log).map_err(with_name)) {
            Err(reason) => problems.push(reason),
            Ok(totals) => match &mut sum {
                None => sum = Some(totals),
                Some(sum) => sum.add(&totals),
            },
        }
    }
    match sum.filter(|_| problems.is_empty()) {
        Some(mut sum) => {
            sum.evidence.kernel = kernel;
            of_whole_plan(sum).map(Measurement::new)
        }
        None => Err(problems),
    }
}

/// The kernel's counters over all machines; `None` if one of them does not tell.
fn counters(results: &RankResults) -> Option<KernelEvidence> {
    let mut namespaces: BTreeMap<String, KernelEvidence> = BTreeMap::new();
    for (file, record) in results.values() {
        let kernel = record.summary.kernel?;
        let namespace = record.network.clone().unwrap_or_else(|| file.name.clone());
        // Ranks in one namespace have seen the same events.
        let most = namespaces.entry(namespace).or_insert(kernel);
        *most = most.larger(kernel);
    }
    namespaces.into_values().reduce(KernelEvidence::plus)
}

/// The sum with what only the whole plan tells.
fn of_whole_plan(mut sum: Totals) -> Result<Totals, Vec<String>> {
    let (opens_ns, together) = (sum.plan.opens_ns(), sum.evidence.planned);
    if let Some(planned) = sum.plan.planned().filter(|planned| *planned != together) {
        return Err(vec![format!(
            "the plan has {planned} requests, and the ranks planned {together} together"
        )]);
    }
    if let Some(schedule) = sum.plan.schedule() {
        let closed_ns = opens_ns.saturating_add(sum.window_counts.window_ns);
        sum.evidence.offered = Some(schedule.count(opens_ns, closed_ns));
        sum.evidence.schedule = Some((schedule, opens_ns));
    }
    Ok(sum)
}
