//! The workers of a server, each with its clients, its requests per second, and a bar.

use hola_base::{Text, text};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::look::{ViewLook, bar};
use crate::live::LiveWorker;

/// Columns of a worker's figures and bar, at least.
const WORKER_COLUMNS: u16 = 38;
/// Columns of a worker's figures, without its bar.
const WORKER_FIGURES: u16 = 24;

/// The title.
pub(super) const WORKERS: Text = text(
    "Workers: clients, requests/s",
    "Trabajadores: clientes, peticiones/s",
);

/// Workers in a row.
fn per_row(width: u16) -> u16 {
    (width / WORKER_COLUMNS).max(1)
}

/// Rows that the workers take, with their title; 0 if there are none.
pub(super) fn rows(workers: &[LiveWorker], width: u16) -> u16 {
    let rows = workers.len().div_ceil(per_row(width).into());
    match rows {
        0 => 0,
        rows => u16::try_from(rows + 1).unwrap_or(u16::MAX),
    }
}

/// Draws as many workers as there is room for.
pub(super) fn draw(workers: &[LiveWorker], look: ViewLook, area: Rect, buffer: &mut Buffer) {
    let per_row = per_row(area.width);
    let mut rows = area.rows();
    let Some(title) = rows.next() else {
        return;
    };
    let shown = usize::from(area.height.saturating_sub(1)) * usize::from(per_row);
    let missing = workers.len().saturating_sub(shown);
    let mut words = look.language.of(WORKERS).to_owned();
    if missing > 0 {
        words += &look.language.choose(
            || format!(" ({missing} more)"),
            || format!(" (y {missing} más)"),
        );
    }
    Line::styled(words, look.title()).render(title, buffer);
    let most = workers.iter().map(|worker| worker.requests_per_s);
    let most = most.fold(0.0, f64::max);
    for (row, workers) in rows.zip(workers.chunks(per_row.into())) {
        let cells = vec![Constraint::Fill(1); per_row.into()];
        let cells = Layout::horizontal(cells).spacing(2).split(row);
        for (cell, worker) in cells.iter().zip(workers) {
            worker_line(worker, most, look, cell.width).render(*cell, buffer);
        }
    }
}

fn worker_line(worker: &LiveWorker, most: f64, look: ViewLook, width: u16) -> Line<'static> {
    let columns = usize::from(width.saturating_sub(WORKER_FIGURES));
    let bar = bar(worker.requests_per_s, most, columns);
    let rate = look.number(worker.requests_per_s);
    Line::from(vec![
        Span::raw(format!("{:>3} ", worker.number)),
        Span::styled(format!("{bar:columns$}"), look.bars()),
        Span::raw(format!(" {:>6} {rate:>9}", worker.clients)),
    ])
}
