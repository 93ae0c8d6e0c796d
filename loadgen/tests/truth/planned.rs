//! A server that follows a [`Plan`]: one thread, one epoll instance, one timer at absolute instants.
//!
//! It must be more precise than the generator. An answer costs five system calls and no thread. A delay is an absolute
//! instant and not a sleep. A queue is computed: each request begins when the one before it ends. So lateness never
//! adds up.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use slab::Slab;

use super::connection::{Connection, Request, answer_to};
use super::log::{Entry, Log};
use super::plan::{Fate, Plan, nanoseconds};

/// Length of the accept queue: more than any test has clients.
const BACKLOG: i32 = 4096;

/// Tokens of events that do not belong to a connection.
const LISTENER: u64 = u64::MAX;
const CLOCK: u64 = u64::MAX - 1;
const STOP: u64 = u64::MAX - 2;

pub(crate) struct Planned {
    pub(crate) address: SocketAddr,
    stop: Arc<EventFd>,
    thread: Option<JoinHandle<Log>>,
}

impl Planned {
    /// Serves on a free port.
    pub(crate) fn start(plan: Plan) -> Self {
        Self::bind(plan, ([127, 0, 0, 1], 0).into()).expect("loopback has a free port")
    }

    /// Serves at `address`.
    ///
    /// # Errors
    /// The error of the system call that failed.
    pub(crate) fn bind(plan: Plan, address: SocketAddr) -> io::Result<Self> {
        let listener = listen(address, BACKLOG)?;
        let address = listener.local_addr()?;
        let stop = Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC)?);
        let mut turns = Loop::new(plan, listener, &stop)?;
        let thread = thread::spawn(move || {
            // Timers of this thread fire at their instant, not up to 50 µs later.
            nix::sys::prctl::set_timerslack(1).expect("Linux");
            turns.run();
            turns.close_log()
        });
        Ok(Self {
            address,
            stop,
            thread: Some(thread),
        })
    }

    /// Stops the server and returns its log, which is the truth.
    pub(crate) fn stop(mut self) -> Log {
        self.end().expect("it has not been stopped before")
    }

    fn end(&mut self) -> Option<Log> {
        let thread = self.thread.take()?;
        self.stop.write(1).expect("a counter takes a one");
        Some(thread.join().expect("the server does not panic"))
    }
}

impl Drop for Planned {
    fn drop(&mut self) {
        self.end();
    }
}

pub(crate) fn listen(address: SocketAddr, backlog: i32) -> io::Result<TcpListener> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Monotonic time in nanoseconds: the same clock as the generator's, so that both logs can be compared.
pub(crate) fn now_ns() -> u64 {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).expect("Linux");
    u64::try_from(Duration::from(now).as_nanos()).expect("an uptime below 500 years")
}

/// What is due.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    Answer { index: usize, generation: u32 },
    OpenListener,
}

struct Loop {
    plan: Plan,
    epoll: Epoll,
    clock: TimerFd,
    /// Instant that the timer is set to.
    alarm_ns: u64,
    address: SocketAddr,
    listener: Option<TcpListener>,
    connections: Slab<Connection>,
    generation: u32,
    tasks: BinaryHeap<Reverse<(u64, Task)>>,
    began_ns: u64,
    /// When the single worker becomes idle.
    worker_free_ns: u64,
    requests: u64,
    log: Log,
}

impl Loop {
    fn new(plan: Plan, listener: TcpListener, stop: &EventFd) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let clock = TimerFd::new(
            ClockId::CLOCK_MONOTONIC,
            TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC,
        )?;
        let readable = |token| EpollEvent::new(EpollFlags::EPOLLIN, token);
        epoll.add(&listener, readable(LISTENER))?;
        epoll.add(clock.as_fd(), readable(CLOCK))?;
        epoll.add(stop, readable(STOP))?;
        Ok(Self {
            plan,
            epoll,
            clock,
            alarm_ns: u64::MAX,
            address: listener.local_addr()?,
            listener: Some(listener),
            connections: Slab::new(),
            generation: 0,
            tasks: BinaryHeap::new(),
            began_ns: now_ns(),
            worker_free_ns: 0,
            requests: 0,
            log: Log::default(),
        })
    }

    fn run(&mut self) {
        let mut events = [EpollEvent::empty(); 256];
        loop {
            let count = match self.epoll.wait(&mut events, EpollTimeout::NONE) {
                Err(nix::errno::Errno::EINTR) => continue,
                count => count.expect("a good epoll instance"),
            };
            for event in &events[..count] {
                match event.data() {
                    STOP => return,
                    LISTENER => self.accept(),
                    CLOCK => {
                        let _ = self.clock.wait();
                        self.alarm_ns = u64::MAX;
                    }
                    token => self.readable(token),
                }
                // Tasks that are due go first: a burst of new connections must not delay them.
                self.work();
            }
            self.work();
            self.set_alarm();
        }
    }

    /// Adds the requests that were never to be answered to the log, and returns it.
    fn close_log(mut self) -> Log {
        for (_, connection) in std::mem::take(&mut self.connections) {
            if let Some(request) = connection.request
                && request.fate == Fate::Silence
            {
                self.enter(request, now_ns());
            }
        }
        self.log
    }

    fn accept(&mut self) {
        while let Some(Ok((stream, _))) = self.listener.as_ref().map(TcpListener::accept) {
            stream.set_nonblocking(true).expect("a socket");
            stream.set_nodelay(true).expect("a socket");
            self.log.connections += 1;
            self.generation = self.generation.wrapping_add(1);
            let place = self.connections.vacant_entry();
            let token = u64::from(self.generation) << 32 | place.key() as u64;
            let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
            let added = self.epoll.add(&stream, EpollEvent::new(flags, token));
            added.expect("room for one more");
            let every = self.plan.refusals.map(|refusals| refusals.every);
            place.insert(Connection {
                stream,
                input: Vec::new(),
                request: None,
                generation: self.generation,
                last_before_refusals: every
                    .is_some_and(|every| self.log.connections.is_multiple_of(every)),
            });
            self.readable(token);
        }
    }

    /// Reads available bytes; a complete head is a request.
    fn readable(&mut self, token: u64) {
        let index = usize::try_from(token & 0xffff_ffff).expect("masked");
        let Some(connection) = self.connections.get_mut(index) else {
            return;
        };
        if u64::from(connection.generation) != token >> 32 {
            return;
        }
        let mut bytes = [0; 4096];
        loop {
            match connection.stream.read(&mut bytes) {
                Ok(0) => return self.leave(index),
                Ok(count) => connection.input.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return self.leave(index),
            }
        }
        self.take_request(index);
    }

    /// Removes a client that has closed its connection.
    fn leave(&mut self, index: usize) {
        match self.connections.remove(index).request {
            // With `Silence`, the client is expected to close.
            Some(request) if request.fate == Fate::Silence => self.enter(request, now_ns()),
            Some(_) => self.log.abandoned += 1,
            None => {}
        }
    }

    /// Begins the next request of a connection, if its head is complete.
    fn take_request(&mut self, index: usize) {
        let received_ns = now_ns();
        let Some(head) = self.connections[index].take_head() else {
            return;
        };
        let first_line = head.lines().next();
        let http_1_0 = first_line.is_some_and(|line| line.ends_with("/1.0"));
        let keep = if http_1_0 {
            head.contains("connection: keep-alive")
        } else {
            !head.contains("connection: close")
        };
        let number = self.requests;
        self.requests += 1;
        let due_ns = self.due_ns(received_ns, number);
        let fate = self.plan.fate(number);
        let connection = &mut self.connections[index];
        connection.request = Some(Request {
            received_ns,
            due_ns,
            fate,
            keep,
            http_1_0,
        });
        let generation = connection.generation;
        let answer = Task::Answer { index, generation };
        self.tasks.push(Reverse((due_ns, answer)));
    }

    /// When request `number`, received at `received_ns`, is to be answered.
    fn due_ns(&mut self, received_ns: u64, number: u64) -> u64 {
        let work_ns = self.plan.work.ns(number);
        let ready_ns = if self.plan.one_worker {
            received_ns.max(self.worker_free_ns)
        } else {
            received_ns
        };
        let due_ns = self.began_ns + self.plan.resumes_ns(ready_ns - self.began_ns) + work_ns;
        self.worker_free_ns = due_ns;
        due_ns
    }

    /// Runs the tasks that are due.
    fn work(&mut self) {
        let is_due = |task: &Reverse<(u64, Task)>| task.0.0 <= now_ns();
        while self.tasks.peek().is_some_and(is_due)
            && let Some(Reverse((_, task))) = self.tasks.pop()
        {
            match task {
                Task::Answer { index, generation } => self.answer(index, generation),
                Task::OpenListener => self.open_listener(),
            }
        }
    }

    fn set_alarm(&mut self) {
        let Some(Reverse((due_ns, _))) = self.tasks.peek() else {
            return;
        };
        if *due_ns < self.alarm_ns {
            self.alarm_ns = *due_ns;
            let at = Expiration::OneShot(TimeSpec::from(Duration::from_nanos(*due_ns)));
            self.clock
                .set(at, TimerSetTimeFlags::TFD_TIMER_ABSTIME)
                .expect("a good instant");
        }
    }

    fn answer(&mut self, index: usize, generation: u32) {
        let connection = self.connections.get(index);
        let connection = connection.filter(|connection| connection.generation == generation);
        let Some((request, is_last)) =
            connection.and_then(|it| Some((it.request?, it.last_before_refusals)))
        else {
            return;
        };
        if request.fate == Fate::Silence {
            return;
        }
        if is_last {
            self.close_listener();
        }
        let answered_ns = now_ns();
        let connection = &mut self.connections[index];
        connection.request = None;
        let written = connection.stream.write_all(&answer_to(request));
        let keep = written.is_ok() && request.fate == Fate::Answered && request.keep;
        if matches!(request.fate, Fate::Reset | Fate::ResetMidBody) {
            let _ = socket2::SockRef::from(&connection.stream).set_linger(Some(Duration::ZERO));
        }
        if !keep {
            self.connections.remove(index);
        }
        self.enter(request, answered_ns);
        if keep {
            self.take_request(index);
        }
    }

    fn enter(&mut self, request: Request, answered_ns: u64) {
        self.log.entries.push(Entry {
            request,
            answered_ns,
        });
    }

    /// Closes the listener until the pause is over.
    fn close_listener(&mut self) {
        self.listener = None;
        let pause = self.plan.refusals.map_or(Duration::ZERO, |plan| plan.pause);
        self.tasks
            .push(Reverse((now_ns() + nanoseconds(pause), Task::OpenListener)));
    }

    fn open_listener(&mut self) {
        let listener = listen(self.address, BACKLOG).expect("the port is still free");
        let readable = EpollEvent::new(EpollFlags::EPOLLIN, LISTENER);
        self.epoll.add(&listener, readable).expect("room for one");
        self.listener = Some(listener);
    }
}
