//! Memory per idle client, and how many fit. These clients send half a request head and stay, on one fresh server.
//!
//! Clients are added until a limit is reached: the number asked for, this process's descriptors, memory, or a kernel
//! limit. The server is the limit if it closes clients or no longer greets a fresh one. At a few numbers of clients,
//! memory is read once all are accepted and the server is quiet. The slope is the memory of one client.
//!
//! Process memory is the proportional set size plus the page tables. A page of the program counts in part for each
//! process that maps it, so no other server of the same program may start or end meanwhile. Kernel memory (stacks, page
//! tables again, files, sockets) is what the server's control group accounts for, without the clients' end. Without a
//! control group it is the growth of the whole system, with both ends. A note says which. The clients' end and the whole
//! system are figures of their own, so that the two accounts can be compared.

use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::client::{connect_idle, count_readable, is_greeted};
use super::kernel_memory::{KernelAccounts, KernelMemory};
use super::limit::{self, Limit, LimitWatch};
use super::{FreshServer, ProcedureResult, SPARE_CLIENTS};
use crate::metric::Metric;
use crate::record::to_f64;
use crate::running::RunningServer;
use crate::{listening, process_tree};

/// Deadline of the server for the rest of a head, in seconds: ten thousand clients need more than the usual 5 s to
/// connect.
const DEADLINES_S: &str = "60";
/// Longest wait for a fresh client's greeting.
const GREETING_MAX: Duration = Duration::from_secs(2);
/// Longest wait for the server to accept all connected clients.
const ACCEPT_MAX: Duration = Duration::from_secs(2);
/// Longest wait for a quiet server, which may have to make a thousand threads first.
const QUIET_MAX: Duration = Duration::from_millis(500);
/// A server that used less than a millisecond of CPU time in this long is quiet.
const QUIET_WINDOW: Duration = Duration::from_millis(20);
const QUIET_US: f64 = 1_000.0;
/// A step is an eighth of the current clients: this is the precision of the limit that is found.
const STEP_DIVISOR: usize = 8;
/// Most clients that connect at a time: half of the accept queue. When the queue is full, the kernel drops a client's
/// first packet, which delays the client by a second.
const BURST: usize = 512;
/// Numbers of clients at which memory is read. Reading that of more processes takes seconds, and a slope does not need
/// it.
const PLATEAUS: &[usize] = &[0, 64, 256, 1_024];
/// Fewest plateaus for a slope.
const SLOPE_PLATEAUS_MIN: usize = 3;
/// Clients per source address. Most systems have 28,000 ports for each, but the kernel tries those of one parity first,
/// and searches them all once most are taken.
const CLIENTS_PER_SOURCE: usize = 8_000;

/// Holds idle clients on a fresh server, up to `clients_max` of them.
pub(super) fn measure(
    fresh: &FreshServer<'_>,
    clients_max: u32,
) -> Result<ProcedureResult, String> {
    let (most, end) = limit::most_clients(clients_max);
    let cap = most.saturating_add(SPARE_CLIENTS).to_string();
    let server = fresh.start(&[("--deadlines", DEADLINES_S), ("--max-clients", &cap)])?;
    let mut idle = IdleClients {
        clients: Vec::new(),
        held: 0,
        plateaus: Vec::new(),
        limits: LimitWatch::new(server.pid(), fresh.lab.interrupted),
        accounts: KernelAccounts::open(server.account()),
        server,
    };
    let met = idle.grow(most as usize, fresh)?;
    Ok(idle.finish(&met.unwrap_or(end)))
}

/// Memory at one number of clients.
#[derive(Clone, Copy, Debug)]
struct Plateau {
    clients: usize,
    process_kib: f64,
    kernel: KernelMemory,
}

/// The clients of one server.
struct IdleClients<'w> {
    clients: Vec<TcpStream>,
    /// Most clients at which no limit was found.
    held: usize,
    plateaus: Vec<Plateau>,
    limits: LimitWatch<'w>,
    accounts: KernelAccounts,
    server: RunningServer,
}

impl IdleClients<'_> {
    /// Adds clients until there are `most`, or a limit is reached.
    fn grow(&mut self, most: usize, fresh: &FreshServer<'_>) -> Result<Option<Limit>, String> {
        loop {
            fresh.stop_if_interrupted()?;
            if let Some(limit) = self.limit_met() {
                return Ok(Some(limit));
            }
            self.held = self.clients.len();
            let is_last = self.held == most && Some(&most) <= PLATEAUS.last();
            if PLATEAUS.contains(&self.held) || is_last {
                let plateau = self.read_memory()?;
                self.plateaus.push(plateau);
            }
            if self.held >= most {
                return Ok(None);
            }
            let plateau = PLATEAUS.iter().copied().find(|&next| next > self.held);
            let step = (self.held / STEP_DIVISOR).clamp(1, BURST);
            let next = (self.held + step).min(plateau.unwrap_or(most)).min(most);
            if let Err(error) = self.connect_up_to(next) {
                let why = format!("beside {} clients none can connect: {error}", self.held);
                self.limits.check();
                return Ok(Some(self.limits.reached().unwrap_or(Limit::NotServed(why))));
            }
        }
    }

    fn connect_up_to(&mut self, count: usize) -> std::io::Result<()> {
        while self.clients.len() < count {
            let number = u8::try_from(self.clients.len() / CLIENTS_PER_SOURCE + 1);
            let source = Ipv4Addr::new(127, 0, 0, number.unwrap_or(u8::MAX));
            let client = connect_idle(source, self.server.address())?;
            self.clients.push(client);
        }
        // If the server does not accept them, the check with a fresh client shows it.
        listening::wait_until_accepted(self.server.address(), ACCEPT_MAX).map(drop)
    }

    /// The limit that is reached with the current clients, if any.
    fn limit_met(&self) -> Option<Limit> {
        let count = self.clients.len();
        let closed = count_readable(&self.clients).unwrap_or(0);
        let problem = if self.limits.check() {
            Limit::Memory
        } else if closed > 0 {
            Limit::Closed(format!(
                "the server closed {closed} of {count} idle clients"
            ))
        } else if !is_greeted(self.server.address(), GREETING_MAX) {
            let longest_s = GREETING_MAX.as_secs();
            Limit::NotServed(format!(
                "beside {count} idle clients a fresh one waits for more than {longest_s} s"
            ))
        } else {
            return None;
        };
        Some(self.limits.reached().unwrap_or(problem))
    }

    /// Reads memory once the server is quiet: it has then read what was sent, and made the thread, process or task of
    /// each client.
    fn read_memory(&self) -> Result<Plateau, String> {
        let account = self.server.account();
        let deadline = Instant::now() + QUIET_MAX;
        let mut before = account.cpu_us();
        while Instant::now() < deadline {
            thread::sleep(QUIET_WINDOW);
            let now = account.cpu_us();
            if now - before < QUIET_US {
                break;
            }
            before = now;
        }
        let memory_kib = process_tree::memory_kib(self.server.pid());
        let memory_kib = memory_kib.ok_or("this system does not tell a process's memory")?;
        Ok(Plateau {
            clients: self.clients.len(),
            process_kib: to_f64(memory_kib),
            kernel: self.accounts.read(account),
        })
    }

    fn finish(self, limit: &Limit) -> ProcedureResult {
        let mut found = ProcedureResult::default();
        found.figure(Metric::ClientsHeld, to_f64(self.held));
        let kernel = |kib: fn(&KernelMemory) -> Option<f64>| {
            slope(&self.plateaus, |plateau| kib(&plateau.kernel))
        };
        let (server_kib, system_kib) = (kernel(|at| at.server_kib), kernel(|at| at.system_kib));
        let memory_kib = slope(&self.plateaus, |plateau| Some(plateau.process_kib));
        found.figure(Metric::MemoryPerClient, memory_kib);
        found.figure(Metric::KernelMemoryPerClient, server_kib.or(system_kib));
        found.figure(Metric::ClientEndMemory, kernel(|at| at.client_kib));
        found.figure(Metric::SystemMemoryPerClient, system_kib);
        found.note_limit(limit);
        let kernel_memory = match server_kib {
            Some(_) => "a control group of the server",
            None => "slab, kernel stacks and page tables in /proc/meminfo",
        };
        found.note("kernel_memory", kernel_memory);
        if self.plateaus.len() < SLOPE_PLATEAUS_MIN {
            found.note("memory", "too few clients for a slope");
        }
        drop(self.clients);
        found.note_end(self.server.stop());
        found
    }
}

/// KiB per client, by least squares. `None` with fewer than three plateaus, or if the highest has too few clients to
/// show more than single pages.
fn slope(plateaus: &[Plateau], kib: impl Fn(&Plateau) -> Option<f64>) -> Option<f64> {
    let point = |plateau: &Plateau| Some((to_f64(plateau.clients), kib(plateau)?));
    let points: Vec<(f64, f64)> = plateaus.iter().filter_map(point).collect();
    let highest = points.last()?.0;
    if points.len() < SLOPE_PLATEAUS_MIN || highest < to_f64(PLATEAUS[1]) {
        return None;
    }
    let count = to_f64(points.len());
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let centred = points.iter().map(|(x, y)| (x - mean_x, y - mean_y));
    let (covariance, variance) = centred.fold((0.0, 0.0), |(covariance, variance), (x, y)| {
        (covariance + x * y, variance + x * x)
    });
    Some(covariance / variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plateau(clients: usize, process_kib: f64) -> Plateau {
        Plateau {
            clients,
            process_kib,
            kernel: KernelMemory::default(),
        }
    }

    #[test]
    fn the_slope_is_the_memory_of_one_client_whatever_is_there_without_any() {
        let line = [
            plateau(0, 5000.0),
            plateau(64, 5704.0),
            plateau(256, 7816.0),
        ];
        let process = |plateau: &Plateau| Some(plateau.process_kib);
        assert!((slope(&line, process).expect("a slope") - 11.0).abs() < 1e-9);
        assert_eq!(slope(&line[..2], process), None);
        assert_eq!(slope(&line, |plateau| plateau.kernel.server_kib), None);
        let low = [0, 1, 2].map(|clients| plateau(clients, 1.0));
        assert_eq!(slope(&low, process), None);
    }
}
