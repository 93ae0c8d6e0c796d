//! The host a calibration is of: what must be the same for its figures to hold.

use std::fs;

use serde::{Deserialize, Serialize};

/// Identity of a host, a kernel and a build of the generator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Processor, as the kernel names it.
    pub cpu_model: String,
    /// Processors of the machine.
    pub cpus: usize,
    /// Kernel release.
    pub kernel: String,
    /// Version of the generator.
    pub generator_version: String,
    /// `release` or `debug`.
    pub build: String,
}

impl Host {
    /// This one.
    pub fn here() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let build = if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        };
        Self {
            cpu_model: field(&cpuinfo, "model name").unwrap_or(std::env::consts::ARCH.into()),
            cpus: cpuinfo
                .lines()
                .filter(|line| line.starts_with("processor"))
                .count(),
            kernel: kernel.trim().to_owned(),
            generator_version: env!("CARGO_PKG_VERSION").to_owned(),
            build: build.to_owned(),
        }
    }

    /// What tells `other` from this one, in one plain phrase; `None` when nothing does.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let cpus = [self.cpus, other.cpus].map(|count| count.to_string());
        let pairs = [
            ("processor", &self.cpu_model, &other.cpu_model),
            ("number of processors", &cpus[0], &cpus[1]),
            ("kernel", &self.kernel, &other.kernel),
            (
                "generator",
                &self.generator_version,
                &other.generator_version,
            ),
            ("build", &self.build, &other.build),
        ];
        pairs
            .iter()
            .find(|(_, mine, theirs)| mine != theirs)
            .map(|(name, mine, theirs)| format!("another {name} ({theirs}, here {mine})"))
    }
}

/// The value of the first line `name : value`.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim().to_owned())
}
