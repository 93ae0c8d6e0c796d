//! A calibration for a person, and the line that a measurement says about it.

use std::fmt::Write;

use super::record::Calibration;
use super::words;
use crate::summary::Summary;
use crate::workload::Pacing;

/// The calibration as a page of text.
pub(crate) fn page(calibration: &Calibration) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write_page(&mut page, calibration);
    page
}

fn write_page(page: &mut String, calibration: &Calibration) -> std::fmt::Result {
    let host = &calibration.host;
    writeln!(
        page,
        "{}, {} CPUs, Linux {}; hola-loadgen {} ({})",
        host.cpu_model, host.cpus, host.kernel, host.generator_version, host.build
    )?;
    match (calibration.generator_cpu, calibration.responder_cpu) {
        (Some(generator), Some(responder)) => writeln!(
            page,
            "generator on CPU {generator}, responder on CPU {responder}"
        )?,
        _ => writeln!(page, "generator and responder share one CPU")?,
    }
    write_ceilings(page, calibration)?;
    writeln!(page)?;
    for lag in &calibration.lags {
        writeln!(
            page,
            "  pacing lag {} at {:.0} requests/s: p50 {}, p99 {}, p99.9 {}",
            match lag.pacing {
                Pacing::Sleep => "sleeping",
                Pacing::Spin => "spinning",
            },
            lag.rate_per_s,
            us(lag.lag_us_p50),
            us(lag.lag_us_p99),
            us(lag.lag_us_p99_9)
        )?;
    }
    let memory = &calibration.memory;
    writeln!(
        page,
        "  memory: {} KiB resident at most, {} bytes more per open connection",
        whole(memory.resident_kib_peak),
        whole(memory.bytes_per_connection)
    )
}

fn write_ceilings(page: &mut String, calibration: &Calibration) -> std::fmt::Result {
    writeln!(page)?;
    writeln!(
        page,
        "  {:<38}{:>11}{:>12}{:>11}{:>16}{:>13}{:>12}",
        "one thread",
        "ceiling/s",
        "reached/s",
        "CPU share",
        "CPU µs/request",
        "noise, rate",
        "noise, CPU"
    )?;
    for ceiling in &calibration.ceilings {
        writeln!(
            page,
            "  {:<38}{:>11.0}{:>12.0}{:>9.0} %{:>16.1}{:>13}{:>12}",
            format!("{}, {}", ceiling.engine.name(), words(ceiling.reuse)),
            ceiling.ceiling_per_s,
            ceiling.rate_per_s,
            ceiling.cpu_share * 100.0,
            ceiling.cpu_us_per_request,
            factor(ceiling.noise_floor.rate),
            factor(ceiling.noise_floor.cpu)
        )?;
    }
    writeln!(
        page,
        "  The ceiling is what a whole CPU would give; noise is what equal trials differ by."
    )
}

fn factor(factor: Option<f64>) -> String {
    factor.map_or("–".to_owned(), |factor| format!("{factor:.3}×"))
}

fn us(us: Option<f64>) -> String {
    us.map_or("–".to_owned(), |us| format!("{us:.1} µs"))
}

fn whole(count: Option<u64>) -> String {
    count.map_or("–".to_owned(), |count| count.to_string())
}

/// The line of a measurement's page that refers to the calibration, or asks for one.
pub(crate) fn reference(summary: &Summary) -> String {
    let Some(calibration) = &summary.calibration else {
        return "no calibration of this host: run `hola calibrate` to learn what the generator can do here"
            .to_owned();
    };
    let ceiling = match (calibration.ceiling_per_s, calibration.achieved_share) {
        (Some(ceiling), Some(share)) => {
            format!(
                "ceiling {ceiling:.0} requests/s ({:.0} % reached)",
                share * 100.0
            )
        }
        _ => "no ceiling for this reuse and number of threads".to_owned(),
    };
    let noise = calibration.noise_floor.map_or(String::new(), |factor| {
        format!(", noise floor {factor:.3}×")
    });
    format!(
        "calibrated {}: {ceiling}, lag p99 {}{noise}",
        calibration.made_at,
        us(calibration.lag_us_p99)
    )
}
