//! A program that is started for one client, as inetd(8) does: how the server starts it, and what it does.

use std::env::args_os;
use std::ffi::CString;
use std::io;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;

use hola_base::process::end_with;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, posix_spawn};
use nix::sys::signal::SigSet;
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::context::ErrorContext;
use crate::server::Server;
use crate::settings::Settings;
use crate::{log, stop, sys};

/// The program: the file that this process runs, even if another one has taken its name since.
const PROGRAM: &str = "/proc/self/exe";

/// What the program is told on its command line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OneClient {
    /// Process id of the server.
    parent: i32,
    /// Descriptor of the client's connection.
    socket: i32,
    /// Descriptor of the memory of the server's counters.
    counters: i32,
    /// The server's.
    settings: Settings,
}

/// Starts the program for a client. Signals must be blocked: it unblocks them once it can answer them. Fails with the
/// error of posix_spawn(3).
pub(crate) fn spawn(server: &Server, socket: &TcpStream, parent: Pid) -> io::Result<Pid> {
    let one_client = OneClient {
        parent: parent.as_raw(),
        socket: socket.as_raw_fd(),
        counters: server.counters().memory()?.as_raw_fd(),
        settings: server.settings().clone(),
    };
    let text = serde_json::to_string(&one_client)?;
    let own_name = args_os().next().unwrap_or_default();
    let (model, text) = (server.model().as_bytes(), text.as_bytes());
    let arguments = [own_name.as_bytes(), b"serve", model, b"--one-client", text];
    let arguments = arguments.map(|argument| CString::new(argument).unwrap_or_default());
    let variables = std::env::vars_os().flat_map(|(name, value)| {
        let variable = [name.as_bytes(), b"=", value.as_bytes()].concat();
        CString::new(variable)
    });
    // A descriptor that is duplicated onto itself stays open (posix_spawn_file_actions_adddup2(3)).
    let mut kept_open = PosixSpawnFileActions::init()?;
    let descriptors = [one_client.socket, one_client.counters].into_iter();
    for descriptor in descriptors.chain(one_client.settings.operator) {
        kept_open.add_dup2(descriptor, descriptor)?;
    }
    let variables: Vec<CString> = variables.collect();
    let attributes = PosixSpawnAttr::init()?;
    let spawned = posix_spawn(PROGRAM, &kept_open, &attributes, &arguments, &variables);
    Ok(spawned?)
}

/// Talks to the client for which this program was started.
pub(crate) fn converse(model: &'static str, one_client: OneClient) -> io::Result<()> {
    end_with(one_client.parent).map_err(io::Error::other)?;
    stop::record_inherited_descriptors(&[one_client.socket]);
    let needs = || io::Error::other("started without its client");
    let counters = sys::inherited(one_client.counters).ok_or_else(needs)?;
    let socket = sys::inherited(one_client.socket).ok_or_else(needs)?;
    log::open()?;
    let server = Server::of_one_client(model, one_client.settings, counters)?;
    let client = Client::handed_over(socket.into(), server);
    SigSet::empty()
        .thread_set_mask()
        .context(|| "cannot answer signals".into())?;
    server.converse(client);
    log::report_lost();
    Ok(())
}
