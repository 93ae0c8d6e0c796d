//! Every sentence of a report in both languages, whatever its format.

use hola_servers::models::Bilingual;

use crate::experiments::level_name;
use crate::lab::record::{self, Level, ModelCard, Run, Status};
use crate::language::{Language, text};

use super::numbers;

mod answer;
mod charts;
mod evidence;
mod loads;
mod method;
mod names;
mod reading;

pub(super) use answer::*;
pub(super) use charts::*;
pub(super) use evidence::*;
pub(super) use loads::*;
pub(super) use method::*;
pub(super) use names::*;
pub(super) use reading::*;

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

fn trials(count: usize, language: Language) -> String {
    match count {
        1 => language.of(text("1 trial", "1 ensayo")).to_owned(),
        _ => language.choose(|| format!("{count} trials"), || format!("{count} ensayos")),
    }
}
