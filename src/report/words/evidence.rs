//! The sentences of the sections that say what speaks for the numbers, how to read them, and how they were made.

use hola_servers::models::Bilingual;

use super::{CPU, DELTA, GOOD, MEMORY, P_HOLM, PEAKS, TIMES_CONTROL, trials};
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
    "Noise floor: one model measured twice as if it were two. The bound of that ratio farthest from 1 is the floor of its \
     level; a smaller difference is a tie, whatever its interval.",
    "Ruido de fondo: un modelo medido dos veces como si fueran dos. El extremo de esa razón más alejado de 1 es el ruido de \
     su nivel; una diferencia menor es un empate, sea cual sea su intervalo.",
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

// Reading.

pub(in crate::report) const READING_TERMS: [(Bilingual, Bilingual); 13] = [
    (
        text("Trial", "Ensayo"),
        text(
            "One fresh server process under one load. It is the unit of everything here: intervals are over trials, never \
             over requests.",
            "Un proceso servidor recién creado bajo una carga. Es la unidad de todo lo que hay aquí: los intervalos son sobre \
             ensayos, nunca sobre peticiones.",
        ),
    ),
    (
        CPU,
        text(
            "CPU time the server spent on a request, user and system, its threads and children included; starting and \
             stopping the server is not. It depends least on who else uses the machine, so where costs are asked for, the \
             verdict rests on it.",
            "Tiempo de CPU que el servidor gastó en una petición, de usuario y de sistema, con sus hilos e hijos; arrancar y \
             parar el servidor no entra. Es lo que menos depende de quién más use la máquina, así que, donde se pregunta por \
             costes, el veredicto se apoya en él.",
        ),
    ),
    (
        TIMES_CONTROL,
        text(
            "The model’s median over the control’s. 2.00× means twice the control.",
            "La mediana del modelo entre la del control. 2,00× significa el doble que el control.",
        ),
    ),
    (
        GOOD,
        text(
            "Requests answered with the right status and the right body, per second.",
            "Peticiones respondidas con el estado y el cuerpo correctos, por segundo.",
        ),
    ),
    (
        text("Response p50, p99", "Respuesta p50, p99"),
        text(
            "Time from the instant a request was due to the last byte of its answer: half of the requests, or 99 in 100, took \
             no longer. “≥” means that failed requests reach into the percentile, so the true value is at least this. The \
             table shows the median of the trials’ percentiles; the chart adds up all requests.",
            "Tiempo desde el instante en que tocaba una petición hasta el último octeto de su respuesta: la mitad de las \
             peticiones, o 99 de cada 100, no tardaron más. «≥» significa que las peticiones fallidas llegan hasta el \
             percentil, así que el valor verdadero es al menos ese. La tabla muestra la mediana de los percentiles de los \
             ensayos; el gráfico suma todas las peticiones.",
        ),
    ),
    (
        MEMORY,
        text(
            "Proportional set size summed over the server’s processes: a page shared by n processes counts 1/n in each.",
            "Tamaño proporcional del conjunto (PSS) sumado sobre los procesos del servidor: una página compartida por n \
             procesos cuenta 1/n en cada uno.",
        ),
    ),
    (
        PEAKS,
        text(
            "The most that existed at once.",
            "El máximo que existió a la vez.",
        ),
    ),
    (
        text("[low, high]", "[bajo; alto]"),
        text(
            "A 95 % bootstrap interval: 10,000 times the trials are drawn again at random, with replacement (for a ratio whole \
             rounds are, so that both models keep sharing a moment), and the middle 95 % of the results kept. Were the run \
             repeated many times, about that share of such intervals would hold the true figure; with few trials fewer do, as \
             the section before this one says.",
            "Un intervalo bootstrap del 95 %: 10 000 veces se vuelven a sacar ensayos al azar, con reposición (para una razón, \
             rondas enteras, para que ambos modelos sigan compartiendo el momento), y se conserva el 95 % central de los \
             resultados. Si la ejecución se repitiera muchas veces, más o menos esa proporción de los intervalos contendría la \
             cifra verdadera; con pocos ensayos son menos, como dice la sección anterior.",
        ),
    ),
    (
        text("Tie", "Empate"),
        text(
            "The interval of the ratio holds 1, or the difference is smaller than the noise floor, that is, than what one \
             model differed from itself by. It means “not told apart here”, not “equal”.",
            "El intervalo de la razón contiene el 1, o la diferencia es menor que el ruido de fondo, es decir, que lo que un \
             modelo se diferenció de sí mismo. Significa «aquí no se distinguen», no «son iguales».",
        ),
    ),
    (
        text(
            "Cheaper, dearer; faster, slower; shorter, longer",
            "Más barato, más caro; más rápido, más lento; más corto, más largo",
        ),
        text(
            "The difference from the control is larger than both.",
            "La diferencia con el control es mayor que ambos.",
        ),
    ),
    (
        text("Over control", "Sobre el control"),
        text(
            "Median of all differences between a trial of the model and one of the control (Hodges–Lehmann): what the model \
             adds, to a request where it is about costs.",
            "Mediana de todas las diferencias entre un ensayo del modelo y uno del control (Hodges–Lehmann): lo que el modelo \
             añade, a una petición cuando se trata de costes.",
        ),
    ),
    (
        DELTA,
        text(
            "Effect size from −1 to +1: +1 when every trial of the model lies above every one of the control, 0 when they are \
             mixed evenly.",
            "Tamaño del efecto de −1 a +1: +1 cuando cada ensayo del modelo queda por encima de todos los del control, 0 cuando \
             están mezclados por igual.",
        ),
    ),
    (
        P_HOLM,
        text(
            "Exact two-sided Mann–Whitney p-value of the figure that headlines, corrected by Holm for all models and levels of \
             the experiment. It supports the verdict, it does not make it.",
            "Valor p exacto y bilateral de Mann–Whitney de la cifra principal, corregido por Holm para todos los modelos y \
             niveles del experimento. Apoya el veredicto, no lo hace.",
        ),
    ),
];

pub(in crate::report) const CLOSED_LOOP: Bilingual = text(
    "The load is a closed loop: a client sends its next request only when it has the answer to the last. Clients = rate × \
     response time then holds by Little’s law, so throughput and mean response time are one figure seen from two sides. A \
     slow server is also asked less, which hides how long its queue would grow under independent clients.",
    "La carga es un bucle cerrado: un cliente envía su siguiente petición solo cuando tiene la respuesta a la anterior. \
     Entonces se cumple clientes = tasa × tiempo de respuesta, por la ley de Little, así que la tasa y el tiempo medio son una \
     sola cifra vista desde dos lados. Además, a un servidor lento se le pregunta menos, lo que oculta cuánto crecería su cola \
     con clientes independientes.",
);
pub(in crate::report) const OPEN_LOOP: Bilingual = text(
    "The load is an open loop: requests are due at planned instants, whatever the server does. Response time counts from the \
     planned instant, so waiting caused by a stall is not lost.",
    "La carga es un bucle abierto: las peticiones tocan en instantes planeados, haga lo que haga el servidor. El tiempo de \
     respuesta cuenta desde el instante planeado, así que la espera que causa un parón no se pierde.",
);

// Method.
pub(in crate::report) const RUN_CAPTION: Bilingual = text("The run", "La ejecución");
pub(in crate::report) const ENVIRONMENT_CAPTION: Bilingual =
    text("The machine and the build", "La máquina y la compilación");
pub(in crate::report) const LIMITS_CAPTION: Bilingual = text("Limits", "Límites");
pub(in crate::report) const MITIGATIONS_CAPTION: Bilingual = text(
    "Processor vulnerabilities and mitigations",
    "Vulnerabilidades del procesador y mitigaciones",
);
pub(in crate::report) const RERUN: Bilingual = text(
    "This command runs it again:",
    "Esta orden la ejecuta de nuevo:",
);
pub(in crate::report) const UNKNOWN: Bilingual = text("not known", "no se sabe");
pub(in crate::report) const YES: Bilingual = text("yes", "sí");
pub(in crate::report) const NO: Bilingual = text("no", "no");
pub(in crate::report) const NOTHING: Bilingual = text("nothing", "nada");
pub(in crate::report) const ALL_MODELS: Bilingual =
    text("all of the experiment", "todos los del experimento");

pub(in crate::report) fn plan_caption(experiment: &str, language: Language) -> String {
    language.choose(
        || format!("The plan of {experiment}"),
        || format!("El plan de {experiment}"),
    )
}

pub(in crate::report) fn levels_of(experiment: &str, language: Language) -> String {
    language.choose(
        || format!("The levels of {experiment}"),
        || format!("Los niveles de {experiment}"),
    )
}

pub(in crate::report) fn settings_caption(experiment: &str, language: Language) -> String {
    language.choose(
        || format!("Settings every server of {experiment} ran with"),
        || format!("Ajustes comunes a todos los servidores de {experiment}"),
    )
}

pub(in crate::report) fn pool_workers(workers: u32, language: Language) -> String {
    language.choose(
        || format!("{workers} workers where each holds one client"),
        || format!("{workers} trabajadores donde cada uno atiende a un cliente"),
    )
}

pub(in crate::report) fn placement(server: &str, generator: &str, language: Language) -> String {
    language.choose(
        || format!("on CPU {server}, generator on {generator}"),
        || format!("en la CPU {server}, generador en {generator}"),
    )
}

pub(in crate::report) const RUN_NAMES: [Bilingual; 4] = [
    text("Profile", "Perfil"),
    text("Seed", "Semilla"),
    text("Started", "Comienzo"),
    text("Finished", "Final"),
];

pub(in crate::report) const PLAN_NAMES: [Bilingual; 9] = [
    text("Question", "Pregunta"),
    text("Models", "Modelos"),
    text("Control", "Control"),
    text("Trials per model and level", "Ensayos por modelo y nivel"),
    text("Measured window", "Ventana medida"),
    text("Warm-up", "Calentamiento"),
    text("CPUs of the server", "CPU del servidor"),
    text("CPUs of the generator", "CPU del generador"),
    text(
        "Failed checks that count as findings",
        "Comprobaciones fallidas que son hallazgos",
    ),
];

pub(in crate::report) const ENVIRONMENT_NAMES: [Bilingual; 13] = [
    text("Processor", "Procesador"),
    text("CPUs", "CPU"),
    text("Memory", "Memoria"),
    text("Kernel", "Núcleo"),
    text("Virtual machine", "Máquina virtual"),
    text("Clock source", "Fuente del reloj"),
    text("Frequency governor", "Regulador de frecuencia"),
    text("Load before", "Carga antes"),
    text("Load after", "Carga después"),
    text("CPU time stolen", "Tiempo de CPU robado"),
    text("Compiler", "Compilador"),
    text("Build", "Compilación"),
    text("Hola", "Hola"),
];

pub(in crate::report) fn seconds(value: &str) -> String {
    format!("{value} s")
}

pub(in crate::report) fn version(
    version: &str,
    commit: Option<&str>,
    dirty: Option<bool>,
    language: Language,
) -> String {
    let dirty = match dirty {
        Some(true) => language.of(text(
            ", with uncommitted changes",
            ", con cambios sin confirmar",
        )),
        _ => "",
    };
    match commit {
        Some(commit) => format!("{version}, commit {commit}{dirty}"),
        None => language.choose(
            || format!("{version}, commit not known{dirty}"),
            || format!("{version}, commit desconocido{dirty}"),
        ),
    }
}

pub(in crate::report) fn where_data(run: &str, language: Language) -> String {
    language.choose(
        || {
            format!(
                "The raw data are in results/{run}: run.json holds the plan and the machine, trials.jsonl a line for each trial \
                 with its histogram. “hola report results/{run}” builds this report from them again."
            )
        },
        || {
            format!(
                "Los datos en bruto están en results/{run}: run.json guarda el plan y la máquina; trials.jsonl, una línea por \
                 ensayo con su histograma. «hola report results/{run}» vuelve a hacer este informe a partir de ellos."
            )
        },
    )
}

/// Line under the answer table of README.
pub(in crate::report) fn readme_source(run: &str, version: &str, language: Language) -> String {
    language.choose(
        || format!("From results/{run} (Hola {version}); medians over trials, 95 % intervals in brackets."),
        || format!("De results/{run} (Hola {version}); medianas de los ensayos, intervalos del 95 % entre corchetes."),
    )
}
