//! The signal handlers: SIGTERM and SIGINT stop the server, SIGCHLD reaps children, SIGALRM ends a drain that takes too long.
//!
//! They only make system calls and touch atomics, which is async-signal-safe (signal-safety(7)).

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use nix::errno::Errno;
use nix::sys::signal::{SaFlags, Signal, kill};
use nix::sys::socket::{Shutdown, shutdown};
use nix::unistd::{Pid, alarm, getpid, gettid};

use crate::child_table::ChildTable;
use crate::{log, stop, sys};

/// Exit code of a process whose drain took too long.
const GAVE_UP: i32 = 1;

/// The children that [`reap`] reaps and [`give_up`] kills.
static CHILD_TABLE: OnceLock<&'static ChildTable> = OnceLock::new();

/// Stops the server on SIGTERM and SIGINT, and gives up the drain on SIGALRM. Fails with the error of sigaction(2).
pub(crate) fn stop_on_signals() -> io::Result<()> {
    // No SA_RESTART: the signal must interrupt a thread that waits.
    sys::handle(Signal::SIGTERM, ask_to_stop, SaFlags::empty())?;
    sys::handle(Signal::SIGINT, ask_to_stop, SaFlags::empty())?;
    sys::handle(Signal::SIGALRM, give_up, SaFlags::empty())
}

/// Reaps every child as it ends, and corrects the counters if it crashed. Fails with the error of sigaction(2).
pub(crate) fn reap_children(table: &'static ChildTable) -> io::Result<()> {
    CHILD_TABLE.get_or_init(|| table);
    let flags = SaFlags::SA_RESTART | SaFlags::SA_NOCLDSTOP;
    sys::handle(Signal::SIGCHLD, reap, flags)
}

fn signal_children(signal: Signal) {
    if let Some(table) = CHILD_TABLE.get() {
        // The ids are of children that have not been reaped, so no other process has them.
        table.for_each_child_of(getpid().as_raw(), |pid| {
            let _ = kill(Pid::from_raw(pid), signal);
        });
    }
}

/// Does `work` in a signal handler, and restores errno for the code that the signal interrupted.
fn keep_errno(work: impl FnOnce()) {
    let errno = Errno::last_raw();
    work();
    Errno::set_raw(errno);
}

extern "C" fn ask_to_stop(signal: i32) {
    // The time is stored before the flag: a thread that sees the flag reads how long ago it was set.
    let is_first = stop::ASKED_MS
        .compare_exchange(0, stop::monotonic_ms(), Ordering::SeqCst, Ordering::SeqCst)
        .is_ok();
    if !is_first {
        return;
    }
    stop::STOPPING.store(true, Ordering::SeqCst);
    keep_errno(|| {
        let is_worker = stop::IS_WORKER_PROCESS.load(Ordering::Relaxed);
        let sockets = 3..=stop::LARGEST_SOCKET.load(Ordering::SeqCst);
        for socket in sockets.filter(|&socket| !stop::is_inherited(socket)) {
            if sys::is_listening(socket) {
                sys::close_listener(socket, is_worker);
            } else {
                // Without effect on a descriptor that is closed or is no socket.
                let _ = shutdown(socket, Shutdown::Read);
            }
        }
        let this_thread = gettid().as_raw();
        for acceptor in &stop::ACCEPTORS {
            let thread = acceptor.load(Ordering::SeqCst);
            if thread != 0 && thread != this_thread {
                sys::signal_thread(thread, signal);
            }
        }
        // The handler itself tells the children: at the cap on clients, this process waits for them and could not.
        signal_children(Signal::SIGTERM);
        let wake = stop::WAKE.load(Ordering::Relaxed);
        if wake >= 0 {
            sys::write_byte(wake);
        }
        alarm::set(stop::DRAIN_S.load(Ordering::Relaxed));
    });
}

extern "C" fn give_up(_signal: i32) {
    const LAST_WORDS: &[u8] = b"hola: some conversations did not end in time; giving up\n";
    signal_children(Signal::SIGKILL);
    log::write_from_handler(LAST_WORDS);
    sys::exit_now(GAVE_UP);
}

extern "C" fn reap(signal: i32) {
    let Some(table) = CHILD_TABLE.get() else {
        return;
    };
    keep_errno(|| {
        while let Some((pid, code)) = sys::reap_one() {
            table.on_child_exit(pid, code == Some(0));
            // If the child's alarm comes first, this process could end without error, and nothing would show that the
            // child gave up. So this process gives up too.
            if stop::is_asked() && code == Some(GAVE_UP) {
                give_up(signal);
            }
        }
    });
}
