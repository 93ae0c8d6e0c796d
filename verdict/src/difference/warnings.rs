//! Warnings: reasons not to trust the comparison of two runs.

use hola_lab::record::{Run, RunStatus, StoredText};

/// What should be the same in both runs, in English and in Spanish.
const NAMES: [[&str; 2]; 13] = [
    ["The rules that judged them", "Las reglas que los juzgaron"],
    ["The profiles", "Los perfiles"],
    ["The processors", "Los procesadores"],
    ["The kernels", "Los núcleos del sistema"],
    ["The CPUs used", "Las CPU usadas"],
    ["The CPU quotas", "Las cuotas de CPU"],
    ["The mitigations", "Las mitigaciones"],
    ["The frequency governors", "Los gobernadores de frecuencia"],
    ["The limits", "Los límites"],
    [
        "The ways of counting CPU time",
        "Las formas de contar el tiempo de CPU",
    ],
    [
        "The load generator's engines",
        "Los motores del generador de carga",
    ],
    ["The compilers", "Los compiladores"],
    ["The builds", "Las compilaciones"],
];

/// The values of [`NAMES`] in a run.
fn values(run: &Run) -> [String; NAMES.len()] {
    let environment = &run.environment;
    let quota = environment.cpu_quota.map(|quota| quota.to_string());
    let none = || "-".to_owned();
    [
        run.rules_version.to_string(),
        run.profile.name().into(),
        environment.cpu_model.clone(),
        environment.kernel.clone(),
        format!("{:?}", environment.cpus),
        quota.unwrap_or_else(none),
        environment.mitigations.join("; "),
        environment.governor.clone().unwrap_or_else(none),
        environment.limits.join("; "),
        format!("{:?}", environment.accounted_by),
        environment.generator_engine.clone(),
        environment.rustc.clone(),
        environment.build.clone(),
    ]
}

/// One sentence for each difference between the runs that can change a figure, and for each incomplete run.
pub(super) fn warnings(base: &Run, candidate: &Run) -> Vec<StoredText> {
    let pairs = values(base).into_iter().zip(values(candidate));
    let differences = NAMES
        .into_iter()
        .zip(pairs)
        .filter(|(_, (base, candidate))| base != candidate);
    let differences = differences.map(|([en, es], (base, candidate))| StoredText {
        en: format!("{en} differ: {base} and {candidate}."),
        es: format!("{es} difieren: {base} y {candidate}."),
    });
    let runs = [
        (base, ["base run", "base"]),
        (candidate, ["candidate", "candidata"]),
    ];
    let unfinished = runs
        .into_iter()
        .filter(|(run, _)| run.status != RunStatus::Complete);
    let unfinished = unfinished.map(|(_, [en, es])| StoredText {
        en: format!("The {en} is not complete."),
        es: format!("La comparación {es} no está completa."),
    });
    differences.chain(unfinished).collect()
}
