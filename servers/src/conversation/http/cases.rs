//! The duties of an HTTP server as a table of octets. The conversation's own tests play it on the bare machine, the
//! conformance suite over a real socket on every model. A new duty is a new line.

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It stays open for another request.
    Keep,
    /// It is closed at once.
    Close,
    /// It is closed in stages.
    Linger,
}
use Then::{Close, Keep, Linger};

/// Octets from a client · statuses of the answers · what becomes of the connection.
#[rustfmt::skip]
pub const CASES: &[(&[u8], &[u16], Then)] = &[
    // Plain requests.
    (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", &[200], Keep),
    (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", &[200], Close),
    (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: , Close\r\n\r\n", &[200], Close),
    (b"GET / HTTP/1.0\r\n\r\n", &[200], Close),
    (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", &[200], Keep),
    (b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", &[200], Keep),
    (b"GET /?q=1 HTTP/1.1\r\nHost: a\r\n\r\n", &[200], Keep),
    (b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n", &[404], Keep),
    (b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", &[200], Keep),
    (b"GET / HTTP/1.1\nHost: a\n\n", &[200], Keep),
    // Several in one go.
    (b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n", &[200, 404], Keep),
    (b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.0\r\n\r\n", &[200, 200], Close),
    // Nothing, or not enough.
    (b"", &[], Keep),
    (b"GET / HTTP/1.1\r\nHost: a\r\n", &[], Keep),
    // Targets.
    (b"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", &[200], Keep),
    (b"GET HTTP://a?q HTTP/1.1\r\nHost: b\r\n\r\n", &[200], Keep),
    (b"GET http:/// HTTP/1.1\r\nHost: b\r\n\r\n", &[400], Linger),
    (b"GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Linger),
    (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Linger),
    (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", &[405], Keep),
    // Methods.
    (b"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", &[405], Keep),
    (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", &[501], Keep),
    (b"get / HTTP/1.1\r\nHost: a\r\n\r\n", &[501], Keep),
    // Versions.
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", &[505], Linger),
    (b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", &[505], Linger),
    (b"GET / HTTX/1.1\r\nHost: a\r\n\r\n", &[400], Linger),
    (b"GET /\r\nHost: a\r\n\r\n", &[400], Linger),
    // Hosts.
    (b"GET / HTTP/1.1\r\n\r\n", &[400], Linger),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", &[400], Linger),
    (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", &[400], Linger),
    (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", &[400], Linger),
    (b"GET / HTTP/1.1\r\nHost: user@a\r\n\r\n", &[400], Linger),
    (b"GET / HTTP/1.1\r\nHost: a:80\r\n\r\n", &[200], Keep),
    (b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", &[400], Linger),
    (b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", &[200], Keep),
    (b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", &[400], Linger),
    // Syntax of fields.
    (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", &[400], Linger),
    (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", &[400], Linger),
    (b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", &[400], Linger),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", &[400], Linger),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", &[400], Linger),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: caf\xc3\xa9\r\n\r\n", &[200], Keep),
    (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", &[400], Linger),
    // Framing comes before the method.
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", &[405], Keep),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: a\r\n\r\n", &[405, 200], Keep),
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", &[200], Keep),
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", &[400], Linger),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", &[400], Linger),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", &[400], Linger),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc", &[400], Linger),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", &[400], Linger),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", &[400], Linger),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\nabc", &[405], Linger),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", &[405], Keep),
    (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\nGET / HTTP/1.0\r\n\r\n", &[200, 200], Close),
    (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", &[400], Linger),
    (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", &[400], Linger),
    (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", &[400], Linger),
    (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n", &[400], Linger),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", &[400], Linger),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", &[501], Linger),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", &[400], Linger),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", &[400], Linger),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", &[400], Linger),
    (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", &[400], Linger),
    // A client that waits for leave to send its body gets its answer instead.
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n", &[405], Linger),
    (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", &[200], Keep),
    (b"POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc", &[405], Close),
];
