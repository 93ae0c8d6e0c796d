//! Comparisons of two runs with known changes.

use hola_lab::metric::Metric;
use hola_lab::plan::Profile;
use hola_verdict::analysis::Word;
use hola_verdict::claims::Verdict;
use hola_verdict::difference::{Difference, MetricChange, RecordedRun, Selection};

use crate::world::{Fact, Records, Residuals, World};

const CPU: Metric = Metric::CpuPerRequest;
const COSTS: [(&str, f64); 6] = [
    ("iterative", 40.0),
    ("fork-per-client", 300.0),
    ("thread-per-client", 72.0),
    ("selector-threads", 74.0),
    ("epoll", 44.0),
    ("tokio", 50.0),
];

/// Each participant's cost times the factor `all`; one participant also has a factor of its own.
fn world(all: f64, one: (&str, f64), residuals: Residuals) -> World {
    let mut world = World::new(residuals);
    for level in ["new, 2000/s", "new, 4000/s"] {
        for (name, cost) in COSTS {
            let own = if name == one.0 { one.1 } else { 1.0 };
            let facts = [Fact::Is(CPU, cost * all * own)];
            world = world.with("equal-load", level, name, &facts);
        }
    }
    world
}

fn noise() -> Residuals {
    Residuals::normal(0.02, 0.03, 0.1)
}

fn compare(base: &Records, candidate: &Records) -> Difference {
    let [base, candidate] = [base, candidate].map(|records| RecordedRun {
        run: &records.run,
        blocks: &records.blocks,
    });
    let selection = Selection {
        metrics: vec![CPU],
        ..Selection::default()
    };
    Difference::new(base, candidate, &selection)
}

fn cells_of<'d>(difference: &'d Difference, participant: &str) -> Vec<&'d MetricChange> {
    let is_own = |cell: &&MetricChange| cell.participant == participant;
    difference.cells.iter().filter(is_own).collect()
}

#[test]
fn one_participant_that_became_worse_is_found_and_the_others_are_not_blamed() {
    let base = world(1.0, ("", 1.0), noise()).measure(11);
    let candidate = world(1.0, ("tokio", 1.2), noise()).measure(12);
    let difference = compare(&base, &candidate);
    assert_eq!(difference.cells.len(), 12);
    for cell in cells_of(&difference, "tokio") {
        assert_eq!(cell.word, Word::Worse, "{cell:?}");
        assert!((1.12..1.28).contains(&cell.change.value), "{cell:?}");
    }
    assert_eq!(difference.count_worse(), 2);
    assert_eq!(difference.count(|word| word == Word::Better), 0);
    assert_eq!(difference.called_share(), Some(2.0 / 12.0));
}

#[test]
fn what_all_do_together_is_told_once() {
    let base = world(1.0, ("", 1.0), noise()).measure(13);
    let candidate = world(1.3, ("epoll", 0.8), noise()).measure(14);
    let difference = compare(&base, &candidate);
    assert_eq!(difference.shared.len(), 1);
    let shared = difference.shared[0].ratio;
    // The common change includes the drift of the machine.
    assert!((1.15..1.45).contains(&shared), "{shared}");
    for cell in cells_of(&difference, "epoll") {
        assert_eq!(cell.word, Word::Better, "{cell:?}");
    }
    assert_eq!(difference.count_worse(), 0);
}

#[test]
fn two_runs_of_the_same_are_called_different_in_few_cells() {
    let base = world(1.0, ("", 1.0), noise());
    let runs_with_a_call = (0..100u64)
        .filter(|seed| {
            let difference = compare(&base.measure(2 * seed), &base.measure(2 * seed + 1));
            difference.called_share() > Some(0.0)
        })
        .count();
    println!("{runs_with_a_call} of 100 runs");
    assert!(runs_with_a_call <= 9, "{runs_with_a_call} of 100 runs");
}

/// `tokio` compared with `epoll` in one run.
fn compare_servers(records: &Records) -> Difference {
    let recorded = RecordedRun {
        run: &records.run,
        blocks: &records.blocks,
    };
    let selection = Selection {
        metrics: vec![CPU],
        ..Selection::default()
    };
    Difference::between_servers(recorded, "epoll", "tokio", &selection)
}

/// A run in which `tokio` costs that much more than `epoll`.
fn with_two_servers(ratio: f64) -> World {
    world(1.0, ("tokio", 44.0 / 50.0 * ratio), noise())
}

#[test]
fn a_tenth_more_than_another_server_of_the_run_is_found_in_nine_of_ten_runs() {
    let world = with_two_servers(1.1);
    let found = (0..100u64).filter(|seed| {
        let difference = compare_servers(&world.measure(*seed));
        assert_eq!(difference.cells.len(), 2);
        difference.count_worse() > 0
    });
    let found = found.count();
    println!("{found} of 100 runs");
    assert!(found >= 90, "{found} of 100 runs");
}

#[test]
fn two_servers_of_a_run_that_cost_the_same_are_called_different_in_few_runs() {
    let world = with_two_servers(1.0);
    let is_called = |seed: &u64| compare_servers(&world.measure(*seed)).called_share() > Some(0.0);
    let called = (0..100u64).filter(is_called).count();
    println!("{called} of 100 runs");
    assert!(called <= 9, "{called} of 100 runs");
}

#[test]
fn intervals_of_a_change_hold_it_in_about_95_of_100() {
    let base = world(1.0, ("", 1.0), noise());
    let candidate = world(1.1, ("tokio", 1.2), noise());
    let cells: Vec<bool> = (0..150u64)
        .flat_map(|seed| {
            let difference = compare(&base.measure(2 * seed), &candidate.measure(2 * seed + 1));
            difference.cells.into_iter().map(|cell| {
                let is_tokio = cell.participant == "tokio";
                cell.change.contains(if is_tokio { 1.2 } else { 1.0 })
            })
        })
        .collect();
    let held = cells.iter().filter(|held| **held).count();
    assert!(
        (92..=98).contains(&(100 * held / cells.len())),
        "{held} of {}",
        cells.len()
    );
}

#[test]
fn a_claim_that_is_reversed_is_told() {
    let scaling = |selector: f64| {
        let facts = format!(
            "equal-load | new, 2000/s | thread-per-client | cpu_us_per_request=70
             equal-load | new, 2000/s | selector-threads  | cpu_us_per_request={selector}"
        );
        World::new(Residuals::little()).with_table(&facts, 0)
    };
    let difference = compare(&scaling(72.0).measure(15), &scaling(50.0).measure(16));
    let mut claims = difference.claims.iter();
    let change = claims.find(|change| change.id == "selectors-scale");
    let change = change.expect("it changed");
    assert_eq!(
        (change.base, change.candidate),
        (Verdict::Fails, Verdict::Holds)
    );
    assert!(change.is_reversed());
}

#[test]
fn other_machines_rules_and_profiles_are_warned_about() {
    let base = world(1.0, ("", 1.0), noise()).measure(17);
    assert!(compare(&base, &base).warnings.is_empty());
    let mut other = base.clone();
    other.run.environment.kernel = "6.18".into();
    other.run.environment.cpu_model = "another".into();
    other.run.rules_version += 1;
    other.run.profile = Profile::Quick;
    assert_eq!(compare(&base, &other).warnings.len(), 4);
}
