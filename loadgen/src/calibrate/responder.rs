//! A server that does nothing but answer: what the generator is measured against.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::socket::{MsgFlags, recv, send};

use super::record::Reuse;
use crate::sys;

const ANSWER_AND_KEEP: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHola, cliente!";
const ANSWER_AND_CLOSE: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: close\r\n\r\nHola, cliente!";

/// Longest wait of the loop, in milliseconds: how late it sees that it is to end.
const NAP_MS: u16 = 20;

/// Events taken at once.
const BATCH: usize = 256;

/// A responder on a thread of its own, ended when dropped.
#[derive(Debug)]
pub(super) struct Responder {
    pub(super) address: SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Responder {
    /// Listens on a free port of 127.0.0.1, and answers from `cpu` if one is given.
    ///
    /// # Errors
    /// When it cannot listen, or have a thread and a readiness queue.
    pub(super) fn start(reuse: Reuse, cpu: Option<usize>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        // std's queue of 128 would overflow under the clients that arrive at once; listening again only widens it.
        nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(4096)?)?;
        let address = listener.local_addr()?;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&listener, readable(listener.as_raw_fd()))?;
        let ended = Arc::new(AtomicBool::new(false));
        let desk = Desk {
            listener,
            epoll,
            answer: match reuse {
                Reuse::PerRequest => ANSWER_AND_CLOSE,
                Reuse::Kept => ANSWER_AND_KEEP,
            },
            keeps: reuse == Reuse::Kept,
            clients: Vec::new(),
        };
        let thread = thread::Builder::new().name("responder".into()).spawn({
            let ended = Arc::clone(&ended);
            move || {
                if let Some(cpu) = cpu {
                    // Elsewhere it only answers slower, which the generator's CPU share shows.
                    let _ = sys::pin_to(cpu);
                }
                desk.run(&ended);
            }
        })?;
        Ok(Self {
            address,
            ended,
            thread: Some(thread),
        })
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has nothing to report, and a panic of its own has been printed.
            let _ = thread.join();
        }
    }
}

/// The loop's state; clients are found by the number of their descriptor.
struct Desk {
    listener: TcpListener,
    epoll: Epoll,
    answer: &'static [u8],
    keeps: bool,
    clients: Vec<Option<TcpStream>>,
}

impl Desk {
    fn run(mut self, ended: &AtomicBool) {
        let mut events = [EpollEvent::empty(); BATCH];
        while !ended.load(Ordering::Relaxed) {
            let count = match self.epoll.wait(&mut events, NAP_MS) {
                Ok(count) => count,
                Err(Errno::EINTR) => 0,
                Err(_) => return,
            };
            for event in &events[..count] {
                match RawFd::try_from(event.data()) {
                    Ok(fd) if fd == self.listener.as_raw_fd() => self.let_in(),
                    Ok(fd) => self.attend(fd),
                    Err(_) => {}
                }
            }
        }
    }

    /// Lets everybody in who is at the door; who has already spoken is answered at once.
    fn let_in(&mut self) {
        while let Ok((client, _)) = self.listener.accept() {
            if self.converse(&client) {
                let fd = client.as_raw_fd();
                let place = usize::try_from(fd).unwrap_or(0);
                if self.epoll.add(client.as_fd(), readable(fd)).is_ok() {
                    if self.clients.len() <= place {
                        self.clients.resize_with(place + 1, || None);
                    }
                    self.clients[place] = Some(client);
                }
            }
        }
    }

    fn attend(&mut self, fd: RawFd) {
        let Some(place) = usize::try_from(fd)
            .ok()
            .and_then(|place| self.clients.get_mut(place))
        else {
            return;
        };
        if let Some(client) = place.take()
            && self.converse(&client)
            && let Ok(fd) = usize::try_from(fd)
        {
            self.clients[fd] = Some(client);
        }
    }

    /// Answers a request if there is one; false when the conversation is over.
    ///
    /// A request of the generator is far below a segment and comes whole; what does not end like one is not answered yet.
    fn converse(&self, client: &TcpStream) -> bool {
        let mut request = [0; 1024];
        match recv(client.as_raw_fd(), &mut request, MsgFlags::MSG_DONTWAIT) {
            Ok(0) => false,
            Ok(count) if request[..count].ends_with(b"\r\n\r\n") => {
                let sent = send(
                    client.as_raw_fd(),
                    self.answer,
                    MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT,
                );
                self.keeps && sent.is_ok()
            }
            Ok(_) | Err(Errno::EAGAIN | Errno::EINTR) => true,
            Err(_) => false,
        }
    }
}

fn readable(fd: RawFd) -> EpollEvent {
    EpollEvent::new(EpollFlags::EPOLLIN, u64::try_from(fd).unwrap_or(0))
}
