//! The five original systems of this project: small clients that send the same bytes as the original ones.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::support::{
    ACKNOWLEDGEMENT, Server, for_each_model, reset_on_close, say, stop_with, undated,
};

/// Closes the sending half; the server must send no more.
fn leave(mut socket: &TcpStream) {
    socket.shutdown(Shutdown::Write).expect("connected");
    assert_ends(&mut socket);
}

fn assert_ends(socket: &mut impl Read) {
    let mut more = Vec::new();
    socket.read_to_end(&mut more).expect("a farewell");
    assert_eq!(more.escape_ascii().to_string(), "");
}

#[test]
fn the_threaded_server_acknowledges_every_message_of_every_client_until_it_leaves() {
    let server = Server::start_with(
        "thread-per-client",
        &["--conversation", "ack", "--backlog", "5"],
    );
    let clients: Vec<_> = (0..3).map(|_| server.connect()).collect();
    // In turns, so that no client has to wait until another one leaves.
    for message in ["hola", "¿Qué tal?", "salir no es", "x"] {
        for client in &clients {
            say(client, message, ACKNOWLEDGEMENT);
        }
    }
    clients.iter().for_each(leave);
    stop_with(
        server,
        "thread-per-client",
        &[("answers", 12), ("closed", 3)],
    );
}

#[test]
fn the_simplest_server_outlives_clients_that_say_nothing() {
    let server = Server::start_with("iterative", &["--conversation", "ack", "--backlog", "5"]);
    for _ in 0..3 {
        drop(server.connect());
        let client = server.connect();
        say(&client, "Hola servidor!", ACKNOWLEDGEMENT);
        leave(&client);
    }
    stop_with(server, "iterative", &[("answers", 3), ("closed", 6)]);
}

#[test]
fn the_selector_echoes_until_a_client_closes_or_says_salir() {
    let server = Server::start_with("selector-threads", &["--conversation", "echo"]);
    let clients: Vec<_> = (0..4).map(|_| server.connect()).collect();
    // Without line ends, as the original client sends: one read is one message.
    for message in ["hola", "¿Qué tal?", "salir no es"] {
        for client in &clients {
            say(client, message, message);
        }
    }
    let (farewells, closings) = clients.split_at(2);
    for mut client in farewells {
        client.write_all(b"salir").expect("sent");
        assert_ends(&mut client);
    }
    closings.iter().for_each(leave);
    stop_with(server, "selector-threads", &[("closed", 4)]);
}

#[test]
fn threads_and_processes_greet_over_http_and_close() {
    for model in ["thread-per-client", "fork-per-client"] {
        let server = Server::start_with(model, &["--backlog", "5"]);
        // As large as one read of the original server.
        let head = "GET / HTTP/1.1\r\nHost: localhost:8080\r\nConnection: close\r\nX-Filler: ";
        let filler = "x".repeat(1024 - head.len() - 4);
        let largest = format!("{head}{filler}\r\n\r\n");
        for request in ["GET / HTTP/1.0\r\n\r\n", &largest] {
            let mut client = server.connect();
            client.write_all(request.as_bytes()).expect("sent");
            let mut answer = String::new();
            client.read_to_string(&mut answer).expect("an answer");
            assert_eq!(
                undated(&answer),
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n\
                 Connection: close\r\n\r\nHola, cliente!",
                "{model}"
            );
        }
        stop_with(server, model, &[("answers", 2), ("closed", 2)]);
    }
}

#[test]
fn clients_that_leave_in_whatever_manner_are_all_counted_out() {
    for_each_model(|model| {
        let server = Server::start_with(model, &["--conversation", "echo"]);
        // One after another, so that no model makes a client wait for another.
        for last_act in [nothing, leave, reset_on_close, say_salir] {
            for talks in [true, false] {
                let client = server.connect();
                if talks {
                    say(&client, "hola", "hola");
                }
                last_act(&client);
            }
        }
        let expected = [("closed", 8), ("crashed", 0), ("expired", 0)];
        stop_with(server, model, &expected);
    });
}

fn nothing(_client: &TcpStream) {}

/// Sends `salir`, and leaves without waiting for the result.
fn say_salir(mut client: &TcpStream) {
    client.write_all(b"salir").expect("sent");
}
