//! Several loads as one table.

use std::fmt::{self, Write};

use super::{advice, conclusion, figure, markdown};
use crate::summary::{CheckName, Levels, LoopKind, Search, Summary};

const COLUMNS: [&str; 8] = [
    "level", "good/s", "p50", "p90", "p99", "p99.9", "failed", "checks",
];

/// The loads as a page of text.
pub(crate) fn page(levels: &Levels) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write_page(&mut page, levels);
    page
}

fn write_page(page: &mut String, levels: &Levels) -> fmt::Result {
    if let Some(first) = levels.levels.first() {
        writeln!(page, "{}\n", markdown::title(first).replace('`', ""))?;
        write_row(page, COLUMNS.map(str::to_owned))?;
    }
    for summary in &levels.levels {
        write_row(page, row(summary))?;
    }
    writeln!(page)?;
    match &levels.search {
        Some(search) => write_search(page, search),
        None => {
            for (level, sentence) in remarks(levels) {
                writeln!(page, "{level}: {sentence}")?;
            }
            Ok(())
        }
    }
}

fn write_row(page: &mut String, cells: [String; 8]) -> fmt::Result {
    let [level, cells @ ..] = cells;
    write!(page, "  {level:>14}")?;
    for cell in cells {
        write!(page, "{cell:>12}")?;
    }
    writeln!(page)
}

fn write_search(page: &mut String, search: &Search) -> fmt::Result {
    for step in search.steps.iter().filter(|step| !step.met) {
        writeln!(page, "  {}/s: {}", step.rate_per_s, step.reasons.join("; "))?;
    }
    writeln!(page, "\n{}", search.conclusion)
}

/// The loads as a report for a pull request.
pub(crate) fn report(levels: &Levels) -> String {
    let mut report = String::new();
    // Writing to a string cannot fail.
    let _ = write_report(&mut report, levels);
    report
}

fn write_report(report: &mut String, levels: &Levels) -> fmt::Result {
    if let Some(first) = levels.levels.first() {
        let title = markdown::escaped(&markdown::title(first));
        writeln!(report, "### Load: {title}\n")?;
    }
    if let Some(search) = &levels.search {
        writeln!(report, "**{}**\n", markdown::escaped(&search.conclusion))?;
    }
    writeln!(report, "| {} |", COLUMNS.join(" | "))?;
    writeln!(report, "|{}", " ---: |".repeat(COLUMNS.len()))?;
    for summary in &levels.levels {
        writeln!(report, "| {} |", row(summary).join(" | "))?;
    }
    writeln!(report)?;
    match &levels.search {
        Some(search) => {
            for step in search.steps.iter().filter(|step| !step.met) {
                writeln!(
                    report,
                    "- {}/s: {}",
                    step.rate_per_s,
                    step.reasons.join("; ")
                )?;
            }
        }
        None => {
            for (level, sentence) in remarks(levels) {
                writeln!(report, "- {level}: {}", markdown::escaped(&sentence))?;
            }
        }
    }
    Ok(())
}

/// One load in a line, shown when it ends.
pub(crate) fn line(summary: &Summary) -> String {
    let [level, good, p50, _, p99, _, failed, checks] = row(summary);
    format!("{level}: {good} good/s, p50 {p50}, p99 {p99}, {failed} failed, checks {checks}")
}

fn row(summary: &Summary) -> [String; 8] {
    let response = &summary.latency_us.response;
    let failed: Vec<CheckName> = summary
        .validity
        .iter()
        .filter(|check| !check.ok)
        .map(|check| check.check)
        .collect();
    [
        level(summary),
        format!("{:.1}", summary.rates.good_per_s),
        figure(response, "p50"),
        figure(response, "p90"),
        figure(response, "p99"),
        figure(response, "p99_9"),
        summary.counts.failed_total().to_string(),
        if summary.counts.ended() == 0 {
            "nothing measured".to_owned()
        } else if failed.is_empty() {
            "ok".to_owned()
        } else {
            CheckName::join(&failed, " ")
        },
    ]
}

/// The quantity that the loads vary, as text.
pub(crate) fn level(summary: &Summary) -> String {
    match summary.plan.loop_kind {
        LoopKind::Closed => format!("{} clients", summary.plan.clients.unwrap_or(0)),
        LoopKind::Open => format!("{}/s", summary.plan.rate_per_s.unwrap_or(0.0)),
    }
}

/// Why the figures of some loads must not be ranked, and advice on their failures.
fn remarks(levels: &Levels) -> impl Iterator<Item = (String, String)> {
    levels.levels.iter().flat_map(|summary| {
        let doubt = (!summary.is_valid()).then(|| conclusion::sentence(summary));
        let remarks = doubt.into_iter().chain(advice::notes(summary));
        remarks.map(|remark| (level(summary), remark))
    })
}
