//! What all models share: who may come in, what is said to them, what is counted, when it ends.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{Shutdown, SockFlag, shutdown};
use nix::unistd::{getppid, pipe2};

use crate::client::Client;
use crate::clients::{AsyncClients, Clients};
use crate::context::Context;
use crate::conversation::{Conversation, Site, Step, Talk};
use crate::counters::{self, Counters, Tally, count};
use crate::log::complain;
use crate::models::Model;
use crate::settings::{Accept, Settings};
use crate::{crash, date, drive, listener, log, spawning, stop, sys};

/// How often a server at its cap, or draining, looks again.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Pause after a refused thread or process: long enough not to spin, short enough to serve again at once.
const REFUSAL_PAUSE: Duration = Duration::from_millis(5);

/// One server: its listeners, its settings, and the counters its threads and processes share. It lives as long as its
/// process, because threads and tasks outlive any borrow.
#[derive(Debug)]
pub struct Server {
    model: &'static Model,
    settings: Settings,
    /// Says that it listens.
    announce: Announce,
    /// Set in the process that has announced the server.
    announced: OnceLock<()>,
    /// One, or one for each worker.
    listeners: Vec<TcpListener>,
    /// For workers that accept one at a time: each one's own handle on the same lock.
    locks: Vec<File>,
    /// Becomes readable when the server is to stop; the handler writes to the other end.
    wake: OwnedFd,
    wake_writer: OwnedFd,
    counters: Counters,
    site: Site,
}

/// Says that a server listens, once all of its acceptors wait for clients.
pub type Announce = fn(&Server) -> io::Result<()>;

impl Server {
    /// Binds, and answers signals from here on. Call it once, before any thread exists; then run `model`'s `serve`, which
    /// calls `announce` once all acceptors are ready.
    ///
    /// # Errors
    /// One plain line: what could not be had, and why.
    pub fn start(
        model: &'static Model,
        mut settings: Settings,
        announce: Announce,
    ) -> io::Result<&'static Server> {
        stop::note_inherited();
        // First, so that an address that is not to be had leaves nothing behind.
        let listeners = listener::bind(&settings)?;
        spawning::ballast(settings.ballast_octets)?;
        // The kernel may have shortened it.
        settings.backlog = sys::backlog(&listeners[0]).unwrap_or(settings.backlog);
        for listener in &listeners {
            stop::watch(listener.as_raw_fd());
        }
        let wake = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK);
        let (wake, wake_writer) = wake.context(|| "cannot make a pipe for the stop".into())?;
        stop::WAKE.store(wake_writer.as_raw_fd(), Ordering::Relaxed);
        stop::DRAIN_S.store(settings.drain_s, Ordering::Relaxed);
        sys::stop_on_signals().context(|| "cannot answer signals".into())?;
        let counters = Counters::shared(settings.workers)
            .context(|| "cannot share counters between processes".into())?;
        let site = Site {
            spoken: settings.conversation,
            date: date::http_date,
            stopping: &stop::STOPPING,
            count: counters.count,
            crash: settings.allow_crash.then_some(crash::crash),
            heard: settings.log.then_some(log::heard),
        };
        Ok(Box::leak(Box::new(Server {
            locks: locks(&settings)?,
            model,
            settings,
            announce,
            announced: OnceLock::new(),
            listeners,
            wake,
            wake_writer,
            counters,
            site,
        })))
    }

    /// Where it listens, the port a number even if 0 was asked for.
    ///
    /// # Errors
    /// What getsockname(2) said.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listeners[0].local_addr()
    }

    /// The model that runs its conversations.
    pub fn model(&self) -> &'static Model {
        self.model
    }

    /// What it was told.
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

    /// The clients, one after another as they connect, until the server is told to stop.
    ///
    /// # Errors
    /// What writing the announcement said.
    pub fn clients(&'static self) -> io::Result<Clients> {
        Clients::of(self)
    }

    /// The same, waited for in poll(2) instead of accept(2).
    ///
    /// # Errors
    /// What the kernel said to making the listener non-blocking.
    pub fn selected_clients(&'static self) -> io::Result<Clients> {
        self.listener().set_nonblocking(true)?;
        Clients::of(self)
    }

    /// The clients, for models that wait in a Tokio runtime; call it inside one.
    ///
    /// # Errors
    /// What the kernel said to watching the listener.
    pub fn async_clients(&'static self) -> io::Result<AsyncClients> {
        AsyncClients::of(self)
    }

    /// Holds the whole conversation with a client on the calling thread. A panic ends that conversation, nothing else.
    pub fn converse(&'static self, client: Client) {
        // The client goes in with it: dropped by a panic, it is counted as that.
        let _ = catch_unwind(AssertUnwindSafe(move || {
            let mut client = client;
            let mut talk = self.talk();
            let outcome =
                drive::blocking::converse(&mut talk, client.serve(), &self.settings.limits);
            note(client.tally(), &outcome, talk.answers());
        }));
    }

    /// Holds the whole conversation with a client in the calling task.
    pub async fn converse_async(&'static self, mut client: Client) {
        let mut talk = self.talk();
        let outcome =
            drive::asynchronous::converse(&mut talk, client.serve(), &self.settings.limits).await;
        note(client.tally(), &outcome, talk.answers());
    }

    /// Whether as many clients are held as `workers` can serve and the queue before them can hold.
    pub fn queue_is_full(&self, workers: usize) -> bool {
        self.counters.active() > workers as u64 + u64::from(self.settings.queue)
    }

    /// Says that a client could not be given its thread or process, and waits for better times.
    pub fn could_not_attend(&self, error: &io::Error) {
        count(&self.counters.tally().backed_off);
        complain(&format!("cannot make a thread or process: {error}"));
        thread::sleep(REFUSAL_PAUSE);
    }

    /// The calling acceptor has all that it needs and is about to wait for clients. The last one to come so far has the
    /// server announced. A thread waits for that here, so that no client takes what another acceptor still has to get.
    ///
    /// # Errors
    /// What writing the announcement said.
    pub(crate) fn acceptor_is_ready(&self) -> io::Result<()> {
        count(&self.counters.tally().starts);
        self.counters.acceptors_ready.fetch_add(1, Ordering::AcqRel);
        if !stop::IS_WORKER_PROCESS.load(Ordering::Relaxed) {
            self.announce_if_ready()?;
            self.announced.wait();
        } else if self.all_acceptors_are_ready() {
            // The parent waits for signals, and looks after each.
            let _ = kill(getppid(), Signal::SIGCHLD);
        }
        Ok(())
    }

    /// Announces the server once all acceptors are ready.
    ///
    /// # Errors
    /// What writing the announcement said.
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
        let acceptors = match self.settings.accept {
            Some(_) => self.settings.workers,
            None => 1,
        };
        self.counters.acceptors_ready.load(Ordering::Acquire) >= acceptors as u64
    }

    /// Sends away the clients that are waiting. For a parent without workers: nobody else accepts.
    pub(crate) fn send_away_who_waits(&'static self) {
        for listener in &self.listeners {
            while sys::somebody_waits(listener.as_raw_fd()) {
                match sys::accept(listener, SockFlag::empty()) {
                    Ok(socket) => self.admit(socket).send_away(),
                    Err(_nobody_or_no_descriptor) => break,
                }
            }
        }
    }

    /// Waits until no client is left.
    pub fn drain(&self) {
        while self.counters.active() > 0 {
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Waits, in a Tokio runtime, until no client is left.
    pub async fn drain_async(&self) {
        while self.counters.active() > 0 {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Holds one conversation with nobody, so that what is made only once (the date's text, the detection of the CPU's
    /// features, the linking of functions) is made before a fork and inherited, not made again in every child.
    pub(crate) fn rehearse(&self) {
        const REQUEST: &[u8] = b"GET / HTTP/1.0\r\n\r\n";
        let nobody_listens = Site {
            heard: None,
            ..self.site
        };
        let mut talk = Talk::new(&nobody_listens);
        if let Step::Read(space) = talk.step() {
            space[..REQUEST.len()].copy_from_slice(REQUEST);
            talk.received(REQUEST.len());
        }
    }

    pub(crate) fn talk(&'static self) -> Talk<'static> {
        Talk::new(&self.site)
    }

    /// The calling worker's listener.
    pub(crate) fn listener(&self) -> &TcpListener {
        &self.listeners[counters::worker() % self.listeners.len()]
    }

    /// All of them.
    pub(crate) fn listeners(&self) -> &[TcpListener] {
        &self.listeners
    }

    /// The calling worker's handle on the lock around accepting, where there is one.
    pub(crate) fn lock(&self) -> Option<&File> {
        self.locks.get(counters::worker())
    }

    /// Unlocks what a worker may have held when it died: the kernel would, but for this process's copy of its handle.
    pub(crate) fn unlock_for(&self, worker: usize) {
        if let Some(lock) = self.locks.get(worker) {
            let _ = lock.unlock();
        }
    }

    /// Becomes readable when this process is told to stop, and stays so.
    pub(crate) fn stop_signal(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Gives a forked worker a pipe of its own in the place of its parent's: a stop of one must not wake the others.
    pub(crate) fn renew_wake_pipe(&self) {
        if let Ok((wake, wake_writer)) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK) {
            sys::replace(&self.wake, &wake);
            sys::replace(&self.wake_writer, &wake_writer);
        }
    }

    /// Waits until a client may be waiting, or the server is to stop, or a signal comes.
    ///
    /// # Errors
    /// What poll(2) said.
    pub(crate) fn wait_for_client(&self) -> io::Result<()> {
        let mut asked =
            [self.listener().as_raw_fd(), self.wake.as_raw_fd()].map(|fd| libc::pollfd {
                fd,
                events: libc::POLLIN,
                revents: 0,
            });
        match sys::poll(&mut asked, -1) {
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            waited => waited,
        }
    }

    /// Takes an accepted connection into the books.
    pub(crate) fn admit(&'static self, socket: TcpStream) -> Client {
        let fd = socket.as_raw_fd();
        stop::watch(fd);
        if stop::is_asked() {
            // The handler has been through: like everybody else, it may be answered what it has asked already.
            let _ = shutdown(fd, Shutdown::Read);
        }
        Client::new(socket, self)
    }

    pub(crate) fn has_room(&self) -> bool {
        self.counters.active() < u64::from(self.settings.max_clients)
    }

    /// Turns later clients away at the door: the kernel resets them instead of letting them queue for nobody.
    pub(crate) fn close_door(&self) {
        if !stop::IS_WORKER_PROCESS.load(Ordering::Relaxed) {
            // Another acceptor of the same listener may have closed it first.
            let _ = shutdown(self.listener().as_raw_fd(), Shutdown::Both);
        }
    }

    /// Closes listeners in whose queue nobody is left, for a parent whose workers let in the last.
    pub(crate) fn close_doors_if_nobody_waits(&self) {
        for listener in &self.listeners {
            if !sys::somebody_waits(listener.as_raw_fd()) {
                let _ = shutdown(listener.as_raw_fd(), Shutdown::Both);
            }
        }
    }

    pub(crate) fn note_shortage(&self, error: &io::Error) {
        count(&self.counters.tally().backed_off);
        complain(&format!("cannot accept: {error}"));
    }

    /// The same for a loop that cannot wait.
    pub(crate) fn note_refused_wait(&self, error: &io::Error) {
        count(&self.counters.tally().backed_off);
        complain(&format!("cannot wait for clients: {error}"));
    }
}

/// Counts how a conversation went.
pub(crate) fn note(tally: &Tally, outcome: &io::Result<()>, answers: u64) {
    tally.answers.fetch_add(answers, Ordering::Relaxed);
    match outcome {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            count(&tally.expired);
        }
        Err(_reset_by_client) => count(&tally.broken),
    }
}

/// Handles on one lock, one for each worker that needs it. A lock of flock(2) belongs to an open file, so each handle
/// is opened anew, and the kernel lets go of it when its last holder dies.
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
