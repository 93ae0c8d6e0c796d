//! Listeners, as the kernel lists them: which process holds one, and how many connections wait there.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use procfs::process::{FDTarget, Process, all_processes};

use crate::process_tree;

/// Polling interval of an accept queue.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// A listening socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Listener {
    /// Its number in `/proc/PID/fd`.
    inode: u64,
    port: u16,
    /// Connections that wait to be accepted.
    waiting: u32,
}

/// Whether a process of the tree of `root` holds the listener at that IPv4 address and port. Otherwise another program
/// on the same port could be measured under a server's name.
pub(crate) fn is_held_by(root: i32, address: SocketAddr) -> bool {
    // That of the server's network namespace. A list of all sockets would be too slow: listing those in TIME_WAIT alone takes longer than a server's start.
    let table = format!("/proc/{root}/net/tcp");
    is_any_held_by(root, &at(address, &table).unwrap_or_default())
}

/// Whether a process of the tree of `root` holds a listener at that TCP port, at whatever address.
pub(crate) fn is_port_held_by(root: i32, port: u16) -> bool {
    is_any_held_by(root, &at_port(port))
}

/// The first process of the server that listens at that TCP address, or else at its port. `None` if there is no such
/// process that this one may look into.
pub fn first_holder(address: SocketAddr) -> Option<i32> {
    let mut listeners = at(address, "/proc/net/tcp").unwrap_or_default();
    if listeners.is_empty() {
        listeners = at_port(address.port());
    }
    if listeners.is_empty() {
        return None;
    }
    let mut holders: Vec<Process> = all_processes().ok()?.flatten().collect();
    holders.retain(|process| holds_any(process, &listeners));
    let ids: BTreeSet<i32> = holders.iter().map(Process::pid).collect();
    // The others have inherited the listener, from their parent.
    let is_first = |process: &&Process| {
        let parent = process.stat().map(|stat| stat.ppid);
        parent.is_ok_and(|parent| !ids.contains(&parent))
    };
    holders.iter().find(is_first).map(Process::pid)
}

/// The TCP ports at which processes of the tree of `root` listen.
pub(crate) fn ports_held_by(root: i32) -> BTreeSet<u16> {
    let listeners = everywhere(|_| true).into_iter();
    let held = listeners.filter(|listener| is_any_held_by(root, &[*listener]));
    held.map(|listener| listener.port).collect()
}

/// The listeners at any address, of IPv4 and IPv6.
fn everywhere(is_wanted: impl Fn(&str) -> bool) -> Vec<Listener> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| in_table(path, &is_wanted));
    // A system without IPv6 has no table of it.
    tables.into_iter().flatten().flatten().collect()
}

fn is_any_held_by(root: i32, listeners: &[Listener]) -> bool {
    let holds = |process: &Process| holds_any(process, listeners);
    !listeners.is_empty() && process_tree::processes(root).iter().any(holds)
}

fn holds_any(process: &Process, listeners: &[Listener]) -> bool {
    let is_one = |target: &FDTarget| matches!(target, FDTarget::Socket(inode) if listeners.iter().any(|one| one.inode == *inode));
    let mut descriptors = process.fd().into_iter().flatten().flatten();
    descriptors.any(|fd| is_one(&fd.target))
}

/// Connections that wait to be accepted at that address.
pub(crate) fn waiting(address: SocketAddr) -> io::Result<u32> {
    Ok(at(address, "/proc/net/tcp")?
        .iter()
        .map(|listener| listener.waiting)
        .sum())
}

/// Waits until no connection waits there, for `longest` at most. Returns whether none does.
pub(crate) fn wait_until_accepted(address: SocketAddr, longest: Duration) -> io::Result<bool> {
    let deadline = Instant::now() + longest;
    while waiting(address)? > 0 {
        if Instant::now() > deadline {
            return Ok(false);
        }
        thread::sleep(POLL_INTERVAL);
    }
    Ok(true)
}

/// Every listener of a table at that address: several where they share it (`SO_REUSEPORT`).
fn at(address: SocketAddr, table: &str) -> io::Result<Vec<Listener>> {
    let SocketAddr::V4(address) = address else {
        return Ok(Vec::new());
    };
    // The kernel prints the address as a number in memory byte order, and the port as a number.
    let wanted = format!(
        "{:08X}:{:04X}",
        u32::from_ne_bytes(address.ip().octets()),
        address.port()
    );
    in_table(table, |local| local == wanted)
}

/// Every listener at that port, at whatever address.
fn at_port(port: u16) -> Vec<Listener> {
    let ending = format!(":{port:04X}");
    everywhere(|local| local.ends_with(&ending))
}

fn in_table(path: &str, is_wanted: impl Fn(&str) -> bool) -> io::Result<Vec<Listener>> {
    // Reads line by line and stops after the listeners: thousands of connections may follow.
    parse(BufReader::new(File::open(path)?), is_wanted)
}

/// The listeners of a table whose local address is wanted.
fn parse(table: impl BufRead, is_wanted: impl Fn(&str) -> bool) -> io::Result<Vec<Listener>> {
    const LISTEN: &str = "0A";
    let mut found = Vec::new();
    for line in table.lines().skip(1) {
        let line = line?;
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, local, _, state, queues, _, _, _, _, inode, ..] = fields[..] else {
            continue;
        };
        if state != LISTEN {
            break;
        }
        if is_wanted(local) {
            let port = local.split_once(':').map_or("0", |(_, port)| port);
            let waiting = queues.split_once(':').map_or("0", |(_, waiting)| waiting);
            found.push(Listener {
                inode: inode.parse().unwrap_or(0),
                port: u16::from_str_radix(port, 16).unwrap_or(0),
                waiting: u32::from_str_radix(waiting, 16).unwrap_or(0),
            });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_listener_of_an_address_and_looks_at_nothing_behind_the_listeners() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000  0  0 11 1 0 100 0 0 10 0\n\
            1: 0100007F:1F91 00000000:0000 0A 00000000:00000009 00:00000000 00000000  0  0 12 1 0 100 0 0 10 0\n\
            2: 0100007F:1F90 00000000:0000 0A 00000000:0000000A 00:00000000 00000000  0  0 13 1 0 100 0 0 10 0\n\
            3: 0100007F:1F90 0100007F:8000 01 00000000:00000000 00:00000000 00000000  0  0 14 1 0 20 4 30 10 -1\n";
        let wanted = |local: &str| local == "0100007F:1F90";
        let found = parse(table.as_bytes(), wanted).expect("read");
        let listener = |inode, waiting| Listener {
            inode,
            port: 8080,
            waiting,
        };
        assert_eq!(found, [listener(11, 3), listener(13, 10)]);
    }
}
