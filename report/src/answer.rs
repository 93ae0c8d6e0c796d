//! The first screen: the notices, and the answer in sentences, each with its number and interval.

use hola_base::{Language, text};
use hola_lab::metric::Metric;
use hola_lab::record::RunStatus;
use hola_verdict::analysis::{ControlResult, HEADLINE, Word};
use hola_verdict::{LevelKey, RULES_VERSION};

use crate::document::{Notice, Tone};
use crate::facts::{CRASH, EPOLL, FORK, Facts, IDLE, THREAD, TOKIO};
use crate::labels::{self, Sentences};
use crate::numbers;

/// The claim about low load.
const LOW_LOAD: &str = "low-load-tie";

/// The notices: how the run ended, whether the controls of the method passed, the smallest difference that the run can
/// show, and the time it took.
pub(crate) fn notices(facts: &Facts<'_>, language: Language) -> Vec<Notice> {
    let warnings = warnings(facts, language).into_iter();
    let tone = Tone::Bad;
    let mut notices: Vec<Notice> = warnings.map(|text| Notice { text, tone }).collect();
    let (text, tone) = controls(facts, language);
    let resolution = match facts.analysis.resolution() {
        Some(share) => {
            let share = numbers::percent(share, language);
            language.choose(
                || format!("It tells apart differences of {share} or more in CPU per request"),
                || format!("Distingue diferencias de {share} o más en CPU por petición"),
            )
        }
        None => language
            .choose(
                || "What it can tell apart is not known",
                || "No se sabe qué puede distinguir",
            )
            .into(),
    };
    let seconds = [facts.spent_s(), facts.run.budget_s()];
    let [spent, budget] = seconds.map(numbers::minutes);
    let time = language.choose(
        || format!("measuring took {spent} of at most {budget}"),
        || format!("medir llevó {spent} de {budget} como mucho"),
    );
    let text = format!("{text} {resolution}; {time}.");
    notices.push(Notice { text, tone });
    notices
}

fn warnings(facts: &Facts<'_>, language: Language) -> Vec<String> {
    let environment = &facts.run.environment;
    let mut sentences = Sentences::new(language);
    match facts.run.status {
        RunStatus::Complete => {}
        RunStatus::Interrupted => sentences.add(
            "This run was interrupted: what it had measured by then is all there is.",
            "Esta ejecución se interrumpió: solo está lo que había medido hasta entonces.",
        ),
        RunStatus::Running => sentences.add(
            "This run has not ended, or was killed.",
            "Esta ejecución no ha terminado, o la mataron.",
        ),
    }
    if facts.run.rules_version != RULES_VERSION {
        let (its, ours) = (facts.run.rules_version, RULES_VERSION);
        sentences.add(
            format!(
                "It was made under rules {its} and is judged here by rules {ours}: measure again \
                 before you compare verdicts."
            ),
            format!(
                "Se hizo con las reglas {its} y aquí se juzga con las reglas {ours}: hay que medir \
                 de nuevo antes de comparar veredictos."
            ),
        );
    }
    if environment.build != "release" {
        sentences.add(
            "Measured with a build that is not optimised: absolute figures mean nothing.",
            "Medida con una compilación sin optimizar: las cifras absolutas no dicen nada.",
        );
    }
    if environment.other_comparisons > 0 {
        let others = environment.other_comparisons;
        sentences.add(
            format!("Other comparisons ran on this machine at the same time: {others}."),
            format!("En esta máquina había a la vez otras comparaciones: {others}."),
        );
    }
    if let Some(ms) = environment.throttled_ms.filter(|ms| *ms > 0.0) {
        let time = numbers::duration_us(ms * 1e3, language);
        sentences.add(
            format!("A CPU quota kept the servers or the lab off the CPU for {time}."),
            format!(
                "Una cuota de CPU dejó a los servidores o al laboratorio sin CPU durante {time}."
            ),
        );
    }
    if shares_cpu(facts) {
        sentences.add(
            "Servers and load generator shared a CPU: each took from the other.",
            "Los servidores y el generador de carga compartían una CPU: cada uno quitaba al otro.",
        );
    }
    sentences.list
}

/// Whether the servers of the headline's experiment shared a CPU with the generator.
pub(crate) fn shares_cpu(facts: &Facts<'_>) -> bool {
    let design = facts.design(HEADLINE.experiment);
    design.is_some_and(|design| design.stages.iter().any(hola_lab::plan::Stage::shares_cpu))
}

fn controls(facts: &Facts<'_>, language: Language) -> (String, Tone) {
    let fault = |results: &[ControlResult], missing, failed| match results {
        [] => Some(missing),
        _ if results.iter().all(|one| one.passes) => None,
        _ => Some(failed),
    };
    let faults = [
        fault(
            &facts.controls.again,
            text(
                "the control was not compared with itself",
                "el control no se comparó consigo mismo",
            ),
            text(
                "the control differs from itself",
                "el control difiere de sí mismo",
            ),
        ),
        fault(
            &facts.controls.planted,
            text(
                "no known difference was planted",
                "no se plantó ninguna diferencia conocida",
            ),
            text(
                "the planted difference was not recovered",
                "la diferencia plantada no se recuperó",
            ),
        ),
    ];
    let faults = faults.into_iter().flatten();
    let faults: Vec<String> = faults.map(|fault| language.of(fault).into()).collect();
    let Some(faults) = labels::list(&faults, language) else {
        let text = language.choose(
            || "Both controls of the method passed.",
            || "Los dos controles del método pasaron.",
        );
        return (text.into(), Tone::Good);
    };
    let text = language.choose(
        || format!("The controls of the method did not pass: {faults}."),
        || format!("Los controles del método no pasaron: {faults}."),
    );
    (text, Tone::Bad)
}

/// The answer, at most five short sentences.
pub(crate) fn sentences(facts: &Facts<'_>, language: Language) -> Vec<String> {
    let sentences = [
        processes(facts, language),
        asynchronous(facts, language),
        low_load(facts, language),
        isolation(facts, language),
        memory(facts, language),
    ];
    let sentences: Vec<String> = sentences.into_iter().flatten().collect();
    if sentences.is_empty() {
        let nothing = language.choose(
            || "This run has too few measurements for an answer.",
            || "Esta ejecución tiene muy pocas medidas para dar una respuesta.",
        );
        return vec![nothing.into()];
    }
    sentences
}

fn headline_ratio(
    facts: &Facts<'_>,
    participant: &str,
    other: &str,
    language: Language,
) -> Option<String> {
    let metric = Metric::CpuPerRequest;
    let ratio = facts.analysis.ratio(HEADLINE, participant, other, metric);
    let ratio = ratio.ok()?;
    let written = numbers::comparison(metric, &ratio, language);
    // The numbers alone show whether it is better or worse; *the same* and *undecided* need a word.
    Some(match Word::new(&ratio, metric) {
        Word::Better | Word::Worse => written,
        word => format!("{written} ({})", labels::word(word, metric, language).0),
    })
}

fn processes(facts: &Facts<'_>, language: Language) -> Option<String> {
    let ratio = headline_ratio(facts, FORK, THREAD, language)?;
    Some(language.choose(
        || format!("Threads or processes? A request served by a new process takes {ratio} the CPU of one served by a new thread."),
        || format!("¿Hilos o procesos? Una petición que atiende un proceso nuevo gasta {ratio} la CPU de la que atiende un hilo nuevo."),
    ))
}

fn asynchronous(facts: &Facts<'_>, language: Language) -> Option<String> {
    let named = [EPOLL, TOKIO].into_iter().filter_map(|name| {
        let ratio = headline_ratio(facts, name, THREAD, language)?;
        Some(format!("{name} {ratio}"))
    });
    let named: Vec<String> = named.collect();
    let list = labels::list(&named, language)?;
    Some(language.choose(
        || format!("Threads or async? Of the CPU of a new thread per request, async takes: {list}."),
        || format!("¿Hilos o asíncrono? De la CPU de un hilo nuevo por petición, lo asíncrono gasta: {list}."),
    ))
}

fn low_load(facts: &Facts<'_>, language: Language) -> Option<String> {
    let at = LevelKey::new(HEADLINE.experiment, "new, 200/s");
    let metric = Metric::ResponseP50;
    let ratio = facts.to_control(at, THREAD, metric)?;
    let ratio = numbers::comparison(metric, &ratio, language);
    let mut decisions = facts.decisions.iter();
    let (claim, decision) = decisions.find(|(claim, _)| claim.id == LOW_LOAD)?;
    let (word, _) = labels::verdict(decision.verdict, language);
    let statement = language.of(claim.statement).trim_end_matches('.');
    Some(language.choose(
        || format!("When does it not matter? At 200 requests per second the median response with threads takes {ratio} that of iterative; “{statement}”: {word}."),
        || format!("¿Cuándo da igual? A 200 peticiones por segundo la respuesta mediana con hilos tarda {ratio} la del iterativo; «{statement}»: {word}."),
    ))
}

fn isolation(facts: &Facts<'_>, language: Language) -> Option<String> {
    let at = LevelKey::new(CRASH, "abort");
    let failed = |name| {
        let estimate = facts.value(at, name, Metric::OthersFailed).ok()?;
        Some(numbers::value(Metric::OthersFailed, &estimate, language))
    };
    let (processes, threads) = (failed(FORK)?, failed(THREAD)?);
    Some(language.choose(
        || format!("What does a process buy? When one client's handler aborts, {processes} of the other clients' requests fail with processes and {threads} with threads."),
        || format!("¿Qué compra un proceso? Cuando aborta lo que atiende a un cliente, falla el {processes} de las peticiones de los demás con procesos y el {threads} con hilos."),
    ))
}

fn memory(facts: &Facts<'_>, language: Language) -> Option<String> {
    let at = facts.first_level(IDLE)?;
    let named = [
        (FORK, "a process", "un proceso"),
        (THREAD, "a thread", "un hilo"),
        (TOKIO, "a task", "una tarea"),
    ];
    let named = named.into_iter().filter_map(|(participant, en, es)| {
        let estimate = facts.value(at, participant, Metric::MemoryPerClient).ok()?;
        let kib = numbers::value(Metric::MemoryPerClient, &estimate, language);
        Some(format!("{} {kib} KiB", language.choose(|| en, || es)))
    });
    let named: Vec<String> = named.collect();
    let list = labels::list(&named, language)?;
    Some(language.choose(
        || format!("What does a client that waits take in memory? Outside the kernel, {list}."),
        || format!("¿Qué memoria ocupa un cliente que espera? Fuera del núcleo, {list}."),
    ))
}
