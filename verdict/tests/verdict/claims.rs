//! Each claim in a simulated run where it holds, and in one where it fails.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use hola_base::{LANGUAGES, Language};
use hola_lab::experiments::{self, EXPERIMENTS, Setting};
use hola_lab::metric::Metric;
use hola_lab::plan::{Design, Profile};
use hola_lab::target::Targets;
use hola_verdict::claims::{self, CLAIMS, Decision, Outcome, Verdict};
use proptest::prelude::*;

use crate::world::Fact::{self, Is, Serves};
use crate::world::{Records, Residuals, World};

const CPU: Metric = Metric::CpuPerRequest;
const P50: Metric = Metric::ResponseP50;
const P99: Metric = Metric::ResponseP99;
const GOOD: Metric = Metric::GoodPerS;
const CAPACITY: Metric = Metric::CapacityPerS;
const SWITCHES: Metric = Metric::SwitchesPerRequest;
const MEMORY: Metric = Metric::MemoryPerClient;
const KERNEL: Metric = Metric::KernelMemoryPerClient;
const HELD: Metric = Metric::ClientsHeld;
const CROWD: Metric = Metric::CrowdGoodput;
const SPAWN: Metric = Metric::SpawnTime;
const SHARED: Metric = Metric::SharedOperation;
const OTHERS: Metric = Metric::OthersFailed;
const OF_CAPACITY: Metric = Metric::GoodputOfCapacity;

/// Experiment, level, participant, and its facts there.
type Rows = Vec<(&'static str, &'static str, &'static str, Vec<Fact>)>;

fn world(rows: Rows, residuals: Residuals) -> World {
    let add = |world: World, (experiment, level, name, facts): (&str, &str, &str, Vec<Fact>)| {
        world.with(experiment, level, name, &facts)
    };
    rows.into_iter().fold(World::new(residuals), add)
}

fn decide(id: &str, rows: Rows) -> Decision {
    let records = world(rows, Residuals::little()).measure(21);
    decide_of(id, &records)
}

fn decide_of(id: &str, records: &Records) -> Decision {
    let claim = claims::find(id).expect("a claim of that name");
    (claim.decide)(&records.analysis())
}

/// The same facts of several participants or levels.
fn each(
    experiment: &'static str,
    levels: &[&'static str],
    participants: &[(&'static str, Vec<Fact>)],
) -> Rows {
    let row = |level| {
        let of = move |(name, facts): &(&'static str, Vec<Fact>)| {
            (experiment, level, *name, facts.clone())
        };
        participants.iter().map(of)
    };
    levels.iter().copied().flat_map(row).collect()
}

const BOTH: [&str; 2] = ["new, 2000/s", "kept, 2000/s"];

fn slow(threads: f64, p99: f64, iterative: f64) -> Rows {
    let mut rows = each(
        "slow-client",
        &["no slow client"],
        &[
            ("thread-per-client", vec![Serves(1.0), Is(P99, 500.0)]),
            ("iterative", vec![Serves(1.0)]),
        ],
    );
    rows.extend(each(
        "slow-client",
        &["1 slow client", "8 slow clients"],
        &[
            ("thread-per-client", vec![Serves(threads), Is(P99, p99)]),
            ("iterative", vec![Serves(iterative)]),
        ],
    ));
    rows
}

fn idle(other: &'static str, [one, kernel]: [f64; 2], held: f64) -> Rows {
    each(
        "idle",
        &["to the limit"],
        &[
            (
                "thread-per-client",
                vec![Is(MEMORY, 10.0), Is(KERNEL, 6.0), Is(HELD, 8_000.0)],
            ),
            (
                other,
                vec![Is(MEMORY, one), Is(KERNEL, kernel), Is(HELD, held)],
            ),
        ],
    )
}

fn scaling(gains: [f64; 4]) -> Rows {
    let names = [
        "thread-per-client",
        "fork-per-client",
        "python-threads",
        "python-processes",
    ];
    let level = |gains: [f64; 4]| {
        let facts = |(name, gain)| (name, vec![Is(GOOD, 100.0 * gain)]);
        names.into_iter().zip(gains).map(facts).collect::<Vec<_>>()
    };
    let mut rows = each("scaling", &["1 CPU"], &level([1.0; 4]));
    rows.extend(each("scaling", &["2 CPUs"], &level(gains)));
    rows
}

fn computing(gain: f64) -> Rows {
    let pair = |metric, threads, fork| {
        vec![
            ("thread-per-client", vec![Is(metric, threads)]),
            ("fork-per-client", vec![Is(metric, fork)]),
        ]
    };
    let mut rows = each(
        "scaling",
        &["1 CPU", "2 CPUs"],
        &pair(GOOD, 400.0, 400.0 * gain),
    );
    rows.extend(each(
        "cpu",
        &["2 ms of computing"],
        &pair(CPU, 2_000.0, 2_000.0 / gain),
    ));
    rows
}

fn heavy(spawn: f64, memory: f64, ballast: f64) -> Rows {
    let mut rows = each(
        "spawn",
        &["2000 in turn"],
        &[
            ("thread-per-client", vec![Is(SPAWN, 20.0)]),
            ("fork-per-client", vec![Is(SPAWN, 20.0 * spawn)]),
        ],
    );
    rows.extend(idle(
        "fork-per-client",
        [10.0 * memory, 6.0 * memory],
        5_000.0,
    ));
    rows.extend(each(
        "ballast",
        &["new, 20/s"],
        &[
            ("thread-per-client", vec![Is(CPU, 70.0)]),
            ("fork-per-client", vec![Is(CPU, 100.0)]),
            ("fork-per-client, 500 MB", vec![Is(CPU, 100.0 * ballast)]),
        ],
    ));
    rows
}

fn crowd(threads: f64, fork: f64, held: f64) -> Rows {
    each(
        "crowd",
        &["up to 10000"],
        &[
            ("epoll", vec![Is(CROWD, 0.9), Is(HELD, 10_000.0)]),
            (
                "thread-per-client",
                vec![Is(CROWD, threads), Is(HELD, 9_000.0)],
            ),
            ("fork-per-client", vec![Is(CROWD, fork), Is(HELD, held)]),
        ],
    )
}

fn crash(level: &'static str, fork: f64, threads: f64) -> Rows {
    each(
        "crash",
        &[level],
        &[
            ("thread-per-client", vec![Is(OTHERS, threads)]),
            ("fork-per-client", vec![Is(OTHERS, fork)]),
            ("pre-forked", vec![Is(OTHERS, 0.0)]),
            ("epoll", vec![Is(OTHERS, 1.0)]),
        ],
    )
}

fn costs(levels: &[&'static str], costs: &[(&'static str, f64)]) -> Rows {
    let facts = |&(name, cost): &(&'static str, f64)| (name, vec![Is(CPU, cost)]);
    each(
        "equal-load",
        levels,
        &costs.iter().map(facts).collect::<Vec<_>>(),
    )
}

/// Cost, 99th percentile and capacity of two models, for new and for kept connections.
fn pair(names: [&'static str; 2], cost: f64, p99: f64, capacity: f64) -> Rows {
    let [other, own] = names;
    let equal = [
        (other, vec![Is(CPU, 40.0), Is(P99, 500.0)]),
        (own, vec![Is(CPU, 40.0 * cost), Is(P99, 500.0 * p99)]),
    ];
    let closed = [
        (other, vec![Is(CAPACITY, 8_000.0)]),
        (own, vec![Is(CAPACITY, 8_000.0 * capacity)]),
    ];
    let mut rows = each("equal-load", &BOTH, &equal);
    rows.extend(each("capacity", &["new", "kept"], &closed));
    rows
}

fn waiting(none: f64, some: f64) -> Rows {
    let level = |level, ratio| {
        let models = [
            ("pre-threaded", vec![Is(CPU, 40.0)]),
            ("tokio", vec![Is(CPU, 40.0 * ratio)]),
        ];
        each("wait", &[level], &models)
    };
    [
        level("0 ms, 64 clients", none),
        level("10 ms, 64 clients", some),
    ]
    .concat()
}

fn mixed(block: f64, compute: f64) -> Rows {
    let level = |level, epoll, threads| {
        let models = [
            ("thread-per-client", vec![Is(P99, threads)]),
            ("epoll", vec![Is(P99, epoll)]),
        ];
        each("mixed", &[level], &models)
    };
    [
        level("alone", 500.0, 500.0),
        level("1 % block", 500.0 * block, 600.0),
        level("1 % compute", 500.0 * compute, 600.0),
    ]
    .concat()
}

fn overload(threads: f64, epoll: f64) -> Rows {
    let models = [
        ("epoll", vec![Is(OF_CAPACITY, epoll)]),
        ("thread-per-client", vec![Is(OF_CAPACITY, threads)]),
    ];
    each("overload", &["2 × capacity", "3 × capacity"], &models)
}

fn herd(switches: f64, cost: f64) -> Rows {
    let own = vec![Is(SWITCHES, 1.0 * switches), Is(CPU, 40.0 * cost)];
    let models = [
        ("iterative", vec![Is(SWITCHES, 1.0), Is(CPU, 40.0)]),
        ("pre-threaded", own.clone()),
        ("pre-forked", own),
    ];
    each("accept", &["new, 2000/s"], &models)
}

fn deadlines(with: f64, without: f64) -> Rows {
    let models = [
        ("thread-per-client", 50.0),
        ("thread-per-client, no deadlines", 50.0),
        ("tokio", with),
        ("tokio, no deadlines", without),
        ("tokio-current-thread", with),
        ("tokio-current-thread, no deadlines", without),
    ];
    let models = models.map(|(name, cost)| (name, vec![Is(CPU, cost)]));
    each("deadlines", &["kept, 2000/s"], &models)
}

fn low(times: f64, work: f64) -> Rows {
    let facts = |times: f64, work: f64| {
        vec![
            Is(P50, 100.0 * times),
            Is(P99, 400.0 * times),
            Is(CPU, 40.0 * work),
            Is(SWITCHES, 1.0 * work),
        ]
    };
    let models = [
        ("iterative", facts(1.0, 1.0)),
        ("fork-per-client", facts(times, work)),
        ("thread-per-client", facts(times, work)),
        ("epoll", facts(times, work)),
        ("tokio", facts(times, work)),
    ];
    each("equal-load", &["new, 1000/s"], &models)
}

/// For each claim that a run can decide: facts with which it holds, and facts with which it fails.
fn cases() -> Vec<(&'static str, Rows, Rows)> {
    let crashes = |fork, threads| {
        ["panic", "abort", "segv"]
            .map(|death| crash(death, fork, threads))
            .concat()
    };
    let pools = |threads, pool, processes| {
        let models = [
            ("iterative", 40.0),
            ("thread-per-client", 72.0),
            ("pre-threaded", threads),
            ("thread-pool", pool),
            ("fork-per-client", 300.0),
            ("pre-forked", processes),
        ];
        costs(&["new, 2000/s"], &models)
    };
    let fork = |spawn, cost| {
        let request = [
            ("thread-per-client", 70.0),
            ("fork-per-client", 70.0 * cost),
        ];
        [heavy(spawn, 1.0, 1.0), costs(&["new, 2000/s"], &request)].concat()
    };
    let cost = |memory: f64, cost| {
        let models = [("iterative", 40.0), ("thread-per-client", 40.0 * cost)];
        [
            idle("tokio", [10.0 / memory, 6.0 / memory], 20_000.0),
            costs(&["new, 2000/s"], &models),
        ]
        .concat()
    };
    let sharing = |times| {
        let models = [("thread-per-client", 1.0), ("fork-per-client", times)];
        let facts = |us: f64| models.map(|(name, times)| (name, vec![Is(SHARED, us * times)]));
        let mut rows = each("sharing", &["counter"], &facts(0.006));
        rows.extend(each("sharing", &["message"], &facts(8.0)));
        rows
    };
    let backlog = |connected, late| {
        let facts = vec![
            Is(Metric::ClientsConnected, connected),
            Is(Metric::ConnectsAfter1S, late),
        ];
        each("backlog", &["backlog 5"], &[("iterative", facts)])
    };
    let selector = |cost| {
        let models = [
            ("thread-per-client", 70.0),
            ("selector-threads", 70.0 * cost),
        ];
        costs(&["new, 200/s", "new, 2000/s", "new, 4000/s"], &models)
    };
    let threads = ["thread-per-client", "tokio"];
    let epoll = ["epoll", "io-uring"];
    vec![
        (
            "threads-no-wait",
            slow(0.99, 600.0, 0.0),
            slow(0.5, 600.0, 0.0),
        ),
        (
            "thread-light",
            pair(["epoll", "thread-per-client"], 1.6, 1.5, 1.0),
            pair(["epoll", "thread-per-client"], 2.6, 1.5, 1.0),
        ),
        ("thread-cost", cost(4.0, 1.8), cost(1.0, 1.0)),
        (
            "thread-collapse",
            crowd(0.3, 0.9, 9_000.0),
            crowd(0.9, 0.9, 9_000.0),
        ),
        ("sharing", sharing(1.4), sharing(1.0)),
        (
            "async-scales",
            idle("tokio", [2.0, 3.0], 20_000.0),
            idle("tokio", [9.0, 6.0], 20_000.0),
        ),
        (
            "process-parallel",
            scaling([1.0, 1.8, 1.0, 1.8]),
            scaling([1.8, 1.8, 1.8, 1.8]),
        ),
        ("process-scales", computing(1.2), computing(1.0)),
        ("process-heavy", heavy(5.0, 8.0, 3.0), heavy(5.0, 8.0, 1.05)),
        (
            "process-saturates",
            crowd(0.9, 0.9, 2_000.0),
            crowd(0.9, 0.9, 9_000.0),
        ),
        ("isolation", crashes(0.0, 1.0), crashes(0.6, 0.1)),
        ("selectors-scale", selector(0.8), selector(1.02)),
        ("backlog-limit", backlog(6.0, 0.0), backlog(60.0, 0.9)),
        (
            "iterative-serves-many",
            slow(1.0, 500.0, 1.0),
            slow(1.0, 500.0, 0.1),
        ),
        ("fork-vs-thread", fork(5.0, 4.0), fork(2.0, 2.0)),
        (
            "pool-10x",
            pools(41.0, 41.0, 42.0),
            pools(60.0, 62.0, 200.0),
        ),
        (
            "async-faster",
            pair(threads, 0.7, 0.7, 1.4),
            pair(threads, 1.2, 1.2, 0.9),
        ),
        ("async-when-waiting", waiting(1.1, 0.7), waiting(0.7, 0.7)),
        ("blocking-ruins-loop", mixed(10.0, 8.0), mixed(1.1, 1.2)),
        ("overload", overload(0.3, 0.95), overload(0.95, 0.95)),
        (
            "uring-faster",
            pair(epoll, 0.5, 1.0, 2.0),
            pair(epoll, 0.95, 1.0, 1.05),
        ),
        ("accept-herd", herd(3.0, 1.5), herd(1.1, 1.02)),
        (
            "timeouts-cost",
            deadlines(60.0, 45.0),
            deadlines(46.0, 45.0),
        ),
        ("low-load-tie", low(1.01, 1.01), low(2.0, 2.0)),
    ]
}

/// The facts with which that claim holds, and those with which it fails.
fn case(id: &str) -> (Rows, Rows) {
    let mut all = cases().into_iter();
    let found = all.find(|(name, _, _)| *name == id);
    found
        .map(|(_, holds, fails)| (holds, fails))
        .expect("a case")
}

#[test]
fn every_claim_holds_where_it_is_so_and_fails_where_it_is_not() {
    for (id, holds, fails) in cases() {
        let holds = decide(id, holds);
        assert_eq!(holds.verdict, Verdict::Holds, "{id}: {holds:#?}");
        let fails = decide(id, fails);
        assert_eq!(fails.verdict, Verdict::Fails, "{id}: {fails:#?}");
        for decision in [holds, fails] {
            assert!(decision.findings.iter().any(|one| one.decided), "{id}");
            assert!(!decision.reason.en.is_empty() && !decision.reason.es.is_empty());
        }
    }
}

#[test]
fn the_others_are_never_measured_and_every_claim_is_one_or_the_other() {
    let tested: BTreeSet<&str> = cases().iter().map(|(id, _, _)| *id).collect();
    let never = ["thread-simple", "debug-hard"];
    for id in never {
        let decision = decide(id, Rows::new());
        assert_eq!(decision.verdict, Verdict::NotMeasured);
        assert!(!decision.reason.en.is_empty());
    }
    let all: BTreeSet<&str> = CLAIMS.iter().map(|claim| claim.id).collect();
    assert_eq!(all.len(), CLAIMS.len());
    assert_eq!(all, tested.into_iter().chain(never).collect());
}

#[test]
fn a_run_that_measured_nothing_decides_nothing() {
    for claim in CLAIMS {
        let decision = decide(claim.id, Rows::new());
        assert_eq!(decision.verdict, Verdict::NotMeasured, "{}", claim.id);
        assert!(decision.findings.iter().all(|one| !one.decided));
    }
}

#[test]
fn a_claim_depends_where_two_places_are_decided_and_differ() {
    let deaths = [
        crash("panic", 0.0, 0.0),
        crash("abort", 0.0, 1.0),
        crash("segv", 0.0, 1.0),
    ];
    let isolation = decide("isolation", deaths.concat());
    assert_eq!(isolation.verdict, Verdict::Depends);
    assert_eq!(
        isolation.reason.en,
        "It holds for: an abort; a segmentation fault. It fails for: a panic."
    );
    let others: Vec<_> = isolation
        .findings
        .iter()
        .filter(|one| one.participant == "epoll")
        .collect();
    assert_eq!(others.len(), 3, "every model is shown");
    assert!(
        others
            .iter()
            .all(|one| !one.decided && one.outcome == Outcome::Holds)
    );
    let python = decide("process-parallel", scaling([1.8, 1.8, 1.0, 1.8]));
    assert_eq!(python.verdict, Verdict::Depends);
    let low = decide("low-load-tie", low(1.01, 1.8));
    assert_eq!(low.verdict, Verdict::Depends);
    assert!(
        low.reason.es.contains("CPU por petición"),
        "{}",
        low.reason.es
    );
}

#[test]
fn a_place_that_was_not_measured_says_nothing_about_the_others() {
    let new = |rows: Rows| {
        rows.into_iter()
            .filter(|row| row.1 == "new, 2000/s")
            .collect()
    };
    let (holds, _) = case("thread-light");
    assert_eq!(decide("thread-light", new(holds)).verdict, Verdict::Holds);
}

#[test]
fn a_value_near_its_threshold_says_so() {
    let decision = decide("fork-vs-thread", {
        let (holds, _) = case("fork-vs-thread");
        let add = |mut row: (&'static str, &'static str, &'static str, Vec<Fact>)| {
            if (row.0, row.2) == ("equal-load", "fork-per-client") {
                row.3 = vec![Is(CPU, 70.0 * 3.15)];
            }
            row
        };
        holds.into_iter().map(add).collect()
    });
    assert_eq!(decision.verdict, Verdict::Holds);
    assert!(
        decision.reason.en.contains("within 10 % of that threshold"),
        "{}",
        decision.reason.en
    );
    assert!(decision.reason.es.contains("3,"), "{}", decision.reason.es);
}

#[test]
fn too_much_noise_is_undecided_and_says_its_resolution() {
    let (holds, _) = case("selectors-scale");
    let noisy = world(holds, Residuals::normal(0.6, 0.6, 0.2)).measure(22);
    let decision = decide_of("selectors-scale", &noisy);
    assert_eq!(decision.verdict, Verdict::Undecided, "{decision:#?}");
    assert!(
        decision.reason.en.starts_with("Resolution ±"),
        "{}",
        decision.reason.en
    );
}

#[test]
fn noise_never_makes_a_claim_depend() {
    // Every quantity lies exactly at its threshold, where noise decides it wrongly most often.
    let mut at_thresholds = pair(["thread-per-client", "tokio"], 0.95, 0.9, 1.05);
    for (_, _, _, facts) in &mut at_thresholds {
        // Histograms take most of the time of this test.
        facts.retain(|fact| !matches!(fact, Is(P99, _)));
    }
    let noisy = world(at_thresholds, Residuals::normal(0.03, 0.04, 0.1));
    let depends = |seed: u64| {
        let decision = decide_of("async-faster", &noisy.measure(seed << 20));
        decision.verdict == Verdict::Depends
    };
    let found = (0..150).filter(|seed| depends(*seed)).count();
    println!("{found} of 150");
    assert!(found <= 2, "{found} of 150");
    for (id, holds, fails) in cases() {
        for rows in [holds, fails] {
            let noisy = world(rows, Residuals::normal(0.25, 0.25, 0.2));
            let verdict = decide_of(id, &noisy.measure(24)).verdict;
            assert_ne!(verdict, Verdict::Depends, "{id}");
        }
    }
}

#[test]
fn every_claim_names_experiments_levels_and_participants_that_there_are() {
    let mut left_out = vec!["python-threads".to_owned(), "python-processes".to_owned()];
    let profiles = [Profile::Quick, Profile::Full];
    let designs: Vec<Design> = profiles
        .into_iter()
        .flat_map(|one| designs(one, &mut left_out))
        .collect();
    let records = World::new(Residuals::little()).measure(23);
    for claim in CLAIMS {
        for name in claim.experiments {
            assert!(experiments::find(name).is_some(), "{}: {name}", claim.id);
        }
        let mut run = records.run.clone();
        run.designs = designs_of(claim.experiments, &designs);
        let decision = (claim.decide)(&hola_verdict::Analysis::new(&run, &[]));
        for finding in &decision.findings {
            let (name, level) = (finding.experiment, finding.level);
            assert!(
                claim.experiments.contains(&name),
                "{} does not list {name}",
                claim.id
            );
            let own = designs.iter().filter(|design| design.experiment == name);
            let levels: Vec<_> = own.filter_map(|design| design.level(level)).collect();
            assert!(
                !levels.is_empty(),
                "{}: {name} has no level {level}",
                claim.id
            );
            let is_there = levels
                .iter()
                .any(|(_, level)| level.participants.contains(&finding.participant));
            let one = &finding.participant;
            assert!(
                is_there || left_out.contains(one),
                "{}: {one} is not at {name}, {level}",
                claim.id
            );
        }
    }
}

/// The designs of a profile; adds the servers that they skip on this machine to `left_out`.
fn designs(profile: Profile, left_out: &mut Vec<String>) -> Vec<Design> {
    let targets = Targets::none(Path::new("hola"));
    let setting = Setting {
        profile,
        cpus: vec![0, 1],
        targets: &targets,
        asked: Vec::new(),
        skipped: RefCell::default(),
    };
    let design = |experiment: &experiments::Experiment| (experiment.design)(&setting);
    let designs = EXPERIMENTS.iter().filter_map(design).collect();
    left_out.extend(
        setting
            .skipped
            .into_inner()
            .into_iter()
            .map(|one| one.server),
    );
    designs
}

/// The designs of these experiments; for an experiment with two designs, that of the full profile.
fn designs_of(names: &[&str], designs: &[Design]) -> Vec<Design> {
    let full = |name: &&str| {
        designs
            .iter()
            .rev()
            .find(|design| design.experiment == *name)
            .cloned()
    };
    names.iter().filter_map(full).collect()
}

#[test]
fn every_claim_can_be_read_in_both_languages() {
    for claim in CLAIMS {
        for text in [claim.statement, claim.why, claim.left_out] {
            assert!(
                !text.en.is_empty() && !text.es.is_empty() && text.en != text.es,
                "{}",
                claim.id
            );
            for language in LANGUAGES {
                assert!(
                    !language.of(text).contains("  "),
                    "{}: {}",
                    claim.id,
                    language.of(text)
                );
            }
        }
        assert_eq!(
            claim.rerun(),
            format!("hola compare --profile full --claims {}", claim.id)
        );
    }
    let decision = decide("fork-vs-thread", case("fork-vs-thread").0);
    for finding in &decision.findings {
        assert!(
            finding
                .text(Language::English)
                .contains("the claim needs more than 3")
        );
        assert!(
            finding
                .text(Language::Spanish)
                .contains("frente a thread-per-client")
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// A verdict always rests on findings that agree with it; undecided and missing findings decide nothing.
    #[test]
    fn a_verdict_rests_on_what_agrees_with_it(
        spawn in 1.0..10.0f64,
        cost in 1.0..10.0f64,
        noise in 0.0..0.5f64,
        seed in any::<u64>(),
    ) {
        let request = [("thread-per-client", 70.0), ("fork-per-client", 70.0 * cost)];
        let rows = [heavy(spawn, 1.0, 1.0), costs(&["new, 2000/s"], &request)].concat();
        let residuals = Residuals::normal(noise, noise, 0.1);
        let decision = decide_of("fork-vs-thread", &world(rows, residuals).measure(seed));
        let basis: Vec<Outcome> = decision
            .findings
            .iter()
            .filter(|one| one.decided)
            .map(|one| one.outcome)
            .collect();
        let has = |outcome| basis.contains(&outcome);
        match decision.verdict {
            Verdict::Holds => prop_assert!(has(Outcome::Holds) && !has(Outcome::Fails)),
            Verdict::Fails => prop_assert!(has(Outcome::Fails) && !has(Outcome::Holds)),
            Verdict::Depends => prop_assert!(has(Outcome::Holds) && has(Outcome::Fails)),
            Verdict::Undecided => prop_assert!(basis.iter().all(|one| *one == Outcome::Undecided)),
            Verdict::NotMeasured => prop_assert!(basis.is_empty()),
        }
    }
}
