//! What stands on and under the pictures.

use hola_servers::models::Bilingual;

use crate::language::{Language, text};

pub(in crate::report) const COST_CHART: Bilingual = text(
    "What a request costs the server",
    "Qué le cuesta al servidor una petición",
);
pub(in crate::report) const COST_USER: Bilingual = text("user", "usuario");
pub(in crate::report) const COST_SYSTEM: Bilingual = text("system", "sistema");
pub(in crate::report) const COST_TRIAL: Bilingual = text("one trial", "un ensayo");
pub(in crate::report) const COST_INTERVAL: Bilingual = text("95 % interval", "intervalo del 95 %");
pub(in crate::report) const COST_AXIS: Bilingual = text(
    "server CPU per request, µs",
    "CPU del servidor por petición, µs",
);

pub(in crate::report) fn cost_caption(workload: &str, language: Language) -> String {
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

pub(in crate::report) const CURVE_CHART: Bilingual = text(
    "How long the slowest requests take",
    "Cuánto tardan las peticiones más lentas",
);
pub(in crate::report) const CURVE_AXIS: Bilingual = text(
    "share of requests answered within the time",
    "proporción de peticiones respondidas en ese tiempo",
);

pub(in crate::report) fn curve_caption(workload: &str, language: Language) -> String {
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

pub(in crate::report) fn chart_description(caption: &str, summary: &[String]) -> String {
    format!("{caption} {}.", summary.join("; "))
}
