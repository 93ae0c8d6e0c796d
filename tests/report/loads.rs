//! The map of loads, and the answer over all of them.

use hola::analysis::comparison::Verdict;
use hola::analysis::{self, winners};
use hola::language::Language;
use hola::report::Reports;

use crate::fixture::{CONTROL, Scene, truth};

/// Two models that cost the same, and a dearer one.
fn tied() -> Scene {
    Scene {
        models: vec![
            truth(CONTROL, "Iterative", 39.0, 0.1, 1, 1, 1_900),
            truth("epoll", "Readiness loop", 39.0, 0.1, 1, 1, 1_900),
            truth("tokio", "Tokio", 58.0, 0.1, 1, 1, 1_900),
        ],
        again: Some("epoll"),
        ..Scene::default()
    }
}

#[test]
fn a_place_of_the_map_names_the_cheapest_and_who_ties_with_it() {
    let (run, trials) = tied().play();
    let map = winners::map(&analysis::of_run(&run, &trials));
    let clients: Vec<u32> = map.iter().map(|place| place.load.clients).collect();
    assert_eq!(clients, [1, 16, 64]);
    for place in map {
        assert_eq!(place.models, 3);
        let mut winners = place.winners;
        winners.sort_unstable();
        assert_eq!(winners, ["epoll", CONTROL], "{:?}", place.load);
    }
}

#[test]
fn a_duel_is_fought_under_every_plain_load_and_no_other() {
    let (mut run, trials) = Scene::default().play();
    let ratio = 336.0 / 88.0;
    let duels = winners::duels(
        &analysis::of_run(&run, &trials),
        "fork-per-client",
        "thread-per-client",
    )
    .into_iter()
    .map(|duel| duel.comparison);
    for comparison in duels {
        assert_eq!(comparison.verdict, Verdict::More);
        assert!(
            (comparison.ratio.value / ratio - 1.0).abs() < 0.1,
            "{comparison:?}"
        );
    }
    let levels = &mut run.experiments[0].levels;
    levels[0].disturbance = Some("a client that stays".into());
    levels[1].rate_per_s = Some(100.0);
    let duels = winners::duels(
        &analysis::of_run(&run, &trials),
        "fork-per-client",
        "thread-per-client",
    );
    assert_eq!(duels.len(), 1);
    assert!(winners::duels(&analysis::of_run(&run, &trials), "epoll", "tokio").is_empty());
}

#[test]
fn of_two_experiments_with_one_load_the_first_has_it() {
    let (mut run, mut trials) = tied().play();
    let mut again = run.experiments[0].clone();
    again.experiment = "sharing".into();
    let same: Vec<_> = trials
        .iter()
        .cloned()
        .map(|mut trial| {
            trial.experiment = "sharing".into();
            trial
        })
        .collect();
    run.experiments.push(again);
    trials.extend(same);
    assert_eq!(winners::map(&analysis::of_run(&run, &trials)).len(), 3);
}

#[test]
fn the_answer_says_how_much_dearer_under_how_many_loads() {
    let (run, trials) = Scene::default().play();
    let english = Reports::of(&run, &trials).report(Language::English);
    assert_eq!(english.answer.len(), 3, "{:?}", english.answer);
    assert!(
        english.answer[0]
            .starts_with("Threads or processes? Threads cost less: “Process per client” costs 3.")
            && english.answer[0].ends_with("dearer under 3 of 3 loads."),
        "{}",
        english.answer[0]
    );
    assert!(
        english.answer[2].ends_with("“Iterative”: alone or tied, under 3 of 3 loads."),
        "{}",
        english.answer[2]
    );
    let spanish = Reports::of(&run, &trials).report(Language::Spanish);
    assert!(
        spanish.answer[0].starts_with("¿Hilos o procesos? Los hilos cuestan menos: ")
            && spanish.answer[0].contains("cuesta entre 3,")
            && spanish.answer[0].ends_with("más caro con 3 de 3 cargas."),
        "{}",
        spanish.answer[0]
    );
}
