//! Waits for a condition, and never for a time.

use std::fmt::Debug;
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use super::TIMEOUT;

/// Waits until `holds` returns true; fails the test if that takes too long.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The value of `look` once it has been the same for a while: a server has started all its workers by then.
pub fn settled<T: PartialEq + Debug>(look: impl Fn() -> T) -> T {
    const LOOKS: u32 = 30;
    let deadline = Instant::now() + TIMEOUT;
    let (mut value, mut same) = (look(), 0);
    while same < LOOKS {
        assert!(Instant::now() < deadline, "never settles: {value:?}");
        thread::sleep(Duration::from_millis(5));
        let next = look();
        same = if next == value { same + 1 } else { 0 };
        value = next;
    }
    value
}

/// The exit status of a child, once it has ended. Fails the test, and ends the child, if that takes too long.
pub fn end_of(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("process {} does not end", child.id());
        }
        thread::sleep(Duration::from_millis(2));
    }
}
