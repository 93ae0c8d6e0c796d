//! Reference targets that are installed: each one starts, listens, greets under load, stops, and leaves no process.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use hola_lab::experiments::{self, Setting};
use hola_lab::pinned_program::PinnedProgram;
use hola_lab::plan::{Design, Profile};
use hola_lab::process_tree;
use hola_lab::target::{FixedOrPerClient, Target, TargetPaths, TargetSpec, Targets};
use hola_loadgen::{NoObserver, Pace, Stop, Workload};
use hola_servers::models::{self, Attention};
use procfs::process::Process;

use crate::support::{HOLA, Server, ask, assert_has, eventually, is_running, rest};

fn places() -> TargetPaths {
    TargetPaths::with_source_tree(Path::new(HOLA))
}

fn program() -> PinnedProgram {
    PinnedProgram::open(Path::new(HOLA)).expect("the program")
}

pub(super) fn start(spec: &TargetSpec) -> Result<Target, String> {
    Target::start(&program(), spec, &places(), &[])
}

/// Asks a target what it answers.
pub(super) fn probe(spec: &mut TargetSpec) -> Result<(), String> {
    spec.probe(&program(), &places())
}

fn targets() -> Vec<TargetSpec> {
    Targets::new(places()).expect("a list").specs
}

fn spec(name: &str) -> TargetSpec {
    let found = targets().into_iter().find(|spec| spec.name == name);
    found.unwrap_or_else(|| panic!("no target {name}"))
}

/// The installed targets. Prints a line for each other one.
pub(super) fn installed() -> Vec<TargetSpec> {
    let mut targets = targets();
    targets.retain(|spec| {
        let program = spec.program(&places());
        let reason = program.as_ref().err().into_iter();
        reason.for_each(|reason| println!("skipped: {reason}"));
        program.is_ok()
    });
    targets
}

/// A target that is a shell script.
pub(super) fn script(script: String) -> TargetSpec {
    TargetSpec {
        programs: vec!["sh".into()],
        arguments: vec!["-c".into(), script],
        templates: Vec::new(),
        ..spec("nginx")
    }
}

/// A process's id, and those of its descendants.
pub(super) fn pids_of(pid: i32) -> Vec<i32> {
    process_tree::processes(pid)
        .iter()
        .map(Process::pid)
        .collect()
}

pub(super) fn assert_gone(pids: &[i32]) {
    let left: Vec<_> = pids.iter().filter(|&&pid| is_running(pid)).collect();
    assert!(left.is_empty(), "{left:?} of {pids:?} are left");
}

fn get(address: SocketAddr, path: &str) -> Option<Vec<u8>> {
    let mut socket = TcpStream::connect(address).expect("the target accepts");
    ask(&mut socket, path);
    let answer = rest(socket);
    let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let is_ok = answer.starts_with(b"HTTP/1.1 200 ");
    is_ok.then(|| answer[head + 4..].to_vec())
}

#[test]
fn the_list_names_each_target_once_with_its_path_for_the_greeting() {
    let targets = targets();
    let names: BTreeSet<&str> = targets.iter().map(|spec| spec.name.as_str()).collect();
    assert_eq!(names.len(), targets.len());
    for spec in &targets {
        assert!(spec.answers("/") && !spec.answers("/nowhere"), "{spec:?}");
        assert!(!spec.title.en.is_empty() && !spec.title.es.is_empty());
        assert!(models::find(&spec.name).is_none(), "{spec:?}");
        for template in &spec.templates {
            let path = places().scripts.join("reference").join(template);
            assert!(path.is_file(), "{}", path.display());
        }
    }
    let python = spec("python-threads");
    for (path, is_answered) in [
        ("/compute/10", true),
        ("/compute/", false),
        ("/compute/x", false),
    ] {
        assert_eq!(python.answers(path), is_answered, "{path}");
    }
    assert!(matches!(python.threads, FixedOrPerClient::Each(_)));
    assert_eq!(spec("nginx").threads, FixedOrPerClient::Fixed(1));
    // What a client costs a target follows from what serves it.
    for (name, attention, serves_at_once) in [
        ("python-threads", Attention::Thread, None),
        ("python-processes", Attention::Process, None),
        ("nginx", Attention::Task, None),
        ("apache-prefork", Attention::Process, Some(100)),
        ("apache-worker", Attention::Thread, Some(100)),
    ] {
        let spec = spec(name);
        let found = (spec.attention(), spec.serves_at_once());
        assert_eq!(found, (attention, serves_at_once), "{name}");
    }
}

#[test]
fn every_installed_target_greets_under_load_and_leaves_no_process() {
    for spec in installed() {
        let name = &spec.name;
        assert!(!spec.version(&places()).expect(name).is_empty());
        let target = start(&spec).expect(name);
        let everybody = pids_of(target.pid());
        let before_us = target.account().cpu_us();
        let workload = Workload {
            pace: Pace::Closed { clients: 4 },
            stop: Stop::Requests(300),
            warmup: Duration::ZERO,
            ..Workload::new(target.address())
        };
        let load = hola_loadgen::run(&workload, &NoObserver).expect(name);
        let counts = &load.summary.counts;
        assert_eq!(counts.ok, 300, "{name}: {counts:?}");
        // Without a control group, the time of a thread that has ended may be missing.
        eventually("it has used time", || {
            get(target.address(), "/").is_some() && target.account().cpu_us() > before_us
        });
        let everybody_now = pids_of(target.pid());
        target.stop().expect(name);
        assert_gone(&[everybody, everybody_now].concat());
    }
}

#[test]
fn targets_that_compute_and_wait_give_the_answers_of_the_models() {
    let server = Server::start("epoll");
    for spec in installed().iter().filter(|spec| spec.answers("/compute/1")) {
        let target = start(spec).expect(&spec.name);
        for path in ["/", "/compute/0", "/compute/1000", "/wait/20"] {
            let own = get(server.address, path);
            assert!(own.is_some());
            assert_eq!(get(target.address(), path), own, "{} {path}", spec.name);
        }
        for path in ["/nowhere", "/compute/-1"] {
            assert_eq!(get(target.address(), path), None, "{} {path}", spec.name);
        }
        target.stop().expect(&spec.name);
    }
    server.stop();
}

#[test]
fn a_target_that_is_not_installed_is_skipped_with_what_to_do_about_it() {
    let absent = TargetSpec {
        programs: vec!["no-such-program".into(), "/no/such/program".into()],
        ..spec("nginx")
    };
    let reason = absent.program(&places()).expect_err("it is not there");
    assert_has(&reason, &["nginx is not installed: apt-get install"]);
    let refused = start(&absent).expect_err("it is not there");
    assert_eq!(refused, reason);
}

#[test]
fn a_program_that_ends_instead_of_listening_is_named_with_its_last_words() {
    let ended = script("echo the sky fell >&2; exit 3".into());
    let reason = start(&ended).expect_err("it ends");
    assert_has(&reason, &["did not listen: the sky fell"]);
}

#[test]
fn another_program_on_a_targets_port_is_not_taken_for_the_target() {
    // The target never listens. This test listens instead, on the target's port.
    let folder = tempfile::tempdir().expect("a folder");
    let told = folder.path().join("port");
    let path = told.display();
    let stranger = script(format!(
        "echo @port@ > {path}.new; mv {path}.new {path}; sleep 60"
    ));
    let started = std::thread::spawn(move || start(&stranger).map(|_| ()));
    eventually("the target knows its port", || told.exists());
    let port = fs::read_to_string(told).expect("a port");
    let port: u16 = port.trim().parse().expect("a number");
    let _listener = TcpListener::bind(("127.0.0.1", port)).expect("nobody else has it");
    let started = started.join().expect("no panic");
    let reason = started.expect_err("it never listens");
    assert_has(&reason, &["did not listen"]);
}

#[test]
fn a_target_takes_part_where_it_can_and_is_left_out_elsewhere_with_the_reason() {
    let target = |name: &str, program: &str, processes: u32, keep_alive: bool| {
        format!(
            "[[target]]\nname = {name:?}\ntitle = {{ en = \"T\", es = \"T\" }}\nprograms = [{program:?}]\n\
             install = \"install it\"\nversion = []\narguments = []\npaths = [\"/\"]\n\
             keep_alive = {keep_alive}\nprocesses = {processes}\nthreads = 1\n"
        )
    };
    let list = [
        target("there", "sh", 1, true),
        target("small", "sh", 2, true),
        target("once", "sh", 1, false),
        target("absent", "no-such-program", 1, true),
    ];
    let scripts = tempfile::tempdir().expect("a folder");
    fs::write(scripts.path().join("targets.toml"), list.concat()).expect("written");
    let places = TargetPaths {
        hola: HOLA.into(),
        scripts: scripts.path().to_owned(),
    };
    let targets = Targets::new(places).expect("a list");
    let setting = Setting {
        profile: Profile::Full,
        cpus: vec![0, 1],
        targets: &targets,
        asked: ["tokio", "there", "small", "once", "absent"]
            .map(str::to_owned)
            .into(),
        skipped: RefCell::default(),
    };
    let design = |name: &str| {
        let experiment = experiments::find(name).expect("an experiment");
        (experiment.design)(&setting).expect("in the full profile")
    };
    let takes_part = |design: &Design, level: &str, name: &str| {
        let (_, level) = design.level(level).expect("a level");
        level.participants.iter().any(|one| one == name)
    };
    // Every installed target takes part with new connections. Kept connections need keep-alive and enough capacity.
    let costs = design("targets");
    for name in ["iterative", "there", "small", "once"] {
        assert!(takes_part(&costs, "new, 2000/s", name), "{name}");
    }
    let kept = "kept, 2000/s";
    assert!(takes_part(&costs, kept, "there") && !takes_part(&costs, kept, "once"));
    assert!(!takes_part(&design("scaling"), "1 CPU", "there"));
    let skipped = setting.skipped.borrow();
    for (server, reason) in [
        ("absent", "absent is not installed: install it"),
        ("small", "it serves 2 clients at once, and 64 stay"),
        ("once", "it takes one request per connection"),
    ] {
        let mut skipped = skipped.iter();
        let is_told = skipped.any(|one| one.server == server && one.reason == reason);
        assert!(is_told, "{server}: {reason}");
    }
}
