//! A workload divided among threads: what each one has to do.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::answer::expected_answer;
use crate::schedule::{Instants, Schedule};
use crate::workload::{ClientProtocol, Closing, Pace, Pacing, Stop, Workload, share};

/// A workload divided among threads.
pub(super) struct ThreadPlan {
    pub(super) jobs: Vec<Job>,
    pub(super) schedule: Option<Schedule>,
    /// Bounds of an open loop's window, in nanoseconds from the start.
    pub(super) open_ns: u64,
    pub(super) end_ns: u64,
}

impl ThreadPlan {
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
        let ramp_ns = nanoseconds(workload.ramp);
        let open_ns = ramp_ns.saturating_add(nanoseconds(workload.warmup));
        let schedule = match workload.pace {
            Pace::Closed { .. } => None,
            Pace::Open {
                rate_per_s,
                arrivals,
            } => Some(Schedule::new(arrivals, rate_per_s, workload.seed).ramped(ramp_ns)),
        };
        let end_ns = match (schedule, workload.stop) {
            (Some(schedule), Stop::Requests(requests)) => schedule.end_of(open_ns, requests),
            (_, Stop::After(duration)) => open_ns.saturating_add(nanoseconds(duration)),
            (None, Stop::Requests(_)) => u64::MAX,
        };
        let (request, last_request) = requests(workload);
        let jobs = (0..threads).map(|thread| Job {
            target: workload.target,
            sources: workload.sources,
            local_ports: workload.local_ports,
            reset_on_close: workload.closing == Closing::Reset,
            connections: u32::try_from(share(u64::from(connections), thread, threads))
                .unwrap_or(u32::MAX),
            opens_first: workload.kept_connections.is_some(),
            thread,
            threads,
            conversation: workload.conversation,
            request: request.clone(),
            last_request: last_request.clone(),
            requests_per_connection: workload.requests_per_connection.unwrap_or(u64::MAX),
            expected: expected_answer(workload.conversation, &workload.message)
                .or_else(|| workload.expected_body.clone()),
            timeout_ns: nanoseconds(workload.timeout),
            think_ns: nanoseconds(workload.think),
            ramp_ns,
            open_ns,
            pacing: workload.pacing,
            cpu: workload
                .cpus
                .get(thread as usize % workload.cpus.len().max(1))
                .copied(),
            task: match (schedule, workload.stop) {
                (Some(schedule), _) => ThreadTask::Open {
                    instants: schedule.instants_of(thread, threads),
                    end_ns,
                },
                (None, Stop::After(duration)) => {
                    ThreadTask::Closed(ClosedEnd::After(nanoseconds(duration)))
                }
                (None, Stop::Requests(requests)) => {
                    ThreadTask::Closed(ClosedEnd::Requests(share(requests, thread, threads)))
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

/// The work of one thread, not shared with other threads.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) target: SocketAddr,
    /// First and last address to connect from.
    pub(super) sources: Option<(Ipv4Addr, Ipv4Addr)>,
    /// First and last port to connect from.
    pub(super) local_ports: Option<(u16, u16)>,
    pub(super) reset_on_close: bool,
    /// Most connections at once.
    pub(super) connections: u32,
    /// Whether all connections are opened before the window (open loop).
    pub(super) opens_first: bool,
    pub(super) thread: u32,
    pub(super) threads: u32,
    pub(super) conversation: ClientProtocol,
    /// Request bytes that keep the connection, and those that announce its close.
    pub(super) request: Vec<u8>,
    pub(super) last_request: Vec<u8>,
    pub(super) requests_per_connection: u64,
    /// Bytes of the right answer.
    pub(super) expected: Option<Vec<u8>>,
    pub(super) timeout_ns: u64,
    pub(super) think_ns: u64,
    pub(super) ramp_ns: u64,
    /// When the window opens, from the start.
    pub(super) open_ns: u64,
    pub(super) pacing: Pacing,
    pub(super) cpu: Option<usize>,
    pub(super) task: ThreadTask,
}

/// The loop of one thread.
#[derive(Debug)]
pub(super) enum ThreadTask {
    /// Closed loop: one client per connection, and what ends them.
    Closed(ClosedEnd),
    /// Open loop: every n-th instant of the schedule, until `end_ns` after the start.
    Open { instants: Instants, end_ns: u64 },
}

/// What ends a closed loop.
#[derive(Clone, Copy, Debug)]
pub(super) enum ClosedEnd {
    /// This long after the warm-up.
    After(u64),
    /// This many requests.
    Requests(u64),
}

/// The request bytes if more requests follow on the connection, and those of its last request.
fn requests(workload: &Workload) -> (Vec<u8>, Vec<u8>) {
    let get = |connection: &str| {
        format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\n{connection}\r\n",
            workload.path, workload.host
        )
        .into_bytes()
    };
    match workload.conversation {
        ClientProtocol::Http => (get(""), get("Connection: close\r\n")),
        ClientProtocol::Ack | ClientProtocol::Echo => {
            (workload.message.clone(), workload.message.clone())
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
