//! What is said of loads: the answer over all of them, the map of winners, models by themselves.

use hola_servers::models::Bilingual;

use crate::analysis::winners::Load;
use crate::language::{Language, text};

use super::clients;

pub(in crate::report) const CONTENTS: Bilingual = text("Contents", "Contenido");
pub(in crate::report) const DATA: Bilingual =
    text("The data of this run", "Los datos de esta ejecución");
pub(in crate::report) const MODEL_PAGES: Bilingual = text("Model by model", "Modelo por modelo");
pub(in crate::report) const MAP: Bilingual =
    text("Which model for my load?", "¿Qué modelo para mi carga?");
pub(in crate::report) const MAP_CHART: Bilingual = text(
    "Who spends least CPU on a request",
    "Quién gasta menos CPU en una petición",
);
pub(in crate::report) const MAP_COLUMNS: Bilingual =
    text("Concurrent clients", "Clientes simultáneos");
pub(in crate::report) const MAP_TIE: Bilingual = text("a tie", "empate");
pub(in crate::report) const MAP_EMPTY: Bilingual = text("not measured", "no medido");
pub(in crate::report) const CHEAPEST: Bilingual = text("Cheapest", "El más barato");
pub(in crate::report) const TIES: Bilingual = text("Ties with it", "Empatan con él");
pub(in crate::report) const COMPARED: Bilingual = text("Models compared", "Modelos comparados");

pub(in crate::report) const MAP_EXPLAINED: Bilingual = text(
    "Find your load: how many clients there are at once, how many requests each makes on a connection, and how long an answer \
     waits for something else. A name is the model that spends the least server CPU on a request there; several are a tie, \
     told apart neither by their intervals nor from the noise. Where the model does not matter, take the one that is easiest \
     to write.",
    "Busque su carga: cuántos clientes hay a la vez, cuántas peticiones hace cada uno por conexión y cuánto espera una \
     respuesta por otra cosa. Un nombre es el modelo que gasta allí menos CPU del servidor por petición; varios son un empate: \
     no los separan sus intervalos ni el ruido de fondo. Donde el modelo no importa, tome el más fácil de escribir.",
);

pub(in crate::report) const THREADS_OR_PROCESSES: Bilingual =
    text("Threads or processes?", "¿Hilos o procesos?");
pub(in crate::report) const THREADS_OR_ASYNC: Bilingual =
    text("Threads or async?", "¿Hilos o asíncrono?");
pub(in crate::report) const THREADS_COST_LESS: Bilingual =
    text("Threads cost less", "Los hilos cuestan menos");
pub(in crate::report) const PROCESSES_COST_LESS: Bilingual =
    text("Processes cost less", "Los procesos cuestan menos");
pub(in crate::report) const ASYNC_COSTS_LESS: Bilingual =
    text("Async costs less", "Lo asíncrono cuesta menos");
pub(in crate::report) const DEPENDS_ON_LOAD: Bilingual =
    text("It depends on the load", "Depende de la carga");
pub(in crate::report) const NO_DIFFERENCE: Bilingual =
    text("No difference was found", "No se halló diferencia");

/// How a model fared against another over several loads.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Came {
    /// All loads.
    pub(in crate::report) loads: usize,
    /// Loads under which it costs more.
    pub(in crate::report) dearer: usize,
    /// Loads under which it costs less.
    pub(in crate::report) cheaper: usize,
    /// Loads under which the two are not told apart.
    pub(in crate::report) tied: usize,
    /// Loads with too few trials to tell.
    pub(in crate::report) open: usize,
}

/// `Threads or processes? Threads cost less: “Process per client” costs 1.2× to 5.0× the server CPU of …, dearer under 14 of
/// 16 loads, a tie under 2.`
pub(in crate::report) fn duel(
    [question, answer]: [&str; 2],
    [model, other]: [&str; 2],
    [low, high]: &[String; 2],
    came: &Came,
    language: Language,
) -> String {
    let range = match low == high {
        true => low.clone(),
        false => language.choose(
            || format!("{low} to {high}"),
            || format!("entre {low} y {high}"),
        ),
    };
    let counts = [
        (came.dearer, text("dearer under", "más caro con")),
        (came.cheaper, text("cheaper under", "más barato con")),
        (came.tied, text("a tie under", "empate con")),
        (
            came.open,
            text("too few trials under", "faltan ensayos con"),
        ),
    ];
    let mut said: Vec<String> = Vec::new();
    for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
        let what = language.of(what);
        said.push(match said.is_empty() {
            true => language.choose(
                || format!("{what} {count} of {}", loads(came.loads, language)),
                || format!("{what} {count} de {}", loads(came.loads, language)),
            ),
            false => format!("{what} {count}"),
        });
    }
    let said = said.join(", ");
    language.choose(
        || format!("{question} {answer}: “{model}” costs {range} the server CPU of “{other}” per request, {said}."),
        || format!("{question} {answer}: «{model}» cuesta {range} la CPU del servidor de «{other}» por petición, {said}."),
    )
}

pub(in crate::report) fn cheapest(
    title: &str,
    wins: usize,
    places: usize,
    language: Language,
) -> String {
    let places = loads(places, language);
    language.choose(
        || {
            format!(
                "The cheapest most often is “{title}”: alone or tied, under {wins} of {places}."
            )
        },
        || {
            format!(
                "El más barato más a menudo es «{title}»: solo o empatado, con {wins} de {places}."
            )
        },
    )
}

fn loads(count: usize, language: Language) -> String {
    match count {
        1 => language.of(text("1 load", "1 carga")).to_owned(),
        _ => language.choose(|| format!("{count} loads"), || format!("{count} cargas")),
    }
}

/// A row of the map, as short as it can be told: `10 requests per connection, after 10 ms`.
pub(in crate::report) fn map_row(load: &Load, language: Language) -> String {
    let requests = match load.requests_per_connection {
        u64::MAX => language
            .of(text("Connections kept open", "Conexiones que se mantienen"))
            .to_owned(),
        1 => language
            .of(text("1 request per connection", "1 petición por conexión"))
            .to_owned(),
        some => language.choose(
            || format!("{some} requests per connection"),
            || format!("{some} peticiones por conexión"),
        ),
    };
    let wait_ms = load.wait_ms;
    match wait_ms {
        0 => language.choose(
            || format!("{requests}, at once"),
            || format!("{requests}, al momento"),
        ),
        _ => language.choose(
            || format!("{requests}, after {wait_ms} ms"),
            || format!("{requests}, a los {wait_ms} ms"),
        ),
    }
}

/// A place of the map and who wins there.
pub(in crate::report) fn map_place(load: &Load, winners: &[&str], language: Language) -> String {
    let place = format!(
        "{}, {}",
        map_row(load, language),
        clients(load.clients, language)
    );
    match winners {
        [] => format!("{place}: {}", language.of(MAP_EMPTY)),
        [winner] => format!("{place}: {winner}"),
        [first, ties @ ..] => {
            let ties = ties.join(", ");
            language.choose(
                || format!("{place}: {first}; tied: {ties}"),
                || format!("{place}: {first}; empatan: {ties}"),
            )
        }
    }
}

pub(in crate::report) fn map_caption(places: usize, language: Language) -> String {
    let places = loads(places, language);
    language.choose(
        || format!("{places} measured; the same models were not measured under each of them, so the table says how many were."),
        || format!("{places} medidas; no en todas se midieron los mismos modelos, y la tabla dice cuántos fueron."),
    )
}

/// What a client costs a model: `A client costs it a thread.`
pub(in crate::report) fn attention(attention: &str, language: Language) -> Option<&'static str> {
    let said = match attention {
        "nothing" => text(
            "A client costs it nothing of its own but memory.",
            "Un cliente no le cuesta nada propio más que memoria.",
        ),
        "task" => text(
            "A client costs it a task.",
            "Un cliente le cuesta una tarea.",
        ),
        "thread" => text(
            "A client costs it a thread.",
            "Un cliente le cuesta un hilo.",
        ),
        "process" => text(
            "A client costs it a process.",
            "Un cliente le cuesta un proceso.",
        ),
        _ => return None,
    };
    Some(language.of(said))
}

pub(in crate::report) fn turns(
    experiment: &str,
    level: &str,
    causes: &str,
    language: Language,
) -> String {
    language.choose(
        || format!("In {experiment} it gains up to {level}, and then no more: {causes}."),
        || format!("En {experiment} gana hasta {level}, y luego ya no: {causes}."),
    )
}

pub(in crate::report) fn source_link(path: &str, language: Language) -> String {
    language.choose(
        || format!("Its source: {path}"),
        || format!("Su código: {path}"),
    )
}

pub(in crate::report) const COSTS: Bilingual = text(
    "What it comes to, experiment by experiment",
    "Qué resulta, experimento por experimento",
);

// Charts of experiments.

pub(in crate::report) fn lines_title(figure: &str, language: Language) -> String {
    language.choose(
        || format!("{figure}, level by level"),
        || format!("{figure}, nivel por nivel"),
    )
}

pub(in crate::report) const LINES_CAPTION: Bilingual = text(
    "Medians, with 95 % bands; the numbers are in the table of every level below.",
    "Medianas, con bandas del 95 %; los números están abajo, en la tabla de todos los niveles.",
);

pub(in crate::report) fn dots_title(figure: &str, language: Language) -> String {
    language.choose(
        || format!("{figure}, trial by trial"),
        || format!("{figure}, ensayo por ensayo"),
    )
}

pub(in crate::report) fn dots_caption(workload: &str, language: Language) -> String {
    language.choose(
        || format!("{workload}. A dot is a trial, the tick their median, the whisker its 95 % interval."),
        || format!("{workload}. Un punto es un ensayo; la marca, su mediana; el bigote, su intervalo del 95 %."),
    )
}

pub(in crate::report) const TRIAL_BY_TRIAL: Bilingual = text("Trial by trial", "Ensayo por ensayo");
pub(in crate::report) const MEDIAN: Bilingual = text("median", "mediana");
pub(in crate::report) const FINDINGS_CAPTION: Bilingual = text(
    "Shaded: what the claim says. Dot and whisker: what was found, with its 95 % interval.",
    "Sombreado: lo que dice la afirmación. Punto y bigote: lo hallado, con su intervalo del 95 %.",
);
pub(in crate::report) const AS_CLAIMED: Bilingual = text("as claimed", "como se afirma");
pub(in crate::report) const AGAINST: Bilingual = text("not as claimed", "no como se afirma");
pub(in crate::report) const LEFT_OPEN: Bilingual = text("open", "abierto");
