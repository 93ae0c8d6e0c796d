//! The load generator against the real servers: what it must measure, report, and leave behind.

mod support;

use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use hola_loadgen::summary::CheckName;
use nix::sys::signal::Signal;
use serde_json::Value;

use self::support::{
    HOLA, Server, eventually, fails, hola, models, rows_of, send_signal, stop_with,
};

fn load(arguments: &[&str]) -> (Option<i32>, Value) {
    let (status, stdout, stderr) = hola(&[&["load", "--format", "json"], arguments].concat());
    let summary = serde_json::from_str(&stdout)
        .unwrap_or_else(|error| panic!("{error}: {stdout:?} {stderr}"));
    (status.code(), summary)
}

/// All checks hold, except perhaps those that depend on the machine: whether an unoptimised generator is the bottleneck
/// or gets its CPU, and what other programs make the kernel count.
fn assert_measured(code: Option<i32>, summary: &Value) {
    let checks = summary["validity"].as_array().expect("checks");
    let failed: Vec<_> = checks.iter().filter(|check| check["ok"] == false).collect();
    let machines = |check: &&Value| {
        [
            CheckName::Generator,
            CheckName::KernelEvidence,
            CheckName::TimeAway,
            CheckName::Throttling,
        ]
        .iter()
        .any(|name| check["check"] == name.name())
    };
    assert!(failed.iter().all(machines), "{failed:?}");
    assert_eq!(code, Some(0));
}

#[test]
fn a_plan_names_a_model_and_the_paths_of_its_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let [urls, plan] = ["urls.txt", "plan.toml"].map(|name| folder.path().join(name));
    fs::write(&urls, "/\n3 /bytes/100\n").expect("written");
    let text = format!(
        "model = 'tokio'\nurls = '{}'\nclients = 4\nrequests = 200\nwarmup = '0s'\n",
        urls.display()
    );
    fs::write(&plan, text).expect("written");
    let plan = plan.to_str().expect("text");
    let (code, summary) = load(&["--plan", plan]);
    assert_measured(code, &summary);
    assert_eq!(summary["model"], "tokio");
    assert_eq!(summary["counts"]["ok"], 200);
    let counts = [0, 1].map(|url| summary["urls"][url]["ok"].as_u64().unwrap_or_default());
    assert_eq!(counts[0] + counts[1], 200);
    assert!(counts[0] < counts[1], "{counts:?}");
    let (code, summary) = load(&["--plan", plan, "--model", "epoll"]);
    assert_measured(code, &summary);
    assert_eq!(summary["model"], "epoll");
    let (status, _, stderr) = hola(&["load", "--plan", plan, "http://127.0.0.1:9/"]);
    assert_eq!(status.code(), Some(2), "a model has no URL: {stderr}");
    let (status, printed, stderr) = hola(&["load", "--plan", plan, "--print-plan"]);
    assert_eq!(status.code(), Some(0), "{stderr}");
    assert!(printed.contains("model = \"tokio\"\n"), "{printed}");
}

#[test]
fn a_model_is_started_loaded_and_stopped() {
    for model in models() {
        let model_option = format!("--model={model}");
        let options = ["--requests=500", "--clients=8", "--warmup=0s"];
        let (code, summary) = load(&[&[model_option.as_str()], &options[..]].concat());
        assert_measured(code, &summary);
        assert_eq!(summary["model"], model);
        let counts = &summary["counts"];
        assert_eq!(counts["ok"], 500, "{model}");
        assert_eq!(counts["planned"], 500, "{model}");
        assert_eq!(counts["failed"], serde_json::json!({}), "{model}");
        let latency = &summary["latency_us"];
        let [p50, p90] = ["p50", "p90"].map(|name| latency["response"][name].as_f64());
        assert!(p50 <= p90, "{model}: {latency}");
        // 500 samples cannot support it.
        assert!(latency["response"]["p99_9"].is_null(), "{latency}");
    }
}

#[test]
fn several_loads_share_one_server() {
    let (_, levels) = load(&[
        "--model=epoll",
        "--clients=1,4",
        "--requests=200",
        "--warmup=0s",
    ]);
    let levels = levels["levels"].as_array().expect("levels");
    let clients: Vec<_> = levels
        .iter()
        .map(|level| &level["plan"]["clients"])
        .collect();
    assert_eq!(clients, [1, 4]);
    for level in levels {
        assert_eq!(level["model"], "epoll");
        assert_eq!(level["counts"]["ok"], 200);
        assert_eq!(level["url"], levels[0]["url"], "the same process");
    }
}

#[test]
fn connections_are_kept_when_asked() {
    let server = Server::start("tokio");
    let url = format!("http://{}/", server.address);
    let (code, summary) = load(&[
        &url,
        "--requests=400",
        "--clients=4",
        "--warmup=0s",
        "--requests-per-connection=unlimited",
    ]);
    assert_measured(code, &summary);
    stop_with(server, "tokio", &[("accepted", 4), ("answers", 400)]);
}

/// A server stops for a tenth of the time. In an open loop, one request in a hundred then waits for at least 0.9 of the
/// stall (x_q = P − (1 − q)·T for a stall P in a period T). In a closed loop, only one request of each client meets the
/// stall. A generator must not hide the first. Arrivals are equally spaced, so that the number of requests that meet
/// the stall does not depend on chance.
#[test]
fn a_stall_is_seen_by_an_open_loop_and_hidden_from_a_closed_one() {
    const WINDOW: Duration = Duration::from_secs(10);
    const STALL: Duration = Duration::from_secs(1);
    let open = (
        Server::start("tokio"),
        ["--rate=300", "--arrivals=constant"].as_slice(),
    );
    let closed = (Server::start("tokio"), ["--clients=1"].as_slice());
    let window = format!("--duration={}s", WINDOW.as_secs());
    let loads = [&open, &closed].map(|(server, arguments)| {
        let url = format!("http://{}/", server.address);
        begin(&[&["--warmup=0s", &window, &url], *arguments].concat())
    });
    // Somewhere in the middle: the position does not change the arithmetic.
    eventually("the load runs", || {
        open.0.cpu_ticks() > 3 && closed.0.cpu_ticks() > 3
    });
    for (server, _) in [&open, &closed] {
        server.signal(Signal::SIGSTOP);
    }
    let stopped = Instant::now();
    thread::sleep(STALL);
    for (server, _) in [&open, &closed] {
        server.signal(Signal::SIGCONT);
    }
    let stall_us = stopped.elapsed().as_secs_f64() * 1e6;
    let [open, closed] = loads.map(summary_of);
    let response_us = |summary: &Value, name: &str| {
        let time = summary["latency_us"]["response"][name].as_f64();
        time.expect("enough samples")
    };
    let open_us = response_us(&open, "p99");
    let expected_us = stall_us - 0.01 * WINDOW.as_secs_f64() * 1e6;
    let error = (open_us / expected_us - 1.0).abs();
    assert!(error < 0.05, "{open_us} µs and not {expected_us} µs");
    let closed_us = response_us(&closed, "p99");
    assert!(closed_us < stall_us / 50.0, "{closed_us} µs");
    // Even the closed loop met the stall once.
    let slowest_us = response_us(&closed, "max");
    assert!(slowest_us > stall_us * 0.9, "{slowest_us} µs");
}

/// Starts a load with a summary in JSON.
fn begin(arguments: &[&str]) -> Child {
    let mut command = Command::new(HOLA);
    command.args(["load", "--format=json"]).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().expect("the program runs")
}

fn summary_of(load: Child) -> Value {
    let output = load.wait_with_output().expect("it ends");
    serde_json::from_slice(&output.stdout).expect("a summary")
}

#[test]
fn ctrl_c_keeps_what_was_measured() {
    let server = Server::start("tokio");
    let url = format!("http://{}/", server.address);
    let load = begin(&["--warmup=0s", "--duration=1h", &url]);
    eventually("the load runs", || server.cpu_ticks() > 3);
    send_signal(&load, Signal::SIGINT);
    let output = load.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let summary: Value = serde_json::from_slice(&output.stdout).expect("a summary");
    assert!(summary["counts"]["ok"].as_u64() > Some(0), "{summary}");
}

/// Runs the program where the name `twofold` has two addresses, 127.0.0.1 and 127.0.0.9; `None` if that is not
/// possible.
fn with_a_name_of_two_addresses(arguments: &[&str]) -> Option<Output> {
    let hosts = tempfile::NamedTempFile::new().expect("a file");
    fs::write(&hosts, "127.0.0.9 twofold\n127.0.0.1 twofold\n").expect("written");
    let script = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";
    let run = |program: &[&str]| {
        Command::new("unshare")
            .args(["-m", "sh", "-c", script])
            .arg(hosts.path())
            .args(program)
            .stdin(Stdio::null())
            .output()
            .ok()
    };
    let possible = run(&["true"]).is_some_and(|output| output.status.success());
    if !possible {
        println!("skipped: no mount namespace can be made here");
        return None;
    }
    run(&[&[HOLA], arguments].concat())
}

#[test]
fn each_address_of_a_name_is_tried_and_the_one_used_is_said() {
    // A server at one address, then at the other: whichever the resolver names first, the program must also try the
    // other.
    for address in ["127.0.0.1:0", "127.0.0.9:0"] {
        let mut command = Command::new(HOLA);
        command.args(["serve", "epoll", "--stats", "json", "--bind", address]);
        let server = Server::run(command);
        let port = server.address.port();
        let url = format!("http://twofold:{port}/");
        let load = ["load", &url, "--requests=20", "--warmup=0s"];
        let Some(output) = with_a_name_of_two_addresses(&load) else {
            return;
        };
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        assert_eq!(stderr, format!("twofold:{port} is {}\n", server.address));
        let client = ["client", &format!("twofold:{port}")];
        let output = with_a_name_of_two_addresses(&client).expect("as before");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        assert!(stderr.contains(&server.address.to_string()), "{stderr}");
        server.stop();
        let output = with_a_name_of_two_addresses(&client).expect("as before");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        for address in [format!("127.0.0.1:{port}"), format!("127.0.0.9:{port}")] {
            assert!(stderr.contains(&address), "{stderr}");
        }
    }
}

#[test]
fn what_makes_no_sense_is_refused_in_one_line() {
    const WRONG: &str = "
        load                                 | which server
        load --model threads                 | no such model
        load --model tokio --unix-socket /a  | cannot be used with";
    for row in rows_of(WRONG) {
        fails(&row[0].split(' ').collect::<Vec<_>>(), 2, &row[1..]);
    }
}
