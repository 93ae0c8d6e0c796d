//! Every sentence of a report in both languages, whatever its format.

use hola_servers::models::Bilingual;

use crate::analysis::metric::{FIGURES, Metric, Unit};
use crate::experiments::level_name;
use crate::lab::record::{self, Level, ModelCard, Run, Status};
use crate::language::{Language, text};

use super::numbers;

mod evidence;
mod loads;

pub(super) use evidence::*;
pub(super) use loads::*;

// Headings.
pub(super) const HEADLINE: Bilingual = text("The models side by side", "Los modelos, lado a lado");
pub(super) const LEVELS: Bilingual = text("Every level", "Todos los niveles");
pub(super) const VALIDITY: Bilingual = text(
    "Can these numbers be believed?",
    "¿Se puede creer en estos números?",
);
pub(super) const READING: Bilingual = text("How to read this report", "Cómo leer este informe");
pub(super) const METHOD: Bilingual =
    text("How and where it was measured", "Cómo y dónde se ha medido");
pub(super) const ANSWER: Bilingual = text("The answer", "La respuesta");
pub(super) const FINDINGS: Bilingual = text("Place by place", "Lugar por lugar");
pub(super) const NUMBERS_BEHIND: Bilingual = text(
    "The numbers behind the chart",
    "Los números detrás del gráfico",
);

// Columns.
pub(super) const MODEL: Bilingual = text("Model", "Modelo");
pub(super) const EXPERIMENT: Bilingual = text("Experiment", "Experimento");
pub(super) const LEVEL: Bilingual = text("Level", "Nivel");
pub(super) const CPU: Bilingual = text("Server CPU, µs/request", "CPU del servidor, µs/petición");
pub(super) const TIMES_CONTROL: Bilingual = text("× control", "× control");
pub(super) const GOOD: Bilingual = text("Good requests/s", "Peticiones correctas/s");
pub(super) const P50: Bilingual = text("Response p50", "Respuesta p50");
pub(super) const P99: Bilingual = text("Response p99", "Respuesta p99");
pub(super) const MEMORY: Bilingual = text("Peak memory (PSS)", "Memoria máxima (PSS)");
pub(super) const PEAKS: Bilingual = text("Threads / processes", "Hilos / procesos");
pub(super) const SWITCHES: Bilingual = text("Switches/request", "Cambios de contexto/petición");
pub(super) const WAKEUPS: Bilingual = text("Wake-ups/request", "Despertares/petición");
pub(super) const THREADS: Bilingual = text("Threads at most", "Hilos como máximo");
pub(super) const PROCESSES: Bilingual = text("Processes at most", "Procesos como máximo");
pub(super) const LOAD: Bilingual = text("Load", "Carga");
pub(super) const SERVER_OPTIONS: Bilingual = text("Server", "Servidor");
pub(super) const MEASURED_MODELS: Bilingual = text("Models", "Modelos");
pub(super) const TRIALS: Bilingual = text("Ranked trials", "Ensayos que cuentan");
pub(super) const DELTA: Bilingual = text("Cliff’s δ", "δ de Cliff");
pub(super) const P_HOLM: Bilingual = text("p (Holm)", "p (Holm)");
pub(super) const ROUND: Bilingual = text("Round", "Ronda");
pub(super) const REASON: Bilingual = text("Why it is not ranked", "Por qué no cuenta");
pub(super) const METRIC: Bilingual = text("Figure", "Cifra");
pub(super) const AGAIN: Bilingual = text("Second copy ÷ first", "Segunda copia ÷ primera");
pub(super) const FLOOR: Bilingual = text("A tie up to", "Empate hasta");
pub(super) const TERM: Bilingual = text("Term", "Término");
pub(super) const MEANING: Bilingual = text("What it means", "Qué significa");
pub(super) const NAME: Bilingual = text("Name", "Nombre");
pub(super) const VALUE: Bilingual = text("Value", "Valor");
pub(super) const VERDICT: Bilingual = text("Verdict", "Veredicto");
pub(super) const USER: Bilingual = text("User, µs", "Usuario, µs");
pub(super) const SYSTEM: Bilingual = text("System, µs", "Sistema, µs");
pub(super) const EACH_TRIAL: Bilingual = text("Each trial, µs", "Cada ensayo, µs");
pub(super) const SAMPLES: Bilingual = text("Requests", "Peticiones");

// Verdicts.
pub(super) const CONTROL: Bilingual = text("control", "control");
pub(super) const TIE: Bilingual = text("tie", "empate");
pub(super) const CHEAPER: Bilingual = text("cheaper", "más barato");
pub(super) const DEARER: Bilingual = text("dearer", "más caro");
pub(super) const FASTER: Bilingual = text("faster", "más rápido");
pub(super) const SLOWER: Bilingual = text("slower", "más lento");
pub(super) const SHORTER: Bilingual = text("shorter", "más corto");
pub(super) const LONGER: Bilingual = text("longer", "más largo");
pub(super) const SMALLER: Bilingual = text("smaller", "menor");
pub(super) const LARGER: Bilingual = text("larger", "mayor");
pub(super) const FEWER: Bilingual = text("less", "menos");
pub(super) const MORE: Bilingual = text("more", "más");
pub(super) const TOO_FEW: Bilingual = text("too few trials", "faltan ensayos");
pub(super) const NO_CONTROL: Bilingual = text("no control", "sin control");
pub(super) const NO_RATIO: Bilingual = text("no ratio", "sin razón");
pub(super) const NO_FIGURE: Bilingual = text("no figure", "sin cifra");
pub(super) const NOT_RANKED: Bilingual = text("not ranked", "no cuenta");
pub(super) const NOT_MEASURED: Bilingual = text("not measured", "no medido");

// Answer.
pub(super) const NOTHING_RANKED: Bilingual = text(
    "No trial of this run can be ranked, so it has no answer; what speaks against each trial stands under the validity of \
     the numbers.",
    "Ningún ensayo de esta ejecución cuenta, así que no hay respuesta; lo que habla contra cada ensayo está en la validez \
     de los números.",
);

/// A text that a record holds in both languages.
pub(super) fn recorded(text: &record::Bilingual, language: Language) -> &str {
    language.choose(|| &text.en, || &text.es)
}

pub(super) fn title(run: &Run, language: Language) -> String {
    match run.experiments.as_slice() {
        [design] => format!("{}: {}", design.experiment, run.name),
        _ => language
            .of(text(
                "Threads, processes or async?",
                "¿Hilos, procesos o asíncrono?",
            ))
            .to_owned(),
    }
}

pub(super) fn question(run: &Run, language: Language) -> String {
    match run.experiments.as_slice() {
        [design] => recorded(&design.question, language).to_owned(),
        designs => {
            let (count, name) = (designs.len(), &run.name);
            language.choose(
                || {
                    format!(
                        "What does it cost to give each client an iteration, a thread, a process or a task of its own? \
                         {count} experiments, run {name}."
                    )
                },
                || {
                    format!(
                        "¿Qué cuesta dar a cada cliente una iteración, un hilo, un proceso o una tarea propios? {count} \
                         experimentos, ejecución {name}."
                    )
                },
            )
        }
    }
}

pub(super) fn changes_mind(text: &str, language: Language) -> String {
    language.choose(
        || format!("What would change our mind: {text}"),
        || format!("Qué nos haría cambiar de opinión: {text}"),
    )
}

pub(super) fn title_of(card: &ModelCard, language: Language) -> &str {
    recorded(&card.title, language)
}

/// Heading of a metric's column, with the unit where the figures do not carry it.
pub(super) fn metric(metric: Metric, language: Language) -> &'static str {
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
pub(super) fn verdict_on(metric: Metric, language: Language) -> &'static str {
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
pub(super) fn shift(metric: Metric, language: Language) -> &'static str {
    language.of(match metric {
        Metric::CpuUsPerRequest => text("Over control, µs", "Sobre el control, µs"),
        _ => text("Over control", "Sobre el control"),
    })
}

/// The words for a smaller and a larger value of a metric.
pub(super) fn directions(metric: Metric, language: Language) -> (&'static str, &'static str) {
    let (smaller, larger) = match (metric, metric.unit()) {
        (Metric::CpuUsPerRequest, _) => (CHEAPER, DEARER),
        (Metric::GoodPerS, _) => (SLOWER, FASTER),
        (_, Unit::Us | Unit::Ms) => (SHORTER, LONGER),
        (_, Unit::Kib) => (SMALLER, LARGER),
        _ => (FEWER, MORE),
    };
    (language.of(smaller), language.of(larger))
}

/// What clients do at a level: `One request per connection, 64 clients`.
pub(super) fn load(level: &Level, language: Language) -> String {
    if level.path.is_empty() {
        return level_name(&level.name, language).into_owned();
    }
    let mut words = match level.requests_per_connection {
        None => language
            .of(text("Connections kept open", "Conexiones que se mantienen"))
            .to_owned(),
        Some(1) => language
            .of(text(
                "One request per connection",
                "Una petición por conexión",
            ))
            .to_owned(),
        Some(some) => language.choose(
            || format!("{some} requests per connection"),
            || format!("{some} peticiones por conexión"),
        ),
    };
    if level.path != "/" {
        words.push_str(&format!(", {}", level.path));
    }
    for (name, path) in &level.paths {
        words.push_str(&format!(" ({name}: {path})"));
    }
    words.push_str(", ");
    words.push_str(&match (level.rate_per_s, level.rate_of_capacity) {
        (Some(rate), _) => {
            let rate = numbers::tick(rate, language);
            language.choose(
                || format!("{rate} requests/s"),
                || format!("{rate} peticiones/s"),
            )
        }
        (None, Some(share)) => {
            let share = numbers::tick(share, language);
            language.choose(
                || format!("{share}× its own capacity"),
                || format!("{share}× su propia capacidad"),
            )
        }
        (None, None) => clients(level.clients, language),
    });
    if let Some(disturbance) = &level.disturbance {
        // Records have it in English only; the level's name says the same.
        words.push_str(&language.choose(
            || format!(", beside {disturbance}"),
            || format!(" («{}»)", level_name(&level.name, language)),
        ));
    }
    words
}

pub(super) fn clients(clients: u32, language: Language) -> String {
    match clients {
        1 => language.of(text("1 client", "1 cliente")).to_owned(),
        _ => language.choose(
            || format!("{clients} clients"),
            || format!("{clients} clientes"),
        ),
    }
}

/// What was found in one metric, in a sentence.
pub(super) fn answer(
    load: &str,
    control: &str,
    metric: Metric,
    parts: &Parts,
    language: Language,
) -> String {
    let quoted = format!("“{}”", self::metric(metric, language));
    let (phrase, verb) = match metric {
        Metric::CpuUsPerRequest => (
            text("server CPU per request", "CPU del servidor por petición"),
            text("costs", "cuesta"),
        ),
        Metric::GoodPerS => (
            text(
                "good requests per second",
                "peticiones correctas por segundo",
            ),
            text("reaches", "alcanza"),
        ),
        Metric::ResponseP50Us => (
            text("the median response time", "el tiempo de respuesta mediano"),
            text("takes", "tarda"),
        ),
        Metric::ResponseP99Us => (
            text(
                "the 99th percentile of response times",
                "el percentil 99 de los tiempos de respuesta",
            ),
            text("takes", "tarda"),
        ),
        _ => (text("", ""), text("has", "tiene")),
    };
    let phrase = match language.of(phrase) {
        "" => quoted.as_str(),
        phrase => phrase,
    };
    let clauses = clauses(parts, language.of(verb), language);
    language.choose(
        || format!("{load}: in {phrase} against {control}, {clauses}."),
        || format!("{load}: en {phrase} frente a {control}, {clauses}."),
    )
}

pub(super) fn no_control_answer(workload: &str, control: &str, language: Language) -> String {
    language.choose(
        || {
            format!(
                "{workload}: the control, {control}, has no valid trial here, so there is nothing to compare the models with."
            )
        },
        || {
            format!(
                "{workload}: el control, {control}, no tiene aquí ningún ensayo válido, así que no hay con qué comparar los \
                 modelos."
            )
        },
    )
}

pub(super) fn missing_answer(titles: &[&str], language: Language) -> String {
    let titles = titles.join(", ");
    language.choose(
        || format!("Without a valid trial at this level, and so not compared: {titles}."),
        || format!("Sin un ensayo válido en este nivel, y por eso sin comparar: {titles}."),
    )
}

/// Models sorted by what was concluded of them, each a title and its ratio written out.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Models that differ from the control, largest ratio first; of many those at both ends.
    pub(super) differ: Vec<(String, String)>,
    /// Models that differ and lie between those ends.
    pub(super) between: usize,
    /// Models that tie with it.
    pub(super) tie: Vec<(String, String)>,
    /// Models with too few trials to conclude anything.
    pub(super) open: Vec<(String, String)>,
}

fn clauses(parts: &Parts, verb: &str, language: Language) -> String {
    let mut clauses = Vec::new();
    if let Some(((title, ratio), rest)) = parts.differ.split_first() {
        let rest = rest
            .iter()
            .map(|(title, ratio)| format!(", {title} {ratio}"));
        let between = match parts.between {
            0 => String::new(),
            1 => language
                .of(text(", one other in between", ", otro más entre medias"))
                .to_owned(),
            some => language.choose(
                || format!(", {some} others in between"),
                || format!(", otros {some} entre medias"),
            ),
        };
        clauses.push(format!(
            "{title} {verb} {ratio}{}{between}",
            rest.collect::<String>()
        ));
    }
    let mut bracketed = |models: &[(String, String)], singular: Bilingual, plural: Bilingual| {
        let listed: Vec<String> = models
            .iter()
            .map(|(title, ratio)| format!("{title} ({ratio})"))
            .collect();
        match listed.len() {
            0 => {}
            1 => clauses.push(format!("{} {}", listed[0], language.of(singular))),
            _ => clauses.push(format!("{} {}", listed.join(", "), language.of(plural))),
        }
    };
    bracketed(&parts.tie, text("ties", "empata"), text("tie", "empatan"));
    bracketed(
        &parts.open,
        text(
            "has too few trials to tell",
            "tiene pocos ensayos para decidir",
        ),
        text(
            "have too few trials to tell",
            "tienen pocos ensayos para decidir",
        ),
    );
    if clauses.is_empty() {
        return language
            .of(text(
                "no other model was compared",
                "no se comparó ningún otro modelo",
            ))
            .to_owned();
    }
    clauses.join("; ")
}

// Warnings.

pub(super) fn status_warning(status: Status, made: usize, language: Language) -> Option<String> {
    let trials = trials(made, language);
    match status {
        Status::Complete => None,
        Status::Interrupted => Some(language.choose(
            || format!("This run was interrupted after {trials}: later rounds are missing, and intervals are wider for it."),
            || format!("Esta ejecución se interrumpió tras {trials}: faltan las últimas rondas, y por eso los intervalos son más anchos."),
        )),
        Status::Running => Some(language.choose(
            || format!("This run has no end on record: it is still going on or was killed. The report covers the {trials} so far."),
            || format!("Esta ejecución no tiene un final registrado: sigue en marcha o la mataron. El informe abarca lo que hay hasta ahora: {trials}."),
        )),
    }
}

pub(super) const DEBUG_BUILD: Bilingual = text(
    "Built without optimisation: the figures say nothing about the models. Build with --release.",
    "Compilado sin optimizar: las cifras no dicen nada de los modelos. Compile con --release.",
);
pub(super) const DIRTY_BUILD: Bilingual = text(
    "Built from a source tree with uncommitted changes: the commit alone does not reproduce it.",
    "Compilado con cambios sin confirmar en el código: el commit por sí solo no lo reproduce.",
);

pub(super) fn newer_schema(found: u32, known: u32, language: Language) -> String {
    language.choose(
        || format!("The records are of schema {found}, this report knows schema {known}: figures may be missing or misread."),
        || format!("Los registros son del esquema {found} y este informe conoce el {known}: puede haber cifras ausentes o mal leídas."),
    )
}

// Tables of models.

pub(super) fn headline_caption(
    workload: &str,
    trials_per_cell: u32,
    every_model: bool,
    language: Language,
) -> String {
    let choice = language.of(if every_model {
        text(
            "the highest level at which every model has a ranked trial",
            "el nivel más alto en el que todos los modelos tienen un ensayo que cuenta",
        )
    } else {
        text(
            "the level at which most models have a ranked trial",
            "el nivel en el que más modelos tienen un ensayo que cuenta",
        )
    });
    let trials = trials(trials_per_cell as usize, language);
    language.choose(
        || {
            format!(
                "{workload}: {choice}. Medians of up to {trials} per model, 95 % intervals in brackets. The load generator, at \
                 its limit, set what is struck through."
            )
        },
        || {
            format!(
                "{workload}: {choice}. Medianas de hasta {trials} por modelo, con intervalos del 95 % entre corchetes. Lo tachado \
                 lo fijó el generador de carga, que estaba al límite."
            )
        },
    )
}

pub(super) const LEVELS_CAPTION: Bilingual = text(
    "Medians over ranked trials, 95 % intervals in brackets. What is struck through is shown and not ranked.",
    "Medianas de los ensayos que cuentan, con intervalos del 95 % entre corchetes. Lo tachado se muestra, pero no cuenta.",
);

pub(super) fn trials_of(valid: usize, made: usize, language: Language) -> String {
    language.choose(
        || format!("{valid} of {made}"),
        || format!("{valid} de {made}"),
    )
}

pub(super) fn at_least(figure: &str) -> String {
    format!("≥ {figure}")
}

// Charts.
pub(super) const COST_CHART: Bilingual = text(
    "What a request costs the server",
    "Qué le cuesta al servidor una petición",
);
pub(super) const COST_USER: Bilingual = text("user", "usuario");
pub(super) const COST_SYSTEM: Bilingual = text("system", "sistema");
pub(super) const COST_TRIAL: Bilingual = text("one trial", "un ensayo");
pub(super) const COST_INTERVAL: Bilingual = text("95 % interval", "intervalo del 95 %");
pub(super) const COST_AXIS: Bilingual = text(
    "server CPU per request, µs",
    "CPU del servidor por petición, µs",
);

pub(super) fn cost_caption(workload: &str, language: Language) -> String {
    language.choose(
        || {
            format!(
                "{workload}. A bar is the median over trials, split into user and system time by their median shares; shorter \
                 is cheaper."
            )
        },
        || {
            format!(
                "{workload}. Una barra es la mediana de los ensayos, dividida en tiempo de usuario y de sistema según sus \
                 proporciones medianas; más corta es más barata."
            )
        },
    )
}

pub(super) const CURVE_CHART: Bilingual = text(
    "How long the slowest requests take",
    "Cuánto tardan las peticiones más lentas",
);
pub(super) const CURVE_AXIS: Bilingual = text(
    "share of requests answered within the time",
    "proporción de peticiones respondidas en ese tiempo",
);

pub(super) fn curve_caption(workload: &str, language: Language) -> String {
    language.choose(
        || {
            format!(
                "{workload}. Every step to the right is a ten times rarer request; lower is better. All valid trials of a model \
                 are added up, and a line ends where fewer than ten requests lie beyond it."
            )
        },
        || {
            format!(
                "{workload}. Cada paso a la derecha es una petición diez veces más rara; más abajo es mejor. Se suman todos los \
                 ensayos válidos de un modelo, y una línea acaba donde quedan menos de diez peticiones más allá."
            )
        },
    )
}

pub(super) fn chart_description(caption: &str, summary: &[String]) -> String {
    format!("{caption} {}.", summary.join("; "))
}

fn trials(count: usize, language: Language) -> String {
    match count {
        1 => language.of(text("1 trial", "1 ensayo")).to_owned(),
        _ => language.choose(|| format!("{count} trials"), || format!("{count} ensayos")),
    }
}
