//! Parses the text of command-line arguments.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use serde::de::DeserializeOwned;

use crate::target;
use crate::units::parse_number;

/// Most loads in a row: at ten seconds each, half a day.
const LEVELS_MAX: usize = 4_096;

/// Requests per connection; `None` for as many as the server allows.
pub(super) type Reuse = Option<u64>;

/// Numbers of clients, for one load each.
pub(super) type ClientLevels = Vec<u32>;

/// Rates, per second, for one load each.
pub(super) type RateLevels = Vec<f64>;

/// The parts of a URL.
#[derive(Clone, Debug)]
pub(super) struct ServerUrl {
    /// `Host` value: the authority as it was written.
    pub(super) host: String,
    /// Whether its scheme is https.
    pub(super) is_tls: bool,
    pub(super) path: Option<String>,
}

impl ServerUrl {
    /// The parts of `url`, or of the port of a server on this machine.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let rest = rest.split('#').next().unwrap_or(rest);
        let (authority, path) = match rest.find(['/', '?']) {
            Some(at) if rest[at..].starts_with('/') => (&rest[..at], Some(rest[at..].to_owned())),
            Some(at) => (&rest[..at], Some(format!("/{}", &rest[at..]))),
            None => (rest, None),
        };
        if authority.contains('@') {
            // The URL goes into the result, which must not hold a password; neither must this message.
            return Err("a URL names no user here: give --user NAME:PASSWORD".to_owned());
        }
        let is_tls = scheme.eq_ignore_ascii_case("https");
        if authority.is_empty() || !(is_tls || scheme.eq_ignore_ascii_case("http")) {
            return Err(format!(
                "`{url}` is not a URL of the form http[s]://HOST[:PORT][/PATH]"
            ));
        }
        let host = target::with_host(authority).into_owned();
        Ok(Self { host, is_tls, path })
    }

    /// Name or IP address of the host, and its port if there is one.
    pub(super) fn host_and_port(&self) -> (&str, Option<&str>) {
        match self.host.rsplit_once(':') {
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, Some(port)),
            _ => (&self.host, None),
        }
    }

    /// Whether the host is a name, so that the URL does not show its address.
    pub(super) fn is_named(&self) -> bool {
        let (name, _) = self.host_and_port();
        name.trim_matches(['[', ']']).parse::<IpAddr>().is_err()
    }

    /// Addresses of the server, in the resolver's order; at least one.
    pub(super) fn addresses(&self) -> Result<Vec<SocketAddr>, String> {
        let host = &self.host;
        let with_port = match self.host_and_port() {
            (_, Some(_)) => host.clone(),
            (_, None) if self.is_tls => format!("{host}:443"),
            (_, None) => format!("{host}:80"),
        };
        let addresses = target::resolve(&with_port)
            .map_err(|error| format!("`{host}` has no address: {error}"))?;
        Ok(addresses.into_iter().map(target::canonical).collect())
    }
}

/// One of the values that have the name in results, too.
pub(super) fn parse_name<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

/// A number of requests, or `unlimited`.
pub(super) fn parse_reuse(text: &str) -> Result<Reuse, String> {
    match text.parse() {
        _ if text == "unlimited" => Ok(None),
        Ok(count @ 1..) => Ok(Some(count)),
        _ => Err(format!(
            "`{text}` is neither a number from 1 nor `unlimited`"
        )),
    }
}

/// The first and the last of several addresses or ports; one of them alone is both.
pub(super) fn parse_range<T: FromStr + PartialOrd>(text: &str) -> Result<(T, T), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok((first, last)),
        _ => Err(format!("`{text}` is not a range FIRST-LAST")),
    }
}

/// Numbers of clients: `64`, `1,8,64` or `10..100/10`.
pub(super) fn parse_clients(text: &str) -> Result<ClientLevels, String> {
    let wrong = || format!("`{text}` is not a number of clients such as 64, 1,8,64 or 10..100/10");
    let levels = parse_levels(text).ok_or_else(wrong)?;
    // A range may give fractions, which are rounded; a number that is written out must be whole.
    let is_range = text.contains("..");
    let whole = |clients: f64| {
        let rounded = format!("{clients:.0}").parse().ok();
        rounded.filter(|_| is_range || clients.fract() == 0.0)
    };
    let clients: Option<ClientLevels> = levels.into_iter().map(whole).collect();
    clients.ok_or_else(wrong)
}

/// Rates: `500`, `500,1k,2k` or `1k..20k/10`.
pub(super) fn parse_rates(text: &str) -> Result<RateLevels, String> {
    parse_levels(text)
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
