//! Turns arguments into the loads to run.

use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hola_base::output::say;
use hola_base::process::{Cpus, descriptor_limit};

use super::LoadArgs;
use super::gates::GateArgs;
use super::parse::ServerUrl;
use super::url_list::UrlList;
use crate::http::{BODY_BYTES_MAX, HeaderField, InvalidRequest, RequestMethod};
use crate::target::{ServerAddress, connect, is_on_this_machine};
use crate::tls::TlsClient;
use crate::workload::{ClientProtocol, GREETING, Pace, Stop, Workload};

/// Shortest interval: a worker checks this often whether an interval has ended.
const INTERVAL_MIN: Duration = Duration::from_millis(100);

/// First rate of a search: twice what a 99.9th percentile needs in ten seconds, and low for most servers.
const FIRST_RATE_PER_S: f64 = 2_000.0;

/// The loads asked for, one after the other; of a search, the first of its loads, an open loop. `server` is the server
/// that the caller started, if it did, and then no URL is needed.
pub(super) fn loads(args: &LoadArgs, server: Option<SocketAddr>) -> Result<Vec<Workload>, String> {
    let paces = paces(args);
    check_arguments(args, &paces)?;
    check_conversation(args)?;
    let common = common(args, server)?;
    let with_pace = |pace| Workload {
        pace,
        ..common.clone()
    };
    let loads: Vec<Workload> = paces.into_iter().map(with_pace).collect();
    loads.iter().try_for_each(check_load)?;
    Ok(loads)
}

/// The pace of each load.
fn paces(args: &LoadArgs) -> Vec<Pace> {
    let open = |rate_per_s: f64| Pace::Open {
        rate_per_s,
        arrivals: args.arrivals,
    };
    match (&args.rate, &args.clients) {
        (Some(rates), _) => rates.iter().copied().map(open).collect(),
        (None, Some(clients)) => clients
            .iter()
            .map(|clients| Pace::Closed { clients: *clients })
            .collect(),
        (None, None) if args.find_max => vec![open(FIRST_RATE_PER_S)],
        (None, None) => vec![Pace::Closed { clients: 50 }],
    }
}

/// Refuses arguments that make no sense together.
fn check_arguments(args: &LoadArgs, paces: &[Pace]) -> Result<(), String> {
    let is_closed = matches!(paces[..], [Pace::Closed { .. }, ..]);
    let is_series = paces.len() > 1;
    let has_no_warmup = args.warmup.is_zero() && args.ramp.is_zero();
    let reason = if args.interval < INTERVAL_MIN {
        "an interval must be at least 100ms"
    } else if args.connections.is_some() && is_closed {
        "--connections are those of an open loop: give a --rate"
    } else if args.connections.is_some() && has_no_warmup {
        "--connections are opened during the warm-up: give it more than 0s"
    } else if args.find_max && is_series {
        "--find-max starts from one rate"
    } else if args.gates.test_nothing() {
        GateArgs::NOTHING_TESTED
    } else if is_series && (args.hlog.is_some() || args.hgrm.is_some()) {
        "--hlog and --hgrm keep one load: name one number of clients, or one rate"
    } else if (is_series || args.find_max) && args.ranks.are_for_one_load() {
        "--ranks and --start-at are for one load: name one number of clients, or one rate"
    } else {
        return Ok(());
    };
    Err(reason.to_owned())
}

/// Refuses arguments about HTTP in another conversation.
fn check_conversation(args: &LoadArgs) -> Result<(), String> {
    let of_http = [
        ("--urls", args.urls.is_some()),
        ("--method", args.method.is_some()),
        ("--header", !args.header.is_empty()),
        ("--user", args.user.is_some()),
        ("--body", args.body.is_some()),
        ("--body-file", args.body_file.is_some()),
        ("--expect-status", args.expect_status.is_some()),
        ("--expect-body", args.expect_body.is_some()),
    ];
    match of_http.iter().find(|(_, is_given)| *is_given) {
        Some((name, _)) if args.conversation != ClientProtocol::Http => {
            Err(format!("{name} is for --conversation http alone"))
        }
        _ => Ok(()),
    }
}

/// What all loads have in common; their pace is a placeholder.
fn common(args: &LoadArgs, server: Option<SocketAddr>) -> Result<Workload, String> {
    let list = args.urls.as_deref().map(UrlList::read).transpose()?;
    let list = list.unwrap_or_default();
    let (target, host, url_path, tls) = match (server, server_url(args, list.server)?) {
        (Some(_), Some(url)) => {
            return Err(format!(
                "--urls names another server, {}: give paths",
                url.host
            ));
        }
        (Some(target), None) => (ServerAddress::Tcp(target), target.to_string(), None, None),
        (None, Some(url)) => {
            let target = match &args.unix_socket {
                Some(file) => unix_socket(file)?,
                None => choose(args, &url)?.into(),
            };
            let tls = tls_client(args, &url)?;
            (target, url.host, url.path, tls)
        }
        (None, None) => {
            return Err("say which server to load, such as http://127.0.0.1:8080/".to_owned());
        }
    };
    // The paths of a list replace that of the URL.
    let path = args
        .path
        .clone()
        .or(url_path.filter(|_| args.urls.is_none()));
    let path = path.unwrap_or_else(|| "/".to_owned());
    let body = body(args)?;
    let method = match (&args.method, &body) {
        (Some(method), _) => method.clone(),
        (None, Some(_)) => RequestMethod::POST,
        (None, None) => RequestMethod::GET,
    };
    let is_plain =
        method == RequestMethod::GET && args.expect_status.is_none() && args.urls.is_none();
    let expected_body = match args.expect_body.as_deref() {
        Some("any") => None,
        Some(text) => Some(text.as_bytes().to_vec()),
        None => (path == "/" && is_plain).then(|| GREETING.to_vec()),
    };
    let defaults = Workload::new(target);
    Ok(Workload {
        host,
        path,
        url_mix: list.paths,
        tls,
        method,
        headers: headers(args)?,
        body,
        conversation: args.conversation,
        message: match &args.message {
            Some(message) => message.clone().into_bytes(),
            None => defaults.message.clone(),
        },
        think: args.think,
        requests_per_connection: match args.requests_per_connection {
            Some(reuse) => reuse,
            None if args.connections.is_some() => None,
            None => Some(1),
        },
        stop: match args.requests {
            Some(requests) => Stop::Requests(requests),
            None => Stop::After(args.duration.unwrap_or(Duration::from_secs(10))),
        },
        ramp: args.ramp,
        warmup: args.warmup,
        timeout: args.timeout,
        threads: args.threads,
        engine: args.engine,
        pacing: args.pace,
        closing: args.close,
        sources: args.source,
        local_ports: args.local_ports,
        cpus: args.cpus.as_ref().map_or(&[][..], Cpus::numbers).to_vec(),
        seed: args.seed,
        max_in_flight: args.max_in_flight,
        kept_connections: args.connections,
        expected_status: args.expect_status.clone().unwrap_or_default(),
        expected_body,
        rank: args.ranks.rank()?,
        start_at: args.ranks.start_at()?,
        ..defaults
    })
}

/// The URL of the server: the one given, or else that of the list, which must be the same.
fn server_url(args: &LoadArgs, of_list: Option<ServerUrl>) -> Result<Option<ServerUrl>, String> {
    let Some(url) = &args.url else {
        return Ok(of_list);
    };
    let url = ServerUrl::parse(url)?;
    if args.urls.is_some() && url.path.as_deref().is_some_and(|path| path != "/") {
        return Err("--urls names the paths: give the URL of the server without one".to_owned());
    }
    match of_list {
        Some(other) if (&other.host, other.is_tls) != (&url.host, url.is_tls) => Err(format!(
            "--urls names the server {}, and the URL {}: a load has one",
            other.host, url.host
        )),
        _ => Ok(Some(url)),
    }
}

/// How the server of an https URL is trusted; says so if it is not checked at all.
fn tls_client(args: &LoadArgs, url: &ServerUrl) -> Result<Option<TlsClient>, String> {
    if !url.is_tls {
        return match args.cacert.is_some() || args.insecure {
            true => Err("--cacert and --insecure are for an https:// URL".to_owned()),
            false => Ok(None),
        };
    }
    let (name, _) = url.host_and_port();
    let client = TlsClient::new(name, args.cacert.as_deref(), args.insecure)?;
    if args.insecure {
        say("WARNING: --insecure accepts any certificate: what answers may be another server");
    }
    Ok(Some(client))
}

/// The header fields asked for, and the one that follows from `--user`. They are parsed here, since clap would show a
/// value in its message, and values may be secrets.
fn headers(args: &LoadArgs) -> Result<Vec<HeaderField>, String> {
    let fields = args.header.iter().map(|field| field.parse());
    let fields: Result<Vec<HeaderField>, InvalidRequest> = fields.collect();
    let mut fields = fields.map_err(|error| format!("--header: {error}"))?;
    if let Some(user) = &args.user {
        if fields.iter().any(|field| field.is("Authorization")) {
            return Err("--user and a --header Authorization cannot be given together".to_owned());
        }
        let field = HeaderField::basic_authorization(user);
        fields.push(field.map_err(|error| format!("--user: {error}"))?);
    }
    Ok(fields)
}

/// The body of the requests; `None` if they have none.
fn body(args: &LoadArgs) -> Result<Option<Arc<[u8]>>, String> {
    let read = |path: &Path| {
        read_body(path).map_err(|error| format!("--body-file {}: {error}", path.display()))
    };
    match (&args.body, &args.body_file) {
        (Some(text), _) => Ok(Some(text.as_bytes().into())),
        (None, Some(path)) => read(path).map(Some),
        (None, None) => Ok(None),
    }
}

/// The bytes of a file; of a longer one than a body may be, just enough to tell.
fn read_body(path: &Path) -> io::Result<Arc<[u8]>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(BODY_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes.into())
}

/// The server that listens on a socket file, which must be there: a wrong name is no failure of a server.
fn unix_socket(file: &Path) -> Result<ServerAddress, String> {
    match file.metadata() {
        Ok(metadata) if metadata.file_type().is_socket() => Ok(ServerAddress::Unix(file.into())),
        Ok(_) => Err(format!("--unix-socket {} is not a socket", file.display())),
        Err(error) => Err(format!("--unix-socket {}: {error}", file.display())),
    }
}

/// Chooses the address to load: the first allowed one that accepts a connection, or else the first allowed one. Prints
/// the address if the URL does not show it.
fn choose(args: &LoadArgs, url: &ServerUrl) -> Result<SocketAddr, String> {
    let addresses = url.addresses()?;
    let mut allowed = addresses.clone();
    allowed.retain(|address| args.allow_remote || is_on_this_machine(address.ip()));
    let target = match allowed[..] {
        [] => {
            return Err(format!(
                "{} is not on this machine; loading somebody else's server needs --allow-remote",
                addresses[0]
            ));
        }
        [only] => only,
        [first, ..] => connect(&allowed, args.timeout).map_or(first, |(_, address)| address),
    };
    if url.is_named() {
        say(format_args!("{} is {target}", url.host));
    }
    Ok(target)
}

/// Refuses a load that exceeds a limit, and one whose window ends before its first request.
fn check_load(load: &Workload) -> Result<(), String> {
    let valid = load.validate(descriptor_limit());
    valid.map_err(|error| error.to_string())?;
    match (load.pace, load.stop) {
        (Pace::Open { rate_per_s, .. }, Stop::After(window)) if !load.plans_requests() => {
            Err(format!(
                "no request is due within a window of {} s at {rate_per_s}/s with --seed {}: use a longer --duration or a \
                 higher --rate",
                window.as_secs_f64(),
                load.seed
            ))
        }
        _ => Ok(()),
    }
}
