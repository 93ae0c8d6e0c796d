//! The figures of a trial that are compared.

use hola_servers::models::Bilingual;

use crate::lab::record::Measured;

/// One figure of a trial; the unit is the last part of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Server CPU time per request answered, children included, in microseconds.
    CpuUsPerRequest,
    /// Requests answered rightly, per second.
    GoodPerS,
    /// Median response time, in microseconds.
    ResponseP50Us,
    /// 99th percentile of the response time, in microseconds.
    ResponseP99Us,
    /// Largest proportional set size of the server's process tree, in KiB.
    PssPeakKib,
    /// Context switches of the server, voluntary and not, per request answered.
    SwitchesPerRequest,
    /// Times that waiting for a client ended, per request answered.
    WakeupsPerRequest,
    /// Most threads at once.
    ThreadsPeak,
    /// Most processes at once.
    ProcessesPeak,
    /// What only one experiment measures: a place in [`FIGURES`].
    Figure(usize),
}

/// What only one experiment measures.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// Name in the records, the unit last in it.
    pub name: &'static str,
    /// Title of a column, with the unit where the figure does not carry it.
    pub title: Bilingual,
    /// How it is written.
    pub unit: Unit,
    /// Whether the smaller of two values is the better one.
    pub smaller_is_better: bool,
    /// Whether the load generator's own limit would set the value.
    pub is_paced_by_generator: bool,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds.
    Us,
    /// Milliseconds.
    Ms,
    /// KiB.
    Kib,
    /// A share, 0…1.
    Share,
    /// A whole number of things.
    Count,
    /// Anything else, with its unit in the title.
    Plain,
}

/// Every figure that an experiment adds to the common ones.
pub const FIGURES: &[Figure] = &[
    Figure {
        name: "capacity_per_s",
        title: Bilingual {
            en: "Capacity, requests/s",
            es: "Capacidad, peticiones/s",
        },
        unit: Unit::Plain,
        smaller_is_better: false,
        is_paced_by_generator: true,
    },
    Figure {
        name: "goodput_of_capacity_share",
        title: Bilingual {
            en: "Goodput of capacity",
            es: "Respuestas buenas sobre la capacidad",
        },
        unit: Unit::Share,
        smaller_is_better: false,
        is_paced_by_generator: true,
    },
    Figure {
        name: "others_failed_share",
        title: Bilingual {
            en: "Requests of others that failed",
            es: "Peticiones ajenas que fallaron",
        },
        unit: Unit::Share,
        smaller_is_better: true,
        is_paced_by_generator: false,
    },
    Figure {
        name: "survived_share",
        title: Bilingual {
            en: "Server alive at the end",
            es: "Servidor vivo al final",
        },
        unit: Unit::Share,
        smaller_is_better: false,
        is_paced_by_generator: false,
    },
    Figure {
        name: "recovery_us",
        title: Bilingual {
            en: "Served again after",
            es: "Vuelve a atender tras",
        },
        unit: Unit::Us,
        smaller_is_better: true,
        is_paced_by_generator: false,
    },
    Figure {
        name: "count_missing",
        title: Bilingual {
            en: "Counts lost",
            es: "Cuentas perdidas",
        },
        unit: Unit::Count,
        smaller_is_better: true,
        is_paced_by_generator: false,
    },
    Figure {
        name: "heavy_response_us",
        title: Bilingual {
            en: "Heavy request takes",
            es: "La petición pesada tarda",
        },
        unit: Unit::Us,
        smaller_is_better: true,
        is_paced_by_generator: false,
    },
    Figure {
        name: "pss_kib_per_client",
        title: Bilingual {
            en: "Memory per idle client",
            es: "Memoria por cliente inactivo",
        },
        unit: Unit::Kib,
        smaller_is_better: true,
        is_paced_by_generator: false,
    },
    Figure {
        name: "clients_most",
        title: Bilingual {
            en: "Idle clients at most",
            es: "Clientes inactivos como máximo",
        },
        unit: Unit::Count,
        smaller_is_better: false,
        is_paced_by_generator: false,
    },
    Figure {
        name: "spawn_us",
        title: Bilingual {
            en: "Made and ended in",
            es: "Creado y terminado en",
        },
        unit: Unit::Us,
        smaller_is_better: true,
        is_paced_by_generator: false,
    },
    Figure {
        name: "clients_connected",
        title: Bilingual {
            en: "Clients connected at once",
            es: "Clientes conectados de inmediato",
        },
        unit: Unit::Count,
        smaller_is_better: false,
        is_paced_by_generator: false,
    },
    Figure {
        name: "connects_after_1s",
        title: Bilingual {
            en: "Connected a second later",
            es: "Conectados un segundo después",
        },
        unit: Unit::Count,
        smaller_is_better: true,
        is_paced_by_generator: false,
    },
];

impl Metric {
    /// Every metric that all experiments share, in the order reports print them.
    pub const ALL: [Self; 9] = [
        Self::CpuUsPerRequest,
        Self::GoodPerS,
        Self::ResponseP50Us,
        Self::ResponseP99Us,
        Self::PssPeakKib,
        Self::SwitchesPerRequest,
        Self::WakeupsPerRequest,
        Self::ThreadsPeak,
        Self::ProcessesPeak,
    ];

    /// The metric of that name, one of [`Metric::ALL`] or of [`FIGURES`].
    pub fn named(name: &str) -> Option<Self> {
        let figure = || FIGURES.iter().position(|figure| figure.name == name);
        let common = Self::ALL.into_iter().find(|metric| metric.name() == name);
        common.or_else(|| figure().map(Self::Figure))
    }

    /// Name in the records, the unit last in it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CpuUsPerRequest => "cpu_us_per_request",
            Self::GoodPerS => "good_per_s",
            Self::ResponseP50Us => "response_p50_us",
            Self::ResponseP99Us => "response_p99_us",
            Self::PssPeakKib => "pss_peak_kib",
            Self::SwitchesPerRequest => "switches_per_request",
            Self::WakeupsPerRequest => "wakeups_per_request",
            Self::ThreadsPeak => "threads_peak",
            Self::ProcessesPeak => "processes_peak",
            Self::Figure(place) => FIGURES[place].name,
        }
    }

    /// How its values are written.
    pub fn unit(self) -> Unit {
        match self {
            Self::ResponseP50Us | Self::ResponseP99Us => Unit::Us,
            Self::PssPeakKib => Unit::Kib,
            Self::ThreadsPeak | Self::ProcessesPeak => Unit::Count,
            Self::CpuUsPerRequest
            | Self::GoodPerS
            | Self::SwitchesPerRequest
            | Self::WakeupsPerRequest => Unit::Plain,
            Self::Figure(place) => FIGURES[place].unit,
        }
    }

    /// The trial's value; `None` where the trial has none, as a percentile that its sample cannot support.
    pub fn of(self, measured: &Measured) -> Option<f64> {
        let value = match self {
            Self::Figure(place) => *measured.figures.get(FIGURES[place].name)?,
            Self::GoodPerS => measured.load.as_ref()?.rates.good_per_s,
            Self::ResponseP50Us => measured.load.as_ref()?.latency_us.response.p50?,
            Self::ResponseP99Us => measured.load.as_ref()?.latency_us.response.p99?,
            Self::CpuUsPerRequest => measured.server.as_ref()?.cpu_us_per_request?,
            Self::PssPeakKib => measured.server.as_ref()?.pss_peak_kib? as f64,
            Self::ThreadsPeak => f64::from(measured.server.as_ref()?.threads_peak),
            Self::ProcessesPeak => f64::from(measured.server.as_ref()?.processes_peak),
            Self::SwitchesPerRequest => {
                let server = measured.server.as_ref()?;
                let switches = server.switches_voluntary? + server.switches_involuntary?;
                switches as f64 / server.requests as f64
            }
            Self::WakeupsPerRequest => {
                let server = measured.server.as_ref()?;
                server.wakeups? as f64 / server.requests as f64
            }
        };
        value.is_finite().then_some(value)
    }

    /// Whether failures reach into the trial's value, which then reads "at least".
    pub fn is_censored(self, measured: &Measured) -> bool {
        let percentile = match self {
            Self::ResponseP50Us => "p50",
            Self::ResponseP99Us => "p99",
            _ => return false,
        };
        let response = measured.load.iter().map(|load| &load.latency_us.response);
        response
            .flat_map(|response| &response.censored)
            .any(|name| name == percentile)
    }

    /// Whether a generator at its limit, and not the server, would set the value. What the server spends on a request is
    /// its own whoever sets the pace.
    pub fn is_paced_by_generator(self) -> bool {
        match self {
            Self::GoodPerS | Self::ResponseP50Us | Self::ResponseP99Us => true,
            Self::Figure(place) => FIGURES[place].is_paced_by_generator,
            _ => false,
        }
    }

    /// Whether the smaller of two values is the better one.
    pub fn smaller_is_better(self) -> bool {
        match self {
            Self::GoodPerS => false,
            Self::Figure(place) => FIGURES[place].smaller_is_better,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_found_by_its_name() {
        let figures = (0..FIGURES.len()).map(Metric::Figure);
        for metric in Metric::ALL.into_iter().chain(figures) {
            assert_eq!(Metric::named(metric.name()), Some(metric));
        }
        assert_eq!(Metric::named("beauty"), None);
    }
}
