//! The experiments, levels and figures that rules speak of, in one place: a rule cannot name what is not here, and what
//! is here has to be what the experiments call it.

use hola_servers::models::Bilingual;
use serde::{Serialize, Serializer};

/// An experiment, as rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Experiment {
    /// Name on the command line and in records.
    pub name: &'static str,
    /// Its levels in the order of what is varied; a profile may leave some of them out. None where the machine decides.
    pub levels: &'static [&'static str],
    /// What is varied.
    pub factor: Bilingual,
}

/// A figure of a trial, as rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// Name in records; the unit is its last part.
    pub name: &'static str,
    /// What it is, in words.
    pub words: Bilingual,
    /// Whether the smaller of two values is the better one.
    pub smaller_is_better: bool,
}

impl Serialize for Experiment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

const fn experiment(
    name: &'static str,
    levels: &'static [&'static str],
    en: &'static str,
    es: &'static str,
) -> Experiment {
    Experiment {
        name,
        levels,
        factor: Bilingual { en, es },
    }
}

const fn smaller_is_better(name: &'static str, en: &'static str, es: &'static str) -> Figure {
    Figure {
        name,
        words: Bilingual { en, es },
        smaller_is_better: true,
    }
}

const fn larger_is_better(name: &'static str, en: &'static str, es: &'static str) -> Figure {
    Figure {
        smaller_is_better: false,
        ..smaller_is_better(name, en, es)
    }
}

// Levels that rules name.

/// No slow client beside the fast ones.
pub const SLOW_NONE: &str = "no slow client";
/// Eight slow clients beside the fast ones.
pub const SLOW_EIGHT: &str = "8 slow clients";
/// Half of what the model can do.
pub const AT_HALF_CAPACITY: &str = "0.5 × capacity";
/// Light requests alone.
pub const HEAVY_NONE: &str = "alone";
/// A heavy request among a hundred.
pub const HEAVY_SOME: &str = "1 % heavy";
/// A request that shares nothing.
pub const SHARED_NOTHING: &str = "greeting";
/// A request that adds to a number shared by all.
pub const SHARED_COUNT: &str = "count";
/// A call to abort(3).
pub const CRASH_ABORT: &str = "abort";
/// A segmentation fault.
pub const CRASH_SEGV: &str = "segv";
/// A server that waits for ever.
pub const DEADLINES_OFF: &str = "none";
/// A server that closes whoever keeps it waiting.
pub const DEADLINES_ON: &str = "kept";
/// listen(5).
pub const BACKLOG_FIVE: &str = "backlog 5";

/// One request per connection.
pub const CHURN: Experiment = experiment(
    "churn",
    &["1 client", "16 clients", "64 clients", "256 clients"],
    "concurrent clients, one request per connection",
    "clientes simultáneos, una petición por conexión",
);
/// Requests on one connection.
pub const KEEP_ALIVE: Experiment = experiment(
    "keep-alive",
    &["1 request", "10 requests", "unlimited"],
    "requests per connection",
    "peticiones por conexión",
);
/// A wait inside each request.
pub const WAIT: Experiment = experiment(
    "wait",
    &["0 ms", "1 ms", "10 ms", "100 ms"],
    "time that each request waits without using a CPU",
    "tiempo que cada petición espera sin usar CPU",
);
/// Computation inside each request.
pub const CPU: Experiment = experiment(
    "cpu",
    &["10 000 rounds", "1 000 000 rounds"],
    "computing in each request, in rounds",
    "cálculo en cada petición, en vueltas",
);
/// A few heavy requests among light ones.
pub const MIXED: Experiment = experiment(
    "mixed",
    &[HEAVY_NONE, HEAVY_SOME, "always a heavy one"],
    "share of heavy requests",
    "proporción de peticiones pesadas",
);
/// Clients that say nothing.
pub const IDLE: Experiment = experiment(
    "idle",
    &["up to 1100", "to the limit"],
    "idle clients, as many as are let in",
    "clientes inactivos, tantos como se admitan",
);
/// Slow clients beside fast ones.
pub const SLOW_CLIENT: Experiment = experiment(
    "slow-client",
    &[SLOW_NONE, "1 slow client", SLOW_EIGHT],
    "slow clients beside the fast ones",
    "clientes lentos junto a los rápidos",
);
/// More requests than can be served.
pub const OVERLOAD: Experiment = experiment(
    "overload",
    &[
        AT_HALF_CAPACITY,
        "0.9 × capacity",
        "2 × capacity",
        "3 × capacity",
    ],
    "offered rate, as a multiple of the model's own capacity",
    "tasa ofrecida, como múltiplo de la capacidad del propio modelo",
);
/// The handler of one client dies.
pub const CRASH: Experiment = experiment(
    "crash",
    &["panic", CRASH_ABORT, CRASH_SEGV],
    "how the handler of one client dies",
    "cómo muere el manejador de un cliente",
);
/// One number that all clients change.
pub const SHARING: Experiment = experiment(
    "sharing",
    &[SHARED_NOTHING, SHARED_COUNT],
    "whether clients share a counter",
    "si los clientes comparten un contador",
);
/// The accept queue while nobody accepts.
pub const BACKLOG: Experiment = experiment(
    "backlog",
    &[BACKLOG_FIVE, "backlog 128", "backlog 1024"],
    "argument of listen(2)",
    "argumento de listen(2)",
);
/// Memory that the server holds while it serves.
pub const BALLAST: Experiment = experiment(
    "ballast",
    &["5 MB", "50 MB", "500 MB"],
    "memory that the server holds while it serves",
    "memoria que el servidor ocupa mientras atiende",
);
/// Making one thread, process or task.
pub const SPAWN: Experiment = experiment(
    "spawn",
    &["2000 in turn"],
    "threads, processes or tasks started one after another",
    "hilos, procesos o tareas iniciados uno tras otro",
);
/// Deadlines kept, or not.
pub const DEADLINES: Experiment = experiment(
    "deadlines",
    &[DEADLINES_OFF, DEADLINES_ON],
    "whether the server keeps deadlines",
    "si el servidor vigila plazos",
);
/// Corners of the map of loads.
pub const GRID: Experiment = experiment(
    "grid",
    &[
        "new, 10 ms, 16 clients",
        "new, 10 ms, 256 clients",
        "stay, at once, 16 clients",
        "stay, at once, 256 clients",
        "stay, 10 ms, 16 clients",
        "stay, 10 ms, 256 clients",
    ],
    "clients, whether they stay, and how long an answer waits",
    "clientes, si se quedan, y cuánto espera una respuesta",
);
/// More CPUs.
pub const SCALING: Experiment = experiment(
    "scaling",
    &[],
    "CPUs of the server, each request a computation",
    "CPU del servidor, cada petición un cálculo",
);

/// Every experiment that a rule may name.
pub const EXPERIMENTS: &[Experiment] = &[
    CHURN,
    KEEP_ALIVE,
    WAIT,
    CPU,
    MIXED,
    IDLE,
    SLOW_CLIENT,
    OVERLOAD,
    CRASH,
    SHARING,
    BACKLOG,
    BALLAST,
    SPAWN,
    SCALING,
    DEADLINES,
    GRID,
];

/// Server CPU time per request, children included, in microseconds.
pub const CPU_US_PER_REQUEST: Figure = smaller_is_better(
    "cpu_us_per_request",
    "server CPU time per request",
    "tiempo de CPU del servidor por petición",
);
/// Requests answered rightly, per second.
pub const GOOD_PER_S: Figure = larger_is_better(
    "good_per_s",
    "good requests per second",
    "peticiones correctas por segundo",
);
/// Good answers under overload, as a share of what the model serves in a closed loop.
pub const GOODPUT_OF_CAPACITY_SHARE: Figure = larger_is_better(
    "goodput_of_capacity_share",
    "good requests as a share of the model's capacity",
    "peticiones correctas como parte de la capacidad del modelo",
);
/// Median response time, in microseconds.
pub const RESPONSE_P50_US: Figure = smaller_is_better(
    "response_p50_us",
    "median response time",
    "tiempo de respuesta mediano",
);
/// 99th percentile of the response time, in microseconds; of the light requests where there are heavy ones.
pub const RESPONSE_P99_US: Figure = smaller_is_better(
    "response_p99_us",
    "99th percentile of the response time",
    "percentil 99 del tiempo de respuesta",
);
/// Memory for each further idle client, in KiB.
pub const PSS_KIB_PER_CLIENT: Figure = smaller_is_better(
    "pss_kib_per_client",
    "memory per idle client",
    "memoria por cliente inactivo",
);
/// Most clients held at once.
pub const CLIENTS_MOST: Figure = larger_is_better(
    "clients_most",
    "most clients held at once",
    "máximo de clientes mantenidos a la vez",
);
/// Share of the other clients whose requests failed, 0…1.
pub const OTHERS_FAILED_SHARE: Figure = smaller_is_better(
    "others_failed_share",
    "share of the other clients that failed",
    "proporción de los demás clientes que fallaron",
);
/// Time until a fresh client is served again, in microseconds.
pub const RECOVERY_US: Figure = smaller_is_better(
    "recovery_us",
    "time until a fresh client is served, in µs",
    "tiempo hasta atender a un cliente nuevo, en µs",
);
/// Clients whose connection was established while nobody accepted.
pub const CLIENTS_CONNECTED: Figure = larger_is_better(
    "clients_connected",
    "clients connected while nobody accepts",
    "clientes conectados mientras nadie acepta",
);
/// Time to start a thread, a process or a task and to have it done, in microseconds.
pub const SPAWN_US: Figure = smaller_is_better(
    "spawn_us",
    "time to start one and see it end",
    "tiempo de iniciar uno y verlo terminar",
);
/// Times that waiting for a client ended, per request.
pub const WAKEUPS_PER_REQUEST: Figure = smaller_is_better(
    "wakeups_per_request",
    "wake-ups per request",
    "despertares por petición",
);

/// Every figure that a rule may name.
pub const FIGURES: &[Figure] = &[
    CPU_US_PER_REQUEST,
    GOOD_PER_S,
    GOODPUT_OF_CAPACITY_SHARE,
    RESPONSE_P50_US,
    RESPONSE_P99_US,
    PSS_KIB_PER_CLIENT,
    CLIENTS_MOST,
    OTHERS_FAILED_SHARE,
    RECOVERY_US,
    CLIENTS_CONNECTED,
    SPAWN_US,
    WAKEUPS_PER_REQUEST,
];
