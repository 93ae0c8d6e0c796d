//! The result as a small report for a pull request.

use std::fmt::{self, Write};

use super::{ROWS, advice, columns, conclusion, figure, plan};
use crate::measurement::Measurement;
use crate::summary::Summary;

/// One load as a report.
pub(crate) fn report(measurement: &Measurement) -> String {
    let mut report = String::new();
    // Writing to a string cannot fail.
    let _ = write_report(&mut report, measurement);
    report
}

fn write_report(report: &mut String, measurement: &Measurement) -> fmt::Result {
    let summary = &measurement.summary;
    writeln!(report, "### Load: {}\n", escaped(&title(summary)))?;
    writeln!(
        report,
        "{}.{}\n",
        plan(&summary.plan, measurement.window.as_secs_f64()),
        if measurement.interrupted {
            " **Interrupted:** what follows is what was measured until then."
        } else {
            ""
        }
    )?;
    writeln!(report, "**{}**\n", conclusion::sentence(summary))?;
    let (rates, counts) = (&summary.rates, &summary.counts);
    writeln!(
        report,
        "| good/s | completed/s | offered/s | sent | ok | failed |"
    )?;
    writeln!(report, "| ---: | ---: | ---: | ---: | ---: | ---: |")?;
    writeln!(
        report,
        "| {:.1} | {:.1} | {:.1} | {} | {} | {} |\n",
        rates.good_per_s,
        rates.completed_per_s,
        rates.offered_per_s,
        counts.sent,
        counts.ok,
        counts.failed_total()
    )?;
    write_latencies(report, summary)?;
    write_failures(report, summary)?;
    write_notes(report, summary)?;
    write_checks(report, summary)
}

/// Model and address, as far as they are known.
pub(super) fn title(summary: &Summary) -> String {
    match &summary.model {
        Some(model) => format!("`{model}` at {}", summary.url),
        None => summary.url.clone(),
    }
}

fn write_latencies(report: &mut String, summary: &Summary) -> fmt::Result {
    write!(report, "| |")?;
    let columns = columns(&summary.latency_us);
    for (name, _) in columns {
        write!(report, " {name} |")?;
    }
    writeln!(
        report,
        "\n| --- |{}",
        " ---: |".repeat(columns.len()).trim_end()
    )?;
    for row in ROWS {
        write!(report, "| {} |", row.replace('_', "."))?;
        for (_, distribution) in columns {
            write!(report, " {} |", figure(distribution, row))?;
        }
        writeln!(report)?;
    }
    writeln!(report)
}

fn write_failures(report: &mut String, summary: &Summary) -> fmt::Result {
    if summary.counts.failed.is_empty() {
        return Ok(());
    }
    writeln!(report, "| failed | cause | phase |\n| ---: | --- | --- |")?;
    for (cause, phases) in &summary.counts.failed {
        for (phase, count) in phases {
            writeln!(
                report,
                "| {count} | {cause} | {} |",
                phase.replace('_', " ")
            )?;
        }
    }
    writeln!(report)
}

fn write_notes(report: &mut String, summary: &Summary) -> fmt::Result {
    let notes = advice::notes(summary);
    for note in &notes {
        writeln!(report, "- {}", escaped(note))?;
    }
    if notes.is_empty() {
        return Ok(());
    }
    writeln!(report)
}

fn write_checks(report: &mut String, summary: &Summary) -> fmt::Result {
    writeln!(report, "| check | | |\n| --- | --- | --- |")?;
    for check in &summary.validity {
        let mark = if check.ok { "ok" } else { "**FAIL**" };
        writeln!(
            report,
            "| {} | {mark} | {} |",
            check.check,
            escaped(&check.detail)
        )?;
    }
    Ok(())
}

/// Text, escaped so that it cannot end a table cell.
pub(super) fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}
