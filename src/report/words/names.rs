//! Names: of sections, columns, verdicts and figures.

use hola_servers::models::Bilingual;

use crate::analysis::metric::{FIGURES, Metric, Unit};
use crate::language::{Language, text};

// Headings.
pub(in crate::report) const HEADLINE: Bilingual =
    text("The models side by side", "Los modelos, lado a lado");
pub(in crate::report) const LEVELS: Bilingual = text("Every level", "Todos los niveles");
pub(in crate::report) const VALIDITY: Bilingual = text(
    "Can these numbers be believed?",
    "¿Se puede creer en estos números?",
);
pub(in crate::report) const READING: Bilingual =
    text("How to read this report", "Cómo leer este informe");
pub(in crate::report) const METHOD: Bilingual =
    text("How and where it was measured", "Cómo y dónde se ha medido");
pub(in crate::report) const ANSWER: Bilingual = text("The answer", "La respuesta");
pub(in crate::report) const FINDINGS: Bilingual = text("Place by place", "Lugar por lugar");
pub(in crate::report) const NUMBERS_BEHIND: Bilingual = text(
    "The numbers behind the chart",
    "Los números detrás del gráfico",
);

// Columns.
pub(in crate::report) const MODEL: Bilingual = text("Model", "Modelo");
pub(in crate::report) const EXPERIMENT: Bilingual = text("Experiment", "Experimento");
pub(in crate::report) const LEVEL: Bilingual = text("Level", "Nivel");
pub(in crate::report) const CPU: Bilingual =
    text("Server CPU, µs/request", "CPU del servidor, µs/petición");
pub(in crate::report) const TIMES_CONTROL: Bilingual = text("× control", "× control");
pub(in crate::report) const GOOD: Bilingual = text("Good requests/s", "Peticiones correctas/s");
pub(in crate::report) const P50: Bilingual = text("Response p50", "Respuesta p50");
pub(in crate::report) const P99: Bilingual = text("Response p99", "Respuesta p99");
pub(in crate::report) const MEMORY: Bilingual = text("Peak memory (PSS)", "Memoria máxima (PSS)");
pub(in crate::report) const PEAKS: Bilingual = text("Threads / processes", "Hilos / procesos");
pub(in crate::report) const SWITCHES: Bilingual =
    text("Switches/request", "Cambios de contexto/petición");
pub(in crate::report) const WAKEUPS: Bilingual = text("Wake-ups/request", "Despertares/petición");
pub(in crate::report) const THREADS: Bilingual = text("Threads at most", "Hilos como máximo");
pub(in crate::report) const PROCESSES: Bilingual =
    text("Processes at most", "Procesos como máximo");
pub(in crate::report) const LOAD: Bilingual = text("Load", "Carga");
pub(in crate::report) const SERVER_OPTIONS: Bilingual = text("Server", "Servidor");
pub(in crate::report) const MEASURED_MODELS: Bilingual = text("Models", "Modelos");
pub(in crate::report) const TRIALS: Bilingual = text("Ranked trials", "Ensayos que cuentan");
pub(in crate::report) const DELTA: Bilingual = text("Cliff’s δ", "δ de Cliff");
pub(in crate::report) const P_HOLM: Bilingual = text("p (Holm)", "p (Holm)");
pub(in crate::report) const ROUND: Bilingual = text("Round", "Ronda");
pub(in crate::report) const REASON: Bilingual = text("Why it is not ranked", "Por qué no cuenta");
pub(in crate::report) const METRIC: Bilingual = text("Figure", "Cifra");
pub(in crate::report) const AGAIN: Bilingual =
    text("Second copy ÷ first", "Segunda copia ÷ primera");
pub(in crate::report) const FLOOR: Bilingual = text("A tie up to", "Empate hasta");
pub(in crate::report) const TERM: Bilingual = text("Term", "Término");
pub(in crate::report) const MEANING: Bilingual = text("What it means", "Qué significa");
pub(in crate::report) const NAME: Bilingual = text("Name", "Nombre");
pub(in crate::report) const VALUE: Bilingual = text("Value", "Valor");
pub(in crate::report) const VERDICT: Bilingual = text("Verdict", "Veredicto");
pub(in crate::report) const USER: Bilingual = text("User, µs", "Usuario, µs");
pub(in crate::report) const SYSTEM: Bilingual = text("System, µs", "Sistema, µs");
pub(in crate::report) const EACH_TRIAL: Bilingual = text("Each trial, µs", "Cada ensayo, µs");
pub(in crate::report) const SAMPLES: Bilingual = text("Requests", "Peticiones");

// Verdicts.
pub(in crate::report) const CONTROL: Bilingual = text("control", "control");
pub(in crate::report) const TIE: Bilingual = text("tie", "empate");
pub(in crate::report) const CHEAPER: Bilingual = text("cheaper", "más barato");
pub(in crate::report) const DEARER: Bilingual = text("dearer", "más caro");
pub(in crate::report) const FASTER: Bilingual = text("faster", "más rápido");
pub(in crate::report) const SLOWER: Bilingual = text("slower", "más lento");
pub(in crate::report) const SHORTER: Bilingual = text("shorter", "más corto");
pub(in crate::report) const LONGER: Bilingual = text("longer", "más largo");
pub(in crate::report) const SMALLER: Bilingual = text("smaller", "menor");
pub(in crate::report) const LARGER: Bilingual = text("larger", "mayor");
pub(in crate::report) const FEWER: Bilingual = text("less", "menos");
pub(in crate::report) const MORE: Bilingual = text("more", "más");
pub(in crate::report) const TOO_FEW: Bilingual = text("too few trials", "faltan ensayos");
pub(in crate::report) const NO_CONTROL: Bilingual = text("no control", "sin control");
pub(in crate::report) const NO_RATIO: Bilingual = text("no ratio", "sin razón");
pub(in crate::report) const NO_FIGURE: Bilingual = text("no figure", "sin cifra");
pub(in crate::report) const NOT_RANKED: Bilingual = text("not ranked", "no cuenta");
pub(in crate::report) const NOT_MEASURED: Bilingual = text("not measured", "no medido");

/// Heading of a metric's column, with the unit where the figures do not carry it.
pub(in crate::report) fn metric(metric: Metric, language: Language) -> &'static str {
    language.of(match metric {
        Metric::CpuUsPerRequest => CPU,
        Metric::GoodPerS => GOOD,
        Metric::ResponseP50Us => P50,
        Metric::ResponseP99Us => P99,
        Metric::PssPeakKib => MEMORY,
        Metric::SwitchesPerRequest => SWITCHES,
        Metric::WakeupsPerRequest => WAKEUPS,
        Metric::ThreadsPeak => THREADS,
        Metric::ProcessesPeak => PROCESSES,
        Metric::Figure(place) => FIGURES[place].title,
    })
}

/// Heading of the column of verdicts in a metric.
pub(in crate::report) fn verdict_on(metric: Metric, language: Language) -> &'static str {
    language.of(match metric {
        Metric::CpuUsPerRequest => text("Verdict on cost", "Veredicto de coste"),
        Metric::GoodPerS => text("Verdict on rate", "Veredicto de tasa"),
        Metric::ResponseP50Us => text("Verdict on p50", "Veredicto de p50"),
        Metric::ResponseP99Us => text("Verdict on p99", "Veredicto de p99"),
        Metric::PssPeakKib => text("Verdict on memory", "Veredicto de memoria"),
        _ => VERDICT,
    })
}

/// Heading of the column of differences from the control in a metric.
pub(in crate::report) fn shift(metric: Metric, language: Language) -> &'static str {
    language.of(match metric {
        Metric::CpuUsPerRequest => text("Over control, µs", "Sobre el control, µs"),
        _ => text("Over control", "Sobre el control"),
    })
}

/// The words for a smaller and a larger value of a metric.
pub(in crate::report) fn directions(
    metric: Metric,
    language: Language,
) -> (&'static str, &'static str) {
    let (smaller, larger) = match (metric, metric.unit()) {
        (Metric::CpuUsPerRequest, _) => (CHEAPER, DEARER),
        (Metric::GoodPerS, _) => (SLOWER, FASTER),
        (_, Unit::Us | Unit::Ms) => (SHORTER, LONGER),
        (_, Unit::Kib) => (SMALLER, LARGER),
        _ => (FEWER, MORE),
    };
    (language.of(smaller), language.of(larger))
}
