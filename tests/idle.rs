//! Memory of idle clients, on the real program. Alone in its file, and one test after another: a page of the program counts
//! in part for each process that has it, so every other server that starts or ends moves the figure.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hola::lab::procedures::{Procedure, idle};

const HOLA: &str = env!("CARGO_BIN_EXE_hola");

static GOING_ON: AtomicBool = AtomicBool::new(false);

fn alone() -> MutexGuard<'static, ()> {
    static ORDER: Mutex<()> = Mutex::new(());
    ORDER.lock().unwrap_or_else(PoisonError::into_inner)
}

fn figure(found: &Procedure, name: &str) -> f64 {
    let value = found.figures.get(name).copied();
    value.unwrap_or_else(|| panic!("no {name} in {found:?}"))
}

fn count(found: &Procedure, name: &str) -> usize {
    let value = figure(found, name);
    assert!(value >= 0.0 && value.fract() == 0.0, "{name}: {value}");
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let count = value as usize;
    count
}

fn assert_valid(found: &Procedure) {
    assert!(found.validity.iter().all(|check| check.ok), "{found:?}");
}

#[test]
fn an_idle_client_of_a_thread_takes_more_than_one_of_a_loop_and_less_than_a_process() {
    let _alone = alone();
    let slope = |model: &str| {
        let found = idle::measure(Path::new(HOLA), model, 160, &[], &GOING_ON).expect(model);
        assert_valid(&found);
        assert_eq!(count(&found, "clients_most"), 160, "{found:?}");
        assert!(figure(&found, "pss_kib_without_clients") > 100.0);
        assert_eq!(found.remarks["limit"], "none: 160 clients were asked for");
        assert!(found.bill.is_some());
        figure(&found, "pss_kib_per_client")
    };
    let (epoll, thread, process) = (
        slope("epoll"),
        slope("thread-per-client"),
        slope("fork-per-client"),
    );
    assert!(
        0.5 < epoll && epoll < thread && thread < process,
        "{epoll}, {thread}, {process} KiB"
    );
}

#[test]
fn idle_clients_up_to_a_models_cap_leave_room_for_one_that_is_served() {
    let _alone = alone();
    let found = idle::measure(
        Path::new(HOLA),
        "fork-per-client",
        usize::MAX,
        &[],
        &GOING_ON,
    )
    .expect("measured");
    assert_valid(&found);
    assert_eq!(count(&found, "clients_most"), 255);
    assert!(found.remarks["limit"].contains("cap of 256"), "{found:?}");
}

#[test]
fn one_idle_client_is_one_too_many_where_one_is_served_at_a_time() {
    let _alone = alone();
    let found = idle::measure(Path::new(HOLA), "iterative", 8, &[], &GOING_ON).expect("measured");
    assert_valid(&found);
    assert_eq!(count(&found, "clients_most"), 0);
    let limit = &found.remarks["limit"];
    assert!(limit.starts_with("beside 1 idle clients"), "{limit}");
    assert!(!found.figures.contains_key("pss_kib_per_client"));
}
