//! What an idle client takes: clients that have said half of something and stay, on one fresh server.
//!
//! At each plateau of clients, once all are accepted and the server is quiet, its memory is read (proportional set size
//! of the process tree, and page tables); the slope over the plateaus is what one client takes. Not in it: the kernel's
//! side of a socket, a thread's kernel stack. A page of the program counts in part for each process that has it, so no other
//! server of the same program may start or end meanwhile. At each plateau a fresh client must also get the exact greeting, so the
//! plateaus end where the server's attention does, or this host's limits.
//!
//! The server keeps deadlines, as any server should, but longer ones than usual: ten thousand clients do not come within 5 s.
//! A plateau at which somebody has been closed does not count, and the limit says that it was time that ended the climb.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use hola_servers::cli::raise_descriptor_limit;
use hola_servers::models::{self, Capacity};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::SockFlag;

use super::client::{HALF_A_HEAD, connect_from, is_greeted, reset_on_close};
use super::{Procedure, stop_if, to_f64};
use crate::lab::listening;
use crate::lab::server_process::ServerProcess;
use crate::lab::tree::{self, Memory};

/// How long the server puts up with half a head, in seconds.
const DEADLINES_S: &str = "60";
/// A fresh client that waits longer is not attended.
const ATTENDED_MAX: Duration = Duration::from_secs(1);
/// Longest wait for the server to accept who has connected.
const ACCEPT_MAX: Duration = Duration::from_secs(2);
/// Longest wait for a server to be quiet: making a thousand threads takes it a while.
const QUIET_MAX: Duration = Duration::from_millis(500);
/// A server that used less than a millisecond of CPU time in this long is quiet.
const QUIET_LOOK: Duration = Duration::from_millis(20);
const QUIET_US: u64 = 1_000;
/// How often an accept queue is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(1);
/// Clients connected without looking at the accept queue: half of it, for a full one makes the kernel drop a SYN for a
/// second.
const BURST: usize = 512;
/// Plateaus that a slope takes.
const SLOPE_PLATEAUS: usize = 3;
/// The first plateau above none; each further one is four times as high.
const FIRST_PLATEAU: usize = 64;
/// Clients from one source address: most systems have 28,000 ports for each.
const CLIENTS_PER_SOURCE: usize = 20_000;
/// Descriptors of this process for other things than clients.
const OTHER_DESCRIPTORS: usize = 100;
/// Most clients of a model that serves as many as it has workers.
const WORKERS_MAX: usize = 1_024;

/// Holds idle clients on a fresh server of `model`, up to `clients_max` of them.
///
/// Figures: `pss_kib_per_client` (least squares; from three plateaus on), `pss_kib_without_clients`, `clients_most` (the
/// most beside whom a fresh client was greeted within 1 s). Remark: `limit`, what kept there from being more.
///
/// # Errors
/// One plain sentence: why there is nothing to record.
pub fn measure(
    hola: &Path,
    model: &str,
    clients_max: usize,
    cpus: &[usize],
    interrupted: &AtomicBool,
) -> Result<Procedure, String> {
    let card = models::find(model).ok_or_else(|| format!("there is no model {model}"))?;
    let descriptors = raise_descriptor_limit().unwrap_or_else(|refused| refused.left);
    let server = ServerProcess::start(hola, model, cpus, &["--deadlines", DEADLINES_S])
        .map_err(|error| error.to_string())?;
    let accept = card.accept.first().copied();
    let workers = cpus.len() * card.workers_per_cpu;
    let (cap, _) = card.clients_max(None, descriptors, workers, accept);
    let (plateaus, end, needed) = match card.capacity {
        Capacity::Unbounded => {
            let (plateaus, end) = ascent(clients_max, cap as usize, descriptors as usize);
            let needed = plateaus.len().min(SLOPE_PLATEAUS);
            (plateaus, end, needed)
        }
        // One more at a time: the memory of who waits in the kernel's queue is not the server's.
        Capacity::One | Capacity::Workers => {
            let most = clients_max.min(WORKERS_MAX);
            ((0..=most).collect(), End::Asked(most), 1)
        }
    };
    let mut stay = Stay::new(&server);
    stay.climb(&plateaus, interrupted)?;
    let mut found = stay.found(&end, needed);
    drop(stay);
    found.bill = Some(server.stop()?);
    Ok(found)
}

/// Why the plateaus go no higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The model's cap on clients at once.
    Cap(usize),
    /// Open files of this host.
    Descriptors(usize),
    /// Nobody asked for more.
    Asked(usize),
}

/// None, then four times as many each time, and at last as many as may be beside one that is served.
fn ascent(clients_max: usize, cap: usize, descriptors: usize) -> (Vec<usize>, End) {
    let own = descriptors.saturating_sub(OTHER_DESCRIPTORS);
    let below_cap = cap.saturating_sub(1);
    let (most, end) = if clients_max <= below_cap.min(own) {
        (clients_max, End::Asked(clients_max))
    } else if below_cap <= own {
        (below_cap, End::Cap(cap))
    } else {
        (own, End::Descriptors(descriptors))
    };
    let mut plateaus = vec![0];
    let mut next = FIRST_PLATEAU;
    while next < most {
        plateaus.push(next);
        next *= 4;
    }
    if most > 0 {
        plateaus.push(most);
    }
    (plateaus, end)
}

/// What was seen with that many clients.
#[derive(Clone, Copy, Debug)]
struct Plateau {
    clients: usize,
    memory: Memory,
}

/// The clients of one server.
struct Stay {
    address: SocketAddr,
    pid: i32,
    clients: Vec<TcpStream>,
    seen: Vec<Plateau>,
    /// What ended the climb before its end.
    stopped_by: Option<String>,
    begun: Instant,
}

impl Stay {
    fn new(server: &ServerProcess) -> Self {
        Stay {
            address: server.address(),
            pid: server.pid(),
            clients: Vec::new(),
            seen: Vec::new(),
            stopped_by: None,
            begun: Instant::now(),
        }
    }

    fn climb(&mut self, plateaus: &[usize], interrupted: &AtomicBool) -> Result<(), String> {
        for &plateau in plateaus {
            stop_if(interrupted)?;
            if let Err(error) = self.grow_to(plateau) {
                let held = self.clients.len();
                self.stopped_by = Some(format!("beside {held} clients none can connect: {error}"));
                break;
            }
            let memory = self.memory_when_quiet()?;
            // Whoever can read something has been answered, or closed.
            let gone = self.count_gone();
            if gone > 0 {
                self.stopped_by = Some(format!(
                    "time: {gone} of {plateau} idle clients had been closed after {:.1} s",
                    self.begun.elapsed().as_secs_f64()
                ));
                break;
            }
            if !is_greeted(self.address, ATTENDED_MAX) {
                self.stopped_by = Some(format!(
                    "beside {plateau} idle clients a fresh one waits for more than {} s",
                    ATTENDED_MAX.as_secs()
                ));
                break;
            }
            self.seen.push(Plateau {
                clients: plateau,
                memory,
            });
        }
        Ok(())
    }

    fn grow_to(&mut self, count: usize) -> io::Result<()> {
        let SocketAddr::V4(target) = self.address else {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        };
        while self.clients.len() < count {
            let number = self.clients.len();
            let source = u8::try_from(number / CLIENTS_PER_SOURCE + 1).unwrap_or(u8::MAX);
            let source = Ipv4Addr::new(127, 0, 0, source);
            let client = connect_from(source, target, SockFlag::empty())?;
            reset_on_close(&client)?;
            io::Write::write_all(&mut &client, HALF_A_HEAD)?;
            self.clients.push(client);
            if self.clients.len().is_multiple_of(BURST) || self.clients.len() == count {
                self.wait_until_accepted()?;
            }
        }
        Ok(())
    }

    /// Or until it is clear that the server does not: the fresh client will show what that means.
    fn wait_until_accepted(&self) -> io::Result<()> {
        let deadline = Instant::now() + ACCEPT_MAX;
        let full = u32::try_from(BURST).unwrap_or(u32::MAX);
        loop {
            let waiting = listening::waiting(self.address)?;
            if waiting == 0 || Instant::now() > deadline {
                return match waiting {
                    waiting if waiting >= full => Err(io::ErrorKind::WouldBlock.into()),
                    _ => Ok(()),
                };
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// The memory once what was accepted is read as well, and whoever reads it is made.
    fn memory_when_quiet(&self) -> Result<Memory, String> {
        let deadline = Instant::now() + QUIET_MAX;
        let mut before = tree::cpu_us(self.pid);
        while Instant::now() < deadline {
            thread::sleep(QUIET_LOOK);
            let now = tree::cpu_us(self.pid);
            if now.saturating_sub(before) < QUIET_US {
                break;
            }
            before = now;
        }
        tree::memory(self.pid).ok_or_else(|| "this system does not tell a process's memory".into())
    }

    fn count_gone(&self) -> usize {
        let can_read = |client: &&TcpStream| {
            let mut asked = [PollFd::new(client.as_fd(), PollFlags::POLLIN)];
            poll(&mut asked, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
        };
        self.clients.iter().filter(can_read).count()
    }

    fn found(&self, end: &End, needed: usize) -> Procedure {
        let mut found = Procedure::default();
        if let Some(empty) = self.seen.first() {
            found.figure("pss_kib_without_clients", kib(empty.memory));
        }
        if let Some(highest) = self.seen.last() {
            found.count("clients_most", highest.clients);
        }
        // Where clients are taken one by one, all but the last plateaus are too low to show anything but pages.
        let is_slope = self
            .seen
            .iter()
            .any(|plateau| plateau.clients >= FIRST_PLATEAU);
        if let Some(slope) = slope(&self.seen).filter(|_| is_slope) {
            found.figure("pss_kib_per_client", slope);
        }
        let limit = match (&self.stopped_by, end) {
            (Some(reason), _) => reason.clone(),
            (None, End::Cap(cap)) => format!("its cap of {cap} clients, the fresh one included"),
            (None, End::Descriptors(most)) => format!("this host's limit of {most} open files"),
            (None, End::Asked(most)) => format!("none: {most} clients were asked for"),
        };
        found.remarks.insert("limit".into(), limit);
        found.check(
            "plateaus",
            self.seen.len() >= needed,
            format!(
                "{} plateaus were seen, {needed} are needed",
                self.seen.len()
            ),
        );
        found
    }
}

fn kib(memory: Memory) -> f64 {
    #[allow(
        clippy::cast_precision_loss,
        reason = "KiB of a machine are far below 2^53"
    )]
    let kib = (memory.pss_kib + memory.page_tables_kib) as f64;
    kib
}

/// KiB per client, by least squares; `None` below three plateaus.
fn slope(plateaus: &[Plateau]) -> Option<f64> {
    if plateaus.len() < SLOPE_PLATEAUS {
        return None;
    }
    let count = to_f64(plateaus.len());
    let points = plateaus
        .iter()
        .map(|plateau| (to_f64(plateau.clients), kib(plateau.memory)));
    let mean_x = points.clone().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.clone().map(|(_, y)| y).sum::<f64>() / count;
    let covariance: f64 = points
        .clone()
        .map(|(x, y)| (x - mean_x) * (y - mean_y))
        .sum();
    let variance: f64 = points.map(|(x, _)| (x - mean_x).powi(2)).sum();
    Some(covariance / variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn climbs_by_fours_to_the_nearest_limit_and_names_it() {
        let (plateaus, end) = ascent(usize::MAX, 256, 20_000);
        assert_eq!((plateaus, end), (vec![0, 64, 255], End::Cap(256)));
        let (plateaus, end) = ascent(usize::MAX, 19_968, 20_000);
        assert_eq!(plateaus, [0, 64, 256, 1024, 4096, 16384, 19_900]);
        assert_eq!(end, End::Descriptors(20_000));
        assert_eq!(ascent(64, 1024, 20_000), (vec![0, 64], End::Asked(64)));
        assert_eq!(ascent(0, 1024, 20_000), (vec![0], End::Asked(0)));
    }

    #[test]
    fn the_slope_is_the_memory_of_one_client_whatever_is_there_without_any() {
        let plateau = |clients: usize, pss_kib| Plateau {
            clients,
            memory: Memory {
                pss_kib,
                page_tables_kib: clients as u64,
            },
        };
        let line = [
            plateau(0, 5000),
            plateau(64, 5000 + 640),
            plateau(256, 5000 + 2560),
        ];
        assert!((slope(&line).expect("a slope") - 11.0).abs() < 1e-9);
        assert_eq!(slope(&line[..2]), None);
    }
}
