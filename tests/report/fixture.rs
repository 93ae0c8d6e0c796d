//! Synthetic runs: figures with a known truth and seeded noise, in the shape that a real run records.

use std::collections::BTreeMap;
use std::time::Duration;

use hola::analysis::Analysis;
use hola::lab::cgroup::Account;
use hola::lab::record::{
    Arm, Bilingual, Design, Environment, KernelEvidence, Level, Measured, ModelCard, Outcome, Run,
    SCHEMA_VERSION, ServerCost, Skipped, Status, Trial,
};
use hola_loadgen::summary::{Check, Counts, Distribution, Generator, Latencies, Rates, Summary};
use hola_loadgen::{Pace, Stop, Workload};

use crate::noise::{Noise, histogram, whole};

pub(crate) const CONTROL: &str = "iterative";

/// A model and its truth.
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) cpu_us: f64,
    pub(crate) user_share: f64,
    pub(crate) threads: u32,
    pub(crate) processes: u32,
    pub(crate) pss_kib: u64,
}

/// Four models with costs of the size that such servers have.
pub(crate) const FOUR: [Truth; 4] = [
    truth("iterative", "Iterative", 39.0, 0.12, 1, 1, 1_900),
    truth(
        "thread-per-client",
        "Thread per client",
        88.0,
        0.10,
        65,
        1,
        2_600,
    ),
    truth(
        "fork-per-client",
        "Process per client",
        336.0,
        0.06,
        65,
        65,
        9_800,
    ),
    truth("tokio", "Tokio", 58.0, 0.22, 3, 1, 3_100),
];

pub(crate) const fn truth(
    name: &'static str,
    title: &'static str,
    cpu_us: f64,
    user_share: f64,
    threads: u32,
    processes: u32,
    pss_kib: u64,
) -> Truth {
    Truth {
        name,
        title,
        cpu_us,
        user_share,
        threads,
        processes,
        pss_kib,
    }
}

/// What a synthetic run looks like.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) seed: u64,
    pub(crate) models: Vec<Truth>,
    /// Numbers of clients.
    pub(crate) levels: Vec<u32>,
    pub(crate) rounds: u32,
    /// Relative standard deviation of a trial.
    pub(crate) noise: f64,
    /// Relative standard deviation of a round, shared by its trials.
    pub(crate) drift: f64,
    /// Model measured twice.
    pub(crate) again: Option<&'static str>,
    /// Whether trials carry histograms: simulations do not read them.
    pub(crate) histograms: bool,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            seed: 7,
            models: FOUR.to_vec(),
            levels: vec![1, 16, 64],
            rounds: 5,
            noise: 0.02,
            drift: 0.03,
            again: Some("thread-per-client"),
            histograms: true,
        }
    }
}

impl Scene {
    /// The run and its trials, in the order they would have been made.
    pub(crate) fn play(&self) -> (Run, Vec<Trial>) {
        let mut noise = Noise(self.seed);
        let mut trials = Vec::new();
        for round in 0..self.rounds {
            for &clients in &self.levels {
                let mood = noise.factor(self.drift);
                for model in &self.models {
                    for arm in [Arm::Model, Arm::Again] {
                        if arm == Arm::Again && self.again != Some(model.name) {
                            continue;
                        }
                        let cpu_us = model.cpu_us * mood * noise.factor(self.noise);
                        let position = u32::try_from(trials.len()).expect("few trials");
                        trials.push(Trial {
                            schema_version: SCHEMA_VERSION,
                            experiment: "churn".to_owned(),
                            model: model.name.to_owned(),
                            arm,
                            level: level_name(clients),
                            round,
                            position,
                            started_at: format!(
                                "2026-11-21T10:{:02}:{:02}Z",
                                position / 60 % 60,
                                position % 60
                            ),
                            attempts: 1,
                            stolen_share: None,
                            outcome: Outcome::Measured(
                                self.measured(model, clients, cpu_us, &mut noise),
                            ),
                        });
                    }
                }
            }
        }
        (self.run(), trials)
    }

    fn run(&self) -> Run {
        Run {
            schema_version: SCHEMA_VERSION,
            name: "2026-11-21T101502Z-quick".to_owned(),
            profile: "quick".to_owned(),
            status: Status::Complete,
            started_at: "2026-11-21T10:15:02Z".to_owned(),
            resumed_at: Vec::new(),
            finished_at: Some("2026-11-21T10:21:40Z".to_owned()),
            seed: self.seed,
            command: ["hola", "compare", "--profile", "quick", "--seed", "7"]
                .map(str::to_owned)
                .into(),
            experiments: vec![self.design()],
            models: self.models.iter().map(card).collect(),
            skipped: vec![Skipped {
                model: "io-uring".to_owned(),
                experiment: None,
                reason: "the kernel forbids io_uring here".to_owned(),
            }],
            environment: Environment {
                cpu_model: "AMD EPYC".to_owned(),
                cpus: 2,
                memory_mib: 24_051,
                kernel: "6.18.5".to_owned(),
                virtualised: true,
                clock_source: Some("tsc".to_owned()),
                governor: None,
                mitigations: vec!["spectre_v2: Mitigation: Retpolines".to_owned()],
                limits: vec![
                    "RLIMIT_NOFILE = 1048576".to_owned(),
                    "net.core.somaxconn = 4096".to_owned(),
                ],
                load_before: 0.08,
                load_after: Some(1.31),
                steal_share: Some(0.0021),
                rustc: "rustc 1.95.0".to_owned(),
                build: "release".to_owned(),
                version: "0.1.0".to_owned(),
                commit: Some("246717c0a1b2c3d4e5f60718293a4b5c6d7e8f90".to_owned()),
                dirty: Some(false),
            },
        }
    }

    fn design(&self) -> Design {
        Design {
            experiment: "churn".to_owned(),
            question: both(
                "What does a model cost when every request brings a new connection?",
                "¿Qué cuesta un modelo cuando cada petición trae una conexión nueva?",
            ),
            changes_mind: both("A ratio of 1.", "Una razón de 1."),
            levels: self
                .levels
                .iter()
                .map(|&clients| Level {
                    name: level_name(clients),
                    clients,
                    ..Level::default()
                })
                .collect(),
            models: self
                .models
                .iter()
                .map(|model| model.name.to_owned())
                .collect(),
            control: CONTROL.to_owned(),
            figures: ["cpu_us_per_request", "good_per_s"]
                .map(str::to_owned)
                .into(),
            tolerates: Vec::new(),
            trials_per_cell: self.rounds,
            trial_s: 2.0,
            warmup_s: 0.5,
            extra_s: 0.0,
            server_cpus: vec![0],
            generator_cpus: vec![1],
            server_settings: serde_json::json!({"backlog": 1024, "conversation": "http", "nodelay": true}),
        }
    }

    fn measured(&self, model: &Truth, clients: u32, cpu_us: f64, noise: &mut Noise) -> Measured {
        const WINDOW_S: f64 = 2.0;
        // A closed loop on a server that is always busy: Little's law gives the response time.
        let rate = 1e6 / (cpu_us + 3.0);
        let response_us = f64::from(clients) * 1e6 / rate;
        let ok = whole(rate * WINDOW_S);
        let cpu_total = cpu_us * rate * WINDOW_S;
        let percentile = |factor: f64| Some(response_us * factor);
        Measured {
            load: Some(Summary {
                schema_version: 1,
                model: Some(model.name.to_owned()),
                url: "http://127.0.0.1:40001/".to_owned(),
                plan: Workload {
                    pace: Pace::Closed { clients },
                    stop: Stop::After(Duration::from_secs_f64(WINDOW_S)),
                    warmup: Duration::from_millis(500),
                    seed: self.seed,
                    ..Workload::new(([127, 0, 0, 1], 40_001).into())
                }
                .plan(),
                rates: Rates {
                    offered_per_s: rate,
                    completed_per_s: rate,
                    good_per_s: rate,
                },
                counts: Counts {
                    planned: ok,
                    sent: ok,
                    ok,
                    ..Counts::default()
                },
                latency_us: Latencies {
                    response: Distribution {
                        count: ok,
                        mean: percentile(1.0),
                        min: percentile(0.4),
                        p50: percentile(0.96),
                        p90: percentile(1.3),
                        p99: percentile(2.1),
                        p99_9: percentile(3.4),
                        max: percentile(5.0),
                        censored: Vec::new(),
                    },
                    ..Latencies::default()
                },
                generator: Generator {
                    threads: 1,
                    cpu_us_per_request: Some(21.0),
                    cpu_share: 0.6,
                    ..Generator::default()
                },
                kernel: None,
                calibration: None,
                validity: vec![
                    check("littles_law", true, "X·R / clients = 0.997"),
                    check("generator", true, "the busiest thread used 61 % of a CPU"),
                ],
            }),
            server: Some(ServerCost {
                refused: Some(0),
                backed_off: Some(0),
                cpu_user_us: whole(cpu_total * model.user_share),
                cpu_system_us: whole(cpu_total * (1.0 - model.user_share)),
                accounted_by: Some(Account::Cgroup),
                conversations: Some(ok),
                requests: ok,
                cpu_us_per_request: Some(cpu_us),
                pss_peak_kib: Some(model.pss_kib),
                threads_peak: model.threads,
                processes_peak: model.processes,
                switches_voluntary: Some(ok),
                switches_involuntary: Some(ok / 50),
                faults_minor: Some(900),
                wakeups: Some(4_800),
                conversations_by_worker: vec![4_800],
                settings: serde_json::json!({"backlog": 1024}),
            }),
            figures: BTreeMap::new(),
            remarks: BTreeMap::new(),
            kernel: KernelEvidence::default(),
            response_histogram: self.histograms.then(|| histogram(response_us, noise)),
            validity: vec![check("steal", true, "0.2 % of CPU time stolen")],
        }
    }
}

pub(crate) fn check(name: &str, ok: bool, detail: &str) -> Check {
    Check {
        check: name.to_owned(),
        ok,
        detail: detail.to_owned(),
    }
}

/// The figures of a trial that is known to be measured.
pub(crate) fn measured(trial: &mut Trial) -> &mut Measured {
    match &mut trial.outcome {
        Outcome::Measured(measured) => measured,
        Outcome::Failed(why) => panic!("not measured: {why}"),
    }
}

/// What the generator saw in a trial that is known to be measured.
pub(crate) fn load(trial: &mut Trial) -> &mut Summary {
    measured(trial).load.as_mut().expect("a load")
}

/// What the server cost in such a trial.
pub(crate) fn server(trial: &mut Trial) -> &mut ServerCost {
    measured(trial).server.as_mut().expect("a server")
}

/// Name of a level that is a number of clients.
pub(crate) fn level_name(clients: u32) -> String {
    match clients {
        1 => "1 client".to_owned(),
        _ => format!("{clients} clients"),
    }
}

fn both(en: &str, es: &str) -> Bilingual {
    Bilingual {
        en: en.to_owned(),
        es: es.to_owned(),
    }
}

fn card(model: &Truth) -> ModelCard {
    ModelCard {
        name: model.name.to_owned(),
        title: Bilingual {
            en: model.title.to_owned(),
            es: model.title.to_owned(),
        },
        summary: Bilingual {
            en: "A model.".to_owned(),
            es: "Un modelo.".to_owned(),
        },
        attention: "thread".to_owned(),
    }
}

/// The run's only experiment.
pub(crate) fn analysed<'a>(run: &'a Run, trials: &'a [Trial]) -> Analysis<'a> {
    Analysis::new(&run.experiments[0], &run.models, trials, run.seed)
}
