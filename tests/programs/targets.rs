//! Reference targets that are installed: each one starts, listens, greets under load, stops, and leaves no process.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use hola_lab::experiments::{self, Setting};
use hola_lab::pinned_program::PinnedProgram;
use hola_lab::plan::{Design, Profile};
use hola_lab::process_tree;
use hola_lab::target::{FixedOrPerClient, Target, TargetPaths, TargetSpec, Targets};
use hola_loadgen::{NoObserver, Pace, Stop, Workload};
use hola_servers::models::{self, Attention};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use procfs::process::Process;
use tempfile::TempDir;

use crate::support::{HOLA, Server, ask, eventually, paths_in, rest};

fn places() -> TargetPaths {
    TargetPaths::with_source_tree(Path::new(HOLA))
}

fn start(spec: &TargetSpec) -> Result<Target, String> {
    let program = PinnedProgram::open(Path::new(HOLA)).expect("the program");
    Target::start(&program, spec, &places(), &[])
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
fn script(script: String) -> TargetSpec {
    TargetSpec {
        programs: vec!["sh".into()],
        arguments: vec!["-c".into(), script],
        templates: Vec::new(),
        ..spec("nginx")
    }
}

/// A process's id, and those of its descendants.
fn pids_of(pid: i32) -> Vec<i32> {
    process_tree::processes(pid)
        .iter()
        .map(Process::pid)
        .collect()
}

fn command_line(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default()
}

fn is_running(pid: i32) -> bool {
    // A zombie that is not reaped yet no longer runs.
    let stat = Process::new(pid).and_then(|process| process.stat());
    stat.is_ok_and(|stat| stat.state != 'Z')
}

fn assert_gone(pids: &[i32]) {
    let left: Vec<_> = pids.iter().filter(|&&pid| is_running(pid)).collect();
    assert!(left.is_empty(), "{left:?} of {pids:?} are left");
}

fn kill_all(pids: &[i32]) {
    for &pid in pids {
        kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it is there");
    }
}

/// Process ids that a script writes into a file.
fn pids_in(file: &Path) -> Vec<i32> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.split_whitespace().flat_map(str::parse).collect()
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
        assert_eq!(
            load.summary.counts.ok, 300,
            "{name}: {:?}",
            load.summary.counts
        );
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
    assert!(
        reason.starts_with("nginx is not installed: apt-get install"),
        "{reason}"
    );
    let refused = start(&absent).expect_err("it is not there");
    assert_eq!(refused, reason);
}

#[test]
fn a_program_that_ends_instead_of_listening_is_named_with_its_last_words() {
    let ended = script("echo the sky fell >&2; exit 3".into());
    let reason = start(&ended).expect_err("it ends");
    assert!(reason.contains("did not listen: the sky fell"), "{reason}");
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
    assert!(reason.contains("did not listen"), "{reason}");
}

#[test]
fn no_process_outlives_a_supervisor_whose_input_has_ended_not_even_an_orphan() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = folder.path().join("pids");
    // A child that ignores SIGTERM, and an orphaned grandchild.
    let script = format!(
        "trap '' TERM; (sleep 600 & echo $! > {0}); sleep 600 & echo $! $$ >> {0}; wait",
        told.display()
    );
    let mut supervisor = Command::new(HOLA)
        .args(["supervise", "--", "sh", "-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program runs");
    eventually("all are there", || pids_in(&told).len() == 3);
    drop(supervisor.stdin.take());
    assert!(supervisor.wait().expect("a child").success());
    assert_gone(&pids_in(&told));
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

/// A folder for a test's temporary files, and another one that the supervisor must not touch.
fn temporary() -> (TempDir, TempDir) {
    let [temporary, elsewhere] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    fs::write(elsewhere.path().join("kept"), "kept").expect("written");
    (temporary, elsewhere)
}

#[test]
fn a_supervisor_takes_nothing_but_what_its_starter_has_made() {
    let (temporary, elsewhere) = temporary();
    let own = format!("hola-{}-", std::process::id());
    let in_temporary = |name: &str| temporary.path().join(name);
    // A folder of another process, a link, and a file; one name does not exist.
    fs::create_dir(in_temporary("hola-1-x")).expect("made");
    symlink(elsewhere.path(), in_temporary(&format!("{own}link"))).expect("linked");
    fs::write(in_temporary(&format!("{own}file")), "kept").expect("written");
    let path = elsewhere.path().to_str().expect("text").to_owned();
    let name = elsewhere.path().file_name().expect("a name");
    let climbing = format!("{own}x/../../{}", name.display());
    let cases = [
        ("--folder", path.clone(), 2),
        ("--folder", climbing, 2),
        ("--folder", "..".into(), 2),
        ("--folder", "hola-1-x".into(), 1),
        ("--folder", format!("{own}link"), 1),
        ("--folder", format!("{own}file"), 1),
        ("--folder", format!("{own}none"), 1),
        ("--cgroup", path, 2),
        ("--cgroup", "..".into(), 2),
        ("--cgroup", "hola-1-0".into(), 1),
        ("--cgroup", format!("{own}none"), 1),
    ];
    let started = in_temporary("started");
    for (option, value, code) in cases {
        let output = Command::new(HOLA)
            .args(["supervise", option, &value, "--", "touch"])
            .arg(&started)
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::null())
            .output()
            .expect("the program runs");
        let case = format!(
            "{option} {value}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(output.status.code(), Some(code), "{case}");
        // The message repeats the option.
        assert!(
            case.matches(option).count() > 1 && !started.exists(),
            "{case}"
        );
    }
    let kept = [temporary.path(), elsewhere.path()].map(|folder| paths_in(folder).len());
    assert_eq!(kept, [3, 1]);
}

#[test]
fn a_killed_runner_leaves_no_target_and_no_folder_but_keeps_what_a_link_leads_to() {
    let (temporary, elsewhere) = temporary();
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = port.expect("a port");
    // The shell makes the folder, holds the supervisor's input open as the lab does, and is killed.
    let script = "mkdir $TMPDIR/hola-$$-x && ln -s $2 $TMPDIR/hola-$$-x/link && mkdir $TMPDIR/hola-1-x \
        && sleep 600 | $1 supervise --folder hola-$$-x -- $1 serve fork-per-client --bind $3";
    let mut shell = Command::new("sh")
        .args(["-c", script, "sh", HOLA])
        .arg(elsewhere.path())
        .arg(address.to_string())
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    eventually("it listens", || TcpStream::connect(address).is_ok());
    let held = TcpStream::connect(address).expect("connected");
    let pid = i32::try_from(shell.id()).expect("a process id");
    let mut target = Vec::new();
    eventually("a child of the target holds a client", || {
        target = pids_of(pid);
        target.retain(|&pid| {
            let line = command_line(pid);
            line.contains("fork-per-client") && !line.contains("supervise")
        });
        target.len() >= 2
    });
    let folder = temporary.path().join(format!("hola-{pid}-x"));
    assert!(folder.is_dir());
    let is_input = |one: &i32| command_line(*one).starts_with("sleep") && parent_of(*one) == pid;
    let input = pids_of(pid).into_iter().find(is_input);
    kill_all(&[pid, input.expect("the input's other end")]);
    shell.wait().expect("a child");
    eventually("nobody is left", || {
        !folder.exists() && !target.iter().any(|&pid| is_running(pid))
    });
    drop(held);
    assert!(TcpStream::connect(address).is_err(), "the port is free");
    assert!(temporary.path().join("hola-1-x").is_dir() && elsewhere.path().join("kept").is_file());
}

fn parent_of(pid: i32) -> i32 {
    let stat = Process::new(pid).and_then(|process| process.stat());
    stat.expect("it is there").ppid
}

#[test]
fn a_supervisor_that_is_killed_takes_its_target_along_and_is_named() {
    // A target that leaves a child behind: the child does not end with its parent, and ignores SIGTERM.
    let folder = tempfile::tempdir().expect("a folder");
    let told = folder.path().join("pid");
    let with_child = script(format!(
        "(trap '' TERM HUP; sleep 600 & echo $! > {}); exec {HOLA} serve fork-per-client --bind 127.0.0.1:@port@",
        told.display()
    ));
    let target = start(&with_child).expect("started");
    let everybody = [target.pid(), pids_in(&told)[0]];
    assert!(everybody.iter().all(|&pid| is_running(pid)));
    // The target's parent is its supervisor.
    kill_all(&[parent_of(target.pid())]);
    // This happens before the test calls `stop`.
    eventually("nobody is left", || {
        !everybody.iter().any(|&pid| is_running(pid))
    });
    let reason = target.stop().expect_err("it was killed");
    assert!(
        reason.contains("hola supervise, which ran it, was killed (signal 9)"),
        "{reason}"
    );
}
