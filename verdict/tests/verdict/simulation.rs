//! How often the statistics are right, over many simulated runs. The noise is an argument; a stored run can supply it.

use hola_lab::metric::Metric;
use hola_lab::plan::{Precision, Role};
use hola_verdict::analysis::Word;
use hola_verdict::{At, precision_reached};

use crate::stored;
use crate::world::{Fact, Residuals, World};

const CPU: Metric = Metric::CpuPerRequest;
const HERE: At<'static> = At {
    experiment: "equal-load",
    level: "new, 2000/s",
};

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
        let facts = [Fact::Is(CPU, *cost)];
        world = world.with(
            HERE.experiment,
            HERE.level,
            &format!("model-{number}"),
            &facts,
        );
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
            let found = records.analysis().ratio(HERE, "model-1", "model-0", CPU);
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
            levels: vec![HERE.level.into()],
            half_width: 0.04,
        });
        let enough = (5..20)
            .find(|&blocks| precision_reached(&records.run, &records.blocks[..blocks], &design));
        let blocks = &records.blocks[..enough.unwrap_or(20)];
        let analysis = hola_verdict::Analysis::new(&records.run, blocks);
        analysis
            .to_control(HERE, "model-1", CPU)
            .expect("an estimate")
            .contains(1.1)
    });
    assert!((0.91..=0.97).contains(&covered), "{covered}");
}

#[test]
fn no_difference_is_called_one_in_at_most_one_of_twenty_tables() {
    let world = level(&[40.0; 11], Residuals::normal(0.06, 0.04, 0.15));
    let called = share(500, |seed| {
        let records = world.measure(seed);
        let words = records.analysis().words(HERE, CPU);
        words
            .iter()
            .any(|(_, _, word)| matches!(word, Word::Better | Word::Worse))
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
            let words = records.analysis().words(HERE, CPU);
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
    let (made, cycles) = stored::size(&run, &blocks, HERE);
    let found = tenths_found(&World {
        blocks: made,
        cycles,
        ..level(&TABLE, stored::residuals(&run, &blocks, HERE))
    });
    assert!(found.iter().all(|share| *share >= 0.8), "{found:?}");
}

#[test]
fn the_noise_of_the_simulations_is_what_they_say() {
    let world = level(&[40.0, 44.0], four_percent());
    let widths: f64 = (0..200)
        .map(|seed| {
            let records = world.measure(seed << 20);
            let found = records.analysis().ratio(HERE, "model-1", "model-0", CPU);
            found.expect("an estimate").half_width()
        })
        .sum();
    let mean = widths / 200.0;
    assert!((0.035..0.045).contains(&mean), "{mean}");
}

#[test]
fn controls_pass_in_nineteen_of_twenty_runs_and_a_planted_difference_is_recovered_in_nine_of_ten() {
    let add = |world: World, level: &str| {
        let facts = |cost| [Fact::Is(CPU, cost)];
        let experiment = HERE.experiment;
        world
            .with(experiment, level, "iterative", &facts(40.0))
            .with(experiment, level, "iterative, again", &facts(40.0))
            .with(experiment, level, "iterative, planted", &facts(44.0))
    };
    let world = World {
        planted_us: Some(4.0),
        ..World::new(Residuals::normal(0.028, 0.037, 0.05))
    };
    let world = world
        .role("iterative, again", Role::Again("iterative".into()))
        .role("iterative, planted", Role::Planted("iterative".into()));
    let levels = [HERE.level, "new, 200/s", "new, 4000/s"];
    let world = levels.into_iter().fold(world, add);
    let passed = share(300, |seed| {
        let records = world.measure(seed);
        records
            .analysis()
            .controls()
            .again
            .iter()
            .all(|one| one.passes)
    });
    assert!(passed >= 0.93, "{passed}");
    let recovered = share(300, |seed| {
        let records = world.measure(seed);
        let controls = records.analysis().controls();
        controls.planted.len() == levels.len() && controls.planted.iter().all(|one| one.recovered)
    });
    assert!(recovered >= 0.9, "{recovered}");
}
