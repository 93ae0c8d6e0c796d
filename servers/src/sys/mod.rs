//! The crate's only unsafe code: calls to the kernel that have no safe wrapper.
#![allow(unsafe_code)]

mod descriptor_set;
pub(crate) mod ring;
pub(crate) mod stderr;
pub(crate) mod tally;

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicI32, AtomicU64};
use std::thread;
use std::time::{Duration, Instant};

use nix::cmsg_space;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, accept4, recvmsg, sendmsg,
};
use nix::sys::stat::fstat;
use nix::unistd::{ForkResult, Pid, ftruncate};
use socket2::{SockFilter, SockRef};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

pub(crate) use self::descriptor_set::{DescriptorSet, select};
use self::tally::Tally;

/// A value that may be all zero bits and that processes may change at the same time, such as an atomic number.
///
/// # Safety
/// Both must be true of the type.
pub(crate) unsafe trait Shared {}
// SAFETY: these are atomic integers, or structs and arrays of them.
unsafe impl Shared for AtomicI32 {}
// SAFETY: as above.
unsafe impl Shared for Tally {}
// SAFETY: as above.
unsafe impl<const COUNT: usize> Shared for [AtomicU64; COUNT] {}

/// So many values, all zero, in memory that stays shared across fork(2). Fails with the error of mmap(2).
pub(crate) fn shared<T: Shared>(count: usize) -> io::Result<&'static [T]> {
    let first = map(count * size_of::<T>(), MapFlags::MAP_SHARED)?.cast();
    // SAFETY: the mapping is page-aligned, large enough, never unmapped, and all its bits are zero.
    Ok(unsafe { NonNull::slice_from_raw_parts(first, count).as_ref() })
}

/// A page of shared memory that is a file's, in bytes: a multiple of every page size that Linux has.
const PAGE_BYTES: usize = 64 * 1024;

/// So many values in memory that is a file's, from that page of it on, and shared with every process that maps it; all
/// zero at first. Fails with the error of ftruncate(2) or mmap(2).
pub(crate) fn shared_in_file<T: Shared>(
    file: &OwnedFd,
    page: u16,
    count: usize,
) -> io::Result<&'static [T]> {
    let bytes = NonZeroUsize::new(count * size_of::<T>()).ok_or(io::ErrorKind::InvalidInput)?;
    let offset = usize::from(page) * PAGE_BYTES;
    let length = i64::try_from(offset + bytes.get()).map_err(io::Error::other)?;
    if fstat(file)?.st_size < length {
        ftruncate(file, length)?;
    }
    let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    let offset = i64::try_from(offset).map_err(io::Error::other)?;
    // SAFETY: a new mapping, at an address of the kernel's choice, aliases nothing of this process.
    let first = unsafe { mmap(None, bytes, access, MapFlags::MAP_SHARED, file, offset)? }.cast();
    // SAFETY: the mapping is page-aligned, large enough, within its file, which never shrinks, and never unmapped. Its
    // bits are zero, or what another process wrote to values of the same type.
    Ok(unsafe { NonNull::slice_from_raw_parts(first, count).as_ref() })
}

/// How many values a file has from that page of it on. Fails with the error of fstat(2).
pub(crate) fn count_in_file<T: Shared>(file: &OwnedFd, page: u16) -> io::Result<usize> {
    let bytes = usize::try_from(fstat(file)?.st_size).map_err(io::Error::other)?;
    Ok(bytes.saturating_sub(usize::from(page) * PAGE_BYTES) / size_of::<T>())
}

/// Sends a message, and a copy of a descriptor if there is one, without waiting. Fails with the error of sendmsg(2):
/// `EAGAIN` if the receiver does not keep up.
pub(crate) fn send_with_descriptor(
    socket: RawFd,
    message: &[u8],
    sent: Option<RawFd>,
) -> io::Result<()> {
    let control = match sent.as_slice() {
        [] => &[][..],
        descriptor => &[ControlMessage::ScmRights(descriptor)],
    };
    let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
    sendmsg::<()>(socket, &[IoSlice::new(message)], control, flags, None)?;
    Ok(())
}

/// Receives bytes, and the descriptor that came with them; returns the number of bytes, 0 at the end of the stream.
/// Fails with the error of recvmsg(2).
pub(crate) fn receive_with_descriptor(
    socket: &UnixStream,
    bytes: &mut [u8],
) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut bytes = [IoSliceMut::new(bytes)];
    let mut room = cmsg_space!(RawFd);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let received = recvmsg::<()>(socket.as_raw_fd(), &mut bytes, Some(&mut room), flags)?;
    for control in received.cmsgs()? {
        if let ControlMessageOwned::ScmRights(descriptors) = control
            && let Some(descriptor) = descriptors.first()
        {
            // SAFETY: the kernel has just opened this descriptor for us, and no other code knows it. There is room for
            // no second one.
            let descriptor = unsafe { OwnedFd::from_raw_fd(*descriptor) };
            return Ok((received.bytes, Some(descriptor)));
        }
    }
    Ok((received.bytes, None))
}

/// Takes over a descriptor that this program was started with, in a place that its starter agreed to. `None` if it is
/// not open.
pub(crate) fn inherited(descriptor: i32) -> Option<OwnedFd> {
    // SAFETY: the program asks for each such descriptor once, before it opens others, and no other code uses it.
    is_open(descriptor).then(|| unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// New memory, all 0, at an address that is a multiple of the page size. It is never unmapped.
fn map(bytes: usize, flags: MapFlags) -> io::Result<NonNull<libc::c_void>> {
    let size = NonZeroUsize::new(bytes).ok_or(io::ErrorKind::InvalidInput)?;
    let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a new anonymous mapping, at an address of the kernel's choice, aliases nothing.
    Ok(unsafe { mmap_anonymous(None, size, access, flags)? })
}

/// Accepts a client, without asking for its address; its socket has `flags` from the start and is closed on exec.
/// Returns the error of accept4(2).
pub(crate) fn accept(listener: &TcpListener, flags: SockFlag) -> io::Result<TcpStream> {
    let socket = accept4(listener.as_raw_fd(), flags | SockFlag::SOCK_CLOEXEC)?;
    // SAFETY: the kernel has just opened this descriptor for us, and no other code knows it.
    Ok(unsafe { TcpStream::from_raw_fd(socket) })
}

/// Registers a descriptor with the Tokio runtime that the caller is in. Fails with the error of epoll_ctl(2).
pub(crate) fn register(
    descriptor: BorrowedFd<'_>,
    interest: Interest,
) -> io::Result<AsyncFd<BorrowedFd<'_>>> {
    // SAFETY: a borrowed descriptor stays open, and the same, for as long as it is borrowed; the registration cannot
    // outlive that.
    Ok(unsafe { AsyncFd::register_with_interest(descriptor, interest)? })
}

/// Makes the descriptor number of `old` refer to the file of `new`.
pub(crate) fn replace(old: &OwnedFd, new: &OwnedFd) {
    // SAFETY: both descriptors are open; the number of `old` stays valid throughout.
    unsafe { libc::dup3(new.as_raw_fd(), old.as_raw_fd(), libc::O_CLOEXEC) };
}

/// Waits until an entry of `asked` is ready, as its `revents` then shows, or the time is up (-1: for ever). Fails with
/// the error of poll(2).
pub(crate) fn poll(asked: &mut [libc::pollfd], timeout_ms: i32) -> io::Result<()> {
    let count = libc::nfds_t::try_from(asked.len()).unwrap_or(libc::nfds_t::MAX);
    // SAFETY: the pointer and the length are those of one slice, which the kernel writes to only during the call.
    let ready = unsafe { libc::poll(asked.as_mut_ptr(), count, timeout_ms) };
    if ready < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Waits as [`poll`] does. If the limit on descriptors has been lowered below the number of entries, poll(2) refuses
/// them all. Then they are polled in parts, again and again until the time is up. Fails with the error of poll(2) for
/// one part.
pub(crate) fn poll_in_parts(asked: &mut [libc::pollfd], timeout_ms: i32) -> io::Result<()> {
    /// Pause between two rounds: an event may go unseen for so long.
    const ROUND: Duration = Duration::from_millis(5);
    let is_refused = |polled: &io::Result<()>| {
        let errno = polled.as_ref().err().and_then(io::Error::raw_os_error);
        errno == Some(libc::EINVAL)
    };
    let polled = poll(asked, timeout_ms);
    if !is_refused(&polled) {
        return polled;
    }
    let limit = Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(u64::MAX));
    let begun = Instant::now();
    let mut part_len = asked.len();
    loop {
        let mut parts = asked.chunks_mut(part_len);
        let polled = parts.try_for_each(|part| poll(part, 0));
        if is_refused(&polled) && part_len > 1 {
            part_len = part_len.div_ceil(2);
            continue;
        }
        polled?;
        let time_left = limit.saturating_sub(begun.elapsed());
        if time_left.is_zero() || asked.iter().any(|entry| entry.revents != 0) {
            return Ok(());
        }
        thread::sleep(ROUND.min(time_left));
    }
}

/// The limit of a listener's accept queue that the kernel applies: no more than `net.core.somaxconn`. `None` if the
/// kernel does not tell.
pub(crate) fn backlog(listener: &TcpListener) -> Option<u32> {
    let listener = listener.as_raw_fd();
    // SAFETY: a struct of integers.
    let info: libc::tcp_info = unsafe { option_of(listener, libc::IPPROTO_TCP, libc::TCP_INFO)? };
    // For a listener, `tcpi_unacked` is the length of the accept queue and `tcpi_sacked` its limit (`tcp_get_info` in
    // the kernel, since Linux 2.6.24).
    (info.tcpi_sacked > 0).then_some(info.tcpi_sacked)
}

/// An option of a socket; `None` if the kernel does not tell. Async-signal-safe.
///
/// # Safety
/// `T` is the type of that option, and valid with all bits zero.
unsafe fn option_of<T>(socket: RawFd, level: i32, option: i32) -> Option<T> {
    let mut value = MaybeUninit::<T>::zeroed();
    let mut size = libc::socklen_t::try_from(size_of::<T>()).ok()?;
    let first = value.as_mut_ptr().cast();
    // SAFETY: the kernel writes at most `size` bytes, which `value` has; both outlive the call.
    let returned = unsafe { libc::getsockopt(socket, level, option, first, &raw mut size) };
    // SAFETY: as the caller says.
    (returned == 0).then(|| unsafe { value.assume_init() })
}

/// Forks the process; returns the child's id in the parent, `None` in the child. Fails with the error of fork(2).
pub(crate) fn fork() -> io::Result<Option<Pid>> {
    // SAFETY: every caller has made sure that this is the only thread (`children::check_single_threaded`), so the child
    // may do whatever its parent may.
    match unsafe { nix::unistd::fork()? } {
        ForkResult::Parent { child } => Ok(Some(child)),
        ForkResult::Child => Ok(None),
    }
}

/// Runs `work` in a new detached thread, with a stack of that size and a guard page below it.
///
/// A thread of `std` also looks up the bounds of its stack, and sets up a second stack to report an overflow of the
/// first. This model does not need those system calls. Fails with the error of pthread_create(3), such as `EAGAIN` at a
/// limit on threads; `work` is dropped then.
pub(crate) fn spawn_detached<W: FnOnce() + Send + 'static>(
    stack_bytes: usize,
    work: W,
) -> io::Result<()> {
    spawn(stack_bytes, libc::PTHREAD_CREATE_DETACHED, work).map(|_| ())
}

/// Runs `work` in such a thread, and joins it. Fails with the error of pthread_create(3) or pthread_join(3).
pub(crate) fn spawn_and_join<W: FnOnce() + Send + 'static>(
    stack_bytes: usize,
    work: W,
) -> io::Result<()> {
    let thread = spawn(stack_bytes, libc::PTHREAD_CREATE_JOINABLE, work)?;
    // SAFETY: the thread was made joinable a moment ago, and this is the only join; its result is not asked for.
    match unsafe { libc::pthread_join(thread, ptr::null_mut()) } {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

fn spawn<W: FnOnce() + Send + 'static>(
    stack_bytes: usize,
    detach_state: libc::c_int,
    work: W,
) -> io::Result<libc::pthread_t> {
    extern "C" fn run<W: FnOnce()>(work: *mut libc::c_void) -> *mut libc::c_void {
        // SAFETY: `spawn` passed this pointer to this thread alone.
        let work = unsafe { Box::from_raw(work.cast::<W>()) };
        // Unwinding must not leave this function.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        ptr::null_mut()
    }
    let work = Box::into_raw(Box::new(work));
    let mut attributes = MaybeUninit::uninit();
    // A number or a pointer, by the C library.
    let mut thread = MaybeUninit::uninit();
    // SAFETY: the attributes are initialised before they are used, and destroyed once; `work` is a valid pointer that
    // the new thread alone takes over.
    let refused = unsafe {
        let attributes = attributes.as_mut_ptr();
        libc::pthread_attr_init(attributes);
        libc::pthread_attr_setstacksize(attributes, stack_bytes);
        libc::pthread_attr_setdetachstate(attributes, detach_state);
        let made = thread.as_mut_ptr();
        let refused = libc::pthread_create(made, attributes, run::<W>, work.cast());
        libc::pthread_attr_destroy(attributes);
        refused
    };
    if refused != 0 {
        // SAFETY: no thread was made, so the pointer is still ours alone.
        drop(unsafe { Box::from_raw(work) });
        return Err(io::Error::from_raw_os_error(refused));
    }
    // SAFETY: pthread_create(3) succeeded, so it wrote the thread.
    Ok(unsafe { thread.assume_init() })
}

/// Ends this process at once: runs no destructor and no exit handler, and writes no buffer of the parent a second time.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: _exit(2) takes any code and does not return.
    unsafe { libc::_exit(code) }
}

/// Seconds since 1970, from a system call. A process that was forked a moment ago has no page of the vdso(7) mapped,
/// and a page fault costs more than a system call.
pub(crate) fn seconds_from_kernel() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: clock_gettime(2) writes a timespec, which outlives the call; this clock always exists.
    unsafe { libc::syscall(libc::SYS_clock_gettime, libc::CLOCK_REALTIME, &raw mut now) };
    u64::try_from(now.tv_sec).unwrap_or(0)
}

/// Whether that descriptor is open.
pub(crate) fn is_open(descriptor: i32) -> bool {
    // SAFETY: F_GETFD only reads a flag of the descriptor, and fails if it is not open.
    unsafe { libc::fcntl(descriptor, libc::F_GETFD) >= 0 }
}

/// Crashes this process by a write to a page that is not mapped.
pub(crate) fn segfault() {
    // SAFETY: the first page is never mapped (`vm.mmap_min_addr`), so the kernel ends the process here: that is what
    // the caller wants. A volatile access is not optimised away.
    unsafe { ptr::without_provenance_mut::<u8>(1).write_volatile(0) };
}

/// Closes a forked child's copy of the listeners.
pub(crate) fn close_listeners(listeners: &[TcpListener]) {
    for listener in listeners {
        // SAFETY: the child never accepts, never returns into code that would, and ends by `exit_now`, which runs no
        // destructor: this descriptor is not used or closed again.
        unsafe { libc::close(listener.as_raw_fd()) };
    }
}

/// Sends what fits and discards what has come, without waiting for either: for a client that is refused.
pub(crate) fn write_without_waiting(socket: impl AsFd, answer: &[u8]) {
    use nix::sys::socket::{Shutdown, recv, send, shutdown};
    let fd = socket.as_fd().as_raw_fd();
    let mut scrap = [0; 4096];
    let _ = send(fd, answer, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL);
    let _ = shutdown(fd, Shutdown::Write);
    // Unread bytes would turn the close into a reset, which can overtake the answer.
    let _ = recv(fd, &mut scrap, MsgFlags::MSG_DONTWAIT);
}

/// Closes a listener in a signal handler: at once if its accept queue is empty, otherwise only to new clients. A listener
/// that other workers share stays open.
pub(crate) fn close_listener(listener: i32, is_shared: bool) {
    /// `BPF_RET | BPF_K`: lets `k` bytes of a packet through.
    const BPF_RETURN: u16 = 0x06;
    // SAFETY: the handler has just asked about this descriptor, which stays open as long as the server.
    let open = unsafe { BorrowedFd::borrow_raw(listener) };
    // Each of these calls is one system call that is async-signal-safe.
    let socket = SockRef::from(&open);
    // An accept about to block returns instead.
    let _ = socket.set_nonblocking(true);
    if is_shared {
        return;
    }
    // Drops every packet. Connections in the accept queue stay. A client whose first packet is dropped sends it again,
    // and is refused if the listener is closed by then. If the kernel refuses the filter, new clients are accepted for
    // as long as those in the queue.
    let _ = socket.attach_filter(&[SockFilter::new(BPF_RETURN, 0, 0, 0)]);
    if !has_waiting_client(listener) {
        let _ = socket.shutdown(Shutdown::Both);
    }
}

/// Whether a client waits in a listener's queue. Async-signal-safe.
pub(crate) fn has_waiting_client(listener: i32) -> bool {
    let ready = ready_for(listener, libc::POLLIN);
    ready & libc::POLLHUP == 0 && ready & libc::POLLIN != 0
}

/// Which of `events` a descriptor is ready for now, and whether it has ended; 0 if poll(2) fails. Async-signal-safe.
fn ready_for(fd: RawFd, events: i16) -> i16 {
    let mut asked = [libc::pollfd {
        fd,
        events,
        revents: 0,
    }];
    poll(&mut asked, 0).map_or(0, |()| asked[0].revents)
}

/// Whether a descriptor is a listener, whose queue must not be thrown away.
pub(crate) fn is_listening(fd: i32) -> bool {
    // SAFETY: an integer.
    let listening = unsafe { option_of::<i32>(fd, libc::SOL_SOCKET, libc::SO_ACCEPTCONN) };
    listening.is_some_and(|listening| listening != 0)
}

/// Installs a signal handler. It may only call async-signal-safe functions and touch atomics. Fails with the error of
/// sigaction(2).
pub(crate) fn handle(
    signal: Signal,
    handler: extern "C" fn(i32),
    flags: SaFlags,
) -> io::Result<()> {
    let action = SigAction::new(SigHandler::Handler(handler), flags, SigSet::all());
    // SAFETY: the only callers are in `signals`, whose handlers keep to what is said above.
    unsafe { sigaction(signal, &action)? };
    Ok(())
}

/// Sends a signal to a thread of this process; a thread that has ended is not found. Async-signal-safe.
pub(crate) fn signal_thread(thread: i32, signal: i32) {
    // SAFETY: getpid(2) and tgkill(2) touch no memory.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, signal) };
}

/// Writes one byte to a pipe. Async-signal-safe.
pub(crate) fn write_byte(pipe: i32) {
    // SAFETY: the buffer outlives the call.
    unsafe { libc::write(pipe, b"!".as_ptr().cast(), 1) };
}

/// Reaps one child that has ended; returns its process id, and its exit code unless a signal ended it. Async-signal-safe.
pub(crate) fn reap_one() -> Option<(i32, Option<i32>)> {
    let mut status = 0;
    // SAFETY: `status` outlives the call.
    let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
    let code = libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
    (pid > 0).then_some((pid, code))
}
