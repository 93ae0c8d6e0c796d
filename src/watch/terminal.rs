//! The terminal: its alternate screen, its size, and the keys that leave it.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::read;
use ratatui::DefaultTerminal;
use signal_hook::consts::SIGWINCH;

use super::look::ViewLook;
use super::view::{LiveView, ViewNews};

/// Longest wait for a key, in milliseconds: how late a new figure is shown at most.
const WAIT_MS: u8 = 200;
/// What Ctrl-C types while the terminal is raw.
const CTRL_C: u8 = 3;

/// Why a view is no longer shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ViewExit {
    /// The user has left.
    Left,
    /// Ctrl-C, or `is_interrupted`.
    Interrupted,
    /// Nothing will change any more.
    Ended,
}

/// Shows a view on the alternate screen until the user leaves, it ends, or `is_interrupted`. The terminal is then as it was
/// before.
///
/// # Errors
/// Returns an error if the terminal cannot be used, or if the view can no longer be read.
pub(crate) fn show(
    view: &mut impl LiveView,
    look: ViewLook,
    is_interrupted: &dyn Fn() -> bool,
) -> Result<ViewExit> {
    // The handler of a signal also ends a wait for keys.
    let is_resized = Arc::new(AtomicBool::new(true));
    signal_hook::flag::register(SIGWINCH, Arc::clone(&is_resized))?;
    let mut screen = Screen::enter().context("cannot use the terminal")?;
    loop {
        if is_interrupted() {
            return Ok(ViewExit::Interrupted);
        }
        let news = view.update()?;
        if news == ViewNews::End {
            return Ok(ViewExit::Ended);
        }
        if is_resized.swap(false, Ordering::Relaxed) || news == ViewNews::Change {
            screen.draw(view, look)?;
        }
        if let Some(exit) = exit_of(typed()?.as_deref()) {
            return Ok(exit);
        }
    }
}

/// The alternate screen, left when it is dropped.
struct Screen(DefaultTerminal);

impl Screen {
    fn enter() -> io::Result<Self> {
        let terminal = ratatui::try_init();
        if terminal.is_err() {
            // A part of it may have been done.
            let _ = ratatui::try_restore();
        }
        terminal.map(Screen)
    }

    fn draw(&mut self, view: &impl LiveView, look: ViewLook) -> Result<()> {
        let drawn = self
            .0
            .draw(|frame| view.draw(look, frame.area(), frame.buffer_mut()));
        drawn.context("cannot draw on the terminal").map(drop)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that has gone needs no more.
        let _ = ratatui::try_restore();
    }
}

/// What is typed, as far as it comes within a moment; `None` at the end of the input.
///
/// The backend's own reader of keys would wait for the rest of half an escape sequence, and not see a signal meanwhile.
fn typed() -> Result<Option<Vec<u8>>> {
    let stdin = io::stdin();
    let mut watched = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    match poll(&mut watched, PollTimeout::from(WAIT_MS)) {
        Ok(0) | Err(Errno::EINTR) => return Ok(Some(Vec::new())),
        Ok(_) => {}
        Err(error) => return Err(error).context("cannot wait for keys"),
    }
    let mut bytes = [0; 64];
    let count = read(&stdin, &mut bytes).context("cannot read the keys")?;
    Ok((count > 0).then(|| bytes[..count].to_vec()))
}

fn exit_of(typed: Option<&[u8]>) -> Option<ViewExit> {
    let Some(bytes) = typed else {
        return Some(ViewExit::Left);
    };
    bytes.iter().find_map(|byte| match *byte {
        b'q' | b'Q' => Some(ViewExit::Left),
        CTRL_C => Some(ViewExit::Interrupted),
        _ => None,
    })
}
