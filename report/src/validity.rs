//! What could affect the figures, how to read them, how they were made, and where the data are.

use hola_base::{Language, Text, text};
use hola_lab::metric::Metric;
use hola_lab::record::{CpuAccounting, Reading, Run};
use hola_verdict::analysis::{ControlResult, Controls, HEADLINE};

use crate::answer::shares_cpu;
use crate::document::{Section, SectionItem, Table, TableCell, Tone};
use crate::facts::Facts;
use crate::labels::{self, Sentences};
use crate::numbers;

/// The controls, the machine, and models whose cost depends on the process.
pub(crate) fn validity(facts: &Facts<'_>, language: Language) -> Section {
    let controls_title = language.choose(|| "Each control", || "Cada control");
    let controls = vec![SectionItem::Table(controls(facts, language))];
    let mut parts = vec![
        SectionItem::Text(controls_in_short(facts, language)),
        SectionItem::folded("controls", controls_title, controls),
    ];
    parts.extend(spread(facts, language).map(SectionItem::Text));
    parts.push(SectionItem::Items(circumstances(facts, language)));
    let machine_title = language.choose(
        || "The machine and the build",
        || "La máquina y la compilación",
    );
    let machine = vec![SectionItem::Table(machine(facts, language))];
    parts.push(SectionItem::folded("machine", machine_title, machine));
    let title = language.choose(
        || "How far the numbers can be trusted",
        || "Hasta dónde se puede confiar en los números",
    );
    Section::new("validity", title, parts)
}

fn controls_in_short(facts: &Facts<'_>, language: Language) -> String {
    let passed = |results: &[ControlResult]| results.iter().filter(|one| one.passes).count();
    let Controls { again, planted } = &facts.controls;
    let (passed, recovered) = (passed(again), passed(planted));
    let (again, planted) = (again.len(), planted.len());
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
    const AGAIN: Text = text("the control against itself", "el control frente a sí mismo");
    const PLANTED: Text = text("a planted difference", "una diferencia plantada");
    let result = |passes| match passes {
        true => (language.choose(|| "passed", || "pasó"), Tone::Good),
        false => (language.choose(|| "failed", || "no pasó"), Tone::Bad),
    };
    let row = |name, one: &ControlResult| {
        let (word, tone) = result(one.passes);
        vec![
            language.of(name).into(),
            format!("{}: {}", one.experiment, one.level).into(),
            TableCell::word((word.into(), tone)),
            TableCell::number(numbers::times(one.expected, language), one.expected),
            TableCell::comparison(Metric::CpuPerRequest, &one.measured, language),
        ]
    };
    let mut table = Table::new(3, COLUMNS.map(|column| language.of(column)));
    let again = facts.controls.again.iter().map(|one| row(AGAIN, one));
    let planted = facts.controls.planted.iter().map(|one| row(PLANTED, one));
    table.rows = again.chain(planted).collect();
    table
}

/// Each block starts a fresh process of each server, so a spread between blocks beyond that within them is a property
/// of the model.
fn spread(facts: &Facts<'_>, language: Language) -> Option<String> {
    /// Smallest spread between blocks to report, as a multiple of what the cycles within them explain.
    const BEYOND: f64 = 3.0;
    let cycles = f64::from(facts.level(HEADLINE)?.cycles.max(1));
    let cards = facts.cards(true).chain(facts.cards(false));
    let named = cards.filter_map(|card| {
        let ratio = facts.to_control(HEADLINE, &card.name, Metric::CpuPerRequest)?;
        let explained = ratio.within_sd? / cycles.sqrt();
        let is_beyond = explained > 0.0 && ratio.between_sd > BEYOND * explained;
        let spread = numbers::percent(ratio.between_sd.exp() - 1.0, language);
        is_beyond.then(|| format!("{} (±{spread})", card.name))
    });
    let named: Vec<String> = named.collect();
    let list = labels::list(&named, language)?;
    Some(language.choose(
        || format!("The cost of some models depends on the process: from one start to the next it varies more than within one. {list}."),
        || format!("El coste de algunos modelos depende del proceso: varía más de un arranque al siguiente que dentro de uno. {list}."),
    ))
}

/// The conditions on the machine during the run, good and bad.
fn circumstances(facts: &Facts<'_>, language: Language) -> Vec<String> {
    let environment = &facts.run.environment;
    let mut sentences = Sentences::new(language);
    if shares_cpu(facts) {
        sentences.add(
            "Servers and generator shared a CPU.",
            "Servidores y generador compartían una CPU.",
        );
    } else {
        sentences.add(
            "Servers and generator had a CPU each.",
            "Servidores y generador tenían cada uno su CPU.",
        );
    }
    if !environment.smt_siblings.is_empty() {
        let groups = environment.smt_siblings.join(", ");
        sentences.add(
            format!("CPUs {groups} are threads of one core: what one does slows the other."),
            format!(
                "Las CPU {groups} son hilos de un mismo núcleo: lo que hace una frena a la otra."
            ),
        );
    }
    if environment.virtualised {
        sentences.add(
            "Measured in a virtual machine.",
            "Medido en una máquina virtual.",
        );
    }
    match environment.steal_share {
        Some(share) => {
            let share = numbers::percent(share, language);
            sentences.add(
                format!("The hypervisor took {share} of the CPU time."),
                format!("El hipervisor se quedó con el {share} del tiempo de CPU."),
            );
        }
        None => sentences.add(
            "CPU time taken by a hypervisor is not known.",
            "No se sabe cuánto tiempo de CPU se quedó un hipervisor.",
        ),
    }
    if let Some(share) = disturbed_share(facts) {
        let share = numbers::percent(share, language);
        sentences.add(
            format!("Response times leave out {share} of the slices: it took a tick of them, or over half a hundredth of their cycles."),
            format!("Los tiempos de respuesta omiten el {share} de los turnos: se quedó con algún tic de ellos, o con más de media centésima de sus ciclos."),
        );
    }
    match environment.cpu_quota {
        Some(cpus) => {
            let cpus = numbers::plain(cpus, language);
            sentences.add(
                format!("A quota allowed {cpus} CPUs."),
                format!("Una cuota permitía {cpus} CPU."),
            );
        }
        None => sentences.add("No CPU quota.", "Sin cuota de CPU."),
    }
    if let Some(ms) = environment.throttled_ms {
        let time = numbers::duration_us(ms * 1e3, language);
        sentences.add(
            format!("Throttled by quotas: {time}."),
            format!("Frenado por cuotas: {time}."),
        );
    }
    let others = environment.other_comparisons;
    sentences.add(
        format!("Other comparisons seen at the same time: {others}."),
        format!("Otras comparaciones vistas a la vez: {others}."),
    );
    let load = |value: f64| numbers::plain(value, language);
    let after = environment.load_after.map_or(numbers::NONE.into(), load);
    let before = load(environment.load_before);
    sentences.add(
        format!("Load average: {before} before, {after} after."),
        format!("Carga media: {before} antes, {after} después."),
    );
    match environment.accounted_by {
        Some(CpuAccounting::Cgroup) => sentences.add(
            "CPU time by a control group for each server, ended children and threads included.",
            "Tiempo de CPU por un grupo de control por servidor, con los hijos y los hilos terminados.",
        ),
        Some(CpuAccounting::Proc) => sentences.add(
            "CPU time from /proc, which loses the last microseconds of every thread that ends: models with a thread per client look cheaper than they are.",
            "Tiempo de CPU por /proc, que pierde los últimos microsegundos de cada hilo que termina: los modelos con un hilo por cliente parecen más baratos de lo que son.",
        ),
        None => {}
    }
    if let Some(why) = &environment.switches_not_counted {
        sentences.add(
            format!("Context switches were not counted: {why}."),
            format!("No se contaron los cambios de contexto: {why}."),
        );
    }
    sentences.list
}

/// Slices that the hypervisor disturbed, of all that count; `None` if there are none.
fn disturbed_share(facts: &Facts<'_>) -> Option<f64> {
    let readings = || facts.blocks.iter().flat_map(|block| &block.readings);
    let counted = readings().flat_map(Reading::counted).count();
    let undisturbed = readings().flat_map(Reading::undisturbed).count();
    (undisturbed < counted).then(|| 1.0 - undisturbed as f64 / counted as f64)
}

fn machine(facts: &Facts<'_>, language: Language) -> Table {
    let environment = &facts.run.environment;
    let unknown = || language.choose(|| "not known", || "no se sabe").to_owned();
    let numbers: Vec<String> = environment.cpus.iter().map(usize::to_string).collect();
    let memory = format!("{} MiB", environment.memory_mib);
    let clock = environment.clock_source.clone().unwrap_or_else(unknown);
    let governor = environment.governor.clone().unwrap_or_else(unknown);
    let servers = environment.server_environment.join(" ");
    let rows = [
        ("Processor", "Procesador", environment.cpu_model.clone()),
        ("CPUs", "CPU", numbers.join(", ")),
        ("Memory", "Memoria", memory),
        ("Kernel", "Núcleo", environment.kernel.clone()),
        ("Clock source", "Fuente del reloj", clock),
        ("Frequency governor", "Regulador de frecuencia", governor),
        ("Limits", "Límites", environment.limits.join("; ")),
        (
            "Mitigations",
            "Mitigaciones",
            environment.mitigations.join("; "),
        ),
        ("Servers' environment", "Entorno de los servidores", servers),
        (
            "Generator's engine",
            "Motor del generador",
            environment.generator_engine.clone(),
        ),
        ("Compiler", "Compilador", environment.rustc.clone()),
        ("Hola", "Hola", version(facts, language)),
    ];
    let titles = language.choose(|| ["What", "Found"], || ["Qué", "Lo que hay"]);
    let mut table = Table::new(2, titles).with_prose(&[1]);
    let row = |(en, es, value): (&str, &str, String)| {
        vec![language.choose(|| en, || es).into(), value.into()]
    };
    table.rows = rows.map(row).into();
    table
}

/// Version, build and commit.
pub(crate) fn version(facts: &Facts<'_>, language: Language) -> String {
    let environment = &facts.run.environment;
    let unknown = language.choose(|| "not known", || "desconocido");
    let commit = environment.commit.as_deref().unwrap_or(unknown);
    let dirty = match environment.dirty {
        Some(true) => language.choose(
            || " with uncommitted changes",
            || " con cambios sin confirmar",
        ),
        _ => "",
    };
    let (version, build) = (&environment.version, &environment.build);
    format!("{version} ({build}), commit {commit}{dirty}")
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
    let items = ITEMS.map(|item| language.of(item).to_owned());
    let title = language.choose(|| "How to read this", || "Cómo leer esto");
    Section::new("reading", title, vec![SectionItem::Items(items.into())])
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
    let Run {
        name,
        rules_version: rules,
        seed,
        started_at: started,
        ..
    } = facts.run;
    let finished = facts.run.finished_at.as_deref().unwrap_or(numbers::NONE);
    let facts_of_run = language.choose(
        || {
            format!(
                "Rules of analysis: version {rules}. Seed: {seed}. From {started} to {finished}."
            )
        },
        || {
            format!(
                "Reglas de análisis: versión {rules}. Semilla: {seed}. De {started} a {finished}."
            )
        },
    );
    let data = language.choose(
        || format!("Data: results/{name}/run.json (plan and machine) and blocks.jsonl (a line for each block). “hola report results/{name}” makes this report again."),
        || format!("Datos: results/{name}/run.json (plan y máquina) y blocks.jsonl (una línea por bloque). «hola report results/{name}» vuelve a hacer este informe."),
    );
    let parts = vec![
        SectionItem::Text(language.of(METHOD).into()),
        SectionItem::Text(facts_of_run),
        SectionItem::Command(shell_line(&facts.run.command)),
        SectionItem::Text(data),
    ];
    let title = language.choose(|| "Method and data", || "Método y datos");
    Section::new("method", title, parts)
}

/// The command as a line for a shell: words with other than plain characters are quoted.
fn shell_line(command: &[String]) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-=,./:_".contains(&byte);
    let words = command.iter().map(|word| match word.bytes().all(is_plain) {
        true => word.into(),
        // No argument of a process holds a NUL, which alone cannot be quoted.
        false => shlex::try_quote(word).unwrap_or(word.into()),
    });
    words.collect::<Vec<_>>().join(" ")
}
