//! What listen(2)'s backlog admits: how many clients connect to a server that accepts none, and how many are delayed.
//!
//! One client stalls the acceptor: it sends half a head and no more. Then more clients than the backlog connect at
//! once. The kernel completes as many connections as its accept queue has room for. It drops the first packet of the
//! others, and the client's kernel sends it again after 1 s. Half a second after the start the stall ends, and every
//! connected client is answered. The model must accept no client while it waits for another, as `iterative` does.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use hola_loadgen::workload::GREETING;

use super::client::{self, ClientRequest, connect_idle, is_greeted};
use super::{FreshServer, ProcedureResult};
use crate::listening;
use crate::metric::Metric;
use crate::record::to_f64;

/// How long the acceptor is stalled.
const STALL: Duration = Duration::from_millis(500);
/// When the measurement ends, counted from its start: clients have then repeated their first packet once.
const END: Duration = Duration::from_millis(1_500);
/// A connection that took this long was delayed: its first packet was repeated after 1 s.
const DELAYED_MIN: Duration = Duration::from_millis(900);
/// Longest wait for the server to accept the client that stalls it.
const ACCEPT_MAX: Duration = Duration::from_secs(2);
/// Longest wait of a fresh client at the end, behind all others.
const GREETING_MAX: Duration = Duration::from_secs(3);
/// Clients beyond those that the backlog has room for.
const BEYOND: u32 = 64;

/// Has `backlog` + 64 clients connect to a fresh server that accepts none.
pub(super) fn measure(fresh: &FreshServer<'_>, backlog: u32) -> Result<ProcedureResult, String> {
    let server = fresh.start(&[("--backlog", &backlog.to_string())])?;
    let address = server.address();
    let staller = stall(address).map_err(|error| format!("the client that stalls: {error}"))?;
    let asked = backlog + BEYOND;
    let started = Instant::now();
    let mut clients = (0..asked)
        .map(|_| ClientRequest::start(address, "/", Some(GREETING)))
        .collect::<io::Result<Vec<_>>>()
        .map_err(|error| format!("cannot begin {asked} connections: {error}"))?;
    advance_until(&mut clients, started + STALL, fresh)?;
    let has_connected = |client: &&ClientRequest| client.connected_after.is_some();
    let connected = clients.iter().filter(has_connected).count();
    let waiting = listening::waiting(address).map_err(|error| format!("/proc/net/tcp: {error}"))?;
    drop(staller);
    advance_until(&mut clients, started + END, fresh)?;
    let serves = is_greeted(address, GREETING_MAX);

    let within = |client: &ClientRequest, longest: Duration| {
        client.connected_after.is_some_and(|time| time <= longest)
    };
    // A client that connects later may be connected on its side only: if the last packet of its handshake finds the
    // queue full again, the server does not know it.
    let of_stall = clients.iter().filter(|client| within(client, STALL));
    let answered = of_stall.filter(|client| client.is_greeted()).count();
    let in_time = clients.iter().filter(|client| within(client, DELAYED_MIN));
    let delayed = clients.len() - in_time.count();
    let mut found = ProcedureResult::default();
    let delayed_share = to_f64(delayed) / to_f64(clients.len());
    found.figure(Metric::ClientsConnected, to_f64(connected));
    found.figure(Metric::ConnectsAfter1S, delayed_share);
    let is_stalled = waiting as usize == connected;
    let why = format!("{connected} clients had connected and {waiting} waited to be accepted");
    found.check("acceptor_stalled", is_stalled, why);
    let all = answered == connected;
    let why = format!(
        "{answered} of {connected} clients that connected during the stall got the greeting"
    );
    found.check("connected_are_answered", all, why);
    let why = "a fresh client was not greeted";
    found.check("serves_afterwards", serves, why);
    drop(clients);
    if let Some(ended) = found.note_end(server.stop()) {
        // The kernel has its own limit on a backlog.
        found.note("backlog", &ended.settings["backlog"]);
    }
    Ok(found)
}

/// Connects a client that the server accepts and waits for.
fn stall(address: SocketAddr) -> io::Result<TcpStream> {
    let staller = connect_idle(Ipv4Addr::LOCALHOST, address)?;
    match listening::wait_until_accepted(address, ACCEPT_MAX)? {
        true => Ok(staller),
        false => Err(io::Error::other("the server does not accept it")),
    }
}

/// Advances all clients until `deadline`, or until each one has ended.
fn advance_until(
    clients: &mut [ClientRequest],
    deadline: Instant,
    fresh: &FreshServer<'_>,
) -> Result<(), String> {
    while !clients.iter().all(ClientRequest::has_ended) {
        fresh.stop_if_interrupted()?;
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        client::advance(clients, left).map_err(|error| format!("poll: {error}"))?;
    }
    Ok(())
}
