//! Decides from a complete head what to answer (RFC 9112 §2–§6, RFC 9110 §7, §9).

use std::mem::MaybeUninit;

use memchr::memchr;

use super::body::Body;
use super::response::{Persistence, StatusCode};
use super::route::{Route, decimal};

/// Most header fields in a head; one more is answered 431.
const FIELDS_MAX: usize = 100;

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// The route to answer with, or the status of the refusal.
    pub(super) asked: Result<Route, StatusCode>,
    /// False for HEAD, whose answer ends with its head.
    pub(super) wants_content: bool,
    pub(super) persistence: Persistence,
    pub(super) body: Body,
}

/// Parses and checks a complete head. Fails with the status to answer before the connection is closed: after such a
/// head it cannot be trusted any more.
pub(super) fn parse(head: &[u8]) -> Result<Request, StatusCode> {
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut parsed = httparse::Request::new(&mut []);
    match parsed.parse_with_uninit_headers(head, &mut fields) {
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Err(StatusCode::HeadTooLarge),
        Err(httparse::Error::Version) if names_another_version(head) => {
            return Err(StatusCode::VersionNotSupported);
        }
        Ok(httparse::Status::Partial) | Err(_) => return Err(StatusCode::BadRequest),
    }
    let (Some(method), Some(target), Some(minor)) = (parsed.method, parsed.path, parsed.version)
    else {
        return Err(StatusCode::BadRequest);
    };
    let fields = Fields::collect(parsed.headers)?;
    let (path, has_authority) = path_of(target, method)?;
    fields.check_host(minor, has_authority)?;
    let body = fields.framing(minor)?;

    let asked = match method {
        "GET" | "HEAD" => Route::from_path(path).ok_or(StatusCode::NotFound),
        "POST" | "PUT" | "DELETE" | "CONNECT" | "OPTIONS" | "TRACE" | "PATCH" => {
            Err(StatusCode::MethodNotAllowed)
        }
        _ => Err(StatusCode::NotImplemented),
    };
    Ok(Request {
        asked,
        wants_content: method != "HEAD",
        persistence: fields.persistence(minor),
        body,
    })
}

/// The path of a target without its query, and whether the target contains an authority. Fails with 400 for an invalid
/// target: another scheme, an empty host, bytes that no target has, or an asterisk or authority that the method does
/// not allow (RFC 9112 §3.2).
fn path_of<'t>(target: &'t str, method: &str) -> Result<(&'t str, bool), StatusCode> {
    const SCHEME: &str = "http://";
    // The parser accepts bytes beyond ASCII if they are valid UTF-8.
    if !target.is_ascii() {
        return Err(StatusCode::BadRequest);
    }
    let is_asterisk = target == "*" && method == "OPTIONS";
    let (path, has_authority) = if target.starts_with('/') || is_asterisk || method == "CONNECT" {
        (target, false)
    } else {
        let parts = target.split_at_checked(SCHEME.len());
        let (scheme, rest) = parts.ok_or(StatusCode::BadRequest)?;
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if !scheme.eq_ignore_ascii_case(SCHEME) || !is_host(authority.as_bytes()) {
            return Err(StatusCode::BadRequest);
        }
        (if path.starts_with('/') { path } else { "/" }, true)
    };
    Ok((path.split('?').next().unwrap_or(path), has_authority))
}

/// Whether this is a complete request line of another version, such as `HTTP/2.0` (505), and not a malformed one (400),
/// for example with a space in its target.
fn names_another_version(head: &[u8]) -> bool {
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut parts = line.split(|&byte| byte == b' ');
    // Method, target and version, with one space after each of the first two (RFC 9112 §3).
    let (_method, _target, version) = (parts.next(), parts.next(), parts.next());
    parts.next().is_none()
        && matches!(version, Some([b'H', b'T', b'T', b'P', b'/', major, b'.', minor]) if major.is_ascii_digit() && minor.is_ascii_digit())
}

/// The header fields that the server evaluates.
#[derive(Debug, Default)]
struct Fields<'h> {
    host: Option<&'h [u8]>,
    content_length: Option<u64>,
    transfer_coding: Option<Coding>,
    expects_continue: bool,
    close: bool,
    keep_alive: bool,
}

/// What `Transfer-Encoding` lists, over all its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    /// `chunked` alone.
    Chunked,
    /// `chunked` last, after a coding that is not offered here.
    UnknownThenChunked,
    /// No `chunked` at the end: the length cannot be known.
    Unframed,
}

impl<'h> Fields<'h> {
    fn collect(headers: &[httparse::Header<'h>]) -> Result<Self, StatusCode> {
        let mut fields = Fields::default();
        for header in headers {
            let (name, value) = (header.name, header.value);
            if name.eq_ignore_ascii_case("host") {
                if fields.host.replace(value.trim_ascii()).is_some() {
                    return Err(StatusCode::BadRequest);
                }
            } else if name.eq_ignore_ascii_case("content-length") {
                fields.add_content_length(value)?;
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                elements(value).for_each(|coding| fields.add_coding(coding));
                // An empty field still means that the sender wanted to frame the body with it.
                fields.transfer_coding.get_or_insert(Coding::Unframed);
            } else if name.eq_ignore_ascii_case("connection") {
                for option in elements(value) {
                    fields.close |= option.eq_ignore_ascii_case(b"close");
                    fields.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            } else if name.eq_ignore_ascii_case("expect") {
                fields.expects_continue |=
                    elements(value).any(|each| each.eq_ignore_ascii_case(b"100-continue"));
            }
        }
        Ok(fields)
    }

    /// RFC 9110 §8.6: a list of equal lengths counts as one of them.
    fn add_content_length(&mut self, value: &[u8]) -> Result<(), StatusCode> {
        for element in value.split(|&byte| byte == b',') {
            let length = decimal(element.trim_ascii()).ok_or(StatusCode::BadRequest)?;
            let before = self.content_length.replace(length);
            if before.is_some_and(|before| before != length) {
                return Err(StatusCode::BadRequest);
            }
        }
        Ok(())
    }

    fn add_coding(&mut self, coding: &[u8]) {
        let is_chunked = coding.eq_ignore_ascii_case(b"chunked");
        self.transfer_coding = Some(match self.transfer_coding {
            None if is_chunked => Coding::Chunked,
            // Chunked twice, or followed by another coding: the end of the body is unknown.
            Some(Coding::Chunked | Coding::UnknownThenChunked) => Coding::Unframed,
            Some(Coding::Unframed) if is_chunked => Coding::UnknownThenChunked,
            None | Some(Coding::Unframed) => Coding::Unframed,
        });
    }

    /// RFC 9112 §3.2: exactly one valid Host in HTTP/1.1; an authority in the target overrides what it says.
    fn check_host(&self, minor: u8, target_has_authority: bool) -> Result<(), StatusCode> {
        match self.host {
            None if minor == 0 => Ok(()),
            Some(host) if is_host(host) || (target_has_authority && host.is_empty()) => Ok(()),
            _ => Err(StatusCode::BadRequest),
        }
    }

    fn framing(&self, minor: u8) -> Result<Body, StatusCode> {
        let body = match (self.transfer_coding, self.content_length) {
            (None, length) => Body::Length(length.unwrap_or(0)),
            (Some(Coding::Chunked), None) if minor > 0 => Body::CHUNKED,
            (Some(Coding::UnknownThenChunked), None) if minor > 0 => {
                return Err(StatusCode::NotImplemented);
            }
            _ => return Err(StatusCode::BadRequest),
        };
        let held_back = self.expects_continue && minor > 0 && !body.is_empty();
        Ok(if held_back { Body::Unread } else { body })
    }

    /// RFC 9112 §9.3.
    fn persistence(&self, minor: u8) -> Persistence {
        match (self.close, minor) {
            (true, _) => Persistence::Close,
            (false, 0) if self.keep_alive => Persistence::AnnouncedKeepAlive,
            (false, 0) => Persistence::Close,
            (false, _) => Persistence::KeepAlive,
        }
    }
}

/// The elements of a comma-separated list, empty ones left out (RFC 9110 §5.6.1).
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|&byte| byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
}

/// Whether a byte may appear unencoded in a registered name or an IPv4 address: `unreserved / sub-delims` (RFC 3986
/// §3.2.2). A table, because every request has a host.
const IN_NAMES: [bool; 256] = {
    let allowed = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=";
    let mut table = [false; 256];
    let mut place = 0;
    while place < allowed.len() {
        table[allowed[place] as usize] = true;
        place += 1;
    }
    table
};

/// `uri-host [ ":" port ]` (RFC 3986 §3.2), not empty, without user information.
fn is_host(authority: &[u8]) -> bool {
    let host_end = if authority.starts_with(b"[") {
        memchr(b']', authority).map(|bracket| bracket + 1)
    } else {
        memchr(b':', authority)
    };
    let (host, port) = authority.split_at(host_end.unwrap_or(authority.len()));
    let host_is_valid = match host {
        [] => false,
        [b'[', b'v' | b'V', future @ .., b']'] => is_future_address(future),
        [b'[', address @ .., b']'] => std::str::from_utf8(address)
            .is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok()),
        name => is_registered_name(name),
    };
    let port_is_valid = match port {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    host_is_valid && port_is_valid
}

/// `1*HEXDIG "." 1*( unreserved / sub-delims / ":" )`: what follows the `v` of an `IPvFuture` (RFC 3986 §3.2.2).
fn is_future_address(future: &[u8]) -> bool {
    let Some(dot) = memchr(b'.', future) else {
        return false;
    };
    let (version, address) = (&future[..dot], &future[dot + 1..]);
    let in_address = |&byte: &u8| byte == b':' || IN_NAMES[usize::from(byte)];
    !version.is_empty()
        && version.iter().all(u8::is_ascii_hexdigit)
        && !address.is_empty()
        && address.iter().all(in_address)
}

/// `*( unreserved / pct-encoded / sub-delims )` (RFC 3986 §3.2.2).
fn is_registered_name(name: &[u8]) -> bool {
    let mut rest = name;
    loop {
        let plain = rest.iter().take_while(|&&byte| IN_NAMES[usize::from(byte)]);
        rest = match &rest[plain.count()..] {
            [] => return true,
            [b'%', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                rest
            }
            _ => return false,
        };
    }
}
