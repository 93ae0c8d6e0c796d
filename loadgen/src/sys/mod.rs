//! System interfaces for which no safe wrapper exists: the only module with `unsafe`.
#![allow(unsafe_code)]

pub(crate) mod ring;

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::epoll::Epoll;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, Signal, sigaction};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

const NS_PER_S: u64 = 1_000_000_000;

/// A readiness event as the kernel writes it.
pub(crate) type PollEvent = libc::epoll_event;

/// Monotonic time in nanoseconds since an arbitrary origin.
pub(crate) fn now_ns() -> u64 {
    read_clock(ClockId::CLOCK_MONOTONIC)
}

/// CPU time of the calling thread, user and system, in nanoseconds.
pub(crate) fn thread_cpu_ns() -> u64 {
    read_clock(ClockId::CLOCK_THREAD_CPUTIME_ID)
}

fn read_clock(clock: ClockId) -> u64 {
    // Both clocks exist on every Linux: an error here would be a broken kernel, and a zero shows in every check.
    clock_gettime(clock).map_or(0, |time| {
        let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
        seconds * NS_PER_S + u64::try_from(time.tv_nsec()).unwrap_or(0)
    })
}

/// Waits at most `timeout_ns` for readiness and returns how many of `events` were written; a signal counts as none.
///
/// Uses `epoll_pwait2(2)` (Linux 5.11), since the milliseconds of `epoll_wait` would delay a planned send by up to one.
///
/// # Errors
/// The error of the system call; `ENOSYS` on an older kernel.
pub(crate) fn wait_for_events(
    epoll: &Epoll,
    events: &mut [PollEvent],
    timeout_ns: u64,
) -> nix::Result<usize> {
    let timeout = libc::timespec {
        // 64 bits wide in the kernel; the name of the type is deprecated where the C library is musl.
        tv_sec: i64::try_from(timeout_ns / NS_PER_S).unwrap_or(i64::MAX),
        // Always below 10^9, so it fits any width the platform gives the field.
        #[allow(clippy::cast_possible_truncation)]
        tv_nsec: (timeout_ns % NS_PER_S) as _,
    };
    // SAFETY: `events` is a live, exclusive buffer of exactly the length passed, `timeout` outlives the call, and the
    // null signal mask is allowed (it leaves the mask as it is).
    let count = unsafe {
        libc::syscall(
            libc::SYS_epoll_pwait2,
            epoll.0.as_raw_fd(),
            events.as_mut_ptr(),
            events.len(),
            &raw const timeout,
            std::ptr::null::<libc::sigset_t>(),
            0_usize,
        )
    };
    match Errno::result(count) {
        Ok(count) => Ok(usize::try_from(count).unwrap_or(0)),
        Err(Errno::EINTR) => Ok(0),
        Err(errno) => Err(errno),
    }
}

/// Binds the calling thread to one CPU.
///
/// # Errors
/// `EINVAL` when the CPU does not exist or is not allowed to this process.
pub(crate) fn pin_to(cpu: usize) -> nix::Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    sched_setaffinity(Pid::from_raw(0), &set)
}

/// Makes the calling thread's timers fire within a nanosecond of their instant instead of the default 50 µs.
///
/// # Errors
/// The error of prctl(2).
pub(crate) fn tighten_timers() -> nix::Result<()> {
    nix::sys::prctl::set_timerslack(1)
}

/// With this value of SO_LINGER, a close resets the connection (socket(7)).
pub(crate) const RESET: libc::linger = libc::linger {
    l_onoff: 1,
    l_linger: 0,
};

/// `IP_LOCAL_PORT_RANGE` (ip(7), Linux 6.3), which libc does not name yet.
const IP_LOCAL_PORT_RANGE: libc::c_int = 51;

/// Makes the kernel choose the local port of `socket` between `first` and `last`.
///
/// # Errors
/// `ENOPROTOOPT` before Linux 6.3.
pub(crate) fn limit_local_ports(socket: &OwnedFd, first: u16, last: u16) -> nix::Result<()> {
    let range = u32::from(last) << 16 | u32::from(first);
    // SAFETY: the option is four bytes, read from a live variable of that size.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            IP_LOCAL_PORT_RANGE,
            (&raw const range).cast(),
            4,
        )
    };
    Errno::result(result).map(drop)
}

/// First and last port that the kernel gives to connections (`ip_local_port_range`, ip(7)); Linux's default range if it
/// cannot be read.
pub(crate) fn local_port_range() -> (u16, u16) {
    let text =
        std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut bounds = text.split_whitespace().map(str::parse);
    match (bounds.next(), bounds.next()) {
        (Some(Ok(first)), Some(Ok(last))) if first <= last => (first, last),
        _ => (32_768, 60_999),
    }
}

/// Largest error of the wall clock, in microseconds, as the kernel bounds it (adjtimex(2)); `None` if nothing keeps the
/// clock right, or the kernel does not tell.
pub(crate) fn clock_error_us() -> Option<u64> {
    // SAFETY: the structure has nothing but integers, and zeros are valid for them.
    let mut clock: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: `clock` is live and exclusive, and without modes the call changes nothing else.
    let state = unsafe { libc::adjtimex(&raw mut clock) };
    let is_right = (0..libc::TIME_ERROR).contains(&state);
    u64::try_from(clock.maxerror).ok().filter(|_| is_right)
}

/// The signals that end a run early and keep what it measured: Ctrl-C, and what timeout(1), containers and CI runners send.
const INTERRUPTS: [Signal; 2] = [Signal::SIGINT, Signal::SIGTERM];

/// Signals this close to the first one are the same request: timeout(1) sends its signal to its child and then to the
/// child's process group, so the child gets it twice.
const SAME_REQUEST_NS: u64 = 250_000_000;

/// Number of the first signal, and when it came; zero before.
static INTERRUPT: AtomicI32 = AtomicI32::new(0);
static INTERRUPTED_AT: AtomicU64 = AtomicU64::new(0);

extern "C" fn note_interrupt(number: libc::c_int) {
    let now = now_ns();
    match INTERRUPTED_AT.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => INTERRUPT.store(number, Ordering::Relaxed),
        Err(first) if now.saturating_sub(first) < SAME_REQUEST_NS => {}
        Err(_) => {
            // SAFETY: signal(2) and raise(3) are async-signal-safe; the default action ends the process when this handler
            // returns.
            unsafe {
                libc::signal(number, libc::SIG_DFL);
                libc::raise(number);
            }
        }
    }
}

/// From now on, SIGINT and SIGTERM are recorded and do not end the process; a second one, of either kind, ends it at
/// once.
///
/// # Errors
/// The error of sigaction(2).
pub(crate) fn note_interrupts() -> nix::Result<()> {
    let action = SigAction::new(
        SigHandler::Handler(note_interrupt),
        SaFlags::SA_RESTART,
        INTERRUPTS.into_iter().collect(),
    );
    for signal in INTERRUPTS {
        // SAFETY: the handler uses atomics, clock_gettime(2), signal(2) and raise(3), which are async-signal-safe.
        unsafe { sigaction(signal, &action) }?;
    }
    Ok(())
}

/// The exit code for the signal that came since [`note_interrupts`], as shells use it (130, 143); `None` if none came.
pub(crate) fn interrupted() -> Option<u8> {
    let number = u8::try_from(INTERRUPT.load(Ordering::Relaxed)).unwrap_or(0);
    (number > 0).then_some(128 + number)
}
