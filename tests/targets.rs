//! Reference targets that are installed: each one starts, listens, greets under load, stops, and leaves no process.

mod support;

use std::cell::RefCell;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use hola_lab::experiments::{self, Setting};
use hola_lab::image::Image;
use hola_lab::plan::{Design, Profile};
use hola_lab::target::{FixedOrPerClient, Target, TargetPaths, TargetSpec, Targets};
use hola_lab::tree;
use hola_loadgen::{NoObserver, Pace, Stop, Workload};
use hola_servers::models::{self, Attention};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use self::support::{HOLA, eventually};

fn places() -> TargetPaths {
    TargetPaths::beside_source(Path::new(HOLA))
}

fn start(spec: &TargetSpec, places: &TargetPaths, cpus: &[usize]) -> Result<Target, String> {
    let image = Image::open(Path::new(HOLA)).expect("the program");
    Target::start(&image, spec, places, cpus)
}

fn spec(name: &str) -> TargetSpec {
    let targets = places().targets().expect("a list");
    let found = targets.into_iter().find(|spec| spec.name == name);
    found.unwrap_or_else(|| panic!("no target {name}"))
}

/// The installed targets. Prints a line for each other one.
fn installed() -> Vec<TargetSpec> {
    let is_there = |spec: &TargetSpec| match spec.program(&places()) {
        Ok(_) => true,
        Err(reason) => {
            println!("skipped: {reason}");
            false
        }
    };
    let targets = places().targets().expect("a list");
    targets.into_iter().filter(is_there).collect()
}

/// A process's id, and those of its descendants.
fn pids_of(pid: i32) -> Vec<i32> {
    let processes = tree::processes(pid);
    processes
        .iter()
        .map(procfs::process::Process::pid)
        .collect()
}

fn is_running(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A zombie that is not reaped yet no longer runs.
    !stat.is_empty() && !stat.contains(") Z ")
}

fn get(address: SocketAddr, path: &str) -> Option<Vec<u8>> {
    let mut socket = TcpStream::connect(address).expect("the target accepts");
    support::ask(&mut socket, path);
    let answer = support::rest(socket);
    let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let is_ok = answer.starts_with(b"HTTP/1.1 200 ");
    is_ok.then(|| answer[head + 4..].to_vec())
}

#[test]
fn the_list_names_each_target_once_with_its_path_for_the_greeting() {
    let targets = places().targets().expect("a list");
    let mut names: Vec<_> = targets.iter().map(|spec| spec.name.as_str()).collect();
    names.sort_unstable();
    let sorted = names.clone();
    names.dedup();
    assert_eq!(names, sorted);
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
    assert!(
        python.answers("/compute/10")
            && !python.answers("/compute/")
            && !python.answers("/compute/x")
    );
    assert!(matches!(python.threads, FixedOrPerClient::Each(_)));
    assert_eq!(spec("nginx").threads, FixedOrPerClient::Fixed(1));
}

#[test]
fn what_a_client_costs_a_target_follows_from_who_serves() {
    let seen = |name: &str| (spec(name).attention(), spec(name).serves_at_once());
    assert_eq!(seen("python-threads"), (Attention::Thread, None));
    assert_eq!(seen("python-processes"), (Attention::Process, None));
    assert_eq!(seen("nginx"), (Attention::Task, None));
    assert_eq!(seen("apache-prefork"), (Attention::Process, Some(100)));
    assert_eq!(seen("apache-worker"), (Attention::Thread, Some(100)));
}

#[test]
fn every_installed_target_greets_under_load_and_leaves_nobody() {
    for spec in installed() {
        let name = &spec.name;
        assert!(!spec.version(&places()).expect(name).is_empty());
        let target = start(&spec, &places(), &[]).expect(name);
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
        for pid in everybody.into_iter().chain(everybody_now) {
            assert!(!is_running(pid), "{name}: process {pid} is left");
        }
    }
}

#[test]
fn targets_that_compute_and_wait_give_the_answers_of_the_models() {
    let server = support::Server::start("epoll");
    for spec in installed().iter().filter(|spec| spec.answers("/compute/1")) {
        let target = start(spec, &places(), &[]).expect(&spec.name);
        for path in ["/", "/compute/0", "/compute/1000", "/wait/20"] {
            let own = get(server.address, path);
            assert!(own.is_some());
            assert_eq!(get(target.address(), path), own, "{} {path}", spec.name);
        }
        assert_eq!(get(target.address(), "/nowhere"), None, "{}", spec.name);
        assert_eq!(get(target.address(), "/compute/-1"), None, "{}", spec.name);
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
    let refused = start(&absent, &places(), &[]).expect_err("it is not there");
    assert_eq!(refused, reason);
}

#[test]
fn a_program_that_ends_instead_of_listening_is_named_with_its_last_words() {
    let shell = |script: &str| TargetSpec {
        programs: vec!["sh".into()],
        arguments: vec!["-c".into(), script.into()],
        templates: Vec::new(),
        ..spec("nginx")
    };
    let ended = shell("echo the sky fell >&2; exit 3");
    let reason = start(&ended, &places(), &[]).expect_err("it ends");
    assert!(reason.contains("did not listen: the sky fell"), "{reason}");
}

#[test]
fn whoever_listens_in_a_targets_place_is_not_taken_for_it() {
    // The target never listens. This test listens instead, on the target's port.
    let folder = tempfile::tempdir().expect("a folder");
    let told = folder.path().join("port");
    let script = format!(
        "echo @port@ > {0}.new; mv {0}.new {0}; sleep 60",
        told.display()
    );
    let stranger = TargetSpec {
        programs: vec!["sh".into()],
        arguments: vec!["-c".into(), script],
        templates: Vec::new(),
        ..spec("nginx")
    };
    let started = std::thread::spawn(move || start(&stranger, &places(), &[]).map(|_| ()));
    eventually("the target knows its port", || told.exists());
    let port = fs::read_to_string(told).expect("a port");
    let port: u16 = port.trim().parse().expect("a number");
    let _listener = TcpListener::bind(("127.0.0.1", port)).expect("nobody else has it");
    let reason = started
        .join()
        .expect("no panic")
        .expect_err("it never listens");
    assert!(reason.contains("did not listen"), "{reason}");
}

#[test]
fn nobody_outlives_a_supervisor_whose_starter_is_gone_not_even_who_left_the_family() {
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
    let pids = || -> Vec<i32> {
        let text = fs::read_to_string(&told).unwrap_or_default();
        text.split_whitespace().flat_map(str::parse).collect()
    };
    eventually("all are there", || pids().len() == 3);
    drop(supervisor.stdin.take());
    assert!(supervisor.wait().expect("a child").success());
    for pid in pids() {
        assert!(!is_running(pid), "process {pid} is left");
    }
}

#[test]
fn a_runner_killed_without_a_word_leaves_no_target() {
    let Some(python) = installed()
        .into_iter()
        .find(|spec| spec.name == "python-processes")
    else {
        return;
    };
    let program = python.program(&places()).expect("installed");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = port.expect("a port").port();
    let script = places().scripts.join("reference/python_processes.py");
    // The shell holds the supervisor's input open, as the lab does, and is killed.
    let runner = format!(
        "sleep 600 | {HOLA} supervise -- {} -B {} {port}",
        program.display(),
        script.display()
    );
    let mut runner = {
        use std::os::unix::process::CommandExt;
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &runner])
            .stdout(Stdio::null())
            .process_group(0);
        shell.spawn().expect("a shell")
    };
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    eventually("it listens", || TcpStream::connect(address).is_ok());
    let held = TcpStream::connect(address).expect("connected");
    let shell = i32::try_from(runner.id()).expect("a process id");
    let target = || {
        let of_target = |pid: &i32| {
            let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.contains("python_processes") && !line.contains("supervise")
        };
        pids_of(shell)
            .into_iter()
            .filter(of_target)
            .collect::<Vec<_>>()
    };
    eventually("a child of the target holds a client", || {
        target().len() >= 2
    });
    let everybody = target();
    let sleeper = pids_of(shell).into_iter().find(|pid| {
        fs::read_to_string(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.starts_with("sleep"))
    });
    kill(Pid::from_raw(shell), Signal::SIGKILL).expect("a shell");
    kill(
        Pid::from_raw(sleeper.expect("the input's other end")),
        Signal::SIGKILL,
    )
    .expect("there");
    runner.wait().expect("a child");
    eventually("nobody is left", || {
        !everybody.iter().any(|&pid| is_running(pid))
    });
    drop(held);
    assert!(TcpStream::connect(address).is_err(), "the port is free");
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
    let targets = Targets::at(places).expect("a list");
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
    let names = |design: &Design, level: &str| {
        let (_, level) = design.level(level).expect("a level");
        level.participants.clone()
    };
    // Every installed target takes part with new connections. Kept connections need keep-alive and enough capacity.
    let equal_load = design("equal-load");
    let new = names(&equal_load, "targets, new, 2000/s");
    assert!(
        ["iterative", "there", "small", "once"]
            .iter()
            .all(|name| new.contains(&(*name).to_owned()))
    );
    let kept = names(&equal_load, "targets, kept, 2000/s");
    assert!(
        kept.contains(&"there".to_owned()) && !kept.contains(&"once".to_owned()),
        "{kept:?}"
    );
    assert!(!names(&design("scaling"), "1 CPU").contains(&"there".to_owned()));
    let skipped = setting.skipped.borrow();
    for (server, reason) in [
        ("absent", "absent is not installed: install it"),
        ("small", "it serves 2 clients at once, and 64 stay"),
        ("once", "it takes one request per connection"),
    ] {
        assert!(
            skipped
                .iter()
                .any(|one| one.server == server && one.reason == reason),
            "{server}: {skipped:?}"
        );
    }
}

/// A folder for a test's temporary files, and another one that the supervisor must not touch.
fn temporary() -> (tempfile::TempDir, tempfile::TempDir) {
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
    std::os::unix::fs::symlink(elsewhere.path(), in_temporary(&format!("{own}link")))
        .expect("linked");
    fs::write(in_temporary(&format!("{own}file")), "kept").expect("written");
    let path = elsewhere.path().to_str().expect("text").to_owned();
    let climbing = format!(
        "{own}x/../../{}",
        elsewhere.path().file_name().expect("a name").display()
    );
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
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{option} {value}: {stderr}"
        );
        assert!(
            stderr.contains(option) && !started.exists(),
            "{option} {value}: {stderr}"
        );
    }
    let kept = |folder: &Path| fs::read_dir(folder).expect("a folder").count();
    assert_eq!((kept(temporary.path()), kept(elsewhere.path())), (3, 1));
}

#[test]
fn a_supervisor_whose_starter_is_gone_removes_the_starters_folder_and_nothing_it_links_to() {
    let (temporary, elsewhere) = temporary();
    // The shell makes the folder, holds the supervisor's input open, and is killed.
    let script = "mkdir $TMPDIR/hola-$$-x && ln -s $2 $TMPDIR/hola-$$-x/link && mkdir $TMPDIR/hola-1-x \
        && sleep 600 | $1 supervise --folder hola-$$-x -- sh -c 'touch $TMPDIR/runs && sleep 600'";
    let mut shell = Command::new("sh")
        .args(["-c", script, "sh", HOLA])
        .arg(elsewhere.path())
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("a shell");
    eventually("the program runs", || {
        temporary.path().join("runs").exists()
    });
    let pid = i32::try_from(shell.id()).expect("a process id");
    let folder = temporary.path().join(format!("hola-{pid}-x"));
    assert!(folder.is_dir());
    let is_input = |pid: &i32| {
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let parent = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        line.starts_with("sleep") && parent.contains(&format!(" {} ", shell.id()))
    };
    let input = pids_of(pid)
        .into_iter()
        .find(is_input)
        .expect("the input's other end");
    for end in [pid, input] {
        kill(Pid::from_raw(end), Signal::SIGKILL).expect("it is there");
    }
    shell.wait().expect("a child");
    eventually("the folder is removed", || !folder.exists());
    assert!(temporary.path().join("hola-1-x").is_dir() && elsewhere.path().join("kept").is_file());
}

/// The supervisor of a target: the parent of its first process.
fn supervisor_of(pid: i32) -> i32 {
    let process = procfs::process::Process::new(pid).expect("it is there");
    process.stat().expect("it is there").ppid
}

#[test]
fn a_supervisor_that_is_killed_takes_its_target_along_and_is_named() {
    // A target that leaves a child behind: the child does not end with its parent, and ignores SIGTERM.
    let folder = tempfile::tempdir().expect("a folder");
    let told = folder.path().join("pid");
    let script = format!(
        "(trap '' TERM HUP; sleep 600 & echo $! > {}); exec {HOLA} serve fork-per-client --bind 127.0.0.1:@port@",
        told.display()
    );
    let with_child = TargetSpec {
        programs: vec!["sh".into()],
        arguments: vec!["-c".into(), script],
        templates: Vec::new(),
        ..spec("nginx")
    };
    let target = start(&with_child, &places(), &[]).expect("started");
    let child: i32 = fs::read_to_string(&told)
        .expect("a process id")
        .trim()
        .parse()
        .expect("a number");
    let everybody = [target.pid(), child];
    assert!(everybody.iter().all(|&pid| is_running(pid)));
    kill(Pid::from_raw(supervisor_of(target.pid())), Signal::SIGKILL).expect("it is there");
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
