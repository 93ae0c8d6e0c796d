//! What all models share: who may come in, what is said to them, what is counted, when it ends.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::sys::socket::{Shutdown, shutdown};
use nix::unistd::pipe2;
use tokio::net::unix::pipe;

use crate::accepting::{Accepting, Verdict};
use crate::client::Client;
use crate::conversation::{Conversation, Site, Step, Talk};
use crate::counters::Counters;
use crate::settings::Settings;
use crate::{crash, date, drive, listener, log, stop, sys};

/// How often a server at its cap, or draining, looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// One server: a listener, its settings, and the counters its threads and processes share. It lives as long as its
/// process, because threads and tasks outlive any borrow.
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    listener: TcpListener,
    /// Becomes readable when the server is to stop; the handler writes to the other end.
    wake: OwnedFd,
    _wake_writer: OwnedFd,
    counters: &'static Counters,
    site: Site,
}

impl Server {
    /// Binds, and answers signals from here on. Call it once, before any thread exists.
    ///
    /// # Errors
    /// What the kernel said to binding, or to one of the small things a server needs.
    pub fn start(settings: Settings) -> io::Result<&'static Server> {
        let listener = listener::bind(&settings)?;
        let (wake, wake_writer) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
        stop::LISTENER.store(listener.as_raw_fd(), Ordering::Relaxed);
        stop::WAKE.store(wake_writer.as_raw_fd(), Ordering::Relaxed);
        stop::DRAIN_S.store(settings.drain_s, Ordering::Relaxed);
        sys::stop_on_signals()?;
        let counters = sys::shared_counters()?;
        let site = Site {
            spoken: settings.conversation,
            date: date::http_date,
            stopping: &stop::STOPPING,
            count: &counters.count,
            crash: settings.allow_crash.then_some(crash::crash),
            heard: settings.log.then_some(log::heard),
        };
        Ok(Box::leak(Box::new(Server {
            settings,
            listener,
            wake,
            _wake_writer: wake_writer,
            counters,
            site,
        })))
    }

    /// Where it listens, the port a number even if 0 was asked for.
    ///
    /// # Errors
    /// What getsockname(2) said.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What it was told.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What it has counted.
    pub fn counters(&self) -> &'static Counters {
        self.counters
    }

    /// The listener every model shares.
    pub fn listener(&self) -> &TcpListener {
        &self.listener
    }

    /// The clients, one after another as they connect, until the server is told to stop.
    pub fn clients(&'static self) -> Clients {
        Clients {
            server: self,
            accepting: Accepting::new(self.settings.backlog),
        }
    }

    /// The clients, for models that wait in a Tokio runtime; call it inside one.
    ///
    /// # Errors
    /// What the kernel said to watching the listener.
    pub fn async_clients(&'static self) -> io::Result<AsyncClients> {
        let listener = self.listener.try_clone()?;
        // Tokio takes a listener only once it is non-blocking (`TcpListener::from_std`).
        listener.set_nonblocking(true)?;
        Ok(AsyncClients {
            server: self,
            listener: tokio::net::TcpListener::from_std(listener)?,
            stop: pipe::Receiver::from_owned_fd(self.wake.try_clone()?)?,
            accepting: Accepting::new(self.settings.backlog),
        })
    }

    /// Holds the whole conversation with a client on the calling thread. A panic ends that conversation, nothing else.
    pub fn converse(&'static self, mut client: Client<TcpStream>) {
        let socket = client.serve();
        let mut conversation = Talk::new(&self.site);
        let ended = catch_unwind(AssertUnwindSafe(|| {
            drive::blocking::converse(&mut conversation, socket, &self.settings.limits)
        }));
        match ended {
            Ok(outcome) => self.note(&outcome, conversation.answers()),
            Err(_panic) => Counters::count(&self.counters.crashed),
        }
    }

    /// Holds the whole conversation with a client in the calling task.
    pub async fn converse_async(&'static self, mut client: Client<tokio::net::TcpStream>) {
        let socket = client.serve();
        let mut conversation = Talk::new(&self.site);
        let outcome =
            drive::asynchronous::converse(&mut conversation, socket, &self.settings.limits).await;
        self.note(&outcome, conversation.answers());
    }

    /// Says that a client could not be given its thread or process, and waits for better times.
    pub fn could_not_attend(&self, error: &io::Error) {
        Counters::count(&self.counters.backed_off);
        complain(&format!("cannot take on another client: {error}"));
        thread::sleep(REFUSAL_PAUSE);
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
        let mut conversation = Talk::new(&self.site);
        if let Step::Read(space) = conversation.step() {
            space[..REQUEST.len()].copy_from_slice(REQUEST);
            conversation.received(REQUEST.len());
        }
    }

    fn admit<S: AsFd>(&'static self, socket: S) -> Client<S> {
        let fd = socket.as_fd().as_raw_fd();
        stop::LARGEST_CLIENT.fetch_max(fd, Ordering::SeqCst);
        if stop::is_asked() {
            // The handler has been through: like everybody else, it may be answered what it has asked already.
            let _ = shutdown(fd, Shutdown::Read);
        }
        Counters::count(&self.counters.accepted);
        Client::new(socket, self)
    }

    fn has_room(&self) -> bool {
        self.counters.active() < u64::from(self.settings.max_clients)
    }

    /// Turns later clients away at the door: the kernel resets them instead of letting them queue for nobody.
    fn close_door(&self) {
        // Another acceptor of the same listener may have closed it first.
        let _ = shutdown(self.listener.as_raw_fd(), Shutdown::Both);
    }

    fn note_shortage(&self, error: &io::Error) {
        Counters::count(&self.counters.backed_off);
        complain(&format!("cannot accept: {error}"));
    }

    fn note(&self, outcome: &io::Result<()>, answers: u64) {
        self.counters.answers.fetch_add(answers, Ordering::Relaxed);
        match outcome {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Counters::count(&self.counters.expired);
            }
            Err(_reset_by_client) => Counters::count(&self.counters.broken),
        }
    }
}

/// Pause after a refused thread or process: long enough not to spin, short enough to serve again at once.
const REFUSAL_PAUSE: Duration = Duration::from_millis(5);

/// Blocking iterator over a server's clients. It ends once the server is told to stop and whoever was already waiting
/// in the accept queue has been let in.
#[derive(Debug)]
pub struct Clients {
    server: &'static Server,
    accepting: Accepting,
}

impl Iterator for Clients {
    type Item = Client<TcpStream>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.accepting.goes_on() {
            if !self.server.has_room() {
                thread::sleep(LOOK_AGAIN);
                continue;
            }
            match self.server.listener.accept() {
                Ok((socket, _)) => {
                    self.accepting.succeeded();
                    return Some(self.server.admit(socket));
                }
                Err(error) => match self.accepting.failed(&error) {
                    Verdict::Empty if stop::is_asked() => break,
                    Verdict::Empty | Verdict::Retry => {}
                    Verdict::Pause(pause) => {
                        self.server.note_shortage(&error);
                        thread::sleep(pause);
                    }
                },
            }
        }
        self.server.close_door();
        None
    }
}

/// [`Clients`] for models that wait in a Tokio runtime.
#[derive(Debug)]
pub struct AsyncClients {
    server: &'static Server,
    listener: tokio::net::TcpListener,
    stop: pipe::Receiver,
    accepting: Accepting,
}

impl AsyncClients {
    /// The next client, `None` once the server is told to stop.
    pub async fn next(&mut self) -> Option<Client<tokio::net::TcpStream>> {
        while self.accepting.goes_on() {
            if !self.server.has_room() {
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            }
            let accepted = tokio::select! {
                biased;
                accepted = self.listener.accept() => accepted,
                _ = self.stop.readable() => break,
            };
            match accepted {
                Ok((socket, _)) => {
                    self.accepting.succeeded();
                    return Some(self.server.admit(socket));
                }
                Err(error) => {
                    if let Verdict::Pause(pause) = self.accepting.failed(&error) {
                        self.server.note_shortage(&error);
                        tokio::time::sleep(pause).await;
                    }
                }
            }
        }
        self.server.close_door();
        None
    }
}

/// Writes a line of complaint, at most one a second, so that trouble does not fill a disk as well.
fn complain(line: &str) {
    use std::sync::atomic::AtomicU64;
    use std::time::{SystemTime, UNIX_EPOCH};
    static LAST_S: AtomicU64 = AtomicU64::new(0);
    let now_s = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(1, |since| since.as_secs());
    if LAST_S.swap(now_s, Ordering::Relaxed) != now_s {
        eprintln!("hola: {line}");
    }
}
