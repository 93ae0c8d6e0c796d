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
        let listener_address = listen(address, BACKLOG)?;
        let address = listener_address.local_addr()?;
        let stop = Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC)?);
        let mut turns = Loop::new(plan, listener_address, &stop)?;
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
    Answer { index: u32, generation: u32 },
    OpenDoor,
}

struct Loop {
    plan: Plan,
    epoll: Epoll,
    clock: TimerFd,
    /// Instant that the timer is set to.
    alarm_ns: u64,
    address: SocketAddr,
    listener_address: Option<TcpListener>,
    connections: Vec<Option<Connection>>,
    free: Vec<u32>,
    generation: u32,
    tasks: BinaryHeap<Reverse<(u64, Task)>>,
    began_ns: u64,
    /// When the single worker becomes idle.
    worker_free_ns: u64,
    requests: u64,
    log: Log,
}

impl Loop {
    fn new(plan: Plan, listener_address: TcpListener, stop: &EventFd) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let clock = TimerFd::new(
            ClockId::CLOCK_MONOTONIC,
            TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC,
        )?;
        let readable = |token| EpollEvent::new(EpollFlags::EPOLLIN, token);
        epoll.add(&listener_address, readable(LISTENER))?;
        epoll.add(clock.as_fd(), readable(CLOCK))?;
        epoll.add(stop, readable(STOP))?;
        Ok(Self {
            plan,
            epoll,
            clock,
            alarm_ns: u64::MAX,
            address: listener_address.local_addr()?,
            listener_address: Some(listener_address),
            connections: Vec::new(),
            free: Vec::new(),
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
        for index in 0..self.connections.len() {
            let connection = self.connections[index].take();
            if let Some(request) = connection.and_then(|connection| connection.request)
                && request.fate == Fate::Silence
            {
                self.enter(request, now_ns());
            }
        }
        self.log
    }

    fn accept(&mut self) {
        while let Some(Ok((stream, _))) = self.listener_address.as_ref().map(TcpListener::accept) {
            stream.set_nonblocking(true).expect("a socket");
            stream.set_nodelay(true).expect("a socket");
            self.log.connections += 1;
            self.generation = self.generation.wrapping_add(1);
            let index = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                u32::try_from(self.connections.len() - 1).expect("few connections")
            });
            let token = u64::from(self.generation) << 32 | u64::from(index);
            let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
            self.epoll
                .add(&stream, EpollEvent::new(flags, token))
                .expect("room for one more");
            let every = self.plan.refusals.map(|refusals| refusals.every);
            self.connections[index as usize] = Some(Connection {
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
        let index = u32::try_from(token & 0xffff_ffff).expect("masked");
        let Some(Some(connection)) = self.connections.get_mut(index as usize) else {
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
    fn leave(&mut self, index: u32) {
        let Some(connection) = self.connections[index as usize].take() else {
            return;
        };
        self.free.push(index);
        match connection.request {
            // With `Silence`, the client is expected to close.
            Some(request) if request.fate == Fate::Silence => {
                self.enter(request, now_ns());
            }
            Some(_) => self.log.abandoned += 1,
            None => {}
        }
    }

    /// Begins the next request of a connection, if its head is complete.
    fn take_request(&mut self, index: u32) {
        let received_ns = now_ns();
        let connection = self.connections[index as usize].as_mut();
        let Some(head) = connection.and_then(Connection::take_head) else {
            return;
        };
        let http_1_0 = head
            .lines()
            .next()
            .is_some_and(|line| line.ends_with("/1.0"));
        let keep = if http_1_0 {
            head.contains("connection: keep-alive")
        } else {
            !head.contains("connection: close")
        };
        let number = self.requests;
        self.requests += 1;
        let due_ns = self.due_ns(received_ns, number);
        let fate = self.plan.fate(number);
        if let Some(connection) = &mut self.connections[index as usize] {
            connection.request = Some(Request {
                received_ns,
                due_ns,
                fate,
                keep,
                http_1_0,
            });
            let generation = connection.generation;
            self.tasks
                .push(Reverse((due_ns, Task::Answer { index, generation })));
        }
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
        while let Some(Reverse((due_ns, _))) = self.tasks.peek() {
            if *due_ns > now_ns() {
                return;
            }
            let Some(Reverse((_, task))) = self.tasks.pop() else {
                return;
            };
            match task {
                Task::Answer { index, generation } => self.answer(index, generation),
                Task::OpenDoor => self.open_listener(),
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

    fn answer(&mut self, index: u32, generation: u32) {
        let Some(connection) = &mut self.connections[index as usize] else {
            return;
        };
        let Some(request) = connection.request else {
            return;
        };
        if connection.generation != generation || request.fate == Fate::Silence {
            return;
        }
        let closes_door = connection.last_before_refusals;
        if closes_door {
            self.close_door();
        }
        let Some(connection) = &mut self.connections[index as usize] else {
            return;
        };
        let answered_ns = now_ns();
        let written = connection.stream.write_all(&answer_to(request));
        let keep = written.is_ok() && request.fate == Fate::Answered && request.keep;
        if matches!(request.fate, Fate::Reset | Fate::ResetMidBody) {
            let _ = socket2::SockRef::from(&connection.stream).set_linger(Some(Duration::ZERO));
        }
        connection.request = None;
        if !keep {
            self.connections[index as usize] = None;
            self.free.push(index);
        }
        self.enter(request, answered_ns);
        if keep {
            self.take_request(index);
        }
    }

    fn enter(&mut self, request: Request, answered_ns: u64) {
        self.log.entries.push(Entry {
            received_ns: request.received_ns,
            due_ns: request.due_ns,
            answered_ns,
            fate: request.fate,
        });
    }

    /// Closes the listener until the pause is over.
    fn close_door(&mut self) {
        self.listener_address = None;
        let pause = self.plan.refusals.map_or(Duration::ZERO, |plan| plan.pause);
        self.tasks
            .push(Reverse((now_ns() + nanoseconds(pause), Task::OpenDoor)));
    }

    fn open_listener(&mut self) {
        let listener_address = listen(self.address, BACKLOG).expect("the port is still free");
        self.epoll
            .add(
                &listener_address,
                EpollEvent::new(EpollFlags::EPOLLIN, LISTENER),
            )
            .expect("room for one more");
        self.listener_address = Some(listener_address);
    }
}
