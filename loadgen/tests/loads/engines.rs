//! Both engines give the same results for the same server.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use hola_loadgen::summary::{Arrivals, CheckName};
use hola_loadgen::{ClientProtocol, Closing, NoObserver, Pace, Pacing, Stop, Workload};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;

use crate::truth::{
    self, KEEP, Truth, answer_all, answer_once, check, constant, failed, keeper, load, measure,
    silence,
};
use crate::{engines, load_by};

#[test]
fn a_server_that_is_not_there_refuses_every_connection() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let gone = gone.unwrap();
    for engine in engines() {
        let measurement = measure(&load_by(engine, gone, 4, 24));
        assert_eq!(failed(&measurement, "refused", "connect"), 24, "{engine:?}");
        let summary = &measurement.summary;
        assert_eq!(summary.rates.good_per_s, 0.0);
        assert_eq!(summary.generator.engine, Some(engine));
        let clients_keep_trying = check(&measurement, CheckName::LittlesLaw);
        assert!(clients_keep_trying, "{:?}", summary.validity);
    }
}

#[test]
fn connections_are_as_many_as_requests_per_connection_allow() {
    let server = keeper();
    for engine in engines() {
        for (clients, per_connection, connections) in
            [(1, Some(5), 20), (4, None, 4), (3, Some(1), 100)]
        {
            let before = server.accepted();
            let mut workload = load_by(engine, server.address, clients, 100);
            workload.requests_per_connection = per_connection;
            let summary = measure(&workload).summary;
            assert_eq!(summary.counts.ok, 100, "{engine:?}");
            assert_eq!(server.accepted() - before, connections, "{engine:?}");
            assert_eq!(summary.latency_us.connect.count, connections, "{engine:?}");
        }
    }
}

#[test]
fn answers_longer_than_a_buffer_are_read_whole() {
    const LENGTH: usize = 300_000;
    let server = Truth::start(|_, mut stream| {
        while truth::request(&mut stream) {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
            let sent = stream.write_all(head.as_bytes());
            if sent.and(stream.write_all(&[b'x'; LENGTH])).is_err() {
                return;
            }
        }
    });
    for engine in engines() {
        for per_connection in [Some(1), None] {
            let mut workload = load_by(engine, server.address, 3, 30);
            workload.requests_per_connection = per_connection;
            workload.expected_body = Some(vec![b'x'; LENGTH]);
            assert_eq!(measure(&workload).summary.counts.ok, 30, "{engine:?}");
        }
    }
}

#[test]
fn a_kept_connection_that_the_server_gave_up_is_not_a_failure() {
    for engine in engines() {
        // The server closes after one answer, without announcing it.
        let server = Truth::start(|_, stream| answer_once(stream, KEEP));
        let mut workload = load_by(engine, server.address, 1, 10);
        workload.requests_per_connection = None;
        // So slow that the close arrives before the next request is due.
        workload.pace = constant(10.0);
        let counts = measure(&workload).summary.counts;
        assert_eq!((counts.ok, server.accepted()), (10, 10), "{engine:?}");
        // The last close may come after the last answer, when nothing is counted any more.
        let closed = counts.closed_between_requests;
        assert!((9..=10).contains(&closed), "{engine:?}: {closed}");
    }
}

#[test]
fn a_request_that_meets_a_connection_just_closed_is_sent_again_and_no_failure() {
    for engine in engines() {
        // The server closes after three answers, without announcing it, with the next request on its way.
        let server = Truth::start(|_, mut stream| {
            for _ in 0..3 {
                if !truth::request(&mut stream) || stream.write_all(KEEP).is_err() {
                    return;
                }
            }
        });
        let mut workload = load_by(engine, server.address, 2, 60);
        workload.requests_per_connection = None;
        let counts = measure(&workload).summary.counts;
        assert_eq!((counts.ok, counts.failed_total()), (60, 0), "{engine:?}");
        assert!(server.accepted() >= 20, "{engine:?}");
        let closed = counts.closed_between_requests;
        assert!((18..=20).contains(&closed), "{engine:?}: {closed}");
    }
}

#[test]
fn a_request_that_no_connection_answers_fails_however_often_it_is_sent() {
    for engine in engines() {
        // The first connection answers once; no other one answers anything.
        let server = Truth::start(|id, mut stream| {
            if truth::request(&mut stream) && id == 0 && stream.write_all(KEEP).is_ok() {
                truth::request(&mut stream);
            }
        });
        let mut workload = load_by(engine, server.address, 1, 5);
        workload.requests_per_connection = None;
        let measurement = measure(&workload);
        let counts = &measurement.summary.counts;
        let failures = failed(&measurement, "closed_early", "before_first_byte");
        assert_eq!((counts.ok, failures), (1, 4), "{engine:?}: {counts:?}");
        assert_eq!(counts.closed_between_requests, 1, "{engine:?}");
    }
}

/// Answers each message with what `answer` makes of it.
fn messenger(answer: fn(&mut [u8]) -> &[u8]) -> Truth {
    Truth::start(move |_, mut stream| {
        let mut message = [0; 1024];
        while let Ok(count @ 1..) = stream.read(&mut message) {
            if stream.write_all(answer(&mut message[..count])).is_err() {
                return;
            }
        }
    })
}

#[test]
fn messages_are_acknowledged_and_echoed_and_a_wrong_echo_is_a_wrong_body() {
    for engine in engines() {
        for (conversation, server) in [
            (ClientProtocol::Ack, messenger(|_| b"Mensaje recibido")),
            (ClientProtocol::Echo, messenger(|message| message)),
        ] {
            let mut workload = load_by(engine, server.address, 3, 60);
            workload.conversation = conversation;
            workload.requests_per_connection = Some(4);
            let summary = measure(&workload).summary;
            assert_eq!(summary.counts.ok, 60, "{engine:?}");
            assert!((15..18).contains(&server.accepted()), "{engine:?}");
            assert!(summary.url.starts_with("tcp://"));
        }
        let server = messenger(|message| {
            message.reverse();
            message
        });
        let mut workload = load_by(engine, server.address, 1, 5);
        workload.conversation = ClientProtocol::Echo;
        workload.message = b"Hola".to_vec();
        assert_eq!(failed(&measure(&workload), "bad_body", "mid_body"), 5);
    }
}

#[test]
fn messages_and_ports_that_cannot_work_are_refused() {
    let mut workload = load(([127, 0, 0, 1], 1).into(), 1, 1);
    // The kernel does not hand these out.
    workload.local_ports = Some((1_000, 1_099));
    let reason = |workload: &Workload| workload.validate(1024).unwrap_err().to_string();
    let outside = reason(&workload);
    let begins = "local ports must be within the system's range, ";
    assert!(outside.starts_with(begins), "{outside}");
    workload.conversation = ClientProtocol::Echo;
    for (message, expected) in [
        (b"salir".as_slice(), "`salir` on a line of its own ends"),
        (b"", "a message has 1 to 1024 bytes, and this one 0"),
    ] {
        workload.message = message.to_vec();
        assert!(reason(&workload).starts_with(expected), "{expected}");
    }
}

#[test]
fn clients_that_think_are_accounted_for() {
    let server = keeper();
    let mut workload = load(server.address, 8, 1);
    workload.requests_per_connection = None;
    workload.think = Duration::from_millis(20);
    workload.stop = Stop::After(Duration::from_millis(600));
    let measurement = measure(&workload);
    let summary = &measurement.summary;
    let holds = check(&measurement, CheckName::LittlesLaw);
    assert!(holds, "{:?}", summary.validity);
    // Eight clients that pause 20 ms cannot make more than 400 requests a second.
    let rate = summary.rates.good_per_s;
    assert!((100.0..401.0).contains(&rate), "{rate}");
}

#[test]
fn a_ramp_lets_clients_join_one_by_one() {
    let joined = Arc::new(Mutex::new(Vec::new()));
    let server = Truth::start({
        let joined = Arc::clone(&joined);
        move |_, stream| {
            joined.lock().unwrap().push(Instant::now());
            answer_all(stream, || {});
        }
    });
    let mut workload = load(server.address, 10, 1);
    workload.requests_per_connection = None;
    workload.threads = 2;
    workload.ramp = Duration::from_millis(500);
    workload.stop = Stop::After(Duration::from_millis(100));
    workload.think = Duration::from_millis(1);
    measure(&workload);
    let joined = joined.lock().unwrap();
    assert_eq!(joined.len(), 10);
    let spread = joined[9].duration_since(joined[0]);
    assert!(spread >= Duration::from_millis(400), "{spread:?}");
}

#[test]
fn a_reset_reaches_the_server_where_it_is_asked_for() {
    for engine in engines() {
        for (closing, reset) in [(Closing::Orderly, false), (Closing::Reset, true)] {
            let ends = Arc::new(Mutex::new(Vec::new()));
            let server = Truth::start({
                let ends = Arc::clone(&ends);
                move |_, mut stream| {
                    if truth::request(&mut stream) && stream.write_all(KEEP).is_ok() {
                        let end = stream.read(&mut [0]);
                        ends.lock().unwrap().push(end.is_err());
                    }
                }
            });
            let mut workload = load_by(engine, server.address, 2, 10);
            workload.closing = closing;
            measure(&workload);
            drop(server);
            let deadline = Instant::now() + Duration::from_secs(5);
            while ends.lock().unwrap().len() < 10 && Instant::now() < deadline {
                thread::yield_now();
            }
            assert_eq!(*ends.lock().unwrap(), vec![reset; 10], "{engine:?}");
        }
    }
}

#[test]
fn connections_come_from_the_addresses_and_ports_asked_for() {
    let (first, last) = (Ipv4Addr::new(127, 0, 7, 1), Ipv4Addr::new(127, 0, 7, 2));
    for engine in engines() {
        let peers = Arc::new(Mutex::new(Vec::new()));
        let server = Truth::start({
            let peers = Arc::clone(&peers);
            move |_, stream| {
                peers.lock().unwrap().push(stream.peer_addr().unwrap());
                answer_all(stream, || {});
            }
        });
        let mut workload = load_by(engine, server.address, 1, 8);
        workload.sources = Some((first, last));
        // More ports than requests: on a busy machine some are not available.
        workload.local_ports = Some((42_000, 42_015));
        assert_eq!(measure(&workload).summary.counts.ok, 8, "{engine:?}");
        for peer in peers.lock().unwrap().iter() {
            assert!((42_000..=42_015).contains(&peer.port()), "{peer}");
            assert!([first, last].map(IpAddr::from).contains(&peer.ip()));
        }
    }
}

#[test]
fn ports_that_run_out_are_named() {
    for engine in engines() {
        // The client closes first, so its ports stay taken for a minute.
        let server = keeper();
        let mut workload = load_by(engine, server.address, 1, 12);
        workload.sources = Some((Ipv4Addr::new(127, 0, 8, 1), Ipv4Addr::new(127, 0, 8, 1)));
        workload.local_ports = Some((43_000, 43_009));
        let measurement = measure(&workload);
        // On a busy machine, one of the ten ports was once not available, so the server's count says how many were.
        let without_port = failed(&measurement, "local_EADDRNOTAVAIL", "connect");
        let had = server.accepted();
        assert!((6..=10).contains(&had), "{engine:?}: {had}");
        let seen = (measurement.summary.counts.ok, without_port);
        assert_eq!(seen, (had, 12 - had), "{engine:?}");
    }
}

#[test]
fn a_thread_that_spins_says_what_it_costs() {
    let server = keeper();
    let mut workload = load(server.address, 1, 1);
    workload.requests_per_connection = None;
    workload.pace = truth::open(100.0, Arrivals::Poisson);
    workload.stop = Stop::After(Duration::from_millis(500));
    let slept = measure(&workload).summary.generator;
    workload.pacing = Pacing::Spin;
    let spun = measure(&workload).summary.generator;
    assert!(spun.cpu_share > 3.0 * slept.cpu_share, "{spun:?} {slept:?}");
    assert_eq!(spun.pacing, Pacing::Spin);
}

#[test]
fn giving_up_on_thousands_that_wait_costs_one_engine_hardly_more_than_the_other() {
    // The server never accepts: a few connections wait for an answer, all others for the handshake.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let costs = engines().into_iter().map(|engine| {
        let mut workload = load_by(engine, listener.local_addr().unwrap(), 1, 1);
        workload.pace = constant(15_000.0);
        workload.timeout = Duration::from_millis(800);
        workload.stop = Stop::After(Duration::from_secs(1));
        let summary = measure(&workload).summary;
        let counts = &summary.counts;
        assert!(counts.failed_total() > 1_000, "{engine:?}: {counts:?}");
        summary.generator.cpu_us_per_request.unwrap()
    });
    let costs: Vec<f64> = costs.collect();
    assert!(costs.iter().all(|cost| *cost < 5.0 * costs[0]), "{costs:?}");
}

#[test]
fn hundreds_of_busy_clients_all_get_their_turn_and_silence_still_times_out() {
    for engine in engines() {
        let server = Truth::start(|id, stream| {
            if id == 0 {
                silence(stream);
            } else {
                answer_all(stream, || {});
            }
        });
        let mut workload = load_by(engine, server.address, 600, 1);
        workload.requests_per_connection = None;
        workload.timeout = Duration::from_millis(700);
        workload.stop = Stop::After(Duration::from_secs(2));
        let measurement = measure(&workload);
        assert!(server.accepted() >= 600, "{engine:?}");
        let in_flight = measurement.summary.counts.in_flight_at_end;
        assert_eq!(in_flight, 600, "{engine:?}");
        let late = failed(&measurement, "timeout", "before_first_byte");
        assert!((1..=2).contains(&late), "{engine:?}: {late}");
    }
}

#[test]
fn a_thread_that_cannot_be_set_up_is_named_and_releases_the_others() {
    let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap();
    let cpu = (0..CpuSet::count()).find(|cpu| allowed.is_set(*cpu).unwrap());
    for pace in [Pace::Closed { clients: 4 }, constant(100.0)] {
        let mut workload = load(([127, 0, 0, 1], 9).into(), 1, 1);
        workload.pace = pace;
        workload.threads = 4;
        // No machine that this runs on has 1024 CPUs.
        workload.cpus = [cpu, cpu, Some(1023), cpu].into_iter().flatten().collect();
        workload.stop = Stop::After(Duration::from_secs(3600));
        let error = hola_loadgen::run(&workload, &NoObserver).unwrap_err();
        let begins = "could not set up generator thread 3 of 4: cannot run on CPU 1023 (--cpus): ";
        assert!(error.to_string().starts_with(begins), "{error}");
    }
}
