//! Many machines' verdicts on the claims: one page in two languages, Markdown and JSON.

mod claim;
mod data;
mod tables;

use hola_base::{LANGUAGES, Language, Text, text};
use hola_verdict::claims::Verdict;
use hola_verdict::class::{ClaimVotes, Class, JudgedRun, MachineProperty};
use hola_verdict::{MACHINES_MIN, RULES_VERSION};

use crate::document::{Notice, Page, Section, SectionItem, Tone};
use crate::labels::{self, Sentences};
use crate::markdown::MarkdownBlocks;
use crate::terminal::TerminalText;
use crate::{ANSWER, html};

pub(crate) use self::claim::word;
pub use self::data::schema;

/// A class, and what its page shows of it.
#[derive(Clone, Copy)]
pub struct ClassView<'c> {
    /// The machines and their votes.
    pub class: &'c Class,
    /// Number of folders that could not be read.
    pub unread: usize,
    /// The page of a run, relative to this one, if runs have pages.
    pub(crate) run_page: Option<fn(&JudgedRun) -> String>,
}

impl<'c> ClassView<'c> {
    /// A class whose runs have no pages.
    pub fn new(class: &'c Class, unread: usize) -> Self {
        ClassView {
            class,
            unread,
            run_page: None,
        }
    }

    /// The place in a run's page where it decides a claim.
    fn claim_in_run(&self, run: &JudgedRun, claim: &str, language: Language) -> Option<String> {
        let page = self.run_page?(run);
        Some(format!("{page}#{}-claim-{claim}", language.tag()))
    }
}

/// Every file of a class, as name and text. The same runs give the same bytes.
pub fn files(view: ClassView<'_>) -> Vec<(String, String)> {
    let versions = LANGUAGES.map(|language| page(view, language));
    let mut files = vec![("class.json", data::json(view))];
    for page in &versions {
        let name = page.language.choose(|| "class.md", || "class.es.md");
        files.push((name, markdown(page)));
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    files.insert(0, ("class.html", html::page(&versions, &names)));
    let files = files.into_iter();
    files.map(|(name, text)| (name.into(), text)).collect()
}

/// The answer for a terminal.
pub fn summary(view: ClassView<'_>, language: Language) -> String {
    let mut lines = TerminalText::default();
    lines.notices(&notices(view, language));
    lines.paragraphs(&sentences(view, language));
    lines.finish()
}

/// The page in one language.
pub(crate) fn page(view: ClassView<'_>, language: Language) -> Page {
    const TITLE: Text = text(
        "Threads, processes or async? On many machines",
        "¿Hilos, procesos o asíncrono? En muchas máquinas",
    );
    const CLAIMS: Text = text(
        "What people say, machine by machine",
        "Lo que se dice, máquina a máquina",
    );
    const MACHINES: Text = text("Machines", "Máquinas");
    const READING: Text = text("How to read it", "Cómo leerlo");
    let measured = view
        .class
        .claims
        .iter()
        .filter(|one| one.leading().is_some());
    let mut claims = vec![SectionItem::Table(tables::claims(view, language))];
    claims.extend(measured.map(|one| SectionItem::Details(claim::details(view, one, language))));
    let mut machines = vec![SectionItem::Table(tables::votes(view, language))];
    machines.extend(tables::machines(view, language));
    Page {
        language,
        title: language.of(TITLE).into(),
        notices: notices(view, language),
        answer_title: language.of(ANSWER).into(),
        answer: sentences(view, language),
        sections: vec![
            Section::new("claims", language.of(CLAIMS), claims),
            Section::new("machines", language.of(MACHINES), machines),
            Section::new("reading", language.of(READING), vec![reading(language)]),
        ],
    }
}

/// The page as Markdown: folded content and charts are only in the HTML page.
fn markdown(page: &Page) -> String {
    let mut blocks = MarkdownBlocks::default();
    blocks.title(&page.title);
    blocks.notices(&page.notices);
    blocks.heading(&page.answer_title);
    blocks.items(&page.answer);
    for section in &page.sections {
        blocks.section(section);
    }
    blocks.finish()
}

/// What the reader must know first.
fn notices(view: ClassView<'_>, language: Language) -> Vec<Notice> {
    let mut notices = Vec::new();
    let mut notice = |tone, en: String, es: String| {
        let text = language.choose(|| en, || es);
        notices.push(Notice { text, tone });
    };
    if view.unread > 0 {
        notice(
            Tone::Bad,
            format!(
                "Left out, because they could not be read: {} folders.",
                view.unread
            ),
            format!(
                "Excluidas, porque no se pudieron leer: {} carpetas.",
                view.unread
            ),
        );
    }
    let other_rules = view
        .class
        .runs()
        .filter(|run| run.rules_version != RULES_VERSION);
    let other_rules = other_rules.count();
    if other_rules > 0 {
        notice(
            Tone::Bad,
            format!(
                "Made under other rules than those of version {RULES_VERSION}, by which they are judged here: {other_rules} runs. Measure them again."
            ),
            format!(
                "Hechas con otras reglas que las de la versión {RULES_VERSION}, con las que se juzgan aquí: {other_rules} ejecuciones. Mídalas de nuevo."
            ),
        );
    }
    if view.class.machines.len() < MACHINES_MIN {
        notice(
            Tone::Neutral,
            format!("A summary over machines needs at least {MACHINES_MIN} of them."),
            format!("Un resumen de varias máquinas necesita al menos {MACHINES_MIN}."),
        );
    }
    notices
}

/// The answer: on how many machines claims hold, and on what that depends.
fn sentences(view: ClassView<'_>, language: Language) -> Vec<String> {
    let class = view.class;
    let mut sentences = Sentences::new(language);
    let (machines, runs) = (class.machines.len(), class.runs().count());
    sentences.add(
        format!("Machines: {machines}; runs: {runs}. Each machine has one vote on a claim."),
        format!("Máquinas: {machines}; ejecuciones: {runs}. Cada máquina tiene un voto sobre una afirmación."),
    );
    let count = |only: Verdict, never: Verdict| {
        let those = class
            .claims
            .iter()
            .filter(|one| one.count(only) > 0 && one.count(never) == 0);
        those.count()
    };
    let all = class.claims.len();
    let (hold, fail) = (
        count(Verdict::Holds, Verdict::Fails),
        count(Verdict::Fails, Verdict::Holds),
    );
    sentences.add(
        format!("Of {all} claims, {hold} hold on some machines and fail on none; {fail} fail on some and hold on none."),
        format!("De {all} afirmaciones, {hold} se cumplen en algunas máquinas y en ninguna dejan de cumplirse; {fail} no se cumplen en algunas y en ninguna se cumplen."),
    );
    let disputed = class.claims.iter().filter(|one| one.is_disputed());
    let disputed: Vec<String> = disputed.map(|one| one.claim.id.into()).collect();
    if let Some(disputed) = labels::list(&disputed, language) {
        sentences.add(
            format!("They hold on some machines and fail on others: {disputed}."),
            format!("Se cumplen en unas máquinas y en otras no: {disputed}."),
        );
    }
    for property in MachineProperty::ALL {
        let is_dependent = |one: &&ClaimVotes| {
            let mut properties = one.properties.iter();
            properties.any(|votes| votes.property == property && votes.is_dependent())
        };
        let dependent = class.claims.iter().filter(is_dependent);
        let dependent: Vec<String> = dependent.map(|one| one.claim.id.into()).collect();
        if let Some(dependent) = labels::list(&dependent, language) {
            let name = tables::property(property, language);
            sentences.add(
                format!("The verdict depends on this property of the machine: {name}. Claims: {dependent}."),
                format!("El veredicto depende de esta propiedad de la máquina: {name}. Afirmaciones: {dependent}."),
            );
        }
    }
    sentences.list
}

fn reading(language: Language) -> SectionItem {
    const ITEMS: [Text; 5] = [
        text(
            "A machine has one vote on a claim, however many runs it made: that of its full run before a quick one, of a \
             complete run before an incomplete one, and of the newest. Its interval is at 95 %, over blocks.",
            "Una máquina tiene un voto sobre una afirmación, por muchas ejecuciones que haya hecho: el de su ejecución \
             completa antes que el de una rápida, el de una acabada antes que el de una sin acabar, y el de la más \
             reciente. Su intervalo es del 95 %, sobre bloques.",
        ),
        text(
            "The mean is that of the logarithms of the machines' ratios (random effects: Paule and Mandel; interval of \
             Hartung, Knapp, Sidik and Jonkman). Microseconds of different machines are never put together.",
            "La media es la de los logaritmos de las razones de las máquinas (efectos aleatorios: Paule y Mandel; \
             intervalo de Hartung, Knapp, Sidik y Jonkman). Nunca se juntan microsegundos de máquinas distintas.",
        ),
        text(
            "The spread is the standard deviation of the machines' true ratios, as a factor: with 1.10× about two \
             machines of three lie within a tenth of the mean. The true ratio of one more machine lies within the last \
             interval, with 95 % confidence, if it is such a machine as these.",
            "La dispersión es la desviación típica de las razones verdaderas de las máquinas, como factor: con 1,10× unas \
             dos máquinas de cada tres quedan a menos de un décimo de la media. La razón verdadera de una máquina más \
             queda dentro del último intervalo, con una confianza del 95 %, si es una máquina como estas.",
        ),
        text(
            "A verdict depends on a property if the machines that have it hold and fail significantly otherwise than the \
             rest (Fisher's exact test, Holm's correction over all claims and properties). Few machines can show no \
             dependence, and dependence is no cause.",
            "Un veredicto depende de una propiedad si en las máquinas que la tienen se cumple o no de forma \
             significativamente distinta que en las demás (prueba exacta de Fisher, corrección de Holm sobre todas las \
             afirmaciones y propiedades). Pocas máquinas no pueden mostrar dependencia, y dependencia no es causa.",
        ),
        text(
            "Machines of the same make count as one, unless they were told apart by their folders.",
            "Las máquinas iguales cuentan como una, salvo que se hayan distinguido por sus carpetas.",
        ),
    ];
    SectionItem::Items(ITEMS.map(|item| language.of(item).into()).into())
}
