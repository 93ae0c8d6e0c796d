//! The operator's page of any server: its figures, and the trial load.

use std::fs;

use hola_servers::models::{Attention, find};
use serde_json::json;

use super::Page;
use crate::chat::Chat;
use crate::support::{eventually, for_each_model};

/// Threads of a process.
fn threads(process: i32) -> usize {
    let tasks = fs::read_dir(format!("/proc/{process}/task"));
    tasks.map_or(0, Iterator::count)
}

#[test]
fn live_figures_are_those_of_the_server() {
    for (model, is_process) in [("pre-threaded", false), ("pre-forked", true)] {
        let console = Chat::start_with(model, &["--page", "--conversation", "http"]);
        let mut events = Page::of(&console).events();
        let clients = [console.connect(), console.connect()];
        let sample = events.sample(|sample| sample["clients"] == 2);
        let (server, workers) = console.server_and_children();
        let all = [&[server], &workers[..]].concat();
        let expected_threads: usize = all.into_iter().map(threads).sum();
        let expected_processes = if is_process { 4 } else { 1 };
        assert_eq!(sample["processes"], expected_processes, "{model}");
        assert_eq!(sample["threads"], expected_threads, "{model}");
        let workers = sample["workers"].as_array().expect("a list");
        assert_eq!(workers.len(), 3, "{model}: {sample}");
        let held = workers.iter().filter(|worker| worker["clients"] == 1);
        assert_eq!(held.count(), 2, "{model}: {sample}");
        assert!(sample["memory_kib"].as_u64() > Some(100), "{sample}");
        drop(clients);
        events.sample(|sample| sample["clients"] == 0);
        console.end();
    }
}

#[test]
fn under_every_model_the_page_shows_the_server_live() {
    for_each_model(|model| {
        let console = Chat::start_with(model, &["--page", "--conversation", "http"]);
        let mut events = Page::of(&console).events();
        let sample = events.sample(|sample| sample["probe"]["p50_us"].as_f64() > Some(0.0));
        assert!(
            sample["requests_per_s"].as_f64() > Some(5.0),
            "{model}: {sample}"
        );
        assert_eq!(sample["refused"], 0, "{model}");
        let has_children = find(model).is_some_and(|model| model.attention == Attention::Process);
        assert!(sample["processes"].as_u64() >= Some(1), "{model}: {sample}");
        assert!(
            has_children || sample["processes"] == 1,
            "{model}: {sample}"
        );
        console.end();
    });
}

#[test]
fn a_trial_load_is_put_on_once_at_a_time_and_its_result_is_told() {
    let console = Chat::start_with("epoll", &["--page", "--conversation", "echo"]);
    let page = Page::of(&console);
    let mut events = page.events();
    let load = || {
        let host = format!("Host: {}", page.host);
        page.ask("POST", &page.path("/load"), &host, "").status
    };
    assert_eq!(load(), 202);
    assert_eq!(load(), 409);
    let (_, started) = events.next(&["load_started", "load_failed"]);
    assert_eq!(
        (&started["rate_per_s"], &started["seconds"]),
        (&json!(2_000), &json!(10))
    );
    events.sample(|sample| sample["requests_per_s"].as_f64() > Some(100.0));
    let (_, ended) = events.next(&["load_ended", "load_failed"]);
    assert!(ended["good_per_s"].as_f64() > Some(100.0), "{ended}");
    console.end();
}

#[test]
fn a_load_that_runs_ends_with_its_console() {
    let console = Chat::start_with("tokio", &["--page", "--conversation", "http"]);
    let page = Page::of(&console);
    let host = format!("Host: {}", page.host);
    assert_eq!(page.ask("POST", &page.path("/load"), &host, "").status, 202);
    let processes = console.children();
    assert_eq!(processes.len(), 2, "the server and the load");
    console.end();
    for process in processes {
        let path = format!("/proc/{process}");
        eventually("nothing is left", || !fs::exists(&path).unwrap_or(true));
    }
}

#[test]
fn a_chat_has_no_load_and_a_terminal_shows_nothing_else() {
    let console = Chat::start_with("epoll", &["--page"]);
    let page = Page::of(&console);
    let host = format!("Host: {}", page.host);
    assert_eq!(page.ask("POST", &page.path("/load"), &host, "").status, 404);
    console.end();
    let mut console = Chat::start_with("epoll", &["--page", "--conversation", "ack"]);
    console.write("* hola");
    console.shows("write salir to end the server");
    console.end();
}
