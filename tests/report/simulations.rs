//! What the verdicts are worth: a known effect is found, and none is invented.

use hola::analysis::Analysis;
use hola::analysis::comparison::Verdict;
use hola::analysis::metric::Metric;

use crate::fixture::{CONTROL, Scene, truth};

/// One model besides the control at one level, with an A/A copy of it.
fn scene(seed: u64, cpu_us: f64) -> Scene {
    Scene {
        seed: seed.wrapping_mul(0x2545_f491_4f6c_dd1d) + 1,
        models: vec![
            truth(CONTROL, "Iterative", 40.0, 0.1, 1, 1, 1_900),
            truth("other", "Other", cpu_us, 0.1, 1, 1, 1_900),
        ],
        levels: vec![64],
        rounds: 5,
        noise: 0.03,
        drift: 0.10,
        again: Some("other"),
        histograms: false,
    }
}

/// Verdicts on the cost over all simulations, and how often the interval of the ratio held the truth.
fn simulate(cpu_us: f64, simulations: u64) -> (Vec<Verdict>, usize) {
    let mut verdicts = Vec::new();
    let mut covered = 0;
    for seed in 0..simulations {
        let (run, trials) = scene(seed, cpu_us).play();
        let analysis = Analysis::new(&run.experiments[0], &run.models, &trials, run.seed);
        let found = analysis
            .comparison("other", "64 clients", Metric::CpuUsPerRequest)
            .expect("both models have trials");
        let interval = found.ratio.interval.expect("five trials");
        covered += usize::from(interval.contains(cpu_us / 40.0));
        verdicts.push(found.verdict);
    }
    (verdicts, covered)
}

#[test]
fn no_effect_is_a_tie_and_intervals_hold_the_truth() {
    let (verdicts, covered) = simulate(40.0, 200);
    let ties = verdicts
        .iter()
        .filter(|verdict| **verdict == Verdict::Tie)
        .count();
    assert!(
        ties * 100 >= verdicts.len() * 95,
        "{ties} ties of {}",
        verdicts.len()
    );
    // Five trials allow 94 % at the very most; the bound leaves room for the chance of 200 simulations.
    assert!(
        covered * 100 >= verdicts.len() * 85,
        "{covered} covered of {}",
        verdicts.len()
    );
}

#[test]
fn a_quarter_more_is_found_dearer() {
    let (verdicts, _) = simulate(50.0, 50);
    let found = verdicts
        .iter()
        .filter(|verdict| **verdict == Verdict::More)
        .count();
    assert!(
        found * 100 >= verdicts.len() * 90,
        "{found} found of {}",
        verdicts.len()
    );
    assert!(!verdicts.contains(&Verdict::Less));
}
