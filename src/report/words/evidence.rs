//! What speaks for the numbers and what against them.

use hola_servers::models::Bilingual;

use super::trials;
use crate::language::{Language, text};

pub(in crate::report) const GENERATOR_BOUND: Bilingual = text(
    "the load generator was at its limit",
    "el generador de carga estaba al límite",
);

pub(in crate::report) fn generator_bound(trials_bound: usize, language: Language) -> String {
    let trials = trials(trials_bound, language);
    language.choose(
        || {
            format!(
                "GENERATOR-BOUND: in {trials} the load generator’s CPU, not the server, set the pace. Their rates and response \
                 times say nothing of the server and are struck through; what the server spent on each request is its own, \
                 and counts."
            )
        },
        || {
            format!(
                "GENERADOR AL LÍMITE: en {trials} marcó el paso la CPU del generador de carga, no el servidor. Sus tasas y \
                 tiempos de respuesta no dicen nada del servidor y están tachados; lo que el servidor gastó en cada petición \
                 es suyo, y cuenta."
            )
        },
    )
}

pub(in crate::report) fn ceiling(
    new: Option<String>,
    kept: Option<String>,
    language: Language,
) -> Option<String> {
    let new = new.map(|rate| {
        language.choose(
            || format!("{rate} requests/s with a connection for each"),
            || format!("{rate} peticiones/s con una conexión para cada una"),
        )
    });
    let kept = kept.map(|rate| {
        language.choose(
            || format!("{rate} requests/s on connections that stay"),
            || format!("{rate} peticiones/s en conexiones que se mantienen"),
        )
    });
    let rates: Vec<String> = new.into_iter().chain(kept).collect();
    let rates = match rates.is_empty() {
        true => return None,
        false => rates.join(language.of(text(" and ", " y "))),
    };
    Some(language.choose(
        || format!("The load generator’s ceiling on this machine is no lower than {rates}: so much it sent in ranked trials."),
        || format!("El techo del generador de carga en esta máquina no está por debajo de {rates}: eso envió en ensayos que cuentan."),
    ))
}

pub(in crate::report) fn trials_made(
    ranked: usize,
    invalid: usize,
    failed: usize,
    foreign: usize,
    language: Language,
) -> String {
    let ranked = trials(ranked, language);
    let mut words = language.choose(
        || format!("{ranked} can be ranked"),
        || format!("{ranked} que cuentan"),
    );
    for (count, what) in [
        (
            invalid,
            text("failed a check", "no pasaron una comprobación"),
        ),
        (failed, text("could not be made", "no se pudieron hacer")),
        (foreign, text("outside the plan", "fuera del plan")),
    ] {
        if count > 0 {
            words.push_str(&format!(", {count} {}", language.of(what)));
        }
    }
    words.push('.');
    words
}

pub(in crate::report) fn coverage(
    trials_fewest: usize,
    bound: &str,
    has_interval: bool,
    language: Language,
) -> String {
    let fewest = trials(trials_fewest, language);
    match (has_interval, language) {
        (true, Language::English) => format!(
            "The cell with the fewest valid trials has {fewest}. With so many, no interval between the trials’ own values \
             holds the true median in more than {bound} of experiments, whatever the method."
        ),
        (true, Language::Spanish) => format!(
            "La celda con menos ensayos válidos tiene {fewest}. Con tantos, ningún intervalo entre los valores de los propios \
             ensayos contiene la mediana verdadera en más del {bound} de los experimentos, sea cual sea el método."
        ),
        (false, Language::English) => format!(
            "Too few trials: the cell with the fewest valid ones has {fewest}, and an interval needs three. Such cells are \
             shown without an interval and without a verdict."
        ),
        (false, Language::Spanish) => format!(
            "Faltan ensayos: la celda con menos ensayos válidos tiene {fewest}, y un intervalo necesita tres. Esas celdas se \
             muestran sin intervalo y sin veredicto."
        ),
    }
}

pub(in crate::report) fn p_out_of_reach(
    out_of_reach: usize,
    comparisons: usize,
    language: Language,
) -> String {
    language.choose(
        || {
            format!(
                "Too few trials for p-values: in {out_of_reach} of {comparisons} comparisons with the control none could fall \
                 below 0.05 after Holm’s correction, whatever the trials had shown. Intervals and effect sizes have to speak."
            )
        },
        || {
            format!(
                "Faltan ensayos para valores p: en {out_of_reach} de {comparisons} comparaciones con el control ninguno podía \
                 bajar de 0,05 tras la corrección de Holm, mostraran lo que mostraran los ensayos. Tienen que hablar los \
                 intervalos y los tamaños del efecto."
            )
        },
    )
}

pub(in crate::report) const FLOOR_CAPTION: Bilingual = text(
    "Noise floor: one model measured twice as if it were two. The bound of that ratio farthest from 1 is the noise of its \
     level, and the median over the levels is the floor of the experiment; a smaller difference is a tie, whatever its interval.",
    "Ruido de fondo: un modelo medido dos veces como si fueran dos. El extremo de esa razón más alejado de 1 es el ruido de \
     su nivel, y la mediana de los niveles es el ruido de fondo del experimento; una diferencia menor es un empate, sea cual sea \
     su intervalo.",
);

pub(in crate::report) fn no_floor(experiments: &[&str], language: Language) -> String {
    let experiments = experiments.join(", ");
    language.choose(
        || {
            format!(
                "No model was measured twice in {experiments}, so there is no noise floor there: a tie rests on the interval \
                 alone, and small differences deserve doubt."
            )
        },
        || {
            format!(
                "En {experiments} ningún modelo se midió dos veces, así que allí no hay ruido de fondo: un empate se apoya solo \
                 en el intervalo, y las diferencias pequeñas merecen duda."
            )
        },
    )
}

/// A remark about some of several experiments.
pub(in crate::report) fn about(experiments: &str, remark: &str) -> String {
    format!("{experiments}: {remark}")
}

pub(in crate::report) const ASIDE_CAPTION: Bilingual = text(
    "Trials that are not ranked.",
    "Ensayos que no cuentan. Los detalles de una comprobación se citan en inglés, como están registrados.",
);
pub(in crate::report) const NOTHING_ANSWERED: Bilingual = text(
    "no request was answered",
    "no se respondió ninguna petición",
);
pub(in crate::report) const NOT_PLANNED: Bilingual = text(
    "its experiment, model or level is not in the plan",
    "su experimento, modelo o nivel no está en el plan",
);

pub(in crate::report) fn failed(why: &str, language: Language) -> String {
    language.choose(
        || format!("could not be made: {why}"),
        || format!("no se pudo hacer: {why}"),
    )
}

pub(in crate::report) fn failed_check(check: &str, detail: &str) -> String {
    format!("{check}: {detail}")
}

pub(in crate::report) fn second_copy(title: &str, language: Language) -> String {
    language.choose(
        || format!("{title} (second copy)"),
        || format!("{title} (segunda copia)"),
    )
}

pub(in crate::report) const SKIPPED_CAPTION: Bilingual = text(
    "Left out, and why.",
    "Lo que se ha dejado fuera, y por qué (las razones se citan en inglés, como están registradas).",
);
pub(in crate::report) const WHY: Bilingual = text("Why", "Por qué");
pub(in crate::report) const EVERY_EXPERIMENT: Bilingual =
    text("every experiment", "todos los experimentos");

pub(in crate::report) fn steal(share: &str, language: Language) -> String {
    language.choose(
        || format!("The hypervisor took {share} of the CPU time during the run."),
        || format!("El hipervisor se quedó con el {share} del tiempo de CPU durante la ejecución."),
    )
}

pub(in crate::report) fn repeated(
    repeated: usize,
    disturbed: usize,
    most: &str,
    language: Language,
) -> String {
    language.choose(
        || {
            format!(
                "Trials made again because the hypervisor had taken more than {most} of the CPU time asked for: {repeated}. Of \
                 several attempts the least disturbed counts, whatever it shows. Trials that lost more than that even so: \
                 {disturbed}."
            )
        },
        || {
            format!(
                "Ensayos repetidos porque el hipervisor se había quedado con más del {most} del tiempo de CPU pedido: \
                 {repeated}. De varios intentos cuenta el menos perturbado, muestre lo que muestre. Ensayos que aun así perdieron \
                 más que eso: {disturbed}."
            )
        },
    )
}

pub(in crate::report) const NO_STEAL: Bilingual = text(
    "CPU time taken by a hypervisor was not recorded.",
    "No se registró el tiempo de CPU que tomó un hipervisor.",
);

pub(in crate::report) fn kernel(
    overflows: &str,
    drops: &str,
    retransmissions: &str,
    language: Language,
) -> String {
    language.choose(
        || {
            format!(
                "During ranked trials the kernel counted {overflows} connections that found the accept queue full, {drops} \
                 dropped for that or another reason, and {retransmissions} repeated connection attempts, each of which delays \
                 its request by a second or more."
            )
        },
        || {
            format!(
                "Durante los ensayos que cuentan, el núcleo contó {overflows} conexiones que encontraron llena la cola de \
                 aceptación, {drops} descartadas por eso o por otra razón, y {retransmissions} intentos de conexión repetidos, \
                 cada uno de los cuales retrasa su petición un segundo o más."
            )
        },
    )
}

pub(in crate::report) fn accounts(
    by_cgroup: usize,
    by_getrusage: usize,
    language: Language,
) -> String {
    let loses = language.of(text(
        "which loses some of each thread that ends: whoever makes a thread for a client looks cheaper than it is.",
        "que pierde algo de cada hilo que termina: quien crea un hilo por cliente parece más barato de lo que es.",
    ));
    let [in_groups, in_rest] = [by_cgroup, by_getrusage].map(|count| trials(count, language));
    match (by_cgroup, by_getrusage) {
        (_, 0) => language
            .of(text(
                "CPU time of every server was counted by a control group of its own.",
                "El tiempo de CPU de cada servidor lo contó un grupo de control propio.",
            ))
            .to_owned(),
        (0, _) => language.choose(
            || format!("CPU time of every server was counted by getrusage, {loses}"),
            || format!("El tiempo de CPU de cada servidor lo contó getrusage, {loses}"),
        ),
        _ => language.choose(
            || {
                format!(
                    "CPU time was counted by a control group in {in_groups}, and in {in_rest} by getrusage, {loses}"
                )
            },
            || {
                format!(
                    "El tiempo de CPU lo contó un grupo de control en {in_groups}, y en {in_rest} getrusage, {loses}"
                )
            },
        ),
    }
}

pub(in crate::report) fn unreadable(title: &str, trials: usize, language: Language) -> String {
    language.choose(
        || {
            format!(
                "{title}: response-time histograms that could not be read, and are missing from the curve: {trials}."
            )
        },
        || {
            format!(
                "{title}: histogramas de tiempos de respuesta que no se pudieron leer, y faltan en la curva: {trials}."
            )
        },
    )
}
