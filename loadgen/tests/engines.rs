//! Both engines give the same results for the same server.

mod truth;

use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use hola_loadgen::summary::{Arrivals, CheckName};
use hola_loadgen::{ClientProtocol, Closing, Engine, InvalidWorkload, Pace, Pacing, Stop};
use truth::{
    CLOSE, KEEP, Truth, answer_all, answer_once, check, failed, load, measure, reset_after, silence,
};

/// The engines that this machine has; at least readiness.
fn engines() -> Vec<Engine> {
    let mut engines = vec![Engine::Readiness];
    match Engine::Completion.unavailable() {
        None => engines.push(Engine::Completion),
        Some(reason) => eprintln!("skipped: completion: {reason}"),
    }
    engines
}

/// Fails by the number of the connection: one in ten of each kind.
fn faulty() -> Truth {
    Truth::start(|id, mut stream| match id % 10 {
        0 => reset_after(stream, b""),
        1 => reset_after(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHola"),
        2 => answer_once(stream, b""),
        3 => answer_once(
            stream,
            b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ),
        4 => answer_once(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHola"),
        5 => silence(stream),
        6 => answer_once(stream, b"what?\r\n\r\n"),
        7 => answer_once(
            stream,
            b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nAdios, cliente",
        ),
        8 => {
            if truth::request(&mut stream) {
                for byte in CLOSE {
                    stream.write_all(&[*byte]).unwrap();
                    thread::yield_now();
                }
            }
        }
        _ => answer_once(stream, CLOSE),
    })
}

#[test]
fn every_class_of_failure_is_counted_exactly() {
    for engine in engines() {
        let server = faulty();
        let mut workload = load(server.address, 5, 100);
        workload.engine = engine;
        workload.timeout = Duration::from_millis(500);
        let measurement = measure(&workload);
        let classes = [
            ("reset", "before_first_byte"),
            ("reset", "mid_body"),
            ("closed_early", "before_first_byte"),
            ("status_500", "head"),
            ("closed_early", "mid_body"),
            ("timeout", "before_first_byte"),
            ("parse", "head"),
            ("bad_body", "mid_body"),
        ];
        for (cause, phase) in classes {
            let count = failed(&measurement, cause, phase);
            assert_eq!(count, 10, "{engine:?}: {cause}, {phase}");
        }
        assert_eq!(measurement.summary.counts.ok, 20, "{engine:?}");
        assert_eq!(measurement.summary.generator.engine, Some(engine));
    }
}

#[test]
fn a_server_that_is_not_there_refuses_every_connection() {
    let address = {
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        gone.local_addr().unwrap()
    };
    for engine in engines() {
        let mut workload = load(address, 2, 20);
        workload.engine = engine;
        assert_eq!(failed(&measure(&workload), "refused", "connect"), 20);
    }
}

#[test]
fn kept_connections_carry_as_many_requests_as_allowed() {
    for engine in engines() {
        let server = Truth::start(|_, stream| answer_all(stream, || {}));
        for (per_connection, connections) in [(Some(5), 20), (None, 4)] {
            let before = server.accepted();
            let mut workload = load(server.address, 4, 100);
            workload.engine = engine;
            workload.requests_per_connection = per_connection;
            let measurement = measure(&workload);
            assert_eq!(measurement.summary.counts.ok, 100, "{engine:?}");
            // The last connection of a client may carry fewer.
            let opened = server.accepted() - before;
            assert!(
                (connections..connections + 4).contains(&opened),
                "{engine:?}: {opened}"
            );
        }
    }
}

#[test]
fn answers_longer_than_a_buffer_are_read_whole() {
    const LENGTH: usize = 300_000;
    for engine in engines() {
        for per_connection in [Some(1), None] {
            let server = Truth::start(|_, mut stream| {
                while truth::request(&mut stream) {
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
                    let sent = stream.write_all(head.as_bytes());
                    if sent.and(stream.write_all(&[b'x'; LENGTH])).is_err() {
                        return;
                    }
                }
            });
            let mut workload = load(server.address, 3, 30);
            workload.engine = engine;
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
        let mut workload = load(server.address, 1, 10);
        workload.engine = engine;
        workload.requests_per_connection = None;
        // So slow that the close arrives before the next request is due.
        workload.pace = Pace::Open {
            rate_per_s: 10.0,
            arrivals: Arrivals::Constant,
        };
        let measurement = measure(&workload);
        let counts = measurement.summary.counts;
        assert_eq!(counts.ok, 10, "{engine:?}");
        assert_eq!(server.accepted(), 10, "{engine:?}");
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
        let mut workload = load(server.address, 2, 60);
        workload.engine = engine;
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
        let mut workload = load(server.address, 1, 5);
        workload.engine = engine;
        workload.requests_per_connection = None;
        let measurement = measure(&workload);
        let counts = &measurement.summary.counts;
        let failures = failed(&measurement, "closed_early", "before_first_byte");
        assert_eq!((counts.ok, failures), (1, 4), "{engine:?}: {counts:?}");
        assert_eq!(counts.closed_between_requests, 1, "{engine:?}");
    }
}

#[test]
fn messages_are_acknowledged_and_echoed() {
    use std::io::Read;
    for engine in engines() {
        for conversation in [ClientProtocol::Ack, ClientProtocol::Echo] {
            let server = Truth::start(move |_, mut stream| {
                let mut message = [0; 1024];
                while let Ok(count @ 1..) = stream.read(&mut message) {
                    let answer = match conversation {
                        ClientProtocol::Ack => b"Mensaje recibido",
                        _ => &message[..count],
                    };
                    if stream.write_all(answer).is_err() {
                        return;
                    }
                }
            });
            let mut workload = load(server.address, 3, 60);
            workload.engine = engine;
            workload.conversation = conversation;
            workload.requests_per_connection = Some(4);
            let measurement = measure(&workload);
            assert_eq!(measurement.summary.counts.ok, 60, "{engine:?}");
            assert!((15..18).contains(&server.accepted()), "{engine:?}");
            assert!(measurement.summary.url.starts_with("tcp://"));
        }
    }
}

#[test]
fn a_wrong_echo_is_a_wrong_body() {
    use std::io::Read;
    let server = Truth::start(|_, mut stream| {
        let mut message = [0; 1024];
        while let Ok(count @ 1..) = stream.read(&mut message) {
            message[..count].reverse();
            stream.write_all(&message[..count]).unwrap();
        }
    });
    let mut workload = load(server.address, 1, 5);
    workload.conversation = ClientProtocol::Echo;
    workload.message = b"Hola".to_vec();
    assert_eq!(failed(&measure(&workload), "bad_body", "mid_body"), 5);
}

#[test]
fn a_message_that_ends_an_echo_is_refused() {
    let mut workload = load(([127, 0, 0, 1], 1).into(), 1, 1);
    workload.conversation = ClientProtocol::Echo;
    workload.message = b"salir".to_vec();
    assert_eq!(workload.validate(1024), Err(InvalidWorkload::EndsEcho));
    workload.message = Vec::new();
    assert_eq!(workload.validate(1024), Err(InvalidWorkload::Message(0)));
}

#[test]
fn clients_that_think_are_accounted_for() {
    let server = Truth::start(|_, stream| answer_all(stream, || {}));
    let mut workload = load(server.address, 8, 1);
    workload.requests_per_connection = None;
    workload.think = Duration::from_millis(20);
    workload.stop = Stop::After(Duration::from_millis(600));
    let measurement = measure(&workload);
    assert!(
        check(&measurement, CheckName::LittlesLaw),
        "{:?}",
        measurement.summary.validity
    );
    // Eight clients that pause 20 ms cannot make more than 400 requests a second.
    let rate = measurement.summary.rates.good_per_s;
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
                        let end = std::io::Read::read(&mut stream, &mut [0]);
                        ends.lock().unwrap().push(end.is_err());
                    }
                }
            });
            let mut workload = load(server.address, 2, 10);
            workload.engine = engine;
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
    for engine in engines() {
        let peers = Arc::new(Mutex::new(Vec::new()));
        let server = Truth::start({
            let peers = Arc::clone(&peers);
            move |_, stream| {
                peers.lock().unwrap().push(stream.peer_addr().unwrap());
                answer_all(stream, || {});
            }
        });
        let (first, last) = (Ipv4Addr::new(127, 0, 7, 1), Ipv4Addr::new(127, 0, 7, 2));
        let mut workload = load(server.address, 1, 8);
        workload.engine = engine;
        workload.sources = Some((first, last));
        workload.local_ports = Some((42_000, 42_003));
        let measurement = measure(&workload);
        assert_eq!(measurement.summary.counts.ok, 8, "{engine:?}");
        let peers = peers.lock().unwrap();
        assert!(
            peers.iter().all(|peer| {
                (42_000..=42_003).contains(&peer.port())
                    && [first, last]
                        .map(std::net::IpAddr::from)
                        .contains(&peer.ip())
            }),
            "{peers:?}"
        );
    }
}

#[test]
fn ports_that_run_out_are_named_and_too_few_are_refused_beforehand() {
    for engine in engines() {
        // The client closes first, so its ports stay taken for a minute.
        let server = Truth::start(|_, mut stream| {
            while truth::request(&mut stream) {
                if stream.write_all(KEEP).is_err() {
                    return;
                }
            }
        });
        let mut workload = load(server.address, 1, 12);
        workload.engine = engine;
        workload.sources = Some((Ipv4Addr::new(127, 0, 8, 1), Ipv4Addr::new(127, 0, 8, 1)));
        workload.local_ports = Some((43_000, 43_009));
        let measurement = measure(&workload);
        // On a busy machine, one of the ten ports was once not available, so the server's count says how many were.
        let without_port = failed(&measurement, "local_EADDRNOTAVAIL", "connect");
        let counts = &measurement.summary.counts;
        let had = server.accepted();
        assert!((6..=10).contains(&had), "{engine:?}: {had}");
        assert_eq!((counts.ok, without_port), (had, 12 - had), "{engine:?}");
        workload.pace = Pace::Closed { clients: 11 };
        let refused = InvalidWorkload::Ports {
            connections: 11,
            ports: 10,
        };
        assert_eq!(workload.validate(1024), Err(refused));
    }
}

#[test]
fn ports_that_the_kernel_does_not_hand_out_are_refused() {
    let mut workload = load(([127, 0, 0, 1], 1).into(), 1, 1);
    workload.local_ports = Some((1_000, 1_099));
    assert!(matches!(
        workload.validate(1024),
        Err(InvalidWorkload::PortsOutside(1_024.., _))
    ));
}

#[test]
fn a_thread_that_spins_says_what_it_costs() {
    let server = Truth::start(|_, stream| answer_all(stream, || {}));
    let mut workload = load(server.address, 1, 1);
    workload.requests_per_connection = None;
    workload.pace = Pace::Open {
        rate_per_s: 100.0,
        arrivals: Arrivals::Poisson,
    };
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
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let costs = engines().into_iter().map(|engine| {
        let mut workload = load(listener.local_addr().unwrap(), 1, 1);
        workload.engine = engine;
        workload.pace = Pace::Open {
            rate_per_s: 15_000.0,
            arrivals: Arrivals::Constant,
        };
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
        let mut workload = load(server.address, 600, 1);
        workload.engine = engine;
        workload.requests_per_connection = None;
        workload.timeout = Duration::from_millis(700);
        workload.stop = Stop::After(Duration::from_secs(2));
        let measurement = measure(&workload);
        assert!(server.accepted() >= 600, "{engine:?}");
        assert_eq!(
            measurement.summary.counts.in_flight_at_end, 600,
            "{engine:?}"
        );
        let late = failed(&measurement, "timeout", "before_first_byte");
        assert!((1..=2).contains(&late), "{engine:?}: {late}");
    }
}
