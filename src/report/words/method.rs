//! How the numbers were made: the run, the machine, the plan, and where the data are.

use hola_servers::models::Bilingual;

use crate::language::{Language, text};

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
