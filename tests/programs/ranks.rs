//! One load made by several processes: each starts at the same instant with its share, and `hola merge` adds up their
//! results, or says what is missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{HOLA, Server, end_of, eventually, hola, paths_in, refused, send_signal};

const RANKS: u32 = 4;

/// An open loop on kept connections, of enough requests for its arrivals to be judged.
const OPEN: &str = "--rate=2500 --connections=16 --duration=1s --warmup=200ms";

const CLOSED: &str = "--clients=7 --requests=402 --warmup=100ms";

/// An instant two seconds ahead, as an argument: enough for four programs to get ready.
fn soon() -> String {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("now");
    let at = since_epoch + Duration::from_secs(2);
    format!("--start-at=@{}.{:09}", at.as_secs(), at.subsec_nanos())
}

/// A load on a server, made by four processes that write into a folder.
struct Ranks {
    folder: TempDir,
    children: Vec<Child>,
}

impl Ranks {
    /// Starts all of them; the load is called `run`.
    fn start(server: &Server, load: &str) -> Self {
        let (folder, start) = (tempfile::tempdir().expect("a folder"), soon());
        let output = format!("--output={}", folder.path().display());
        let start_rank = |rank: u32| {
            let mut command = Command::new(HOLA);
            command.args(["load", &server.address.to_string(), &output, &start]);
            command.args(["--run-id=run", &format!("--ranks={RANKS}")]);
            command.arg(format!("--rank={rank}")).args(load.split(' '));
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().expect("the program runs")
        };
        let children = (0..RANKS).map(start_rank).collect();
        Self { folder, children }
    }

    /// Waits for all of them; returns their exit codes.
    fn wait(&mut self) -> Vec<Option<i32>> {
        let codes = self.children.iter_mut().map(|child| end_of(child).code());
        codes.collect()
    }

    fn file(&self, rank: u32, ending: &str) -> PathBuf {
        file(self.folder.path(), rank, ending)
    }
}

fn file(folder: &Path, rank: u32, ending: &str) -> PathBuf {
    folder.join(format!("run.rank-{rank:05}.{ending}"))
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("a record");
    serde_json::from_str(&text).expect("JSON")
}

/// Changes the record of a rank.
fn change(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut record = read(path);
    change(&mut record);
    fs::write(path, record.to_string()).expect("written");
}

/// Starts a load on kept connections, one for each rank, and waits until the server has them all.
fn under_way(server: &Server, load: &str) -> Ranks {
    let at_rest = server.count("fd");
    let load = format!("--clients=4 --requests-per-connection=unlimited {load}");
    let ranks = Ranks::start(server, &load);
    eventually("all ranks are loading", || {
        server.count("fd") >= at_rest + 4
    });
    ranks
}

/// What `hola merge` prints in JSON, which it must do.
fn merged(folder: &Path) -> Value {
    let folder = folder.to_str().expect("text");
    let (status, stdout, stderr) = hola(&["merge", folder, "--format=json"]);
    assert!(status.success(), "{stderr}");
    serde_json::from_str(&stdout).expect("JSON")
}

/// What `hola merge` says of a folder without a whole result.
fn incomplete(folder: &Path) -> String {
    refused(4, &["merge", folder.to_str().expect("text")])
}

#[test]
fn four_ranks_together_make_the_load_of_one_process() {
    for load in [OPEN, CLOSED] {
        let server = Server::start("epoll");
        let mut ranks = Ranks::start(&server, load);
        assert_eq!(ranks.wait(), [Some(0); 4], "{load}");
        let whole = merged(ranks.folder.path());
        let parts: Vec<Value> = (0..RANKS)
            .map(|rank| read(&ranks.file(rank, "json"))["summary"].take())
            .collect();
        for count in ["planned", "sent", "ok", "not_sent", "in_flight_at_end"] {
            let of = |summary: &Value| summary["counts"][count].as_u64().expect("a count");
            assert_eq!(
                of(&whole),
                parts.iter().map(of).sum::<u64>(),
                "{load}: {count}"
            );
        }
        let highest = |name: &str| {
            let of = |summary: &Value| summary["latency_us"]["response"][name].as_f64();
            let parts = parts.iter().filter_map(of);
            (of(&whole), parts.reduce(f64::max))
        };
        let (max, of_parts) = highest("max");
        assert_eq!(
            max, of_parts,
            "{load}: the longest response is that of a rank"
        );
        // They share the machine, and each has seen what happened there.
        for counter in ["listen_drops", "syn_retransmissions", "delayed_acks"] {
            let of = |summary: &Value| summary["kernel"][counter].as_u64();
            let most = parts.iter().filter_map(of).max();
            assert_eq!(of(&whole), most, "{load}: {counter}");
        }
        let rates = parts
            .iter()
            .map(|part| part["rates"]["good_per_s"].as_f64());
        let sum: f64 = rates.map(|rate| rate.expect("a rate")).sum();
        let rate = whole["rates"]["good_per_s"].as_f64().expect("a rate");
        assert!(rate <= sum * 1.001, "{load}: {rate} of {sum}");
        let check = |name: &str| {
            let mut checks = whole["validity"].as_array().expect("checks").iter();
            checks.find(|check| check["check"] == name)
        };
        assert_eq!(check("identity").expect("it")["ok"], true, "{whole}");
        if load == OPEN {
            // Windows that end by a count have different lengths, and these do not.
            assert!(rate > sum * 0.999, "{rate} of {sum}");
            // Only the sends of all ranks together are a Poisson process.
            let detail = check("arrivals").expect("it")["detail"].to_string();
            assert!(detail.contains("dispersion"), "{detail}");
        }
        let address = server.address.to_string();
        let arguments: Vec<&str> = load.split(' ').collect();
        let alone = [&["load", &address, "--format=json"], &*arguments].concat();
        let alone: Value = serde_json::from_str(&hola(&alone).1).expect("JSON");
        assert_eq!(whole["plan"], alone["plan"]);
        assert_eq!(whole["counts"]["planned"], alone["counts"]["planned"]);
        let text = hola(&["merge", ranks.folder.path().to_str().expect("text")]).1;
        for words in ["good/s", "started at", "identity"] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}

#[test]
fn results_of_each_url_are_added_up() {
    let server = Server::start("epoll");
    let lists = tempfile::tempdir().expect("a folder");
    let list = lists.path().join("urls.txt");
    fs::write(&list, "3 /\n/nothing\n").expect("written");
    let load = format!(
        "--urls={} --clients=4 --requests=400 --warmup=0s",
        list.display()
    );
    let mut ranks = Ranks::start(&server, &load);
    assert_eq!(ranks.wait(), [Some(0); 4]);
    let whole = merged(ranks.folder.path());
    let address = server.address.to_string();
    let arguments: Vec<&str> = load.split(' ').collect();
    let alone = [&["load", &address, "--format=json"], &*arguments].concat();
    let alone: Value = serde_json::from_str(&hola(&alone).1).expect("JSON");
    for (url, count) in [(0, "ok"), (1, "failed")] {
        let of = |summary: &Value| {
            let url = &summary["urls"][url];
            assert_eq!(url["response_us"]["count"], url[count], "{url}");
            (
                url["url"].clone(),
                url["weight"].clone(),
                url[count].as_u64(),
            )
        };
        let parts = (0..RANKS).map(|rank| of(&read(&ranks.file(rank, "json"))["summary"]).2);
        assert_eq!(of(&whole).2, parts.sum(), "{whole}");
        // The ranks together choose as one process does.
        assert_eq!(of(&whole), of(&alone));
    }
    change(&ranks.file(1, "json"), |record| {
        record["url_records"] = json!([]);
    });
    let said = incomplete(ranks.folder.path());
    assert!(
        said.contains("run.rank-00001.json: its URLs have other"),
        "{said}"
    );
}

#[test]
fn a_killed_rank_is_named_and_so_is_an_interrupted_one() {
    let server = Server::start("epoll");
    let mut ranks = under_way(&server, "--duration=2s --warmup=0s");
    send_signal(&ranks.children[2], Signal::SIGKILL);
    assert_eq!(ranks.wait(), [Some(0), Some(0), None, Some(0)]);
    assert_eq!(
        incomplete(ranks.folder.path()),
        "error: rank 2 of 4 is missing\n"
    );

    let server = Server::start("epoll");
    let mut ranks = under_way(&server, "--duration=1m --warmup=0s");
    for child in &ranks.children {
        send_signal(child, Signal::SIGINT);
    }
    assert_eq!(ranks.wait(), [Some(130); 4]);
    let folder = ranks.folder.path().to_str().expect("text");
    let (status, stdout, stderr) = hola(&["merge", folder]);
    assert_eq!(status.code(), Some(4), "{stderr}");
    assert!(stdout.contains("interrupted: what follows"), "{stdout}");
    assert!(stderr.contains("4 of 4 ranks were interrupted"), "{stderr}");
}

/// Spoils the results in a folder.
type Spoil<'a> = &'a dyn Fn(&Path);

#[test]
fn what_is_torn_twice_or_of_another_load_is_named_and_there_is_no_sum() {
    let server = Server::start("epoll");
    let mut ranks = Ranks::start(&server, CLOSED);
    assert_eq!(ranks.wait(), [Some(0); 4]);
    let tear = |path: &Path| {
        let bytes = fs::read(path).expect("a file");
        fs::write(path, &bytes[..bytes.len() / 2]).expect("written");
    };
    let copy = |from: &Path, to: &Path| {
        fs::copy(from, to).expect("a copy");
    };
    let set = |folder: &Path, pointer: &str, value: Value| {
        change(&file(folder, 2, "json"), |record| {
            *record.pointer_mut(pointer).expect(pointer) = value;
        });
    };
    let spoiled: [(Spoil, &str); 9] = [
        (
            &|folder| tear(&file(folder, 1, "json")),
            "run.rank-00001.json: torn",
        ),
        (
            &|folder| tear(&file(folder, 3, "hlog")),
            "run.rank-00003.hlog: torn",
        ),
        (
            &|folder| fs::remove_file(file(folder, 0, "hlog")).expect("removed"),
            "run.rank-00000.hlog: No such file",
        ),
        (
            &|folder| copy(&file(folder, 1, "hlog"), &file(folder, 0, "hlog")),
            "run.rank-00000.json: its",
        ),
        (
            &|folder| copy(&file(folder, 1, "json"), &folder.join("b.rank-00001.json")),
            "rank 1 is there twice: b.rank-00001.json and run.rank-00001.json",
        ),
        (
            &|folder| {
                for ending in ["json", "hlog"] {
                    copy(&file(folder, 1, ending), &file(folder, 9, ending));
                }
                change(&file(folder, 9, "json"), |record| record["rank"] = json!(9));
            },
            "run.rank-00009.json: there is no rank 9 of 4",
        ),
        (
            &|folder| set(folder, "/run_id", json!("other")),
            "choose one with --run-id (other, run)",
        ),
        (
            &|folder| set(folder, "/summary/plan/seed", json!(7)),
            "run.rank-00000.json and run.rank-00002.json are of different loads: seed 1 and 7",
        ),
        (
            &|folder| set(folder, "/summary/counts/sent", json!(1)),
            "run.rank-00002.json: its counts do not add up",
        ),
    ];
    for (spoil, words) in spoiled {
        let folder = tempfile::tempdir().expect("a folder");
        for path in paths_in(ranks.folder.path()) {
            let name = path.file_name().expect("a name");
            copy(&path, &folder.path().join(name));
        }
        spoil(folder.path());
        let said = incomplete(folder.path());
        assert!(said.contains(words), "{words}: {said}");
        assert_eq!(said.lines().count(), 1, "{words}: {said}");
    }
    let folder = ranks.folder.path().to_str().expect("text");
    let said = refused(4, &["merge", folder, "--run-id=other"]);
    assert!(said.contains("no result of a rank of other"), "{said}");
    let said = refused(1, &["merge", "/nowhere"]);
    assert!(said.contains("cannot read /nowhere"), "{said}");
}

#[test]
fn gates_are_judged_over_all_ranks() {
    let server = Server::start("epoll");
    let mut ranks = Ranks::start(&server, CLOSED);
    assert_eq!(ranks.wait(), [Some(0); 4]);
    let folder = ranks.folder.path().to_str().expect("text");
    for (gate, code) in [("max>1us", 99), ("failed>0", 0), ("p99.9>1us", 4)] {
        let (status, _, stderr) = hola(&["merge", folder, "--fail-if", gate]);
        assert_eq!(status.code(), Some(code), "{gate}: {stderr}");
    }
}

/// The test report that `hola merge` writes of a folder, and its exit code.
fn test_report(folder: &Path, gates: &[&str]) -> (Option<i32>, String) {
    let reports = tempfile::tempdir().expect("a folder");
    let file = reports.path().join("load.xml");
    let [folder, junit] = [folder, file.as_path()].map(|path| path.to_str().expect("text"));
    let (status, _, _) = hola(&[&["merge", folder, "--junit", junit], gates].concat());
    let report = fs::read_to_string(&file).expect("a report");
    (status.code(), report)
}

#[test]
fn a_test_report_has_a_case_for_the_ranks_and_one_for_each_gate_over_all_of_them() {
    let server = Server::start("epoll");
    let mut ranks = Ranks::start(&server, CLOSED);
    assert_eq!(ranks.wait(), [Some(0); 4]);
    let folder = ranks.folder.path();
    let gates = ["--fail-if=max>1us", "--fail-if=failed>0"];
    let (code, report) = test_report(folder, &gates);
    assert_eq!(code, Some(99), "{report}");
    let suite = format!(
        "<testsuite name=\"hola load: http://{}/\" tests=\"4\" failures=\"1\" skipped=\"0\">",
        server.address
    );
    for part in [
        &*suite,
        "name=\"every rank has a whole result\"><system-out>4 ranks<",
        "name=\"a request succeeds\"><system-out>402 of 402 requests<",
        "name=\"max&gt;1us\"><failure ",
        "name=\"failed&gt;0\"><system-out>",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    fs::remove_file(ranks.file(2, "json")).expect("removed");
    let (code, report) = test_report(folder, &gates);
    assert_eq!(code, Some(4), "{report}");
    assert!(
        report.contains("tests=\"1\" failures=\"1\"") && report.contains("rank 2 of 4 is missing"),
        "{report}"
    );
    let folder = folder.to_str().expect("text");
    let said = refused(2, &["merge", folder, "--junit=/nowhere/load.xml"]);
    assert!(said.contains("give a --fail-if, or --strict"), "{said}");
    let said = refused(
        1,
        &["merge", folder, "--junit=/nowhere/load.xml", "--strict"],
    );
    assert!(said.contains("cannot write /nowhere/load.xml"), "{said}");
}

#[test]
fn sixty_four_ranks_are_added_up_in_seconds() {
    let server = Server::start("epoll");
    let mut ranks = Ranks::start(&server, "--clients=4 --duration=300ms --warmup=0s");
    assert_eq!(ranks.wait(), [Some(0); 4]);
    let many = tempfile::tempdir().expect("a folder");
    for rank in 0..64 {
        let copy = |ending: &str| {
            let path = file(many.path(), rank, ending);
            fs::copy(ranks.file(rank % RANKS, ending), &path).expect("a copy");
            path
        };
        copy("hlog");
        change(&copy("json"), |record| {
            record["rank"] = json!(rank);
            record["ranks"] = json!(64);
            record["network"] = json!(format!("machine {rank}"));
        });
    }
    let begun = Instant::now();
    let (sixty_four, four) = (merged(many.path()), merged(ranks.folder.path()));
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    let ok = |summary: &Value| summary["counts"]["ok"].as_u64().expect("a count");
    assert_eq!(ok(&sixty_four), 16 * ok(&four));
    // Each rank is on a machine of its own here.
    let acknowledgements = |summary: &Value| summary["kernel"]["delayed_acks"].as_u64();
    let parts = (0..RANKS).map(|rank| read(&ranks.file(rank, "json")));
    let sum: Option<u64> = parts.map(|part| acknowledgements(&part["summary"])).sum();
    assert_eq!(acknowledgements(&sixty_four), sum.map(|sum| 16 * sum));
    let response = |summary: &Value| summary["latency_us"]["response"]["p50"].clone();
    assert_eq!(response(&sixty_four), response(&four));
}
