//! Warnings: reasons not to trust the comparison of two runs.

use hola_lab::record::{Environment, Run, RunStatus, StoredText};

/// One sentence for each difference between the runs that can change a figure, and for each incomplete run.
pub(super) fn warnings(base: &Run, candidate: &Run) -> Vec<StoredText> {
    let rules = differ(
        ["The rules that judged them", "Las reglas que los juzgaron"],
        &base.rules_version.to_string(),
        &candidate.rules_version.to_string(),
    );
    let profile = differ(
        ["The profiles", "Los perfiles"],
        base.profile.name(),
        candidate.profile.name(),
    );
    let unfinished = [
        (base, ["base run", "base"]),
        (candidate, ["candidate", "candidata"]),
    ];
    let unfinished = unfinished
        .into_iter()
        .filter(|(run, _)| run.status != RunStatus::Complete)
        .map(|(_, [en, es])| StoredText {
            en: format!("The {en} is not complete."),
            es: format!("La comparación {es} no está completa."),
        });
    let machine = environment(&base.environment, &candidate.environment);
    let differences = [rules, profile].into_iter().chain(machine).flatten();
    differences.chain(unfinished).collect()
}

fn environment(base: &Environment, candidate: &Environment) -> Vec<Option<StoredText>> {
    type Reader = fn(&Environment) -> String;
    let list =
        |names: [&'static str; 2], read: Reader| differ(names, &read(base), &read(candidate));
    vec![
        list(["The processors", "Los procesadores"], |one| {
            one.cpu_model.clone()
        }),
        list(["The kernels", "Los núcleos del sistema"], |one| {
            one.kernel.clone()
        }),
        list(["The CPUs used", "Las CPU usadas"], |one| {
            format!("{:?}", one.cpus)
        }),
        list(["The CPU quotas", "Las cuotas de CPU"], |one| {
            one.cpu_quota
                .map_or_else(|| "-".into(), |quota| quota.to_string())
        }),
        list(["The mitigations", "Las mitigaciones"], |one| {
            one.mitigations.join("; ")
        }),
        list(
            ["The frequency governors", "Los gobernadores de frecuencia"],
            |one| one.governor.clone().unwrap_or_else(|| "-".into()),
        ),
        list(["The limits", "Los límites"], |one| one.limits.join("; ")),
        list(
            [
                "The ways of counting CPU time",
                "Las formas de contar el tiempo de CPU",
            ],
            |one| format!("{:?}", one.accounted_by),
        ),
        list(
            [
                "The load generator's engines",
                "Los motores del generador de carga",
            ],
            |one| one.generator_engine.clone(),
        ),
        list(["The compilers", "Los compiladores"], |one| {
            one.rustc.clone()
        }),
        list(["The builds", "Las compilaciones"], |one| one.build.clone()),
    ]
}

fn differ([en, es]: [&str; 2], base: &str, candidate: &str) -> Option<StoredText> {
    (base != candidate).then(|| StoredText {
        en: format!("{en} differ: {base} and {candidate}."),
        es: format!("{es} difieren: {base} y {candidate}."),
    })
}
