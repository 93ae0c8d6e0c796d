//! Estimates, words and reasons in runs with known true values.

use hola_lab::metric::Metric;
use hola_lab::plan::Precision;
use hola_lab::record::{CheckName, Reading, Skipped};
use hola_verdict::analysis::{HEADLINE, Missing, Word};
use hola_verdict::precision_reached;
use proptest::prelude::*;

use crate::world::{Fact, RATE_PER_S, Records, Residuals, World};

const CPU: Metric = Metric::CpuPerRequest;

fn four() -> World {
    const FACTS: &str = "
        equal-load | new, 2000/s | iterative; iterative, again | cpu_us_per_request=40
        equal-load | new, 2000/s | thread-per-client           | cpu_us_per_request=72
        equal-load | new, 2000/s | epoll                       | cpu_us_per_request=40.4";
    World::new(Residuals::little()).with_table(FACTS, 0)
}

#[test]
fn a_ratio_is_found_though_the_machine_drifts() {
    let records = four().measure(1);
    let analysis = records.analysis();
    let alone = analysis.ratio(HEADLINE, "thread-per-client", "iterative", CPU);
    let pooled = analysis.to_control(HEADLINE, "thread-per-client", CPU);
    let [found, pooled] = [alone, pooled].map(|found| found.expect("an estimate"));
    for found in [found, pooled] {
        assert!(
            found.contains(1.8) && found.half_width() < 0.02,
            "{found:?}"
        );
    }
    let value = analysis.value(HEADLINE, "thread-per-client", CPU);
    let value = value.expect("an estimate");
    assert!(
        value.half_width() > found.half_width(),
        "the drift is in absolute values: {value:?}"
    );
    assert!(value.within_sd > Some(0.03), "{value:?}");
}

#[test]
fn words_tell_worse_from_the_same() {
    let records = four().measure(2);
    let words = records.analysis().words(HEADLINE, CPU);
    let names: Vec<&str> = words.iter().map(|(name, _, _)| name.as_str()).collect();
    assert_eq!(names, ["thread-per-client", "epoll"]);
    assert_eq!(words[0].2, Word::Worse);
    assert_eq!(words[1].2, Word::Same { margin: 0.05 });
}

#[test]
fn a_wide_interval_is_undecided_and_says_its_resolution() {
    let world = World {
        residuals: Residuals::normal(0.2, 0.2, 0.1),
        ..four()
    };
    let records = world.measure(3);
    let words = records.analysis().words(HEADLINE, CPU);
    let Word::Undecided { resolution } = words[1].2 else {
        panic!("{words:?}");
    };
    assert!(resolution > 0.1);
    let of_run = records.analysis().resolution().expect("an estimate");
    assert!(of_run > 0.1 && of_run < 0.5, "{of_run}");
}

#[test]
fn both_servers_of_the_control_are_pooled_and_whichever_is_there_will_do() {
    let mut records = four().measure(4);
    // More than half of the slices remain.
    spoil(&mut records, "iterative", |reading| {
        reading.slices[0].failed_checks.push(CheckName::Offered);
    });
    let analysis = records.analysis();
    let found = analysis.to_control(HEADLINE, "epoll", CPU);
    let alone = analysis.ratio(HEADLINE, "epoll", "iterative", CPU);
    let [found, alone] = [found, alone].map(|found| found.expect("an estimate"));
    assert!(found.contains(1.01) && alone.contains(1.01));
    assert!(found.within_sd < alone.within_sd, "{found:?} {alone:?}");
}

fn spoil(records: &mut Records, participant: &str, spoil: impl Fn(&mut Reading)) {
    let readings = records
        .blocks
        .iter_mut()
        .flat_map(|block| &mut block.readings);
    let own = readings.filter(|one| one.participant == participant);
    own.for_each(spoil);
}

fn fill_cpu(reading: &mut Reading) {
    for slice in &mut reading.slices {
        slice.cpu_us = 0.97 * 200_000.0;
    }
}

#[test]
fn what_is_missing_says_why() {
    let why = |records: &Records, participant: &str| {
        let found = records.analysis().to_control(HEADLINE, participant, CPU);
        let missing = found.expect_err("nothing to compare");
        assert!(!missing.text().en.is_empty() && !missing.text().es.is_empty());
        missing
    };
    let records = four().measure(5);
    assert_eq!(why(&records, "nginx"), Missing::NotInRun);

    let mut skipped = records.clone();
    skipped.run.skipped.push(Skipped {
        server: "nginx".into(),
        experiment: None,
        reason: "it is not installed".into(),
    });
    let reason = "it is not installed".into();
    assert_eq!(why(&skipped, "nginx"), Missing::LeftOut { reason });

    let mut failed = records.clone();
    spoil(&mut failed, "epoll", |reading| {
        reading.slices.clear();
        reading.failed = Some("it died".into());
    });
    let reason = "it died".into();
    assert_eq!(why(&failed, "epoll"), Missing::ServerFailed { reason });

    let mut unchecked = records.clone();
    spoil(&mut unchecked, "epoll", |reading| {
        for slice in &mut reading.slices[..3] {
            slice.failed_checks.push(CheckName::Offered);
        }
        reading.slices[0].failed_checks.push(CheckName::Body);
    });
    let checks = vec![CheckName::Offered, CheckName::Body];
    assert_eq!(why(&unchecked, "epoll"), Missing::ChecksFailed { checks });

    let mut full = records.clone();
    spoil(&mut full, "epoll", fill_cpu);
    assert_eq!(why(&full, "epoll"), Missing::MoreThanItCanDo);

    let mut few = records.clone();
    few.blocks.truncate(2);
    assert_eq!(why(&few, "epoll"), Missing::TooFewBlocks { blocks: 2 });

    let mut uncontrolled = records.clone();
    for control in ["iterative", "iterative, again"] {
        spoil(&mut uncontrolled, control, |reading| reading.slices.clear());
    }
    let Missing::Other { participant, .. } = why(&uncontrolled, "epoll") else {
        panic!("the control is missing");
    };
    assert!(participant.starts_with("iterative"));

    let p99 = Metric::ResponseP99;
    let found = records.analysis().to_control(HEADLINE, "epoll", p99);
    assert_eq!(found, Err(Missing::NoValue(p99)));
}

#[test]
fn a_full_server_still_has_goodput() {
    let facts = "equal-load | new, 2000/s | iterative | serves=0.6";
    let world = World::new(Residuals::little()).with_table(facts, 0);
    let mut records = world.measure(6);
    spoil(&mut records, "iterative", fill_cpu);
    let analysis = records.analysis();
    assert!(analysis.value(HEADLINE, "iterative", CPU).is_err());
    let good = analysis.value(HEADLINE, "iterative", Metric::GoodPerS);
    let share = good.expect("an estimate").value / RATE_PER_S;
    assert!((share - 0.6).abs() < 1e-6, "{share}");
}

#[test]
fn precision_looks_at_widths_alone() {
    let mut records = four().measure(7);
    let mut design = records.run.designs[0].clone();
    assert!(!precision_reached(&records.run, &records.blocks, &design));
    let precise = |half_width| {
        Some(Precision {
            metric: CPU,
            levels: vec![HEADLINE.level.into()],
            half_width,
        })
    };
    design.precision = precise(0.03);
    assert!(precision_reached(&records.run, &records.blocks, &design));
    let few = &records.blocks[..2];
    assert!(!precision_reached(&records.run, few, &design));
    design.precision = precise(0.000_1);
    assert!(!precision_reached(&records.run, &records.blocks, &design));
    // A server that failed does not delay the stop.
    design.precision = precise(0.03);
    spoil(&mut records, "epoll", |reading| {
        reading.slices.clear();
        reading.failed = Some("it died".into());
    });
    assert!(precision_reached(&records.run, &records.blocks, &design));
}

#[test]
fn controls_pass_when_all_is_well_and_fail_when_it_is_not() {
    let with = |again: f64, planted: f64| {
        let world = World {
            planted_us: Some(4.0),
            ..four()
        };
        let facts = format!(
            "equal-load | new, 2000/s  | iterative, planted | cpu_us_per_request={planted}
             equal-load | kept, 2000/s | epoll              | cpu_us_per_request=20
             equal-load | kept, 2000/s | epoll, again       | cpu_us_per_request={}",
            20.0 * again
        );
        world.with_table(&facts, 0).measure(8)
    };
    let well = with(1.0, 44.0);
    let controls = well.analysis().controls();
    assert_eq!((controls.again.len(), controls.planted.len()), (2, 1));
    assert!(controls.passed(), "{controls:?}");
    assert!((controls.planted[0].expected - 1.1).abs() < 0.02);
    assert!(!with(1.08, 44.0).analysis().controls().passed());
    assert!(!with(1.0, 40.0).analysis().controls().passed());
    let none = World::new(Residuals::little()).with_table("a | b | c | cpu_us_per_request=1", 0);
    assert!(!none.measure(9).analysis().controls().passed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Exchanging the two participants inverts the ratio, and the machine's speed affects neither ratio.
    #[test]
    fn a_ratio_turned_round_is_its_inverse(
        cost in 1.0..500.0f64,
        other in 1.0..400.0f64,
        speed in 0.2..1.0f64,
        noise in 0.0..0.3f64,
        blocks in 3u32..10,
        seed in any::<u64>(),
    ) {
        // Keep the CPU below full at 2,000 requests per second.
        let (cost, other) = (cost.min(300.0), other.min(300.0));
        let residuals = Residuals::normal(noise, 0.1 * noise, 0.0);
        let measured = |speed: f64| {
            let costs = [("a", 0.5 * cost * speed), ("b", 0.5 * other * speed)];
            let world = costs.iter().fold(World::new(residuals.clone()), |world, (name, cost)| {
                world.with("equal-load", HEADLINE.level, name, &[Fact::Is(CPU, *cost)])
            });
            World { blocks, ..world }.measure(seed)
        };
        let (slow, fast) = (measured(1.0), measured(speed));
        let ratio = |records: &Records, one, other| records.analysis().ratio(HEADLINE, one, other, CPU);
        if let Ok(found) = ratio(&slow, "a", "b") {
            let turned = ratio(&slow, "b", "a").expect("the same blocks");
            prop_assert!((found.value * turned.value - 1.0).abs() < 1e-9);
            prop_assert!((found.low * turned.high - 1.0).abs() < 1e-9);
            prop_assert!((found.p_value(1.0) - turned.p_value(1.0)).abs() < 1e-9);
            let faster = ratio(&fast, "a", "b").expect("less CPU is used");
            prop_assert!((found.value / faster.value - 1.0).abs() < 1e-6);
            prop_assert!(found.low <= found.value && found.value <= found.high);
        }
    }
}
