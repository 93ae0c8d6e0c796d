//! Parses the text of command-line arguments.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::{ClientLevels, RateLevels, Reuse, UsageError};
use crate::target;
use crate::units::parse_number;

/// Most loads in a row: at ten seconds each, half a day.
const LEVELS_MAX: usize = 4_096;

/// The parts of a URL.
#[derive(Debug)]
pub(super) struct ServerUrl {
    /// Addresses of the server, in the resolver's order; at least one.
    pub(super) addresses: Vec<SocketAddr>,
    /// `Host` value: the authority as it was written.
    pub(super) host: String,
    pub(super) path: Option<String>,
}

impl ServerUrl {
    /// Whether the host is a name, so that the URL does not show its address.
    pub(super) fn is_named(&self) -> bool {
        let host = self
            .host
            .rsplit_once(':')
            .map_or(&*self.host, |(host, port)| {
                if port.ends_with(']') {
                    &self.host
                } else {
                    host
                }
            });
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host.parse::<IpAddr>().is_err()
    }
}

/// Addresses, `Host` value and path of a URL, or of the port of a server on this machine.
pub(super) fn locate(url: &str) -> Result<ServerUrl, UsageError> {
    let wrong = || UsageError::Url(url.to_owned());
    let rest = match url.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
        Some(_) => return Err(wrong()),
        None => url,
    };
    let rest = rest.split('#').next().unwrap_or(rest);
    let (authority, path) = match rest.find(['/', '?']) {
        Some(at) if rest[at..].starts_with('/') => (&rest[..at], Some(rest[at..].to_owned())),
        Some(at) => (&rest[..at], Some(format!("/{}", &rest[at..]))),
        None => (rest, None),
    };
    if authority.is_empty() || authority.contains('@') {
        return Err(wrong());
    }
    let host = target::with_host(authority).into_owned();
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(host, _)| !host.contains(':') || host.ends_with(']'));
    let with_port = if has_port {
        host.clone()
    } else {
        format!("{host}:80")
    };
    let addresses = target::resolve(&with_port)
        .map_err(|error| UsageError::Unresolved(host.clone(), error.to_string()))?;
    Ok(ServerUrl {
        addresses: addresses.into_iter().map(target::canonical).collect(),
        host,
        path,
    })
}

/// A number of requests, or `unlimited`.
pub(super) fn parse_reuse(text: &str) -> Result<Reuse, String> {
    if text == "unlimited" {
        return Ok(Reuse(None));
    }
    match text.parse() {
        Ok(count @ 1..) => Ok(Reuse(Some(count))),
        _ => Err(format!(
            "`{text}` is neither a number from 1 nor `unlimited`"
        )),
    }
}

/// One IPv4 address, or the first and the last of several.
pub(super) fn parse_sources(text: &str) -> Result<(Ipv4Addr, Ipv4Addr), String> {
    let wrong = || format!("`{text}` is not a range such as 127.0.0.2-127.0.0.9");
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok((first, last)),
        _ => Err(wrong()),
    }
}

/// The first and the last of several ports.
pub(super) fn parse_ports(text: &str) -> Result<(u16, u16), String> {
    let wrong = || format!("`{text}` is not a range such as 40000-40999");
    let (first, last) = text.split_once('-').ok_or_else(wrong)?;
    match (first.parse(), last.parse()) {
        (Ok(first @ 1..), Ok(last)) if first <= last => Ok((first, last)),
        _ => Err(wrong()),
    }
}

/// Numbers of clients: `64`, `1,8,64` or `10..100/10`.
pub(super) fn parse_clients(text: &str) -> Result<ClientLevels, String> {
    let wrong = || format!("`{text}` is not a number of clients such as 64, 1,8,64 or 10..100/10");
    let whole = |clients: f64| format!("{clients:.0}").parse().map_err(|_| wrong());
    let levels = parse_levels(text).ok_or_else(wrong)?;
    // A range may give fractions, which are rounded; a number that is written out must be whole.
    let written_out = !text.contains("..");
    if written_out && levels.iter().any(|clients| clients.fract() != 0.0) {
        return Err(wrong());
    }
    let clients: Result<Vec<u32>, String> = levels.into_iter().map(whole).collect();
    clients.map(ClientLevels)
}

/// Rates: `500`, `500,1k,2k` or `1k..20k/10`.
pub(super) fn parse_rates(text: &str) -> Result<RateLevels, String> {
    parse_levels(text)
        .map(RateLevels)
        .ok_or_else(|| format!("`{text}` is not a rate such as 500, 500,1k,2k or 1k..20k/10"))
}

/// Numbers separated by commas, or `FIRST..LAST/COUNT`: COUNT numbers, equally spaced, both ends included.
fn parse_levels(text: &str) -> Option<Vec<f64>> {
    let Some((first, rest)) = text.split_once("..") else {
        let levels: Option<Vec<f64>> = text.split(',').map(parse_number).collect();
        return levels.filter(|levels| levels.len() <= LEVELS_MAX);
    };
    let (last, count) = rest.split_once('/')?;
    let (first, last) = (parse_number(first)?, parse_number(last)?);
    let count: u16 = count.parse().ok()?;
    if first >= last || !(2..=LEVELS_MAX).contains(&usize::from(count)) {
        return None;
    }
    let step = (last - first) / f64::from(count - 1);
    Some(
        (0..count)
            .map(|index| first + step * f64::from(index))
            .collect(),
    )
}
