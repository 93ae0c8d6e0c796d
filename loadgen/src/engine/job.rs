//! A workload divided among threads: what each one has to do.

use std::sync::Arc;
use std::time::SystemTime;

use super::url_chooser::UrlChooser;
use crate::answer::ExpectedAnswer;
use crate::rank::Rank;
use crate::schedule::{Instants, Schedule};
use crate::units::nanoseconds;
use crate::workload::{ClientProtocol, Closing, Stop, Workload};

/// A workload divided among threads.
pub(super) struct ThreadPlan<'w> {
    pub(super) jobs: Vec<Job<'w>>,
    /// This rank's share of the planned instants of an open loop.
    pub(super) schedule: Option<Schedule>,
    /// Bounds of an open loop's window, in nanoseconds from the start.
    pub(super) open_ns: u64,
    pub(super) end_ns: u64,
    /// When to start; `None` starts at once.
    pub(super) start_at: Option<SystemTime>,
}

impl<'w> ThreadPlan<'w> {
    pub(super) fn new(workload: &'w Workload, open_files: u64) -> Self {
        let (plan, rank) = (workload.plan(), workload.rank);
        let connections = workload.connections(open_files);
        // A thread without a client or without a request would only dilute the figures.
        let requests_max = match workload.stop {
            Stop::Requests(requests) => u32::try_from(rank.share(requests)).unwrap_or(u32::MAX),
            Stop::After(_) => u32::MAX,
        };
        let threads = workload.threads.min(connections).min(requests_max);
        let (open_ns, end_ns) = (plan.opens_ns(), plan.closes_ns());
        let schedule = plan.schedule().map(|schedule| schedule.share(rank));
        let requests = requests(workload);
        let url_chooser = UrlChooser::new(&workload.url_mix, workload.seed);
        let jobs = Rank::all(threads).zip(0..).map(|(share, thread)| Job {
            workload,
            connections: share.share_of(connections),
            thread,
            threads,
            place: rank.divided(share),
            requests: Arc::clone(&requests),
            url_chooser: url_chooser.of_share(rank.divided(share)),
            requests_per_connection: workload.requests_per_connection.unwrap_or(u64::MAX),
            expected: ExpectedAnswer::new(workload),
            timeout_ns: nanoseconds(workload.timeout),
            think_ns: nanoseconds(workload.think),
            ramp_ns: nanoseconds(workload.ramp),
            open_ns,
            cpu: workload.cpus.iter().cycle().nth(thread as usize).copied(),
            task: match (schedule, workload.stop) {
                (Some(schedule), _) => ThreadTask::Open {
                    instants: schedule.share(share).instants(),
                    end_ns,
                },
                (None, Stop::After(duration)) => ThreadTask::ClosedFor(nanoseconds(duration)),
                (None, Stop::Requests(requests)) => {
                    ThreadTask::ClosedRequests(share.share(rank.share(requests)))
                }
            },
        });
        Self {
            jobs: jobs.collect(),
            schedule,
            open_ns,
            end_ns,
            start_at: workload.start_at,
        }
    }
}

/// The work of one thread, not shared with other threads.
#[derive(Debug)]
pub(super) struct Job<'w> {
    /// The load of all threads.
    pub(super) workload: &'w Workload,
    /// Most connections at once.
    pub(super) connections: u32,
    pub(super) thread: u32,
    pub(super) threads: u32,
    /// Its place among the threads of all ranks.
    pub(super) place: Rank,
    /// Bytes of each request, by [`TransportRequest`](super::transport::TransportRequest).
    pub(super) requests: Arc<[Arc<[u8]>]>,
    pub(super) url_chooser: UrlChooser,
    pub(super) requests_per_connection: u64,
    pub(super) expected: ExpectedAnswer,
    pub(super) timeout_ns: u64,
    pub(super) think_ns: u64,
    pub(super) ramp_ns: u64,
    /// When the window opens, from the start.
    pub(super) open_ns: u64,
    pub(super) cpu: Option<usize>,
    pub(super) task: ThreadTask,
}

/// The loop of one thread.
#[derive(Debug)]
pub(super) enum ThreadTask {
    /// Closed loop: one client per connection, until this long after the warm-up.
    ClosedFor(u64),
    /// Closed loop: one client per connection, for this many requests.
    ClosedRequests(u64),
    /// Open loop: every n-th instant of the schedule, until `end_ns` after the start.
    Open { instants: Instants, end_ns: u64 },
}

impl Job<'_> {
    /// Whether it is an open loop.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.task, ThreadTask::Open { .. })
    }

    /// Whether connections are closed with a reset.
    pub(super) fn resets_on_close(&self) -> bool {
        self.workload.closing == Closing::Reset
    }

    /// Whether a request may be sent again if the server closed its kept connection.
    pub(super) fn is_repeatable(&self) -> bool {
        let workload = self.workload;
        workload.conversation == ClientProtocol::Http && workload.method.is_idempotent()
    }

    /// The number of requests that ends a closed loop; `None` if time ends the window.
    pub(super) fn requests_max(&self) -> Option<u64> {
        match self.task {
            ThreadTask::ClosedRequests(requests) => Some(requests),
            ThreadTask::ClosedFor(_) | ThreadTask::Open { .. } => None,
        }
    }
}

/// For each URL, the request bytes if more requests follow on the connection, and those of its last request.
fn requests(workload: &Workload) -> Arc<[Arc<[u8]>]> {
    match workload.conversation {
        ClientProtocol::Http => {
            let of_path = |path| {
                ["", "Connection: close\r\n"]
                    .map(|connection| http_request(workload, path, connection).into())
            };
            workload.paths().into_iter().flat_map(of_path).collect()
        }
        ClientProtocol::Ack | ClientProtocol::Echo => {
            let message: Arc<[u8]> = workload.message.as_slice().into();
            [Arc::clone(&message), message].into()
        }
    }
}

/// The HTTP request for `path`; `connection` is its line about the connection, if it has one.
fn http_request(workload: &Workload, path: &str, connection: &str) -> Vec<u8> {
    let (method, body) = (&workload.method, workload.body.as_deref());
    let host = match workload.headers.iter().any(|field| field.is("Host")) {
        true => String::new(),
        false => format!("Host: {}\r\n", workload.host),
    };
    let headers = workload.headers.iter().map(|field| format!("{field}\r\n"));
    let length = match body.map(<[u8]>::len) {
        Some(length) => format!("Content-Length: {length}\r\n"),
        None if method.expects_body() => "Content-Length: 0\r\n".to_owned(),
        None => String::new(),
    };
    let head = format!(
        "{} {path} HTTP/1.1\r\n{host}{}{length}{connection}\r\n",
        method.name(),
        headers.collect::<String>()
    );
    [head.as_bytes(), body.unwrap_or_default()].concat()
}
