//! How often the statistics are right, over many simulated runs. The noise is an argument; a stored run can supply it.

use hola_lab::metric::Metric;
use hola_lab::plan::Precision;
use hola_verdict::analysis::{HEADLINE, Word};
use hola_verdict::{Analysis, precision_reached};

use crate::stored;
use crate::world::{Fact, Residuals, World};

const CPU: Metric = Metric::CpuPerRequest;

/// Noise with which eight blocks give a half-width of 4 % of a ratio, the target of a quick run. The machine drifts by
/// more than the effects that the tests look for.
fn four_percent() -> Residuals {
    // 0.04 · √8 / t(7) = 0.048 between blocks of a ratio: two participants' blocks and four cycles of each.
    Residuals::normal(0.028, 0.037, 0.15)
}

/// A level with these costs; the first is that of the control.
fn level(costs: &[f64], residuals: Residuals) -> World {
    let mut world = World::new(residuals);
    for (number, cost) in costs.iter().enumerate() {
        let (name, facts) = (format!("model-{number}"), [Fact::Is(CPU, *cost)]);
        world = world.with(HEADLINE.experiment, HEADLINE.level, &name, &facts);
    }
    world
}

/// Share of the runs, 0…1, for which `is_true` returns `true`; `--nocapture` shows it.
fn share(runs: u32, is_true: impl Fn(u64) -> bool) -> f64 {
    let found = (0..runs)
        .filter(|run| is_true(u64::from(*run) << 20))
        .count();
    let share = f64::from(u32::try_from(found).expect("a small number")) / f64::from(runs);
    let test = std::thread::current();
    println!("{}: {share:.3}", test.name().unwrap_or_default());
    share
}

#[test]
fn intervals_of_95_percent_hold_the_truth_in_93_to_97_of_100_runs() {
    for (residuals, blocks) in [
        (Residuals::normal(0.0, 0.08, 0.15), 8),
        (Residuals::normal(0.05, 0.03, 0.15), 8),
        (four_percent(), 5),
    ] {
        let world = World {
            blocks,
            ..level(&[40.0, 44.0], residuals)
        };
        let covered = share(1_500, |seed| {
            let records = world.measure(seed);
            let found = records
                .analysis()
                .ratio(HEADLINE, "model-1", "model-0", CPU);
            found.expect("an estimate").contains(1.1)
        });
        assert!((0.93..=0.97).contains(&covered), "{covered}");
    }
}

#[test]
fn stopping_on_width_costs_little_coverage() {
    let world = World {
        blocks: 20,
        ..level(&[40.0, 44.0], four_percent())
    };
    let covered = share(600, |seed| {
        let records = world.measure(seed);
        let mut design = records.run.designs[0].clone();
        design.precision = Some(Precision {
            metric: CPU,
            levels: vec![HEADLINE.level.into()],
            half_width: 0.04,
        });
        let enough = (5..20)
            .find(|&blocks| precision_reached(&records.run, &records.blocks[..blocks], &design));
        let blocks = &records.blocks[..enough.unwrap_or(20)];
        let analysis = Analysis::new(&records.run, blocks);
        let found = analysis.to_control(HEADLINE, "model-1", CPU);
        found.expect("an estimate").contains(1.1)
    });
    assert!((0.91..=0.97).contains(&covered), "{covered}");
}

#[test]
fn no_difference_is_called_one_in_at_most_one_of_twenty_tables() {
    let world = level(&[40.0; 11], Residuals::normal(0.06, 0.04, 0.15));
    let called = share(500, |seed| {
        let records = world.measure(seed);
        let mut words = records.analysis().words(HEADLINE, CPU).into_iter();
        words.any(|(_, _, word)| matches!(word, Word::Better | Word::Worse))
    });
    // Comparisons of one table share the control, so the correction is slightly conservative; 0.05 + two standard
    // errors.
    assert!(called <= 0.07, "{called}");
}

/// A table in which one model costs a tenth more than the control, and one a tenth less. The correction covers all of
/// it.
const TABLE: [f64; 10] = [40.0, 44.0, 36.0, 40.0, 41.0, 47.0, 48.0, 50.0, 72.0, 300.0];

/// Shares of the runs that find the tenth more, and the tenth less.
fn tenths_found(world: &World) -> [f64; 2] {
    [("model-1", Word::Worse), ("model-2", Word::Better)].map(|(name, wanted)| {
        share(200, |seed| {
            let records = world.measure(seed);
            let words = records.analysis().words(HEADLINE, CPU);
            let mut words = words.iter();
            words.any(|(one, _, word)| one == name && *word == wanted)
        })
    })
}

#[test]
fn a_tenth_more_or_less_at_equal_load_is_found_in_four_of_five_runs() {
    let found = tenths_found(&level(&TABLE, four_percent()));
    assert!(found.iter().all(|share| *share >= 0.8), "{found:?}");
}

#[test]
fn a_tenth_more_or_less_is_found_in_four_of_five_runs_with_the_noise_of_the_stored_run() {
    let Some((run, blocks)) = stored::full_run() else {
        return println!("skipped: no full run of this schema is kept under results/");
    };
    let residuals = stored::residuals(&Analysis::new(&run, &blocks), HEADLINE);
    let (blocks, cycles) = stored::size(&run, &blocks, HEADLINE);
    let found = tenths_found(&World {
        blocks,
        cycles,
        ..level(&TABLE, residuals)
    });
    assert!(found.iter().all(|share| *share >= 0.8), "{found:?}");
}

#[test]
fn the_noise_of_the_simulations_is_what_they_say() {
    let world = level(&[40.0, 44.0], four_percent());
    let widths: f64 = (0..200)
        .map(|seed| {
            let records = world.measure(seed << 20);
            let found = records
                .analysis()
                .ratio(HEADLINE, "model-1", "model-0", CPU);
            found.expect("an estimate").half_width()
        })
        .sum();
    let mean = widths / 200.0;
    assert!((0.035..0.045).contains(&mean), "{mean}");
}

#[test]
fn controls_pass_in_nineteen_of_twenty_runs_and_a_planted_difference_is_recovered_in_nine_of_ten() {
    const FACTS: &str = "
        equal-load | new, 2000/s; new, 200/s; new, 4000/s | iterative          | cpu_us_per_request=40
        equal-load | new, 2000/s; new, 200/s; new, 4000/s | iterative, again   | cpu_us_per_request=40
        equal-load | new, 2000/s; new, 200/s; new, 4000/s | iterative, planted | cpu_us_per_request=44";
    let world = World {
        planted_us: Some(4.0),
        ..World::new(Residuals::normal(0.028, 0.037, 0.05))
    };
    let world = world.with_table(FACTS, 0);
    let passed = share(300, |seed| {
        let controls = world.measure(seed).analysis().controls();
        controls.again.iter().all(|one| one.passes)
    });
    assert!(passed >= 0.93, "{passed}");
    let recovered = share(300, |seed| {
        let planted = world.measure(seed).analysis().controls().planted;
        planted.len() == 3 && planted.iter().all(|one| one.passes)
    });
    assert!(recovered >= 0.9, "{recovered}");
}
