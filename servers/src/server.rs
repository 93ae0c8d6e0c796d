//! What all models share: which clients are accepted, what is said to them, what is counted, when the server ends.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{Shutdown, shutdown};
use nix::unistd::{getppid, pipe2};

use crate::channel::Channel;
use crate::context::{ErrorContext, plain};
use crate::conversation::{AnyConversation, Conversation, ServerContext, Step};
use crate::counters::{self, Counters, Tally, count};
use crate::log::warn_rate_limited;
use crate::settings::{Accept, Settings};
use crate::{ballast, date, experiments, listener, log, operator, signals, stop, sys};

/// How often a server checks again while it is at its cap or drains.
pub(crate) const RECHECK_INTERVAL: Duration = Duration::from_millis(1);

/// Pause after a refused thread or process: long enough not to spin, short enough to serve again at once.
const REFUSAL_PAUSE: Duration = Duration::from_millis(5);

/// One server: its listeners, its settings, and the counters its threads and processes share. It lives as long as its
/// process, because threads and tasks outlive any borrow.
#[derive(Debug)]
pub struct Server {
    model: &'static str,
    settings: Settings,
    /// Called once all acceptors are ready.
    announce: Announce,
    /// Set in the process that has announced the server.
    announced: OnceLock<()>,
    /// One, or one for each worker.
    listeners: Vec<TcpListener>,
    /// For workers that accept one at a time: a handle on the same lock for each worker.
    locks: Vec<File>,
    /// For workers that get their clients from the parent: a channel to each.
    channels: Vec<Channel>,
    /// Becomes readable when the server must stop; the signal handler writes to the other end.
    wake: OwnedFd,
    wake_writer: OwnedFd,
    counters: Counters,
    context: ServerContext,
}

/// Announces that a server listens, once all of its acceptors wait for clients.
pub type Announce = fn(&Server) -> io::Result<()>;

impl Server {
    /// Binds the listeners and installs the signal handlers. Call it once, before any thread exists; then run `model`'s
    /// `serve`, which calls `announce` once all acceptors are ready. Fails with one plain line: what failed, and why.
    pub fn start(
        model: &'static str,
        mut settings: Settings,
        announce: Announce,
    ) -> io::Result<&'static Server> {
        let channels = channels(&settings)?;
        stop::record_inherited_descriptors(&[]);
        // First, so that nothing else is set up if the address cannot be bound.
        let listeners = listener::bind(&settings)?;
        ballast::keep(settings.ballast_bytes)?;
        // The kernel may have shortened it.
        settings.backlog = sys::backlog(&listeners[0]).unwrap_or(settings.backlog);
        for listener in &listeners {
            stop::watch(listener.as_raw_fd());
        }
        let counters = Counters::new(settings.workers)
            .context(|| "cannot share counters between processes".into())?;
        let server = Server::new(model, settings, announce, listeners, counters)?;
        Ok(Box::leak(Box::new(Server { channels, ..server })))
    }

    /// A server's part that talks to one client, in a program of its own: it has the settings and the counters of the
    /// server, and no listener.
    pub(crate) fn of_one_client(
        model: &'static str,
        settings: Settings,
        counters: OwnedFd,
    ) -> io::Result<&'static Server> {
        let counters = Counters::from_memory(counters, settings.workers)
            .context(|| "cannot share the server's counters".into())?;
        let server = Server::new(model, settings, |_| Ok(()), Vec::new(), counters)?;
        Ok(Box::leak(Box::new(server)))
    }

    fn new(
        model: &'static str,
        settings: Settings,
        announce: Announce,
        listeners: Vec<TcpListener>,
        counters: Counters,
    ) -> io::Result<Server> {
        let wake = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK);
        let (wake, wake_writer) = wake.context(|| "cannot make a pipe for the stop".into())?;
        stop::WAKE.store(wake_writer.as_raw_fd(), Ordering::Relaxed);
        stop::DRAIN_S.store(settings.drain_s, Ordering::Relaxed);
        signals::stop_on_signals().context(|| "cannot answer signals".into())?;
        operator::report_to(settings.operator);
        let context = ServerContext {
            protocol: settings.conversation,
            date: date::http_date,
            stopping: &stop::STOPPING,
            count: counters.count,
            crash: settings.allow_crash.then_some(experiments::crash),
            extra_work: experiments::set_extra_work(settings.extra_work_ns),
            block: thread::sleep,
            on_message: settings.log.then_some(log::received),
            on_chat: settings.operator.map(|_| operator::said as fn(u64, &[u8])),
        };
        Ok(Server {
            locks: locks(&settings)?,
            model,
            settings,
            announce,
            announced: OnceLock::new(),
            listeners,
            channels: Vec::new(),
            wake,
            wake_writer,
            counters,
            context,
        })
    }

    /// The address on which it listens, with the actual port if port 0 was asked for. Fails with the error of
    /// getsockname(2).
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listeners[0].local_addr()
    }

    /// Name of the model that runs its conversations.
    pub fn model(&self) -> &'static str {
        self.model
    }

    /// The settings with which it started.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What it has counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether it has been announced, by this process.
    pub fn is_announced(&self) -> bool {
        self.announced.get().is_some()
    }

    /// Whether there are more clients than `workers` can serve and the queue before them can hold.
    pub fn queue_is_full(&self, workers: usize) -> bool {
        self.counters.active() > workers as u64 + u64::from(self.settings.queue)
    }

    /// Counts and reports that the system refused a thread or process for a client, and pauses.
    pub fn on_refused_spawn(&self, error: &io::Error) {
        self.on_shortage("cannot make a thread or process", error);
        thread::sleep(REFUSAL_PAUSE);
    }

    /// Called by an acceptor that has all that it needs and is about to wait for clients. The last acceptor to call
    /// this has the server announced. A thread waits here for the announcement, so that no client takes what another
    /// acceptor still needs. Fails with the error of writing the announcement.
    pub(crate) fn acceptor_is_ready(&self) -> io::Result<()> {
        count(&self.counters.tally().starts);
        self.counters.acceptors_ready.fetch_add(1, Ordering::AcqRel);
        if !stop::IS_WORKER_PROCESS.load(Ordering::Relaxed) {
            self.announce_if_ready()?;
            self.announced.wait();
        } else if self.all_acceptors_are_ready() {
            // This signal wakes the parent, which then announces the server.
            let _ = kill(getppid(), Signal::SIGCHLD);
        }
        Ok(())
    }

    /// Announces the server once all acceptors are ready. Fails with the error of writing the announcement.
    pub(crate) fn announce_if_ready(&self) -> io::Result<()> {
        if !self.all_acceptors_are_ready() {
            return Ok(());
        }
        let mut announced = Ok(());
        self.announced
            .get_or_init(|| announced = (self.announce)(self));
        announced.context(|| "cannot write to standard output".into())
    }

    fn all_acceptors_are_ready(&self) -> bool {
        let accept = self.settings.accept;
        let acceptors = accept.map_or(1, |_| self.settings.workers);
        self.counters.acceptors_ready.load(Ordering::Acquire) >= acceptors as u64
    }

    /// Waits until no client is left.
    pub fn drain(&self) {
        while self.counters.active() > 0 {
            thread::sleep(RECHECK_INTERVAL);
        }
    }

    /// Waits, in a Tokio runtime, until no client is left.
    pub async fn drain_async(&self) {
        while self.counters.active() > 0 {
            tokio::time::sleep(RECHECK_INTERVAL).await;
        }
    }

    /// Holds one conversation without a client. So everything that is done only once (formatting the date, detecting
    /// the CPU's features, linking functions) is done before a fork and inherited, not repeated in every child.
    pub(crate) fn warm_up(&self) {
        const REQUEST: &[u8] = b"GET / HTTP/1.0\r\n\r\n";
        let nobody_listens = ServerContext {
            on_message: None,
            on_chat: None,
            ..self.context
        };
        let mut conversation = AnyConversation::new(&nobody_listens, 0);
        if let Step::Read(space) = conversation.step() {
            space[..REQUEST.len()].copy_from_slice(REQUEST);
            conversation.received(REQUEST.len());
        }
    }

    /// A conversation with the client of that number.
    pub(crate) fn new_conversation(&'static self, client: u64) -> AnyConversation<'static> {
        AnyConversation::new(&self.context, client)
    }

    /// The calling worker's listener.
    pub(crate) fn listener(&self) -> &TcpListener {
        &self.listeners[counters::worker() % self.listeners.len()]
    }

    pub(crate) fn listeners(&self) -> &[TcpListener] {
        &self.listeners
    }

    /// The calling worker's handle on the lock around accepting, where there is one.
    pub(crate) fn lock(&self) -> Option<&File> {
        self.locks.get(counters::worker())
    }

    /// The calling worker's channel to its parent, if that accepts.
    pub(crate) fn channel(&self) -> Option<&Channel> {
        self.channels.get(counters::worker())
    }

    pub(crate) fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// Releases the lock if a dead worker held it. The kernel does not, because this process has a copy of its handle.
    pub(crate) fn unlock_for(&self, worker: usize) {
        if let Some(lock) = self.locks.get(worker) {
            let _ = lock.unlock();
        }
    }

    /// Becomes readable when this process is told to stop, and stays so.
    pub(crate) fn stop_signal(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Gives a forked worker its own pipe instead of its parent's: the stop of one process must not wake the others.
    pub(crate) fn renew_wake_pipe(&self) {
        if let Ok((wake, wake_writer)) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK) {
            sys::replace(&self.wake, &wake);
            sys::replace(&self.wake_writer, &wake_writer);
        }
    }

    /// Waits until a client may be waiting, or the server must stop, or a signal comes. Fails with the error of
    /// poll(2).
    pub(crate) fn wait_for_client(&self) -> io::Result<()> {
        let watch = |descriptor| PollFd::new(descriptor, PollFlags::POLLIN);
        let mut watched = [self.listener().as_fd(), self.wake.as_fd()].map(watch);
        match poll(&mut watched, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.counters.active() < u64::from(self.settings.max_clients)
    }

    /// Closes the listener: the kernel then resets later clients instead of queueing them.
    pub(crate) fn close_listener(&self) {
        if !stop::IS_WORKER_PROCESS.load(Ordering::Relaxed) {
            // Another acceptor of the same listener may have closed it first.
            let _ = shutdown(self.listener().as_raw_fd(), Shutdown::Both);
        }
    }

    /// Closes each listener whose accept queue is empty, for a parent whose workers accept the last clients.
    pub(crate) fn close_empty_listeners(&self) {
        for listener in &self.listeners {
            if !sys::has_waiting_client(listener.as_raw_fd()) {
                let _ = shutdown(listener.as_raw_fd(), Shutdown::Both);
            }
        }
    }

    /// Counts and reports that the system was short of something for what the server did.
    pub(crate) fn on_shortage(&self, what: &str, error: &io::Error) {
        count(&self.counters.tally().backed_off);
        warn_rate_limited(&format!("{what}: {error}"));
    }
}

/// Counts the answers of a conversation and how it ended. The operator of a chat is told of an error, if the client has a
/// number there.
pub(crate) fn count_outcome(tally: &Tally, client: u64, outcome: &io::Result<()>, answers: u64) {
    tally.answers.fetch_add(answers, Ordering::Relaxed);
    let (counter, reason) = match outcome {
        Ok(()) => return,
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            (&tally.expired, "timed out".into())
        }
        Err(reset_by_client) => (&tally.broken, plain(reset_by_client)),
    };
    count(counter);
    if client > 0 {
        operator::failed(client, &reason);
    }
}

/// A channel to each worker that gets its clients from the parent.
fn channels(settings: &Settings) -> io::Result<Vec<Channel>> {
    if settings.accept != Some(Accept::Passed) {
        return Ok(Vec::new());
    }
    let make = |_| Channel::new().context(|| "cannot make a socket pair".into());
    (0..settings.workers).map(make).collect()
}

/// Handles on one lock, one for each worker that needs it. A lock of flock(2) belongs to an open file. So each handle
/// is opened separately, and the kernel releases the lock when its last holder dies.
fn locks(settings: &Settings) -> io::Result<Vec<File>> {
    if settings.accept != Some(Accept::Locked) {
        return Ok(Vec::new());
    }
    let needs = |what: &str| format!("--accept locked needs {what}");
    let file = memfd_create("hola-accept", MFdFlags::MFD_CLOEXEC)
        .context(|| needs("a memory file (memfd_create)"))?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let open = |_| File::open(&path).context(|| needs(&path));
    (0..settings.workers).map(open).collect()
}
