//! Every sentence about two runs side by side, in both languages.

use hola_servers::models::Bilingual;

use crate::analysis::difference::{Side, Unmatched, Verdict, Why};
use crate::analysis::mismatch::{Mismatch, Property};
use crate::claims::changes::Changes;
use crate::experiments::level_name;
use crate::language::{Language, text};
use crate::report::{numbers, words as report};

pub(super) const SIDES: [Bilingual; 2] = [text("Base", "Base"), text("Candidate", "Candidata")];
pub(super) const SUM: Bilingual = text("In all", "En total");
pub(super) const UNMATCHED: Bilingual =
    text("In one of the runs only", "Solo en una de las ejecuciones");
pub(super) const CLAIMS: Bilingual = text("Claims", "Afirmaciones");
pub(super) const RUNS: Bilingual = text("The runs", "Las ejecuciones");
pub(super) const READING: Bilingual = text("How to read this", "Cómo leer esto");
pub(super) const CHANGE_COLUMNS: [Bilingual; 10] = [
    report::EXPERIMENT,
    report::LEVEL,
    report::MODEL,
    report::METRIC,
    SIDES[0],
    SIDES[1],
    text("Candidate ÷ base", "Candidata ÷ base"),
    report::P_HOLM,
    report::FLOOR,
    report::VERDICT,
];
pub(super) const SHARED: Bilingual = text("All models together", "Todos los modelos a la vez");
pub(super) const SHARED_MEANS: Bilingual = text(
    "Three quarters of the cells of an experiment moved the same way, by this factor at least. No model by itself can be the \
     cause: the machine was faster or slower, or the code is that all models are made of. What follows is about what a cell \
     moved beyond that.",
    "Tres cuartos de las celdas de un experimento se movieron en el mismo sentido, al menos por este factor. La causa no puede \
     ser un solo modelo: la máquina iba más deprisa o más despacio, o lo hace el código del que están hechos todos. Lo que sigue \
     trata de lo que una celda se movió más allá de eso.",
);
pub(super) const SHARED_COLUMNS: [Bilingual; 5] = [
    report::EXPERIMENT,
    report::METRIC,
    text("At least", "Al menos"),
    report::FLOOR,
    report::VERDICT,
];
pub(super) const CLAIM_COLUMNS: [Bilingual; 3] = [
    text("Claim", "Afirmación"),
    text("Before", "Antes"),
    text("After", "Después"),
];
pub(super) const RUN_COLUMNS: [Bilingual; 4] = [
    text("", ""),
    text("Run", "Ejecución"),
    text("Started", "Comienzo"),
    text("Hola", "Hola"),
];
pub(super) const METHOD: Bilingual = text(
    "A cell here is one figure of one model at one level: medians over ranked trials, and their ratio with a 95 % interval, \
     each run resampled by itself. It differs if, beyond what all models share, the interval leaves out 1, the ratio is beyond the larger noise floor of \
     the two runs, and an exact Mann–Whitney test agrees after Holm’s correction. Where trials are too few for any p-value to \
     survive that, the first two decide; of three trials against three, all of the interval has to be beyond the floor.",
    "Una celda es aquí una cifra de un modelo en un nivel: medianas de los ensayos que cuentan, y su razón con un intervalo del \
     95 %, cada ejecución remuestreada por separado. Difiere si, más allá de lo que comparten todos los modelos, el intervalo no contiene el 1, la razón está más allá del \
     mayor ruido de fondo de las dos ejecuciones, y una prueba exacta de Mann–Whitney lo confirma tras la corrección de Holm. \
     Donde hay tan pocos ensayos que ningún valor p puede sobrevivir a eso, deciden las dos primeras; con tres ensayos contra \
     tres, todo el intervalo tiene que estar más allá del ruido.",
);

pub(super) fn title(base: &str, candidate: &str) -> String {
    format!("{base} → {candidate}")
}

/// Heading of the changes of one kind.
pub(super) fn heading(verdict: Verdict, count: usize, language: Language) -> String {
    let kind = match (verdict, count) {
        (Verdict::Worse, 0) => {
            return language
                .of(text("Nothing became worse", "Nada ha empeorado"))
                .to_owned();
        }
        (Verdict::Better, 0) => {
            return language
                .of(text("Nothing became better", "Nada ha mejorado"))
                .to_owned();
        }
        (Verdict::Worse, _) => text("Worse", "Peor"),
        (Verdict::Better, _) => text("Better", "Mejor"),
        (Verdict::Same, _) => text("The same", "Igual"),
        (Verdict::TooFew, _) => text("Too few trials", "Faltan ensayos"),
    };
    format!("{}: {count}", language.of(kind))
}

pub(super) fn verdict(verdict: Verdict, language: Language) -> &'static str {
    language.of(match verdict {
        Verdict::Worse => text("worse", "peor"),
        Verdict::Better => text("better", "mejor"),
        Verdict::Same => text("same", "igual"),
        Verdict::TooFew => report::TOO_FEW,
    })
}

pub(super) fn same(same: usize, judged: usize, too_few: usize, language: Language) -> String {
    let cells = cells(judged, language);
    let rest = match too_few {
        0 => String::new(),
        _ => language.choose(
            || format!(" {too_few} more have too few trials to tell."),
            || format!(" Otras {too_few} tienen pocos ensayos para decidir."),
        ),
    };
    language.choose(
        || format!("{same} of {cells} are the same.{rest}"),
        || format!("{same} de {cells} son iguales.{rest}"),
    )
}

pub(super) fn different(
    different: usize,
    judged: usize,
    share: &str,
    language: Language,
) -> String {
    let cells = cells(judged, language);
    language.choose(
        || {
            format!(
                "{different} of {cells} differ: {share}. Between two runs of one build on one machine, that is the share of \
                 false alarms."
            )
        },
        || {
            format!(
                "{different} de {cells} difieren: {share}. Entre dos ejecuciones de una misma compilación en una misma máquina, \
                 esa es la proporción de falsas alarmas."
            )
        },
    )
}

fn cells(count: usize, language: Language) -> String {
    match count {
        1 => language.of(text("1 cell", "1 celda")).to_owned(),
        _ => language.choose(|| format!("{count} cells"), || format!("{count} celdas")),
    }
}

fn side(side: Side, language: Language) -> &'static str {
    language.of(match side {
        Side::Base => text("the base", "la base"),
        Side::Candidate => text("the candidate", "la candidata"),
    })
}

/// What speaks against the comparison, in a sentence.
pub(super) fn warning(mismatch: &Mismatch<'_>, language: Language) -> String {
    match mismatch {
        Mismatch::Incomplete(one) => {
            let side = side(*one, language);
            language.choose(
                || format!("Not every planned trial of {side} was made."),
                || format!("No se hicieron todos los ensayos planeados de {side}."),
            )
        }
        Mismatch::Environment(property, base, candidate) => {
            let property = language.of(self::property(*property));
            let [base, candidate] = [base, candidate].map(|value| match value.is_empty() {
                true => language.of(report::UNKNOWN),
                false => value,
            });
            language.choose(
                || format!("{property} of the base: {base}; of the candidate: {candidate}."),
                || format!("{property} de la base: {base}; de la candidata: {candidate}."),
            )
        }
        Mismatch::TrialS(experiment, base, candidate) => {
            let [base, candidate] = [base, candidate].map(|time| numbers::tick(*time, language));
            language.choose(
                || format!("{experiment}: a trial of the base lasts {base} s, of the candidate {candidate} s."),
                || format!("{experiment}: un ensayo de la base dura {base} s; de la candidata, {candidate} s."),
            )
        }
        Mismatch::Servers(experiment) => language.choose(
            || format!("{experiment}: the servers had other settings or other CPUs."),
            || format!("{experiment}: los servidores tenían otros ajustes u otras CPU."),
        ),
        Mismatch::Level(experiment, level) => {
            let level = level_name(level, language);
            language.choose(
                || format!("{experiment}, {level}: the load is not the same in both runs."),
                || format!("{experiment}, {level}: la carga no es la misma en ambas ejecuciones."),
            )
        }
    }
}

fn property(property: Property) -> Bilingual {
    match property {
        Property::CpuModel => text("Processor", "Procesador"),
        Property::Cpus => text("CPUs", "CPU"),
        Property::Kernel => text("Kernel", "Núcleo"),
        Property::Build => text("Build profile", "Perfil de compilación"),
        Property::Rustc => text("Compiler", "Compilador"),
        Property::Commit => text("Commit", "Commit"),
    }
}

/// What only one run has ranked trials of: one thing at several levels.
pub(super) fn unmatched(alike: &[Unmatched<'_>], language: Language) -> String {
    let Some(first) = alike.first() else {
        return String::new();
    };
    let mut what = first.experiment.to_owned();
    if let Some((model, _)) = first.cell {
        let levels = alike.iter().filter_map(|one| Some(one.cell?.1));
        let levels: Vec<_> = levels.map(|level| level_name(level, language)).collect();
        what.push_str(&format!(", {model}, {}", levels.join(" · ")));
    }
    if let Some(metric) = first.metric {
        what.push_str(&format!(", {}", report::metric(metric, language)));
    }
    let (has, other) = match first.only {
        Side::Base => (Side::Base, Side::Candidate),
        Side::Candidate => (Side::Candidate, Side::Base),
    };
    let [has, other] = [has, other].map(|one| side(one, language));
    let why = language.of(match first.why {
        Why::NotMade => text("made no trial", "no hizo ningún ensayo"),
        Why::NotRanked => text("has none that may be ranked", "no tiene ninguno que cuente"),
    });
    let lost = match first.is_lost() {
        true => language.of(text(
            " This counts as worse.",
            " Esto cuenta como empeorar.",
        )),
        false => "",
    };
    language.choose(
        || format!("{what}: only {has} has it; {other} {why}.{lost}"),
        || format!("{what}: solo {has} lo tiene; {other} {why}.{lost}"),
    )
}

/// How many verdicts on claims agree.
pub(super) fn agreement(claims: &Changes, language: Language) -> String {
    let not_measured = match (claims.not_measured, language) {
        (0, _) => String::new(),
        (1, Language::English) => " 1 claim was measured by neither run.".to_owned(),
        (1, Language::Spanish) => " 1 afirmación no la midió ninguna de las dos.".to_owned(),
        (count, Language::English) => format!(" {count} claims were measured by neither run."),
        (count, Language::Spanish) => {
            format!(" {count} afirmaciones no las midió ninguna de las dos.")
        }
    };
    let (agreeing, measured) = (claims.agreeing, claims.measured());
    language.choose(
        || format!("{agreeing} of {measured} verdicts agree.{not_measured}"),
        || format!("{agreeing} de {measured} veredictos coinciden.{not_measured}"),
    )
}
