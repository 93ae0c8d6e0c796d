//! Turning points: where a model stops gaining from more load, and why, decided from what was recorded there.
//!
//! **The point** is the last level that still gained: at the next one goodput is no more than the noise floor above it,
//! and the slowest responses are slower by more than the floor. **The cause** is named from evidence at that next level,
//! the particular before the general: what the generator could not send says nothing of the server; a client sent away is
//! a cap, whatever the CPU did; a queue that overflows while the CPU is busy is the busy CPU's doing.

use serde::Serialize;

/// Share of a CPU above which a side is at its limit, 0…1.
const SATURATED: f64 = 0.95;

/// Share of the machine's memory that has to be left for it not to be the cause, 0…1.
const MEMORY_LEFT_LEAST: f64 = 0.05;

/// One level of rising load.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Name of the level.
    pub level: String,
    /// Requests answered rightly, per second: median over trials.
    pub good_per_s: f64,
    /// 99th percentile of the response time, in microseconds; `None` where the samples support none.
    pub response_p99_us: Option<f64>,
    /// What was recorded beside it.
    pub signs: Signs,
}

/// What was recorded beside the figures of a level. Counts are over all its trials.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signs {
    /// Whether the generator was at its limit.
    pub generator_bound: bool,
    /// Connections that found the accept queue full (`TcpExt: ListenOverflows`).
    pub listen_overflows: u64,
    /// Clients sent away for want of a thread, a process or memory: the server's `refused`.
    pub refused: u64,
    /// Times accepting paused because the system was short of something: the server's `backed_off`.
    pub backed_off: u64,
    /// Most clients held at once, and the cap on them.
    pub clients: Option<(u32, u32)>,
    /// Descriptors open at most, and the limit on them.
    pub descriptors: Option<(u32, u32)>,
    /// What a client takes of the system, as the table of models says: `nothing`, `task`, `thread` or `process`.
    pub attention: String,
    /// Share of its CPUs that the server used, 0…1.
    pub cpu_share: f64,
    /// Share of the machine's memory still available, 0…1.
    pub memory_left_share: Option<f64>,
}

/// Where a model stops gaining.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TurningPoint {
    /// The last level that gained.
    pub level: String,
    /// The next level, at which it no longer does.
    pub next: String,
    /// What goodput does from the one to the other.
    pub shape: Shape,
    /// Why, the cause that explains it first; [`Cause::Unknown`] alone where nothing recorded explains it.
    pub causes: Vec<Cause>,
}

/// What goodput does past a turning point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// It stays where it is.
    Flat,
    /// It falls.
    Falls,
}

/// What stops a model from gaining.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The generator could send no more; the server may have gone on.
    Generator,
    /// The limit on open descriptors.
    DescriptorCap,
    /// The cap on processes, the server's or the system's.
    ProcessCap,
    /// The cap on threads, the server's or the system's.
    ThreadCap,
    /// The cap on clients of a server that gives them neither thread nor process.
    ClientCap,
    /// The machine's memory.
    Memory,
    /// The server used its CPUs in full: more clients only wait longer for them.
    Cpu,
    /// The accept queue overflowed although a CPU was free: nobody came to accept.
    AcceptQueue,
    /// Nothing that was recorded explains it.
    Unknown,
}

/// Where goodput stops rising while responses slow down, levels in the order of rising load; `floor` is the factor above
/// 1 by which a model differs from itself. `None` where it gains to the end.
///
/// A level that has no 99th percentile is judged by its goodput alone.
pub fn turning_point(steps: &[Step], floor: f64) -> Option<TurningPoint> {
    let (here, next) = steps
        .iter()
        .zip(steps.iter().skip(1))
        .find(|(here, next)| {
            let gains = next.good_per_s > here.good_per_s * floor;
            let slower = here
                .response_p99_us
                .zip(next.response_p99_us)
                .is_none_or(|(before, after)| after > before * floor);
            !gains && slower
        })?;
    let falls = next.good_per_s * floor < here.good_per_s;
    Some(TurningPoint {
        level: here.level.clone(),
        next: next.level.clone(),
        shape: if falls { Shape::Falls } else { Shape::Flat },
        causes: causes(&next.signs),
    })
}

fn causes(signs: &Signs) -> Vec<Cause> {
    let reached = |limit: Option<(u32, u32)>| limit.is_some_and(|(most, limit)| most >= limit);
    let short = signs.refused + signs.backed_off > 0;
    let memory = signs.memory_left_share;
    let memory_out = memory.is_some_and(|left| left < MEMORY_LEFT_LEAST);
    let descriptors_out = reached(signs.descriptors);
    // Who is sent away while descriptors and memory last lacked a thread or a process, or a place under the cap.
    let capped = reached(signs.clients) || (short && !descriptors_out && !memory_out);
    let cap = match signs.attention.as_str() {
        "process" => Cause::ProcessCap,
        "thread" => Cause::ThreadCap,
        _ => Cause::ClientCap,
    };
    let found: Vec<Cause> = [
        (signs.generator_bound, Cause::Generator),
        (descriptors_out, Cause::DescriptorCap),
        (capped, cap),
        (memory_out, Cause::Memory),
        (signs.cpu_share >= SATURATED, Cause::Cpu),
        (signs.listen_overflows > 0, Cause::AcceptQueue),
    ]
    .into_iter()
    .filter_map(|(is_so, cause)| is_so.then_some(cause))
    .collect();
    match found.is_empty() {
        true => vec![Cause::Unknown],
        false => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(level: &str, good_per_s: f64, p99: f64) -> Step {
        Step {
            level: level.into(),
            good_per_s,
            response_p99_us: Some(p99),
            signs: Signs::default(),
        }
    }

    /// A series that gains up to 64 and falls after, with those signs where it falls.
    fn series(signs: Signs) -> [Step; 3] {
        let last = Step {
            signs,
            ..step("256", 600.0, 5_000.0)
        };
        [step("1", 100.0, 100.0), step("64", 1_000.0, 300.0), last]
    }

    fn causes_of(signs: Signs) -> Vec<Cause> {
        let point = turning_point(&series(signs), 1.1).expect("a turning point");
        assert_eq!((point.level.as_str(), point.shape), ("64", Shape::Falls));
        point.causes
    }

    #[test]
    fn who_gains_to_the_end_has_no_turning_point() {
        let steps = [step("1", 100.0, 100.0), step("64", 1_000.0, 900.0)];
        assert_eq!(turning_point(&steps, 1.1), None);
        assert_eq!(turning_point(&steps[..1], 1.1), None);
        assert_eq!(turning_point(&[], 1.1), None);
    }

    #[test]
    fn standing_still_within_the_floor_is_flat() {
        let steps = [step("1", 1_000.0, 100.0), step("64", 1_050.0, 6_000.0)];
        let point = turning_point(&steps, 1.1).expect("a turning point");
        assert_eq!((point.level.as_str(), point.next.as_str()), ("1", "64"));
        assert_eq!(point.shape, Shape::Flat);
    }

    #[test]
    fn no_slower_response_is_no_turning_point() {
        let steps = [step("1", 1_000.0, 100.0), step("4", 1_000.0, 105.0)];
        assert_eq!(turning_point(&steps, 1.1), None);
    }

    #[test]
    fn each_cause_is_named_by_its_own_sign() {
        let attention = |name: &str| name.to_owned();
        for (signs, cause) in [
            (
                Signs {
                    generator_bound: true,
                    ..Signs::default()
                },
                Cause::Generator,
            ),
            (
                Signs {
                    descriptors: Some((64, 64)),
                    backed_off: 3,
                    ..Signs::default()
                },
                Cause::DescriptorCap,
            ),
            (
                Signs {
                    refused: 3,
                    attention: attention("process"),
                    ..Signs::default()
                },
                Cause::ProcessCap,
            ),
            (
                Signs {
                    clients: Some((1_024, 1_024)),
                    attention: attention("thread"),
                    ..Signs::default()
                },
                Cause::ThreadCap,
            ),
            (
                Signs {
                    clients: Some((100, 100)),
                    attention: attention("task"),
                    ..Signs::default()
                },
                Cause::ClientCap,
            ),
            (
                Signs {
                    memory_left_share: Some(0.01),
                    backed_off: 1,
                    ..Signs::default()
                },
                Cause::Memory,
            ),
            (
                Signs {
                    cpu_share: 0.99,
                    ..Signs::default()
                },
                Cause::Cpu,
            ),
            (
                Signs {
                    listen_overflows: 40,
                    cpu_share: 0.3,
                    ..Signs::default()
                },
                Cause::AcceptQueue,
            ),
            (Signs::default(), Cause::Unknown),
        ] {
            assert_eq!(causes_of(signs), [cause]);
        }
    }

    #[test]
    fn a_queue_that_overflows_beside_a_busy_cpu_is_its_doing() {
        let signs = Signs {
            listen_overflows: 40,
            cpu_share: 1.0,
            ..Signs::default()
        };
        assert_eq!(causes_of(signs), [Cause::Cpu, Cause::AcceptQueue]);
    }
}
