//! The metrics of a participant at a level, in one table.

use std::fmt;

use hola_base::{Text, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::{Reading, Slice};

/// Which values are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Small ones.
    Lower,
    /// Large ones.
    Higher,
}

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// As ratios; values are positive.
    Ratio,
    /// As they are: shares from 0 to 1, and counts that may be 0.
    Plain,
}

/// Where a value comes from.
#[derive(Clone, Copy)]
pub enum ValueSource {
    /// Every slice has a value. The value of a block is a robust mean over its cycles.
    Slice(fn(&Slice) -> Option<f64>),
    /// A block has one value: of the requests of all its slices together.
    Block(fn(&Reading) -> Option<f64>),
    /// A procedure found it, or the server told it at its end.
    Procedure,
}

/// The definition of a metric.
#[derive(Clone, Copy)]
pub struct Definition {
    /// Name in records and on the command line; the unit is its last part.
    pub name: &'static str,
    /// Name for people.
    pub title: Text,
    /// Unit for people.
    pub unit: Text,
    /// Which values are good.
    pub better: Better,
    /// How values are compared.
    pub scale: Scale,
    /// Differences up to this are called the same: 0.05 is ±5 % on the scale of ratios, ±0.05 on the plain one.
    pub same_within: f64,
    /// Where a value comes from.
    pub from: ValueSource,
}

/// Declares [`Metric`] and its table, a line for each metric.
macro_rules! metrics {
    ($($metric:ident $name:literal $better:ident $scale:ident $same_within:expr, $from:expr, $unit:expr, $en:literal, $es:literal;)*) => {
        /// A metric.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[allow(missing_docs, reason = "each is defined by its line of the table")]
        pub enum Metric {
            $(#[serde(rename = $name)] $metric,)*
        }

        impl Metric {
            /// Every metric, in the order of the table.
            pub const ALL: &[Metric] = &[$(Metric::$metric,)*];

            /// Its line of the table.
            pub fn definition(self) -> Definition {
                match self {
                    $(Metric::$metric => Definition {
                        name: $name,
                        title: text($en, $es),
                        unit: $unit,
                        better: Better::$better,
                        scale: Scale::$scale,
                        same_within: $same_within,
                        from: $from,
                    },)*
                }
            }
        }
    };
}

use self::ValueSource::{Block, Procedure, Slice as Each};

/// Costs and rates: a new kernel or compiler changes more than a twentieth of a server's CPU time.
const COST: f64 = 0.05;
/// Percentiles, times and memory: histogram buckets, buffers and pages have steps of this size.
const TENTH: f64 = 0.10;
/// Five of a hundred requests, servers or clients.
const FIVE_OF_100: f64 = 0.05;
/// A thousandth of a CPU.
const ONE_MS: f64 = 1.0;
/// Less than one client or request.
const LESS_THAN_ONE: f64 = 0.5;

const US: Text = text("µs", "µs");
const MS_PER_S: Text = text("ms of CPU per second", "ms de CPU por segundo");
const PER_S: Text = text("requests/s", "peticiones/s");
const KIB: Text = text("KiB", "KiB");
const CLIENTS: Text = text("clients", "clientes");
const SHARE: Text = text("share", "parte");
const COUNT: Text = text("", "");

metrics! {
    CpuPerRequest "cpu_us_per_request" Lower Ratio COST, Each(Slice::cpu_us_per_request), US, "CPU per request", "CPU por petición";
    SwitchesPerRequest "switches_per_request" Lower Ratio COST, Each(Slice::switches_per_request), COUNT, "Context switches per request", "Cambios de contexto por petición";
    GoodPerS "good_per_s" Higher Ratio COST, Each(Slice::good_per_s), PER_S, "Good answers per second", "Respuestas correctas por segundo";
    CapacityPerS "capacity_per_s" Higher Ratio COST, Each(Slice::capacity_per_s), PER_S, "Capacity of one full CPU", "Capacidad de una CPU llena";
    StandingCpu "standing_cpu_ms_per_s" Lower Plain ONE_MS, Each(Slice::standing_cpu_ms_per_s), MS_PER_S, "CPU at rest", "CPU en reposo";
    FailedShare "failed_share" Lower Plain FIVE_OF_100, Each(Slice::failed_share), SHARE, "Requests that failed", "Peticiones fallidas";
    ResponseP50 "response_us_p50" Lower Ratio TENTH, Block(|reading| reading.response_us(500)), US, "Response time, median", "Tiempo de respuesta, mediana";
    ResponseP90 "response_us_p90" Lower Ratio TENTH, Block(|reading| reading.response_us(900)), US, "Response time, 90th percentile", "Tiempo de respuesta, percentil 90";
    ResponseP99 "response_us_p99" Lower Ratio TENTH, Block(|reading| reading.response_us(990)), US, "Response time, 99th percentile", "Tiempo de respuesta, percentil 99";
    ResponseP999 "response_us_p99_9" Lower Ratio TENTH, Block(|reading| reading.response_us(999)), US, "Response time, 99.9th percentile", "Tiempo de respuesta, percentil 99,9";
    MemoryPerClient "memory_kib_per_client" Lower Ratio TENTH, Procedure, KIB, "Memory per idle client", "Memoria por cliente inactivo";
    KernelMemoryPerClient "kernel_memory_kib_per_client" Lower Ratio TENTH, Procedure, KIB, "Kernel memory per idle client", "Memoria del núcleo por cliente inactivo";
    ClientEndMemory "client_end_memory_kib" Lower Ratio TENTH, Procedure, KIB, "Kernel memory of the client's end of an idle connection", "Memoria del núcleo del extremo del cliente de una conexión inactiva";
    SystemMemoryPerClient "system_memory_kib_per_client" Lower Ratio TENTH, Procedure, KIB, "Kernel memory of both ends, by the whole system's account", "Memoria del núcleo de ambos extremos, según la cuenta de todo el sistema";
    ClientsHeld "clients_held" Higher Ratio TENTH, Procedure, CLIENTS, "Most clients held", "Máximo de clientes sostenidos";
    CrowdGoodput "crowd_goodput_share" Higher Plain FIVE_OF_100, Procedure, SHARE, "Goodput at the most clients, of its best", "Rendimiento útil con el máximo de clientes, sobre el mejor";
    SpawnTime "spawn_us" Lower Ratio TENTH, Procedure, US, "Time to make one and see it end", "Tiempo de crear uno y verlo terminar";
    SharedOperation "shared_operation_us" Lower Ratio TENTH, Procedure, US, "Time of one addition, or of a message and its answer", "Tiempo de una suma, o de un mensaje y su respuesta";
    OthersFailed "others_failed_share" Lower Plain FIVE_OF_100, Procedure, SHARE, "Other clients' requests that failed", "Peticiones fallidas de los demás";
    Survived "survived_share" Higher Plain FIVE_OF_100, Procedure, SHARE, "Servers that survived", "Servidores que sobrevivieron";
    RecoveryTime "recovery_us" Lower Ratio TENTH, Procedure, US, "Time until others are served again", "Tiempo hasta volver a servir";
    ClientsConnected "clients_connected" Higher Plain LESS_THAN_ONE, Procedure, CLIENTS, "Clients connected while none is accepted", "Clientes conectados mientras no se acepta a ninguno";
    ConnectsAfter1S "connects_after_1s_share" Lower Plain FIVE_OF_100, Procedure, SHARE, "Clients delayed by a second or more", "Clientes retrasados un segundo o más";
    BusiestWorker "busiest_of_mean_worker" Lower Ratio TENTH, Procedure, COUNT, "Clients of the busiest worker, of the mean", "Clientes del trabajador más ocupado, respecto a la media";
    GoodputOfCapacity "goodput_of_capacity_share" Higher Plain FIVE_OF_100, Procedure, SHARE, "Goodput, of the model's capacity", "Rendimiento útil, sobre la capacidad del modelo";
    SystemCalls "system_calls_per_request" Lower Ratio COST, Procedure, COUNT, "System calls per request", "Llamadas al sistema por petición";
}

impl Definition {
    /// Whether values are times in microseconds.
    pub fn is_time(&self) -> bool {
        self.unit == US
    }

    /// Whether values are shares, 0…1.
    pub fn is_share(&self) -> bool {
        self.unit == SHARE
    }
}

impl Metric {
    /// The metric of that name.
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|metric| metric.name() == name)
    }

    /// Whether it is a percentile of response times.
    pub fn is_response_time(self) -> bool {
        matches!(self.definition().from, Block(_))
    }

    /// Name in records and on the command line.
    pub fn name(self) -> &'static str {
        self.definition().name
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
