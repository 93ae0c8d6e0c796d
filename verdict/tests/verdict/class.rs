//! Many machines put together: who votes, what is summarised, and on what verdicts depend.

use hola_lab::plan::Profile;
use hola_lab::record::{Environment, Run};
use hola_verdict::claims::Verdict;
use hola_verdict::class::{ClaimVotes, Class, JudgedRun, MachineProperty, RunIdentity, hardware};

use crate::world::{Residuals, World};

/// Facts with which `selectors-scale` holds and, after a slash, those with which it fails; and a value that is no ratio.
const FACTS: &str = "
equal-load | new, 200/s; new, 2000/s; new, 4000/s | thread-per-client | cpu_us_per_request=70
equal-load | new, 200/s; new, 2000/s; new, 4000/s | selector-threads  | cpu_us_per_request=56/71.4
crowd      | up to 10000                          | fork-per-client   | crowd_goodput_share=0.9 clients_held=2000
crowd      | up to 10000                          | epoll             | crowd_goodput_share=0.9 clients_held=10000";

/// The verdict of a made-up run: the number of its column in [`FACTS`].
const HOLDS: usize = 0;
const FAILS: usize = 1;

/// A run of the machine with that number.
fn run(machine: usize, column: usize, change: impl FnOnce(&mut Run)) -> JudgedRun {
    let world = World::new(Residuals::little()).with_table(FACTS, column);
    let seed = (machine as u64) << 20;
    let mut records = world.measure(seed);
    records.run.environment = Environment {
        cpu_model: format!("CPU {machine}"),
        cpus: vec![0, 1],
        kernel: "6.1.0".into(),
        ..Environment::default()
    };
    records.run.started_at = "2026-11-27T10:15:02Z".into();
    change(&mut records.run);
    let environment = &records.run.environment;
    let identity = RunIdentity {
        id: format!("{machine:04}{column}{}", records.run.started_at),
        label: format!("{machine}/{}", records.run.started_at),
        machine: hardware(environment),
        machine_name: machine.to_string(),
    };
    JudgedRun::new(&records.run, &records.blocks, identity)
}

fn selectors(class: &Class) -> &ClaimVotes {
    let found = class
        .claims
        .iter()
        .find(|one| one.claim.id == "selectors-scale");
    found.expect("the claim")
}

#[test]
fn a_machine_votes_once_by_its_fullest_and_then_its_newest_run() {
    let quick = |started_at: &'static str, column| {
        run(1, column, |run| {
            run.profile = Profile::Quick;
            run.started_at = started_at.into();
        })
    };
    let full = run(1, HOLDS, |_| {});
    let newer = quick("2026-11-28T10:00:00Z", FAILS);
    let newest = quick("2026-11-29T10:00:00Z", HOLDS);
    let class = Class::new(vec![newer.clone(), full, newest.clone()]);
    assert_eq!(class.machines.len(), 1);
    assert_eq!(class.machines[0].runs.len(), 3);
    let votes = selectors(&class);
    assert_eq!(
        (votes.votes.len(), votes.leading()),
        (1, Some(Verdict::Holds))
    );
    let started_at = &class.run_of(&votes.votes[0]).started_at;
    assert_eq!(started_at, "2026-11-27T10:15:02Z");

    let class = Class::new(vec![newest, newer]);
    assert_eq!(
        class.run_of(&selectors(&class).votes[0]).started_at,
        "2026-11-29T10:00:00Z"
    );
}

#[test]
fn neither_the_order_of_runs_nor_a_run_that_is_there_twice_changes_anything() {
    let runs: Vec<JudgedRun> = (0..4)
        .map(|machine| run(machine, machine % 2, |_| {}))
        .collect();
    let mut other = runs.clone();
    other.reverse();
    other.push(runs[2].clone());
    let [class, other] = [runs, other].map(|runs| format!("{:?}", Class::new(runs)));
    assert!(class == other);
}

#[test]
fn machines_whose_names_are_the_same_are_told_apart() {
    let mut runs: Vec<JudgedRun> = (0..3).map(|machine| run(machine, HOLDS, |_| {})).collect();
    for run in &mut runs[..2] {
        run.identity.machine_name = "ana".into();
    }
    let class = Class::new(runs);
    let names: Vec<&str> = class.machines.iter().map(|one| &*one.name).collect();
    let label = |machine| format!("{machine}/2026-11-27T10:15:02Z");
    assert_eq!(names, [&*label(0), &*label(1), "2"]);
}

#[test]
fn ratios_are_summarised_over_machines_and_values_are_not() {
    let runs = (0..6).map(|machine| run(machine, HOLDS, |_| {}));
    let class = Class::new(runs.collect());
    let key = selectors(&class).key_quantity().expect("a ratio");
    let effects = key.effects.expect("six machines");
    assert!(effects.mean.contains(0.8), "{effects:?}");
    assert!(
        effects.prediction.0 <= effects.mean.low && effects.tau < 0.05,
        "{effects:?}"
    );
    let saturates = class
        .claims
        .iter()
        .find(|one| one.claim.id == "process-saturates");
    let quantities = &saturates.expect("the claim").quantities;
    let plain = quantities
        .iter()
        .filter(|one| one.what.en.contains("Goodput"));
    assert!(plain.clone().count() > 0);
    for quantity in plain {
        assert_eq!(
            (quantity.values.len(), quantity.effects),
            (6, None),
            "{}",
            quantity.what.en
        );
    }
}

#[test]
fn a_verdict_that_follows_a_property_depends_on_it_and_on_no_other() {
    let runs = (0..24).map(|machine| {
        let is_virtual = machine < 12;
        run(machine, if is_virtual { HOLDS } else { FAILS }, |run| {
            run.environment.virtualised = is_virtual;
            run.environment.kernel = format!("6.{}.0", machine % 2);
        })
    });
    let class = Class::new(runs.collect());
    let votes = selectors(&class);
    assert!(votes.is_disputed());
    assert_eq!(
        [votes.count(Verdict::Holds), votes.count(Verdict::Fails)],
        [12, 12]
    );
    let found: Vec<(MachineProperty, bool)> = votes
        .properties
        .iter()
        .map(|one| (one.property, one.is_dependent()))
        .collect();
    // All have two CPUs.
    let expected = [
        (MachineProperty::Kernel, false),
        (MachineProperty::Virtual, true),
    ];
    assert_eq!(found, expected);
}
