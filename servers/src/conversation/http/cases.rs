//! The requirements on an HTTP server as tables of bytes. The conversation's own tests play them on the state
//! machine alone, the conformance suite over a real socket on every model. A new requirement is a new line.

/// What happens to the connection.
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

/// Bytes from a client, statuses of the answers, what happens to the connection.
pub type Case = (Vec<u8>, &'static [u16], Then);

/// All cases.
pub fn cases() -> impl Iterator<Item = Case> {
    let long = LONG_CASES.iter().map(|&(parts, statuses, then)| {
        let repeated = parts.iter().map(|(bytes, times)| bytes.repeat(*times));
        (repeated.collect::<Vec<_>>().concat(), statuses, then)
    });
    short_cases().chain(long)
}

/// The cases without those of long requests.
pub fn short_cases() -> impl Iterator<Item = Case> {
    let families = FAMILIES
        .iter()
        .flat_map(|&(before, after, statuses, then, parts)| {
            let input = move |&part| [before, part, after].concat();
            parts.iter().map(move |part| (input(part), statuses, then))
        });
    let others = CASES.iter().map(|case| (case.0.to_vec(), case.1, case.2));
    families.chain(others)
}

/// Cases that differ in one part: what comes before the part · what comes after it · statuses of the answers · what
/// happens to the connection · the parts.
type Family = (
    &'static [u8],
    &'static [u8],
    &'static [u16],
    Then,
    &'static [&'static [u8]],
);

#[rustfmt::skip]
const FAMILIES: &[Family] = &[
    // The greeting, and the routes for experiments.
    (b"", b"\r\nHost: a\r\n\r\n", &[200], Keep, &[
        b"GET / HTTP/1.1", b"GET /?q=1 HTTP/1.1", b"HEAD / HTTP/1.1", b"GET /wait/0 HTTP/1.1",
        b"GET /wait/1 HTTP/1.1", b"HEAD /wait/1 HTTP/1.1", b"GET /compute/10 HTTP/1.1", b"HEAD /compute/10 HTTP/1.1",
        b"GET /bytes/0 HTTP/1.1", b"GET /bytes/5 HTTP/1.1", b"GET /bytes/100000 HTTP/1.1", b"GET /count HTTP/1.1",
    ]),
    // Unknown paths, numbers out of bounds, and crashes, which the server must allow.
    (b"", b"\r\nHost: a\r\n\r\n", &[404], Keep, &[
        b"GET /other HTTP/1.1", b"GET /wait/10001 HTTP/1.1", b"GET /wait/+1 HTTP/1.1", b"GET /wait/-1 HTTP/1.1",
        b"GET /wait/1/ HTTP/1.1", b"GET /wait/ HTTP/1.1", b"GET /wait HTTP/1.1", b"GET /compute/100000001 HTTP/1.1",
        b"GET /compute/18446744073709551626 HTTP/1.1", b"GET /compute/1x HTTP/1.1", b"GET /bytes/16777217 HTTP/1.1",
        b"GET /bytes/%35 HTTP/1.1", b"GET /count/ HTTP/1.1", b"GET /crash/panic HTTP/1.1",
        b"GET /crash/abort HTTP/1.1", b"GET /crash/segv HTTP/1.1", b"GET /crash/ HTTP/1.1",
    ]),
    // Known methods that are not allowed.
    (b"", b"\r\nHost: a\r\n\r\n", &[405], Keep, &[
        b"DELETE / HTTP/1.1", b"POST /other HTTP/1.1", b"OPTIONS * HTTP/1.1", b"CONNECT a:80 HTTP/1.1",
        b"TRACE / HTTP/1.1", b"POST /wait/1 HTTP/1.1", b"POST /count HTTP/1.1",
    ]),
    // Invalid request lines, in bytes, and targets of another scheme.
    (b"", b"\r\nHost: a\r\n\r\n", &[400], Linger, &[
        b"\rGET / HTTP/1.1", b" GET / HTTP/1.1", b"GET /", b"GET  / HTTP/1.1", b"GET / HTTP/1.1 ",
        b"GET /a b HTTP/1.1", b"GET /a b HTTP/2.0", b"GET / HTTP/1.1 HTTP/1.1", b"GET / HTTP/2.0 HTTP/2.0",
        b"GET /  HTTP/2.0", b"GET / HTTP/2.0 ", b"GET /\tb HTTP/1.1", b"G\xc3\x89T / HTTP/1.1",
        b"GET /\xc3\xa9 HTTP/1.1", b"GET /\xff HTTP/1.1", b"GET /\0 HTTP/1.1", b"GET https://a/ HTTP/1.1",
        b"POST https://a/ HTTP/1.1", b"GET other HTTP/1.1", b"GET * HTTP/1.1", b"GET a:80 HTTP/1.1",
        b"GET / HTTX/1.1", b"GET / http/1.1", b"GET / HTTP/1.11",
    ]),
    // Valid hosts: names, addresses, ports, encoded bytes.
    (b"GET / HTTP/1.1\r\nHost: ", b"\r\n\r\n", &[200], Keep, &[
        b"a:80", b"127.0.0.1:8080", b"[::1]:80", b"[v1.a]", b"[VaF0.AZaz09-._~!$&'()*+,;=:]:80", b"a%C3%b1.b",
    ]),
    // An authority in the target takes precedence over the host.
    (b"", b"\r\nHost: b\r\n\r\n", &[200], Keep, &[
        b"GET http://[v1.AZaz09-._~!$&'()*+,;=:]/ HTTP/1.1", b"GET http://a/ HTTP/1.1", b"GET HTTP://a?q HTTP/1.1",
    ]),
    // Invalid authorities.
    (b"", b"\r\nHost: b\r\n\r\n", &[400], Linger, &[
        b"GET http:/// HTTP/1.1", b"POST http:/// HTTP/1.1", b"GET http://:80/ HTTP/1.1",
        b"GET http://user@a/ HTTP/1.1",
    ]),
    // Invalid hosts.
    (b"GET / HTTP/1.1\r\nHost: ", b"\r\n\r\n", &[400], Linger, &[
        b"a b", b"a, b", b"a/b", b"user@a", b"a:b", b":80", b"[::1", b"[::g]", b"[v.a]", b"[v1.]", b"[v1]", b"[vg.a]",
        b"[v1.%41]", b"[v1.a@]", b"[v1.a]b", b"a%4", b"a%4g", b"%",
    ]),
    // Fields that change nothing, and a client that waits for `100 Continue` without a body.
    (b"GET / HTTP/1.1\r\nHost: a\r\n", b"\r\n\r\n", &[200], Keep, &[
        b"X: caf\xc3\xa9 \xff", b"Connection: ,", b"Connection: closed", b"Content-Length: 0",
        b"Expect: 100-continue",
    ]),
    // Connection: closed when asked, also in a list with empty elements or over several lines.
    (b"GET / HTTP/1.1\r\nHost: a\r\n", b"\r\n\r\n", &[200], Close, &[
        b"Connection: , close", b"Connection: x,,\t,close,", b"Connection: x\r\nConnection: close",
        b"Connection: close", b"Connection: keep-alive, close",
    ]),
    // Invalid fields: names, values, folded lines, a second host.
    (b"GET / HTTP/1.1\r\nHost: a\r\n", b"\r\n\r\n", &[400], Linger, &[
        b"X\t: v", b": v", b"X", b"X: v\r\n folded", b"X: v\r\n\tfolded", b"X: a\0b", b"X: a\rb", b"X: a\nb",
        b"X: a\x7fb", b"Host: a", b"Host: b",
    ]),
    // Framing: Content-Length consists of digits.
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ", b"", &[400], Linger, &[
        b"+3\r\n\r\nabc", b"-1\r\n\r\n", b"0x3\r\n\r\nabc", b"3 3\r\n\r\nabc", b"3,\r\n\r\nabc",
        b"\xd9\xa3\r\n\r\nabc", b"18446744073709551616\r\n\r\n", b"3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
    ]),
    // Framing: Transfer-Encoding is chunked and nothing else, without a length.
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ", b"", &[400], Linger, &[
        b"chunked\r\nContent-Length: 3\r\n\r\nabc", b"chunked, gzip\r\n\r\n0\r\n\r\n", b"gzip\r\n\r\n0\r\n\r\n",
        b"chunked\r\nTransfer-Encoding: chunked\r\n\r\n", b"xchunked\r\n\r\n",
    ]),
    // Framing: the chunked coding.
    (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"", &[400], Linger, &[
        b"x\r\n", b"\r\n", b"+3\r\nabc\r\n", b"0x3\r\nabc\r\n", b"3 3\r\nabc\r\n", b"3\nabc\r\n",
        b"3;a\nb\r\nabc\r\n", b"3\r\nabcd\r\n0\r\n\r\n", b"3\r\nabc\n0\r\n\r\n", b"0\r\nT: a\rb\r\n\r\n",
        b"ffffffffffffffffff\r\n",
    ]),
];

/// Bytes from a client · statuses of the answers · what happens to the connection.
#[rustfmt::skip]
const CASES: &[(&[u8], &[u16], Then)] = &[
    // Parsing: line ends, and what comes before a request.
    (b"GET / HTTP/1.1\nHost: a\n\n", &[200], Keep),
    (b"GET / HTTP/1.1\r\nHost: a\n\r\n", &[200], Keep),
    (b"GET / HTTP/1.1\rHost: a\r\r", &[], Keep),
    (b"GET / HTTP/1.1\r\rHost: a\r\n\r\n", &[400], Linger),
    (b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", &[200], Keep),
    (b"\r\n\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", &[200], Keep),
    // Parsing: only a complete head is answered.
    (b"", &[], Keep),
    (b"\r\n", &[], Keep),
    (b"GET / HTTP/1.1\r\nHost: a\r\n", &[], Keep),
    (b"GET / HTTP/1.1\r\nHost: a\r\n\r", &[], Keep),
    // Parsing: the request line, in bytes.
    (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", &[400], Linger),
    // Parsing: fields.
    (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", &[400], Linger),
    (b"GET / HTTP/1.1\r\n X: v\r\nHost: a\r\n\r\n", &[400], Linger),
    (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", &[400], Linger),
    (b"GET / HTTP/1.1\r\nHost:a\r\nX:\r\n\r\n", &[200], Keep),
    (b"GET / HTTP/1.1\r\nHost: \t a \t \r\nConnection: \t close \t \r\n\r\n", &[200], Close),
    (b"GET / HTTP/1.1\r\nHOST: a\r\ncOnNeCtIoN: cLoSe\r\n\r\n", &[200], Close),
    // Parsing: lists, with empty elements and over several lines.
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: , chunked ,\r\n\r\n0\r\n\r\n", &[405], Keep),
    // Routing: the host.
    (b"GET / HTTP/1.1\r\n\r\n", &[400], Linger),
    (b"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", &[400], Linger),
    (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", &[400], Linger),
    // Routing: the target, whose authority takes precedence over the host.
    (b"GET http://a/ HTTP/1.1\r\nHost:\r\n\r\n", &[200], Keep),
    (b"GET http://a/ HTTP/1.1\r\n\r\n", &[400], Linger),
    (b"GET http://a/ HTTP/1.1\r\nHost: b c\r\n\r\n", &[400], Linger),
    (b"GET http://a:80/other HTTP/1.1\r\nHost: b\r\n\r\n", &[404], Keep),
    (b"GET http://a HTTP/1.0\r\n\r\n", &[200], Close),
    // Framing: it is checked before the method and after the host.
    (b"BREW / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", &[400], Linger),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", &[400], Linger),
    // Framing: Content-Length consists of digits, and all its values are equal.
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", &[405], Keep),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: a\r\n\r\n", &[405, 200], Keep),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab", &[], Keep),
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0003\r\n\r\nabc", &[200], Keep),
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", &[200], Keep),
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", &[200], Keep),
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 4\r\n\r\nabc", &[400], Linger),
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", &[400], Linger),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", &[400], Linger),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n", &[405], Linger),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\nabc", &[405], Linger),
    // Framing: Transfer-Encoding is chunked and nothing else, without a length, in HTTP/1.1.
    (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", &[400], Linger),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", &[400], Linger),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", &[501], Linger),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", &[501], Linger),
    // Framing: the chunked coding.
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", &[405], Keep),
    (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00A\r\n0123456789\r\n000\r\n\r\nGET / HTTP/1.0\r\n\r\n", &[200, 200], Close),
    (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0 ; z=\"1\"\r\nT: v\r\nU: w\r\n\r\n", &[200], Keep),
    (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", &[], Keep),
    (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n", &[200], Linger),
    // Methods and versions.
    (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", &[501], Keep),
    (b"get / HTTP/1.1\r\nHost: a\r\n\r\n", &[501], Keep),
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", &[505], Linger),
    (b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", &[505], Linger),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[505], Linger),
    // Responses: a client that waits for `100 Continue` gets the final answer instead; in HTTP/1.0 no client waits.
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n", &[405], Linger),
    (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-Continue\r\n\r\n", &[200], Linger),
    (b"POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc", &[405], Close),
    (b"POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n", &[], Keep),
    // Connection: closed when asked, kept in HTTP/1.0 only when asked.
    (b"GET /other HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", &[404], Close),
    (b"GET / HTTP/1.0\r\n\r\n", &[200], Close),
    (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", &[200], Keep),
    (b"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", &[200], Close),
    // Connection: pipelined requests are answered in order, and none after a close.
    (b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n", &[200, 404], Keep),
    (b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n\r\nBREW / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.0\r\n\r\n", &[404, 501, 200], Close),
    (b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n", &[200, 400], Linger),
    // For experiments: a wait.
    (b"GET /wait/1?2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", &[200], Close),
    (b"GET /wait/1 HTTP/1.1\r\n\r\n", &[400], Linger),
    (b"GET /wait/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /x HTTP/1.1\r\nHost: a\r\n\r\n", &[200, 404], Keep),
    (b"GET /wait/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", &[200], Linger),
    (b"GET /wait/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx", &[400], Linger),
    // For experiments: short answers and long ones.
    (b"GET /bytes/100000 HTTP/1.1\r\nHost: a\r\n\r\nGET /bytes/300 HTTP/1.0\r\n\r\n", &[200, 200], Close),
    (b"HEAD /bytes/16777216 HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n", &[200, 404], Keep),
];

/// Some bytes, and how often they are repeated.
type Part = (&'static [u8], usize);

/// Cases that do not fit on a line: bytes from a client, in parts · statuses of the answers · what happens to the
/// connection.
///
/// No line makes a server leave more unread than it reads in a lingering close.
#[rustfmt::skip]
const LONG_CASES: &[(&[Part], &[u16], Then)] = &[
    // Parsing: empty lines before a request are ignored, however many.
    (&[(b"\r\n", 9_000), (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1)], &[200], Keep),
    // Parsing: a target of 8,000 bytes is fine, a request line of more than 8,192 is not.
    (&[(b"GET /", 1), (b"a", 7_999), (b" HTTP/1.1\r\nHost: a\r\n\r\n", 1)], &[404], Keep),
    (&[(b"GET /?", 1), (b"a", 7_998), (b" HTTP/1.1\r\nHost: a\r\n\r\n", 1)], &[200], Keep),
    (&[(b"GET /", 1), (b"a", 8_176), (b" HTTP/1.1\r\nHost: a\r\n\r\n", 1)], &[404], Keep),
    (&[(b"GET /", 1), (b"a", 8_177), (b" HTTP/1.1\r\nHost: a\r\n\r\n", 1)], &[414], Linger),
    (&[(b"GET /", 1), (b"a", 20_000)], &[414], Linger),
    // Parsing: a head of 16 KiB is fine, a longer one is not.
    (&[(b"GET / HTTP/1.1\r\nHost: a\r\nX: ", 1), (b"a", 16_352), (b"\r\n\r\n", 1)], &[200], Keep),
    (&[(b"GET / HTTP/1.1\r\nHost: a\r\nX: ", 1), (b"a", 16_353), (b"\r\n\r\n", 1)], &[431], Linger),
    (&[(b"GET / HTTP/1.1\r\nHost: a\r\nX: ", 1), (b"a", 20_000)], &[431], Linger),
    // Parsing: a hundred fields are fine, one more is not.
    (&[(b"GET / HTTP/1.1\r\nHost: a\r\n", 1), (b"X: v\r\n", 99), (b"\r\n", 1)], &[200], Keep),
    (&[(b"GET / HTTP/1.1\r\nHost: a\r\n", 1), (b"X: v\r\n", 100), (b"\r\n", 1)], &[431], Linger),
    // Framing: a body of 64 KiB is read, a longer one is not.
    (&[(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n", 1), (b"x", 65_536), (b"GET / HTTP/1.0\r\n\r\n", 1)], &[405, 200], Close),
    (&[(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 1), (b"x", 50_000)], &[405], Linger),
    (&[(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 1), (b"a\r\n0123456789\r\n", 4_300), (b"0\r\n\r\n", 1)], &[405], Keep),
    (&[(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 1), (b"1\r\nx\r\n", 11_000), (b"0\r\n\r\n", 1)], &[405], Linger),
    // Framing: chunk extensions and trailers are ignored, up to a kilobyte.
    (&[(b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;", 1), (b"e", 1_000), (b"\r\nx\r\n0\r\n\r\n", 1)], &[200], Keep),
    (&[(b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;", 1), (b"e", 1_100), (b"\r\nx\r\n0\r\n\r\n", 1)], &[400], Linger),
    (&[(b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", 1), (b"T: v\r\n", 160), (b"\r\n", 1)], &[200], Keep),
    (&[(b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", 1), (b"T: v\r\n", 180), (b"\r\n", 1)], &[400], Linger),
    (&[(b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 1), (b"0", 1_100), (b"\r\n\r\n", 1)], &[400], Linger),
    // Connection: many requests at once.
    (&[(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 3)], &[200, 200, 200], Keep),
    (&[(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1), (b"\r\n", 2_000), (b"GET /x HTTP/1.0\r\n\r\n", 1)], &[200, 404], Close),
];
