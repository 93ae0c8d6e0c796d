//! A network namespace for one server (network_namespaces(7)), joined to this one by a pair of virtual Ethernet devices
//! (veth(4)). Its clients then reach it through two whole network stacks and a link, and not through loopback.
//!
//! Making one needs root, and ip(8) of iproute2.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::owned_name::OwnedName;

/// Where ip(8) keeps the names of namespaces.
const NAMES: &str = "/run/netns";
/// First address of the networks: the range for benchmarks, which no other network has (RFC 2544, appendix C.2.2).
const FIRST_ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 0);
/// Addresses of one network: two ends, its own and the broadcast address.
const ADDRESSES: u32 = 4;
/// Networks of one process, and processes with networks of their own.
const NETWORKS: u32 = 32;
const PROCESSES: u32 = 1_024;
/// The server's end of the link.
const DEVICE: &str = "hola";

/// A namespace that this process made. Dropping it removes it, with its link.
#[derive(Debug)]
pub(crate) struct NetworkNamespace {
    name: String,
    address: Ipv4Addr,
}

impl NetworkNamespace {
    /// Makes a namespace with a link to this one.
    ///
    /// # Errors
    /// Returns the reason: mostly that this user is not root.
    pub(crate) fn new() -> Result<Self, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        sweep();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let network = (process::id() % PROCESSES) * NETWORKS + number % NETWORKS;
        let first = u32::from(FIRST_ADDRESS) + network * ADDRESSES;
        let (here, there) = (Ipv4Addr::from(first + 1), Ipv4Addr::from(first + 2));
        let (name, device) = (
            format!("{}n{number}", OwnedName::prefix()),
            format!("hola{network}"),
        );
        ip(&format!("netns add {name}"))?;
        // From here on, dropping it removes what was made.
        let namespace = NetworkNamespace {
            name,
            address: there,
        };
        let name = &namespace.name;
        ip(&format!(
            "link add {device} type veth peer name {DEVICE} netns {name}"
        ))?;
        ip(&format!("address add {here}/30 dev {device}"))?;
        ip(&format!("link set {device} up"))?;
        ip(&format!(
            "-netns {name} address add {there}/30 dev {DEVICE}"
        ))?;
        ip(&format!("-netns {name} link set {DEVICE} up"))?;
        ip(&format!("-netns {name} link set lo up"))?;
        Ok(namespace)
    }

    /// Its address, as seen from both namespaces.
    pub(crate) fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// The beginning of a command that runs a program in it, in the same process.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args([&format!("--net={NAMES}/{}", self.name), "--", program]);
        command
    }
}

impl Drop for NetworkNamespace {
    fn drop(&mut self) {
        // What cannot be removed now is swept away later.
        let _ = ip(&format!("netns delete {}", self.name));
    }
}

/// Removes namespaces of processes that were killed before they could remove them.
fn sweep() {
    for entry in fs::read_dir(NAMES).into_iter().flatten().flatten() {
        let owned = OwnedName::from_path(&entry.path());
        let left = owned.filter(|name| !Path::new(&format!("/proc/{}", name.maker())).exists());
        let _ = left.map(|name| ip(&format!("netns delete {name}")));
    }
}

fn ip(arguments: &str) -> Result<(), String> {
    let output = Command::new("ip")
        .args(arguments.split(' '))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run ip: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("ip {arguments}: {}", said.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_has_an_end_of_a_link_and_is_gone_with_its_owner() {
        let namespace = match NetworkNamespace::new() {
            Ok(namespace) => namespace,
            Err(reason) => return println!("skipped: {reason}"),
        };
        let shown = namespace.command("ip").args(["-brief", "address"]).output();
        let shown = String::from_utf8(shown.expect("run").stdout).expect("text");
        assert!(shown.contains(&namespace.address().to_string()), "{shown}");
        let path = Path::new(NAMES).join(&namespace.name);
        assert!(path.exists());
        drop(namespace);
        assert!(!path.exists());
    }
}
