//! What could affect the figures, how to read them, how they were made, and where the data are.

use hola_base::{Language, Text, text};
use hola_lab::metric::Metric;
use hola_lab::record::CpuAccounting;
use hola_verdict::analysis::HEADLINE;

use crate::answer::shares_cpu;
use crate::document::{Details, Section, SectionItem, Table, TableCell, Tone};
use crate::facts::Facts;
use crate::{numbers, words};

/// The controls, the machine, and models whose cost depends on the process.
pub(crate) fn validity(facts: &Facts<'_>, language: Language) -> Section {
    let mut parts = vec![SectionItem::Text(controls_in_short(facts, language))];
    parts.push(SectionItem::Details(Details {
        anchor: "controls".into(),
        title: language.choose(|| "Each control", || "Cada control").into(),
        word: None,
        parts: vec![SectionItem::Table(controls(facts, language))],
    }));
    parts.extend(spread(facts, language).map(SectionItem::Text));
    parts.push(SectionItem::Items(circumstances(facts, language)));
    parts.push(SectionItem::Details(machine(facts, language)));
    Section {
        anchor: "validity".into(),
        title: language
            .choose(
                || "How far the numbers can be trusted",
                || "Hasta dónde se puede confiar en los números",
            )
            .into(),
        parts,
    }
}

fn controls_in_short(facts: &Facts<'_>, language: Language) -> String {
    let controls = &facts.controls;
    let passed = controls.again.iter().filter(|one| one.passes).count();
    let recovered = controls.planted.iter().filter(|one| one.recovered).count();
    let (again, planted) = (controls.again.len(), controls.planted.len());
    language.choose(
        || format!("The control did not differ from itself at {passed} of {again} levels; the planted difference was recovered at {recovered} of {planted}."),
        || format!("El control no difirió de sí mismo en {passed} de {again} niveles; la diferencia plantada se recuperó en {recovered} de {planted}."),
    )
}

fn controls(facts: &Facts<'_>, language: Language) -> Table {
    const COLUMNS: [Text; 5] = [
        text("Control of the method", "Control del método"),
        text("Where", "Dónde"),
        text("Result", "Resultado"),
        text("Ratio that was to be found", "Razón que había que hallar"),
        text("Ratio found [95 %]", "Razón hallada [95 %]"),
    ];
    let mut table = Table::new("", 3, &COLUMNS.map(|column| language.of(column)));
    let passed = |passes: bool| match passes {
        true => TableCell::word(language.choose(|| "passed", || "pasó").into(), Tone::Good),
        false => TableCell::word(language.choose(|| "failed", || "no pasó").into(), Tone::Bad),
    };
    let place = |experiment: &str, level: &str| TableCell::from(format!("{experiment}: {level}"));
    for one in &facts.controls.again {
        table.rows.push(vec![
            language
                .choose(
                    || "the control against itself",
                    || "el control frente a sí mismo",
                )
                .into(),
            place(&one.experiment, &one.level),
            passed(one.passes),
            TableCell::number(numbers::times(1.0, language), 1.0),
            TableCell::number(
                numbers::comparison(Metric::CpuPerRequest, &one.estimate, language),
                one.estimate.value,
            ),
        ]);
    }
    for one in &facts.controls.planted {
        table.rows.push(vec![
            language
                .choose(|| "a planted difference", || "una diferencia plantada")
                .into(),
            place(&one.experiment, &one.level),
            passed(one.recovered),
            TableCell::number(numbers::times(one.expected, language), one.expected),
            TableCell::number(
                numbers::comparison(Metric::CpuPerRequest, &one.measured, language),
                one.measured.value,
            ),
        ]);
    }
    table
}

/// Each block starts a fresh process of each server, so a spread between blocks beyond that within them is a property
/// of the model.
fn spread(facts: &Facts<'_>, language: Language) -> Option<String> {
    /// Smallest spread between blocks to report, as a multiple of what the cycles within them explain.
    const BEYOND: f64 = 3.0;
    let design = facts.design(HEADLINE.experiment)?;
    let (_, level) = design.level(HEADLINE.level)?;
    let cycles = f64::from(level.cycles.max(1));
    let named = facts
        .cards(true)
        .chain(facts.cards(false))
        .filter_map(|card| {
            let ratio = facts.to_control(HEADLINE, &card.name, Metric::CpuPerRequest)?;
            let explained = ratio.within_sd? / cycles.sqrt();
            let is_beyond = explained > 0.0 && ratio.between_sd > BEYOND * explained;
            is_beyond.then(|| {
                format!(
                    "{} (±{})",
                    card.name,
                    numbers::percent(ratio.between_sd.exp() - 1.0, language)
                )
            })
        });
    let named: Vec<String> = named.collect();
    if named.is_empty() {
        return None;
    }
    let list = words::list(&named, language);
    Some(language.choose(
        || format!("The cost of some models depends on the process: from one start to the next it varies more than within one. {list}."),
        || format!("El coste de algunos modelos depende del proceso: varía más de un arranque al siguiente que dentro de uno. {list}."),
    ))
}

/// The conditions on the machine during the run, good and bad.
fn circumstances(facts: &Facts<'_>, language: Language) -> Vec<String> {
    let environment = &facts.run.environment;
    let mut items = Vec::new();
    let mut say = |en: String, es: String| items.push(language.choose(|| en, || es));
    if shares_cpu(facts) {
        say(
            "Servers and generator shared a CPU.".into(),
            "Servidores y generador compartían una CPU.".into(),
        );
    } else {
        say(
            "Servers and generator had a CPU each.".into(),
            "Servidores y generador tenían cada uno su CPU.".into(),
        );
    }
    if !environment.smt_siblings.is_empty() {
        let groups = environment.smt_siblings.join(", ");
        say(
            format!("CPUs {groups} are threads of one core: what one does slows the other."),
            format!(
                "Las CPU {groups} son hilos de un mismo núcleo: lo que hace una frena a la otra."
            ),
        );
    }
    if environment.virtualised {
        say(
            "Measured in a virtual machine.".into(),
            "Medido en una máquina virtual.".into(),
        );
    }
    match environment.steal_share {
        Some(share) => {
            let share = numbers::percent(share, language);
            say(
                format!("The hypervisor took {share} of the CPU time."),
                format!("El hipervisor se quedó con el {share} del tiempo de CPU."),
            );
        }
        None => say(
            "CPU time taken by a hypervisor is not known.".into(),
            "No se sabe cuánto tiempo de CPU se quedó un hipervisor.".into(),
        ),
    }
    match environment.cpu_quota {
        Some(cpus) => {
            let cpus = numbers::plain(cpus, language);
            say(
                format!("A quota allowed {cpus} CPUs."),
                format!("Una cuota permitía {cpus} CPU."),
            );
        }
        None => say("No CPU quota.".into(), "Sin cuota de CPU.".into()),
    }
    if let Some(ms) = environment.throttled_ms {
        let time = numbers::duration_us(ms * 1e3, language);
        say(
            format!("Throttled by quotas: {time}."),
            format!("Frenado por cuotas: {time}."),
        );
    }
    let others = environment.other_comparisons;
    say(
        format!("Other comparisons seen at the same time: {others}."),
        format!("Otras comparaciones vistas a la vez: {others}."),
    );
    let load = |value: f64| numbers::plain(value, language);
    let after = environment.load_after.map_or(numbers::NONE.into(), load);
    let before = load(environment.load_before);
    say(
        format!("Load average: {before} before, {after} after."),
        format!("Carga media: {before} antes, {after} después."),
    );
    match environment.accounted_by {
        Some(CpuAccounting::Cgroup) => say(
            "CPU time by a control group for each server, ended children and threads included.".into(),
            "Tiempo de CPU por un grupo de control por servidor, con los hijos y los hilos terminados.".into(),
        ),
        Some(CpuAccounting::Proc) => say(
            "CPU time from /proc, which loses the last microseconds of every thread that ends: models with a thread per client look cheaper than they are.".into(),
            "Tiempo de CPU por /proc, que pierde los últimos microsegundos de cada hilo que termina: los modelos con un hilo por cliente parecen más baratos de lo que son.".into(),
        ),
        None => {}
    }
    if let Some(why) = &environment.switches_not_counted {
        say(
            format!("Context switches were not counted: {why}."),
            format!("No se contaron los cambios de contexto: {why}."),
        );
    }
    items
}

fn machine(facts: &Facts<'_>, language: Language) -> Details {
    let environment = &facts.run.environment;
    let unknown = || language.choose(|| "not known", || "no se sabe").to_owned();
    let mut table = Table::new(
        "",
        2,
        &[
            language.choose(|| "What", || "Qué"),
            language.choose(|| "Found", || "Lo que hay"),
        ],
    )
    .with_prose(&[1]);
    let mut row = |en: &str, es: &str, value: String| {
        table
            .rows
            .push(vec![language.choose(|| en, || es).into(), value.into()]);
    };
    let numbers: Vec<String> = environment.cpus.iter().map(usize::to_string).collect();
    row("Processor", "Procesador", environment.cpu_model.clone());
    row("CPUs", "CPU", numbers.join(", "));
    row(
        "Memory",
        "Memoria",
        format!("{} MiB", environment.memory_mib),
    );
    row("Kernel", "Núcleo", environment.kernel.clone());
    row(
        "Clock source",
        "Fuente del reloj",
        environment.clock_source.clone().unwrap_or_else(unknown),
    );
    row(
        "Frequency governor",
        "Regulador de frecuencia",
        environment.governor.clone().unwrap_or_else(unknown),
    );
    row("Limits", "Límites", environment.limits.join("; "));
    row(
        "Mitigations",
        "Mitigaciones",
        environment.mitigations.join("; "),
    );
    row(
        "Servers' environment",
        "Entorno de los servidores",
        environment.server_environment.join(" "),
    );
    row(
        "Generator's engine",
        "Motor del generador",
        environment.generator_engine.clone(),
    );
    row("Compiler", "Compilador", environment.rustc.clone());
    row("Hola", "Hola", version(facts, language));
    Details {
        anchor: "machine".into(),
        title: language
            .choose(
                || "The machine and the build",
                || "La máquina y la compilación",
            )
            .into(),
        word: None,
        parts: vec![SectionItem::Table(table)],
    }
}

/// Version, build and commit.
pub(crate) fn version(facts: &Facts<'_>, language: Language) -> String {
    let environment = &facts.run.environment;
    let commit = match &environment.commit {
        Some(commit) => format!("commit {commit}"),
        None => language
            .choose(|| "commit not known", || "commit desconocido")
            .into(),
    };
    let dirty = match environment.dirty {
        Some(true) => language.choose(
            || " with uncommitted changes",
            || " con cambios sin confirmar",
        ),
        _ => "",
    };
    format!(
        "{} ({}), {commit}{dirty}",
        environment.version, environment.build
    )
}

/// How to read a page, short.
pub(crate) fn reading(language: Language) -> Section {
    const ITEMS: [Text; 5] = [
        text(
            "A number in brackets is an interval of 95 %, taken over blocks: in each block every server is a fresh process.",
            "Los números entre corchetes son un intervalo del 95 %, tomado entre bloques: en cada bloque cada servidor es un proceso nuevo.",
        ),
        text(
            "1.25× means a quarter more than the control, the model with which the others of a level are compared.",
            "1,25× quiere decir un cuarto más que el control, el modelo con el que se comparan los demás de un nivel.",
        ),
        text(
            "“The same within ±5 %” is shown: the whole interval lies inside. “Undecided” is not a tie: smaller differences than the resolution were not to be seen.",
            "«Lo mismo, a menos de ±5 %» está demostrado: todo el intervalo cae dentro. «Sin decidir» no es un empate: no se podían ver diferencias menores que la resolución.",
        ),
        text(
            "p99 is the response time that 99 of 100 requests do not exceed, counted from the instant at which each was due.",
            "p99 es el tiempo de respuesta que 99 de cada 100 peticiones no superan, contado desde el instante en que tocaba cada una.",
        ),
        text(
            "A dash is a figure that was not measured; below the table stands why.",
            "Una raya es una cifra que no se midió; debajo de la tabla dice por qué.",
        ),
    ];
    Section {
        anchor: "reading".into(),
        title: language
            .choose(|| "How to read this", || "Cómo leer esto")
            .into(),
        parts: vec![SectionItem::Items(
            ITEMS.map(|item| language.of(item).to_owned()).into(),
        )],
    }
}

/// How the numbers were made, and where the data are.
pub(crate) fn method(facts: &Facts<'_>, language: Language) -> Section {
    const METHOD: Text = text(
        "Servers of all participants are alive at once. Each is loaded for a fraction of a second, in an order shuffled anew for \
         every cycle, so that the machine's drift meets all alike; each figure is compared with the control's of the same cycle. \
         Blocks are added until the interval is as narrow as the experiment asks or its time is used up, whatever is found.",
        "Los servidores de todos los participantes están vivos a la vez. Cada uno recibe carga durante una fracción de segundo, en \
         un orden que se baraja en cada ciclo, para que la deriva de la máquina afecte a todos por igual; cada cifra se compara \
         con la del control en el mismo ciclo. Se añaden bloques hasta que el intervalo es tan estrecho como pide el experimento \
         o se acaba su tiempo, se halle lo que se halle.",
    );
    let run = facts.run;
    let finished = run.finished_at.as_deref().unwrap_or(numbers::NONE);
    let facts_of_run = language.choose(
        || {
            format!(
                "Rules of analysis: version {}. Seed: {}. From {} to {finished}.",
                run.rules_version, run.seed, run.started_at
            )
        },
        || {
            format!(
                "Reglas de análisis: versión {}. Semilla: {}. De {} a {finished}.",
                run.rules_version, run.seed, run.started_at
            )
        },
    );
    let data = language.choose(
        || format!("Data: results/{0}/run.json (plan and machine) and blocks.jsonl (a line for each block). “hola report results/{0}” makes this report again.", run.name),
        || format!("Datos: results/{0}/run.json (plan y máquina) y blocks.jsonl (una línea por bloque). «hola report results/{0}» vuelve a hacer este informe.", run.name),
    );
    Section {
        anchor: "method".into(),
        title: language
            .choose(|| "Method and data", || "Método y datos")
            .into(),
        parts: vec![
            SectionItem::Text(language.of(METHOD).into()),
            SectionItem::Text(facts_of_run),
            SectionItem::Command(run.command.join(" ")),
            SectionItem::Text(data),
        ],
    }
}
