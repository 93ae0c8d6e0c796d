//! A workload divided among threads: what each one has to do.

use std::net::SocketAddr;
use std::time::Duration;

use crate::schedule::{Instants, Schedule};
use crate::workload::{Pace, Stop, Workload, share};

/// A workload divided among threads.
pub(super) struct Plan {
    pub(super) jobs: Vec<Job>,
    pub(super) schedule: Option<Schedule>,
    /// Bounds of an open loop's window, from the start.
    pub(super) open_ns: u64,
    pub(super) end_ns: u64,
}

impl Plan {
    pub(super) fn of(workload: &Workload, open_files: u64) -> Self {
        let connections = workload.connections(open_files);
        // A thread without a client would only dilute the figures.
        let threads = match workload.stop {
            Stop::Requests(requests) => u32::try_from(requests)
                .unwrap_or(u32::MAX)
                .min(workload.threads),
            Stop::After(_) => workload.threads,
        }
        .min(connections);
        let open_ns = nanoseconds(workload.warmup);
        let schedule = match workload.pace {
            Pace::Closed { .. } => None,
            Pace::Open {
                rate_per_s,
                arrivals,
            } => Some(Schedule::new(arrivals, rate_per_s, workload.seed)),
        };
        let end_ns = match (schedule, workload.stop) {
            (Some(schedule), Stop::Requests(requests)) => schedule.end_of(open_ns, requests),
            (_, Stop::After(duration)) => open_ns.saturating_add(nanoseconds(duration)),
            (None, Stop::Requests(_)) => u64::MAX,
        };
        let request = |connection: &str| {
            format!(
                "GET {} HTTP/1.1\r\nHost: {}\r\n{connection}\r\n",
                workload.path, workload.host
            )
            .into_bytes()
        };
        let jobs = (0..threads).map(|thread| Job {
            target: workload.target,
            threads,
            request: request(""),
            last_request: request("Connection: close\r\n"),
            requests_per_connection: workload.requests_per_connection.unwrap_or(u64::MAX),
            expected_body: workload.expected_body.clone(),
            timeout_ns: nanoseconds(workload.timeout),
            warmup_ns: open_ns,
            cpu: workload
                .cpus
                .get(thread as usize % workload.cpus.len().max(1))
                .copied(),
            task: {
                let part = u32::try_from(share(u64::from(connections), thread, threads))
                    .unwrap_or(u32::MAX);
                match (schedule, workload.stop) {
                    (Some(schedule), _) => Task::Open {
                        instants: schedule.instants_of(thread, threads),
                        end_ns,
                        connections: part,
                    },
                    (None, Stop::After(duration)) => Task::Closed {
                        clients: part,
                        end: ClosedEnd::After(nanoseconds(duration)),
                    },
                    (None, Stop::Requests(requests)) => Task::Closed {
                        clients: part,
                        end: ClosedEnd::Requests(share(requests, thread, threads)),
                    },
                }
            },
        });
        Self {
            jobs: jobs.collect(),
            schedule,
            open_ns,
            end_ns,
        }
    }
}

/// What one thread has to do; shared with nobody.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) target: SocketAddr,
    pub(super) threads: u32,
    /// Request bytes that keep the connection, and those that announce its end.
    pub(super) request: Vec<u8>,
    pub(super) last_request: Vec<u8>,
    pub(super) requests_per_connection: u64,
    pub(super) expected_body: Option<Vec<u8>>,
    pub(super) timeout_ns: u64,
    pub(super) warmup_ns: u64,
    pub(super) cpu: Option<usize>,
    pub(super) task: Task,
}

/// The loop of one thread.
#[derive(Debug)]
pub(super) enum Task {
    /// Clients, and what ends them.
    Closed { clients: u32, end: ClosedEnd },
    /// Every n-th instant of the schedule, until so long after the start, on at most so many connections.
    Open {
        instants: Instants,
        end_ns: u64,
        connections: u32,
    },
}

/// What ends a closed loop.
#[derive(Clone, Copy, Debug)]
pub(super) enum ClosedEnd {
    /// This long after the warm-up.
    After(u64),
    /// So many requests.
    Requests(u64),
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
