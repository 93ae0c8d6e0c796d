//! What a calibration says, and how a measurement refers to it.

use serde::{Deserialize, Serialize};

use super::host::Host;
use crate::summary::{CalibrationReference, Summary};
use crate::workload::{Engine, Pacing};

/// Version of the stored shape.
pub const SCHEMA_VERSION: u32 = 1;

/// Share of the ceiling from which the generator is a suspect.
const CEILING_SHARE_SUSPECT: f64 = 0.9;

/// What the generator can do on one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// UTC, RFC 3339.
    pub made_at: String,
    /// Where it holds.
    pub host: Host,
    /// CPU of the generator's thread; `null` where it had to share with the responder.
    pub generator_cpu: Option<usize>,
    /// CPU of the responder.
    pub responder_cpu: Option<usize>,
    /// How fast one thread of the generator can go.
    pub ceilings: Vec<Ceiling>,
    /// How late it sends what is due.
    pub lags: Vec<Lag>,
    /// What it occupies.
    pub memory: Memory,
}

/// What one engine can do with one kind of reuse, against a responder that does nothing but answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ceiling {
    /// How the system calls were made.
    pub engine: Engine,
    /// Whether connections were kept.
    pub reuse: Reuse,
    /// Concurrent clients.
    pub clients: u32,
    /// Trials behind the medians.
    pub trials: u32,
    /// Requests per second of a thread that has a whole CPU to spend: 1 s over the CPU time of a request. Unlike the rate
    /// that was reached it does not fall when other programs, or the responder, have the CPU.
    pub ceiling_per_s: f64,
    /// Good requests per second that were reached.
    pub rate_per_s: f64,
    /// CPU time of the generator's thread per request, in microseconds.
    pub cpu_us_per_request: f64,
    /// Its share of a CPU, 0…1.
    pub cpu_share: f64,
    /// What two series of the same trials differ by, in rate and in CPU time.
    pub noise_floor: NoiseFloor,
}

/// How connections are used, as far as it changes what a request costs the generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reuse {
    /// A connection for each request.
    PerRequest,
    /// Connections kept as long as the server does.
    Kept,
}

impl Reuse {
    /// The kind of `requests_per_connection` requests on each connection; `None` for what lies in between.
    pub fn of(requests_per_connection: Option<u64>) -> Option<Self> {
        match requests_per_connection {
            Some(1) => Some(Self::PerRequest),
            None => Some(Self::Kept),
            Some(_) => None,
        }
    }
}

/// Differences that are noise, as factors above 1: of the interval of a ratio between equals the bound farthest from 1. `null` where a trial gave no figure to divide by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseFloor {
    /// Of good requests per second.
    pub rate: Option<f64>,
    /// Of the generator's CPU time per request.
    pub cpu: Option<f64>,
}

/// Lateness of the generator at a modest fixed rate, in microseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lag {
    /// How it waited for the next instant.
    pub pacing: Pacing,
    /// Requests per second.
    pub rate_per_s: f64,
    /// Median.
    pub lag_us_p50: Option<f64>,
    /// 99th percentile.
    pub lag_us_p99: Option<f64>,
    /// 99.9th percentile.
    pub lag_us_p99_9: Option<f64>,
}

/// Memory of the process that calibrated, responder included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Most resident memory, in KiB.
    pub resident_kib_peak: Option<u64>,
    /// What one more open connection adds, in bytes.
    pub bytes_per_connection: Option<u64>,
}

impl Calibration {
    /// The ceiling of an engine with one kind of reuse.
    pub fn ceiling(&self, engine: Engine, reuse: Reuse) -> Option<&Ceiling> {
        self.ceilings
            .iter()
            .find(|ceiling| ceiling.engine == engine && ceiling.reuse == reuse)
    }

    /// The engine with the highest ceiling; `None` where fewer than two were measured, so that there is nothing to choose.
    pub fn faster_engine(&self, reuse: Reuse) -> Option<Engine> {
        let mut ceilings: Vec<&Ceiling> = self
            .ceilings
            .iter()
            .filter(|ceiling| ceiling.reuse == reuse)
            .collect();
        ceilings.sort_by(|a, b| b.ceiling_per_s.total_cmp(&a.ceiling_per_s));
        match ceilings.as_slice() {
            [fastest, _, ..] => Some(fastest.engine),
            _ => None,
        }
    }

    /// Tells a measurement of this host how near it came to what the generator can do.
    ///
    /// The ceiling is that of one thread; a measurement with more, or with a kind of reuse that was not calibrated, has
    /// none. Near the ceiling the check `generator` gets a hint; what it decides by stays the CPU share.
    pub fn refer(&self, summary: &mut Summary) {
        // Before there was a choice there was one engine.
        let engine = summary.generator.engine.unwrap_or(Engine::Readiness);
        let ceiling = Reuse::of(summary.plan.requests_per_connection)
            .filter(|_| summary.generator.threads == 1)
            .and_then(|reuse| self.ceiling(engine, reuse));
        let share = ceiling
            .filter(|ceiling| ceiling.ceiling_per_s > 0.0)
            .map(|ceiling| summary.rates.completed_per_s / ceiling.ceiling_per_s);
        if let (Some(share), Some(ceiling)) = (share, ceiling) {
            hint(summary, share, ceiling.ceiling_per_s);
        }
        summary.calibration = Some(CalibrationReference {
            made_at: self.made_at.clone(),
            engine,
            ceiling_per_s: ceiling.map(|ceiling| ceiling.ceiling_per_s),
            achieved_share: share,
            lag_us_p99: self
                .lags
                .iter()
                .find(|lag| lag.pacing == summary.generator.pacing)
                .and_then(|lag| lag.lag_us_p99),
            noise_floor: ceiling.and_then(|ceiling| ceiling.noise_floor.rate),
        });
    }
}

/// Says in the check `generator` what share of the ceiling was reached.
fn hint(summary: &mut Summary, share: f64, ceiling_per_s: f64) {
    let generator = summary
        .validity
        .iter_mut()
        .find(|check| check.check == "generator");
    if let Some(check) = generator {
        let percent = share * 100.0;
        let suspect = if share >= CEILING_SHARE_SUSPECT {
            ", which hints at GENERATOR-BOUND"
        } else {
            ""
        };
        check.detail.push_str(&format!(
            "; it reached {percent:.0} % of the {ceiling_per_s:.0} requests/s it was calibrated for{suspect}"
        ));
    }
}
