//! A server that is watched: what it has done in the last two minutes.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use anyhow::Result;
use hola_base::Language;
use hola_servers::conversation::Protocol;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::look::ViewLook;
use super::server_history::ServerHistory;
use super::server_screen;
use super::view::{LiveView, ViewNews};
use crate::live::{LiveSample, LiveServer, ServerProbe, client_protocol, sample_each_second};

/// Most samples that a single text waits for: by then the probe has a median of any server that answers.
const TEXT_SAMPLES_MAX: usize = 5;

/// A server that is watched. A thread reads it once a second.
#[derive(Debug)]
pub(crate) struct ServerView {
    samples: Receiver<LiveSample>,
    history: ServerHistory,
}

impl ServerView {
    /// Begins to read a server that listens at `address`, and to probe it if its conversation has answers.
    pub(crate) fn start(
        title: String,
        server: LiveServer,
        address: SocketAddr,
        conversation: Protocol,
    ) -> Self {
        let (sender, samples) = channel();
        let history = ServerHistory {
            title,
            has_counters: server.counters.is_some(),
            samples: VecDeque::new(),
        };
        let probe = client_protocol(conversation);
        let probe = probe.map(|protocol| ServerProbe::start(address, protocol));
        sample_each_second(server, probe, move |sample| {
            // The receiver may have ended.
            let _ = sender.send(sample);
        });
        ServerView { samples, history }
    }

    /// Waits for figures, those of the probe among them if it gets any, and returns them as text.
    pub(crate) fn text(&mut self, language: Language) -> String {
        for _ in 0..TEXT_SAMPLES_MAX {
            let Ok(sample) = self.samples.recv() else {
                break;
            };
            let probe = sample.probe.as_ref();
            let is_whole = probe.is_none_or(|probe| probe.p50_us.is_some());
            self.history.push(sample);
            if is_whole {
                break;
            }
        }
        server_screen::plain_text(&self.history, language)
    }
}

impl LiveView for ServerView {
    fn update(&mut self) -> Result<ViewNews> {
        let mut news = ViewNews::Nothing;
        loop {
            match self.samples.try_recv() {
                Ok(sample) => self.history.push(sample),
                Err(TryRecvError::Empty) => return Ok(news),
                Err(TryRecvError::Disconnected) => return Ok(ViewNews::End),
            }
            news = ViewNews::Change;
        }
    }

    fn draw(&self, look: ViewLook, area: Rect, buffer: &mut Buffer) {
        server_screen::draw(&self.history, look, area, buffer);
    }
}
