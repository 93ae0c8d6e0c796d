//! The tables of a class: claims, votes, machines.

use hola_base::{Language, Text, text};
use hola_verdict::Estimate;
use hola_verdict::claims::Verdict;
use hola_verdict::class::{
    ClaimVotes, JudgedRun, Machine, MachineProperty, MachineVote, QuantitySummary,
};

use super::ClassView;
use crate::document::{SectionItem, Table, TableCell};
use crate::{labels, numbers};

/// Verdicts that are votes, in the order of columns.
const VOTES: [Verdict; 4] = [
    Verdict::Holds,
    Verdict::Fails,
    Verdict::Depends,
    Verdict::Undecided,
];

const MEAN: Text = text(
    "Mean of the machines [95 %]",
    "Media de las máquinas [95 %]",
);
const SPREAD: Text = text("Spread between machines", "Dispersión entre máquinas");
const NEXT: Text = text("One more machine [95 %]", "Una máquina más [95 %]");

/// A property of a machine, in words.
pub(super) fn property(property: MachineProperty, language: Language) -> &'static str {
    language.of(match property {
        MachineProperty::Cpus => text("number of CPUs", "número de CPU"),
        MachineProperty::Kernel => text("kernel", "núcleo del sistema"),
        MachineProperty::Virtual => text("virtual machine", "máquina virtual"),
    })
}

/// A value of a property, in words.
pub(super) fn property_value(value: &str, language: Language) -> &str {
    match value {
        "yes" => language.choose(|| "yes", || "sí"),
        _ => value,
    }
}

/// Numbers of machines by verdict.
pub(super) fn counts(count: impl Fn(Verdict) -> usize) -> impl Iterator<Item = TableCell> {
    VOTES.map(|verdict| whole(count(verdict))).into_iter()
}

/// Titles of the columns of [`counts()`].
pub(super) fn verdict_titles(language: Language) -> [String; 4] {
    VOTES.map(|verdict| labels::verdict(verdict, language).0)
}

/// A whole number.
pub(super) fn whole(number: usize) -> TableCell {
    let value = hola_verdict::statistics::count(number);
    TableCell::number(number.to_string(), value)
}

/// Titles of the columns of [`effects()`].
pub(super) fn effect_titles(language: Language) -> [String; 3] {
    [MEAN, SPREAD, NEXT].map(|title| language.of(title).into())
}

/// The summary of a quantity over machines: mean, spread, one more machine.
pub(super) fn effects(quantity: Option<&QuantitySummary>, language: Language) -> [TableCell; 3] {
    let Some(effects) = quantity.and_then(|one| one.effects) else {
        return [(); 3].map(|()| numbers::NONE.into());
    };
    let (low, _) = effects.prediction;
    [
        TableCell::number(
            numbers::estimate(&effects.mean, language),
            effects.mean.value,
        ),
        TableCell::number(numbers::times(effects.tau.exp(), language), effects.tau),
        TableCell::number(numbers::ends(effects.prediction, language), low),
    ]
}

/// A row per claim that any machine measured.
pub(super) fn claims(view: ClassView<'_>, language: Language) -> Table {
    const CLAIM: Text = text("Claim", "Afirmación");
    const TESTED: Text = text("Most votes rest on", "La mayoría de los votos se apoya en");
    const DEPENDS: Text = text("Depends on", "Depende de");
    const MISSING: Text = text("Measured on no machine", "No medidas en ninguna máquina");
    let mut titles = vec![language.of(CLAIM).to_owned()];
    titles.extend(verdict_titles(language));
    titles.extend(effect_titles(language));
    titles.extend([TESTED, DEPENDS].map(|title| language.of(title).to_owned()));
    let mut table = Table::new(1, titles).with_prose(&[8, 9]);
    for column in &mut table.columns[8..] {
        column.is_numeric = false;
    }
    let (measured, missing): (Vec<&ClaimVotes>, Vec<_>) = view
        .class
        .claims
        .iter()
        .partition(|one| one.leading().is_some());
    for one in measured {
        let statement = language.of(one.claim.statement);
        let link = format!("#{}-claim-{}", language.tag(), one.claim.id);
        let name = TableCell::name(one.claim.id, statement).linked(Some(link));
        let key = one.key_quantity();
        let tested = key.map_or(numbers::NONE, |key| key.what.in_language(language));
        let dependent = one.properties.iter().filter(|votes| votes.is_dependent());
        let dependent: Vec<&str> = dependent
            .map(|votes| property(votes.property, language))
            .collect();
        let mut row = vec![name];
        row.extend(counts(|verdict| one.count(verdict)));
        row.extend(effects(key, language));
        row.push(tested.into());
        row.push(dependent.join(", ").into());
        table.rows.push(row);
    }
    let missing: Vec<&str> = missing.iter().map(|one| one.claim.id).collect();
    if !missing.is_empty() {
        let title = language.of(MISSING);
        table
            .notes
            .push(format!("{title}: {}.", missing.join(", ")));
    }
    if !table.rows.is_empty() {
        table.leave_out_empty_columns(numbers::NONE);
    }
    table
}

/// A row per machine, and a column per claim that any machine measured.
pub(super) fn votes(view: ClassView<'_>, language: Language) -> Table {
    let claims = view.class.claims.iter();
    let claims: Vec<&ClaimVotes> = claims.filter(|one| one.leading().is_some()).collect();
    let machine = language.choose(|| "Machine", || "Máquina").to_owned();
    let titles = claims.iter().map(|one| one.claim.id.to_owned());
    let mut table = Table::new(1, [machine].into_iter().chain(titles));
    for (index, machine) in view.class.machines.iter().enumerate() {
        let vote = |claim: &&ClaimVotes| {
            let vote = claim.votes.iter().find(|vote| vote.machine == index);
            vote.map_or(numbers::NONE.into(), |own| {
                let run = view.class.run_of(own);
                let link = view.claim_in_run(run, claim.claim.id, language);
                self::vote(own, language).linked(link)
            })
        };
        let link = format!("#{}-{}", language.tag(), anchor(machine));
        let mut row = vec![TableCell::from(machine.name.as_str()).linked(Some(link))];
        row.extend(claims.iter().map(vote));
        table.rows.push(row);
    }
    table
}

/// A verdict, and below it the interval of what it rests on.
pub(super) fn vote(vote: &MachineVote, language: Language) -> TableCell {
    let findings = vote.decision.key_findings().into_iter();
    let estimates = findings.filter_map(|finding| finding.estimate.as_ref().ok());
    let estimates: Vec<&Estimate> = estimates.collect();
    let intervals = estimates.iter().map(|one| numbers::estimate(one, language));
    let intervals: Vec<String> = intervals.collect();
    TableCell {
        below: (!intervals.is_empty()).then(|| intervals.join("; ")),
        value: estimates.first().map(|one| one.value),
        ..TableCell::word(labels::verdict(vote.decision.verdict, language))
    }
}

/// The anchor of a machine, without the language.
pub(super) fn anchor(machine: &Machine) -> String {
    format!("machine-{:.12}", machine.id())
}

/// The machines, each with its properties and its runs.
pub(super) fn machines(view: ClassView<'_>, language: Language) -> Vec<SectionItem> {
    let machines = view.class.machines.iter();
    let fold = |machine: &Machine| {
        let parts = vec![
            SectionItem::Text(properties(machine, language)),
            SectionItem::Table(runs(view, machine, language)),
        ];
        SectionItem::folded(&anchor(machine), &machine.name, parts)
    };
    machines.map(fold).collect()
}

fn properties(machine: &Machine, language: Language) -> String {
    let environment = &machine.newest().environment;
    let (model, cpus) = (&environment.cpu_model, environment.cpus.len());
    let (kernel, memory) = (&environment.kernel, environment.memory_mib);
    let is_virtual = match environment.virtualised {
        true => language.choose(|| "a virtual machine", || "una máquina virtual"),
        false => language.choose(|| "not a virtual machine", || "no es una máquina virtual"),
    };
    language.choose(
        || {
            format!(
                "{model}; CPUs used: {cpus}; memory: {memory} MiB; kernel {kernel}; {is_virtual}."
            )
        },
        || {
            format!(
                "{model}; CPU usadas: {cpus}; memoria: {memory} MiB; núcleo {kernel}; {is_virtual}."
            )
        },
    )
}

fn runs(view: ClassView<'_>, machine: &Machine, language: Language) -> Table {
    const COLUMNS: [Text; 4] = [
        text("Run", "Ejecución"),
        text("Profile", "Perfil"),
        text("Kernel", "Núcleo"),
        text("Hola", "Hola"),
    ];
    let mut table = Table::new(4, COLUMNS.map(|column| language.of(column)));
    let row = |run: &JudgedRun| {
        let link = view.run_page.map(|page| page(run));
        vec![
            TableCell::from(run.identity.label.as_str()).linked(link),
            run.profile.name().into(),
            run.environment.kernel.as_str().into(),
            run.environment.version.as_str().into(),
        ]
    };
    table.rows = machine.runs.iter().map(row).collect();
    table
}
