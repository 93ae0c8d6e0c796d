//! Who may use a page: the holder of its address, with a browser on this machine.
//!
//! Any page in the same browser can send requests to a loopback port, and a name that its owner first resolves to a server
//! of theirs and then to 127.0.0.1 makes such a page and this one the same origin (DNS rebinding). So each request needs
//! the token, and a `Host` that is a loopback address.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::{CLIENT_PATH, PageState};

/// Random bytes of a token: nobody guesses them.
const TOKEN_BYTES: usize = 16;

/// Header fields of every answer. No other page may show this one in a frame, and the address, which has the token, is told
/// to nobody.
const HEADERS: [(&str, &str); 4] = [
    (
        "content-security-policy",
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("cache-control", "no-store"),
];

/// A secret that a page has, in hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct PageToken(String);

impl PageToken {
    /// A new token. Fails with the error of reading `/dev/urandom`.
    pub(super) fn random() -> io::Result<Self> {
        let mut bytes = [0; TOKEN_BYTES];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
        Ok(PageToken(digits.collect()))
    }

    /// Its digits.
    pub(super) fn digits(&self) -> &str {
        &self.0
    }

    /// Whether a query has it. The time that this takes tells nothing about the digits.
    fn is_in(&self, query: &str) -> bool {
        let mut values = query
            .split('&')
            .filter_map(|one| one.strip_prefix("token="));
        let given = values.next().unwrap_or_default();
        given.as_bytes().ct_eq(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for PageToken {
    /// Without the secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PageToken")
    }
}

/// Refuses a request that is not from the holder of the address, and adds the header fields of every answer.
pub(super) async fn guard(
    State(state): State<PageState>,
    request: Request,
    next: Next,
) -> Response {
    let host = request.headers().get(HOST);
    let has_loopback_host = host.is_some_and(is_loopback);
    // The token of one page opens nothing of the other.
    let token = match request.uri().path().starts_with(CLIENT_PATH) {
        true => &state.client_token,
        false => &state.token,
    };
    let has_token = token.is_in(request.uri().query().unwrap_or_default());
    let mut response = if !has_loopback_host {
        (StatusCode::FORBIDDEN, "the Host is not this machine\n").into_response()
    } else if !has_token {
        const NO_TOKEN: &str = "open the address that hola console has printed\n";
        (StatusCode::FORBIDDEN, NO_TOKEN).into_response()
    } else {
        next.run(request).await
    };
    for (name, value) in HEADERS {
        let (name, value) = (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
        response.headers_mut().insert(name, value);
    }
    response
}

/// Whether a `Host` is a loopback address, or the name of one that no other machine can give.
fn is_loopback(host: &HeaderValue) -> bool {
    let authority = Authority::try_from(host.as_bytes()).ok();
    authority.is_some_and(|authority| {
        let name = authority.host();
        let address = name.trim_start_matches('[').trim_end_matches(']');
        let address = address.parse::<IpAddr>();
        name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|ip| ip.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_hosts() {
        let host = HeaderValue::from_static;
        for good in [
            "127.0.0.1:8080",
            "127.0.0.1",
            "127.1.2.3:1",
            "[::1]:80",
            "localhost:9",
            "LOCALHOST",
        ] {
            assert!(is_loopback(&host(good)), "{good}");
        }
        for bad in [
            "",
            "example.com",
            "127.0.0.1.example.com:80",
            "localhost.example.com",
            "10.0.0.1:80",
            "[::2]:80",
            "0.0.0.0",
            "a b",
        ] {
            assert!(!is_loopback(&host(bad)), "{bad}");
        }
    }

    #[test]
    fn a_token_is_found_whole_and_only_under_its_name() {
        let token = PageToken::random().expect("random bytes");
        let digits = token.digits();
        assert_eq!(digits.len(), 2 * TOKEN_BYTES);
        assert_ne!(digits, PageToken::random().expect("random bytes").digits());
        assert!(token.is_in(&format!("token={digits}")));
        assert!(token.is_in(&format!("lang=es&token={digits}")));
        for bad in ["", "token=", digits, &format!("tok={digits}")] {
            assert!(!token.is_in(bad), "{bad}");
        }
        assert!(!token.is_in(&format!("token={}", &digits[1..])));
        assert!(!token.is_in(&format!("token={digits}0")));
        assert!(!format!("{token:?}").contains(digits));
    }
}
