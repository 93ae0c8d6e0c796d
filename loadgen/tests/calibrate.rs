//! A calibration measures, is kept, and is found again by the measurements of this host and no other.

mod truth;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use hola_loadgen::calibrate::store::{self, Stored, VARIABLE};
use hola_loadgen::calibrate::{
    CalibrateError, Calibration, Ceiling, Host, Lag, Memory, NoiseFloor, Protocol, Reuse,
    SCHEMA_VERSION, calibrate,
};
use hola_loadgen::summary::Summary;
use hola_loadgen::workload::{Engine, Pacing};
use hola_loadgen::{Observer, Unobserved};
use truth::{CLOSE, Truth, answer_once, load, measure};

fn brief() -> Protocol {
    Protocol {
        clients: 8,
        rounds: 2,
        trial: Duration::from_millis(100),
        warmup: Duration::from_millis(20),
        lag_rate_per_s: 500.0,
        lag_window: Duration::from_millis(200),
        memory_clients: [4, 64],
    }
}

/// A calibration of this host with figures that are known.
fn known() -> Calibration {
    let ceiling = |engine, reuse, ceiling_per_s: f64| Ceiling {
        engine,
        reuse,
        clients: 64,
        trials: 14,
        ceiling_per_s,
        rate_per_s: ceiling_per_s,
        cpu_us_per_request: 1e6 / ceiling_per_s,
        cpu_share: 1.0,
        noise_floor: NoiseFloor {
            rate: Some(1.05),
            cpu: Some(1.02),
        },
    };
    Calibration {
        schema_version: SCHEMA_VERSION,
        made_at: "2026-11-21T08:00:00Z".to_owned(),
        host: Host::here(),
        generator_cpu: Some(1),
        responder_cpu: Some(0),
        ceilings: vec![
            ceiling(Engine::Readiness, Reuse::PerRequest, 20_000.0),
            ceiling(Engine::Readiness, Reuse::Kept, 100_000.0),
        ],
        lags: vec![Lag {
            pacing: Pacing::Sleep,
            rate_per_s: 4_000.0,
            lag_us_p50: Some(8.0),
            lag_us_p99: Some(60.0),
            lag_us_p99_9: None,
        }],
        memory: Memory {
            resident_kib_peak: Some(9_000),
            bytes_per_connection: Some(256),
        },
    }
}

#[test]
fn measures_both_kinds_of_reuse_lateness_and_memory() {
    let steps = std::cell::RefCell::new(Vec::new());
    let calibration = calibrate(&brief(), &Unobserved, &|step| {
        steps.borrow_mut().push((step.done, step.of));
    })
    .unwrap();
    let engines: Vec<Engine> = [Engine::Readiness, Engine::Completion]
        .into_iter()
        .filter(|engine| engine.unavailable().is_none())
        .collect();
    let cells: Vec<(Engine, Reuse)> = calibration
        .ceilings
        .iter()
        .map(|one| (one.engine, one.reuse))
        .collect();
    let expected: Vec<(Engine, Reuse)> = engines
        .iter()
        .flat_map(|&engine| [(engine, Reuse::PerRequest), (engine, Reuse::Kept)])
        .collect();
    assert_eq!(cells, expected);
    for ceiling in &calibration.ceilings {
        assert_eq!(ceiling.trials, 4);
        assert!(ceiling.rate_per_s > 0.0 && ceiling.cpu_us_per_request > 0.0);
        assert!(ceiling.noise_floor.rate.unwrap() >= 1.0);
        assert!(ceiling.noise_floor.cpu.unwrap() >= 1.0);
    }
    // Making a connection is most of the work of a request that needs one.
    let [churn, kept] = [0, 1].map(|place: usize| calibration.ceilings[place].cpu_us_per_request);
    assert!(churn > kept, "{churn} {kept}");
    let pacings: Vec<Pacing> = calibration.lags.iter().map(|lag| lag.pacing).collect();
    assert_eq!(pacings, [Pacing::Sleep, Pacing::Spin]);
    assert!(calibration.lags.iter().all(|lag| lag.lag_us_p50.is_some()));
    // A connection is about a kibibyte, whatever else it is.
    assert!(calibration.memory.bytes_per_connection.unwrap() < 16 * 1024);
    assert_eq!(calibration.host, Host::here());
    let steps = steps.into_inner();
    // Each cell twice in each of two rounds, two ways of waiting, two numbers of clients.
    let of = u32::try_from(engines.len()).unwrap() * 2 * 4 + 4;
    let expected: Vec<(u32, u32)> = (0..of).map(|done| (done, of)).collect();
    assert_eq!(steps, expected);
}

struct Impatient;

impl Observer for Impatient {
    fn should_stop(&self) -> bool {
        true
    }
}

#[test]
fn a_stop_leaves_no_calibration() {
    let stopped = calibrate(&brief(), &Impatient, &|_| {});
    assert!(matches!(stopped, Err(CalibrateError::Stopped)));
}

#[test]
fn what_was_written_is_read_again_and_nothing_else_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cache/hola/calibration.json");
    assert_eq!(store::read(&file), Stored::Absent);
    for rate in [1.0, 2.0] {
        let mut calibration = known();
        calibration.ceilings[0].rate_per_s = rate;
        store::write(&calibration, &file).unwrap();
        assert_eq!(store::read(&file), Stored::Valid(Box::new(calibration)));
    }
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_failed_write_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let occupied = folder.path().join("calibration.json");
    fs::create_dir_all(occupied.join("full")).unwrap();
    assert!(store::write(&known(), &occupied).is_err());
    assert!(occupied.join("full").is_dir());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn another_hosts_calibration_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calibration.json");
    let strangers: [fn(&mut Host); 5] = [
        |host| host.cpu_model.push('X'),
        |host| host.cpus += 1,
        |host| host.kernel = "2.6.32".to_owned(),
        |host| host.generator_version = "0.0.1".to_owned(),
        |host| host.build = "profiling".to_owned(),
    ];
    for change in strangers {
        let mut calibration = known();
        change(&mut calibration.host);
        store::write(&calibration, &file).unwrap();
        let Stored::Foreign(difference) = store::read(&file) else {
            panic!("{:?} passes for {:?}", calibration.host, Host::here());
        };
        assert!(difference.starts_with("another "), "{difference}");
    }
}

#[test]
fn the_faster_engine_is_chosen_by_figures_and_only_where_there_is_a_choice() {
    let mut calibration = known();
    assert_eq!(calibration.faster_engine(Reuse::PerRequest), None);
    let mut other = calibration.ceilings[1].clone();
    other.engine = Engine::Completion;
    other.ceiling_per_s *= 1.5;
    calibration.ceilings.push(other);
    assert_eq!(
        calibration.faster_engine(Reuse::Kept),
        Some(Engine::Completion)
    );
    assert_eq!(calibration.faster_engine(Reuse::PerRequest), None);
}

fn referred(change: impl Fn(&mut Summary)) -> Summary {
    let server = Truth::start(|_, stream| answer_once(stream, CLOSE));
    let mut summary = measure(&load(server.address, 2, 50)).summary;
    summary.rates.completed_per_s = 19_000.0;
    change(&mut summary);
    known().refer(&mut summary);
    summary
}

fn generator_detail(summary: &Summary) -> &str {
    let mut checks = summary.validity.iter();
    &checks
        .find(|check| check.check == "generator")
        .unwrap()
        .detail
}

#[test]
fn a_measurement_near_the_ceiling_hints_at_the_generator_and_does_not_decide() {
    let near = referred(|_| {});
    let reference = near.calibration.as_ref().unwrap();
    assert_eq!(reference.ceiling_per_s, Some(20_000.0));
    assert!((reference.achieved_share.unwrap() - 0.95).abs() < 1e-9);
    assert_eq!(reference.noise_floor, Some(1.05));
    assert_eq!(reference.lag_us_p99, Some(60.0));
    assert!(
        generator_detail(&near).contains("95 % of the 20000 requests/s"),
        "{}",
        generator_detail(&near)
    );
    assert!(generator_detail(&near).ends_with("hints at GENERATOR-BOUND"));
    let far = referred(|summary| summary.rates.completed_per_s = 9_000.0);
    assert!(generator_detail(&far).ends_with("it was calibrated for"));
    let holding = referred(|summary| {
        for check in &mut summary.validity {
            check.ok = true;
        }
    });
    assert!(holding.is_valid());
}

#[test]
fn a_ceiling_holds_for_its_own_reuse_and_one_thread() {
    let kept = referred(|summary| summary.plan.requests_per_connection = None);
    assert_eq!(kept.calibration.unwrap().ceiling_per_s, Some(100_000.0));
    for other in [
        referred(|summary| summary.plan.requests_per_connection = Some(8)),
        referred(|summary| summary.generator.threads = 2),
    ] {
        assert!(!generator_detail(&other).contains("calibrated"));
        assert_eq!(other.calibration.unwrap().ceiling_per_s, None);
    }
}

/// `hola-load` with a calibration file, or with none at that place.
fn loaded(file: &Path, format: &str) -> Output {
    let server = Truth::start(|_, stream| answer_once(stream, CLOSE));
    Command::new(env!("CARGO_BIN_EXE_hola-load"))
        .arg(server.address.to_string())
        .args(["--warmup=0s", "--requests=50", "--clients=4"])
        .args(["--format", format])
        .env(VARIABLE, file)
        .output()
        .unwrap()
}

#[test]
fn every_output_refers_to_the_calibration_or_asks_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calibration.json");
    let without = loaded(&file, "text");
    let text = String::from_utf8(without.stdout).unwrap();
    assert_eq!(text.matches("run `hola calibrate`").count(), 1, "{text}");
    assert!(without.stderr.is_empty());
    store::write(&known(), &file).unwrap();
    let text = String::from_utf8(loaded(&file, "text").stdout).unwrap();
    assert!(
        text.contains("calibrated 2026-11-21T08:00:00Z: ceiling 20000 requests/s ("),
        "{text}"
    );
    let output = loaded(&file, "json");
    let summary: Summary = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary.calibration.unwrap().engine, Engine::Readiness);
    assert!(output.stderr.is_empty());
}

#[test]
fn an_engine_that_is_left_open_is_the_faster_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calibration.json");
    let chosen = || {
        let summary: Summary = serde_json::from_slice(&loaded(&file, "json").stdout).unwrap();
        summary.generator.engine
    };
    assert_eq!(chosen(), Some(Engine::Readiness));
    let mut calibration = known();
    let mut faster = calibration.ceilings[0].clone();
    faster.engine = Engine::Completion;
    faster.ceiling_per_s *= 2.0;
    calibration.ceilings.push(faster);
    store::write(&calibration, &file).unwrap();
    // Where the kernel forbids it, it is not chosen, however fast it once was.
    let expected = match Engine::Completion.unavailable() {
        None => Engine::Completion,
        Some(_) => Engine::Readiness,
    };
    assert_eq!(chosen(), Some(expected));
}

#[test]
fn a_calibration_of_no_use_costs_one_line_and_not_the_measurement() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calibration.json");
    let mut foreign = known();
    foreign.host.kernel = "2.6.32".to_owned();
    let foreign = serde_json::to_string(&foreign).unwrap();
    for (content, start) in [("{\"schema", "warning: "), (&foreign, "note: ")] {
        fs::write(&file, content).unwrap();
        let output = loaded(&file, "json");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(
            said.starts_with(start) && said.contains("calibration.json"),
            "{said}"
        );
        let summary: Summary = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((output.status.code(), summary.calibration), (Some(0), None));
    }
}
