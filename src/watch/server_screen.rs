//! A server on a screen of any size: figures, charts of the last two minutes, and a bar for each worker.

use hola_base::{Language, Text, text};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::charted_series::ChartedSeries;
use super::look::{UNKNOWN, ViewLook};
use super::server_history::ServerHistory;
use super::view::text_of;
use super::worker_bars;
use crate::live::{LiveSample, ProbeFigures};

/// Columns of what says how to leave.
const LEAVE_COLUMNS: u16 = 23;
/// Columns of a text that is printed once.
const TEXT_COLUMNS: u16 = 80;
/// Figures in a row.
const FIGURES_PER_ROW: usize = 4;
/// Rows of all figures, and an empty one.
const FIGURE_ROWS: u16 = 5;
/// Columns of the name of a figure.
const FIGURE_NAME: usize = 13;
/// Charts in a row.
const CHARTS_PER_ROW: usize = 3;
const LEAVE: Text = text("charts: 2 min; q leaves", "gráficos: 2 min; q sale");
const PROBE_NOTE: Text = text(
    "p50 and p99 are of 20 requests/s sent from here, which the rest includes",
    "p50 y p99 son de 20 peticiones/s enviadas desde aquí; el resto las incluye",
);
const NO_COUNTERS: Text = text(
    "Clients, requests, workers: not known, since it is no server of this program",
    "Clientes, peticiones y trabajadores: sin cifras, no es un servidor de hola",
);

/// A figure: its name, its value, and whether it should be 0 and is not.
struct ShownFigure {
    name: Text,
    value: String,
    is_bad: bool,
}

/// Draws the whole screen.
pub(super) fn draw(history: &ServerHistory, look: ViewLook, area: Rect, buffer: &mut Buffer) {
    let [title, figures, rest, note] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(FIGURE_ROWS),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(area);
    let worker_rows = worker_bars::rows(history.workers(), rest.width).min(rest.height / 2);
    let [charts, workers] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(worker_rows)]).areas(rest);
    let [title, leave] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(LEAVE_COLUMNS)])
            .spacing(1)
            .areas(title);
    draw_title(history, look, title, buffer);
    let words = Line::styled(look.language.of(LEAVE), look.note());
    words.right_aligned().render(leave, buffer);
    draw_figures(history, look, figures, buffer);
    draw_charts(history, look, charts, buffer);
    worker_bars::draw(history.workers(), look, workers, buffer);
    draw_note(history, look, note, buffer);
}

/// Figures and workers as text, without what changes over time.
pub(super) fn plain_text(history: &ServerHistory, language: Language) -> String {
    let look = ViewLook {
        language,
        is_coloured: false,
    };
    let rows = [
        1,
        FIGURE_ROWS,
        worker_bars::rows(history.workers(), TEXT_COLUMNS),
        1,
    ];
    let area = Rect::new(0, 0, TEXT_COLUMNS, rows.iter().sum());
    let mut buffer = Buffer::empty(area);
    let [title, figures, workers, note] =
        Layout::vertical(rows.map(Constraint::Length)).areas(area);
    draw_title(history, look, title, &mut buffer);
    draw_figures(history, look, figures, &mut buffer);
    worker_bars::draw(history.workers(), look, workers, &mut buffer);
    draw_note(history, look, note, &mut buffer);
    text_of(&buffer)
}

fn draw_title(history: &ServerHistory, look: ViewLook, area: Rect, buffer: &mut Buffer) {
    Line::styled(history.title.as_str(), look.title()).render(area, buffer);
}

fn draw_note(history: &ServerHistory, look: ViewLook, area: Rect, buffer: &mut Buffer) {
    let is_probed = history.probe().is_some();
    let note = match (history.has_counters, is_probed) {
        (false, _) => look.language.of(NO_COUNTERS),
        (true, true) => look.language.of(PROBE_NOTE),
        (true, false) => "",
    };
    Line::styled(note, look.note()).render(area, buffer);
}

fn milliseconds(figures: &ProbeFigures, of: fn(&ProbeFigures) -> Option<f64>) -> Option<f64> {
    of(figures).map(|time_us| time_us / 1e3)
}

fn mebibytes(sample: &LiveSample) -> Option<f64> {
    sample
        .memory_kib
        .map(|memory_kib| memory_kib as f64 / 1024.0)
}

/// The figures of the newest sample, in the order of their rows.
fn figures(history: &ServerHistory, look: ViewLook) -> Vec<ShownFigure> {
    let last = history.samples.back();
    let counted = last.filter(|_| history.has_counters);
    let probe = history.probe();
    let rate = |name, of: fn(&LiveSample) -> f64| number(look, name, counted.map(of));
    let count = |name, of: fn(&LiveSample) -> u64| whole(name, last.map(of), false);
    let failure = |name, of: fn(&LiveSample) -> u64| whole(name, counted.map(of), true);
    let time = |name, of: fn(&ProbeFigures) -> Option<f64>| {
        let time_ms = probe.and_then(|probe| milliseconds(probe, of));
        number(look, name, time_ms)
    };
    let clients = counted.map(|sample| sample.clients);
    vec![
        whole(text("Clients", "Clientes"), clients, false),
        rate(text("Requests/s", "Peticiones/s"), |one| one.requests_per_s),
        rate(text("Accepted/s", "Aceptados/s"), |one| one.accepted_per_s),
        number(
            look,
            text("CPU %", "CPU %"),
            last.map(|one| one.cpu_percent),
        ),
        time(text("p50 ms", "p50 ms"), |probe| probe.p50_us),
        time(text("p99 ms", "p99 ms"), |probe| probe.p99_us),
        whole(
            text("Failed probes", "Fallos sonda"),
            probe.map(|probe| probe.failed),
            true,
        ),
        number(
            look,
            text("Memory MiB", "Memoria MiB"),
            last.and_then(mebibytes),
        ),
        count(text("Processes", "Procesos"), |one| one.processes),
        count(text("Threads", "Hilos"), |one| one.threads),
        failure(text("Refused", "Rechazados"), |one| one.refused),
        failure(text("Broken off", "Cortados"), |one| one.broken),
        failure(text("Timed out", "Fuera de hora"), |one| one.expired),
        failure(text("Crashed", "Caídos"), |one| one.crashed),
    ]
}

fn number(look: ViewLook, name: Text, value: Option<f64>) -> ShownFigure {
    ShownFigure {
        name,
        value: value.map_or(UNKNOWN.into(), |value| look.number(value)),
        is_bad: false,
    }
}

fn whole(name: Text, value: Option<u64>, is_failure: bool) -> ShownFigure {
    ShownFigure {
        name,
        value: value.map_or(UNKNOWN.into(), |value| value.to_string()),
        is_bad: is_failure && value > Some(0),
    }
}

fn draw_figures(history: &ServerHistory, look: ViewLook, area: Rect, buffer: &mut Buffer) {
    let figures = figures(history, look);
    for (row, figures) in area.rows().zip(figures.chunks(FIGURES_PER_ROW)) {
        let cells = Layout::horizontal([Constraint::Fill(1); FIGURES_PER_ROW]);
        for (cell, figure) in cells.areas::<FIGURES_PER_ROW>(row).into_iter().zip(figures) {
            let name = look.language.of(figure.name);
            let line = Line::from(vec![
                Span::raw(format!("{name:FIGURE_NAME$} ")),
                Span::styled(figure.value.as_str(), look.figure(figure.is_bad)),
            ]);
            line.render(cell, buffer);
        }
    }
}

/// What the charts show: only what is known of this server.
fn series(history: &ServerHistory) -> Vec<ChartedSeries> {
    let values = |of: &dyn Fn(&LiveSample) -> Option<f64>| history.samples.iter().map(of).collect();
    let time = |of: fn(&ProbeFigures) -> Option<f64>| {
        values(&|sample| milliseconds(sample.probe.as_ref()?, of))
    };
    let series = |name, values| ChartedSeries { name, values };
    let counted = [
        series(
            text("Requests/s", "Peticiones/s"),
            values(&|sample| Some(sample.requests_per_s)),
        ),
        series(
            text("Clients", "Clientes"),
            values(&|sample| Some(sample.clients as f64)),
        ),
    ];
    let seen = [
        series(text("p50 ms", "p50 ms"), time(|probe| probe.p50_us)),
        series(text("p99 ms", "p99 ms"), time(|probe| probe.p99_us)),
        series(
            text("CPU %", "CPU %"),
            values(&|sample| Some(sample.cpu_percent)),
        ),
        series(text("Memory MiB", "Memoria MiB"), values(&mebibytes)),
    ];
    let counted = counted.into_iter().filter(|_| history.has_counters);
    counted.chain(seen).collect()
}

fn draw_charts(history: &ServerHistory, look: ViewLook, area: Rect, buffer: &mut Buffer) {
    let series = series(history);
    let rows = series.chunks(CHARTS_PER_ROW);
    let areas = Layout::vertical(rows.clone().map(|_| Constraint::Fill(1))).split(area);
    for (row, series) in areas.iter().zip(rows) {
        let cells = Layout::horizontal([Constraint::Fill(1); CHARTS_PER_ROW]).spacing(2);
        for (cell, series) in cells.areas::<CHARTS_PER_ROW>(*row).into_iter().zip(series) {
            series.draw(look, cell, buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use hola_base::LANGUAGES;
    use ratatui::style::Color;

    use super::super::server_history::SAMPLES_MAX;
    use super::super::worker_bars::WORKERS;
    use super::*;
    use crate::live::LiveWorker;

    /// Columns and rows of the screens that are tested.
    const SIZES: [(u16, u16); 2] = [(80, 24), (200, 50)];

    fn sample(number: usize, workers: usize) -> LiveSample {
        let worker = |number| LiveWorker {
            number,
            clients: 2,
            requests_per_s: 100.0,
        };
        LiveSample {
            clients: 17,
            requests_per_s: 1_234.0 + number as f64,
            accepted_per_s: 56.7,
            refused: 3,
            broken: 4,
            processes: 5,
            threads: 6,
            cpu_percent: 98.7,
            memory_kib: Some(12_345),
            workers: (0..workers).map(worker).collect(),
            probe: Some(ProbeFigures {
                p50_us: Some(210.0),
                p99_us: None,
                failed: 0,
            }),
            ..LiveSample::default()
        }
    }

    fn history(samples: usize, workers: usize) -> ServerHistory {
        ServerHistory {
            title: "127.0.0.1:8080 · epoll".into(),
            has_counters: true,
            samples: (0..samples).map(|number| sample(number, workers)).collect(),
        }
    }

    fn drawn(history: &ServerHistory, look: ViewLook, (columns, rows): (u16, u16)) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        draw(history, look, buffer.area, &mut buffer);
        buffer
    }

    fn plain(language: Language) -> ViewLook {
        ViewLook {
            language,
            is_coloured: false,
        }
    }

    #[test]
    fn everything_is_on_screens_of_both_sizes_in_both_languages() {
        let history = history(SAMPLES_MAX, 4);
        for (language, size) in LANGUAGES
            .into_iter()
            .flat_map(|one| SIZES.map(|size| (one, size)))
        {
            let look = plain(language);
            let shown = text_of(&drawn(&history, look, size));
            for figure in figures(&history, look) {
                let name = language.of(figure.name);
                let expected = format!("{name:FIGURE_NAME$} {}", figure.value);
                assert!(shown.contains(&expected), "{expected}:\n{shown}");
            }
            for series in series(&history) {
                let expected = language.of(series.name);
                assert!(shown.matches(expected).count() >= 2, "{expected}:\n{shown}");
            }
            for whole in [LEAVE, WORKERS, PROBE_NOTE] {
                assert!(shown.contains(language.of(whole)), "{whole:?}:\n{shown}");
            }
            assert!(shown.starts_with(&history.title), "{shown}");
            assert!(shown.matches('█').count() > 50, "{shown}");
        }
    }

    #[test]
    fn the_text_has_every_figure_and_every_worker() {
        let shown = plain_text(&history(1, 40), Language::English);
        for expected in [
            "Clients       17",
            "Refused       3",
            "p99 ms        –",
            " 39 ",
        ] {
            assert!(shown.contains(expected), "{expected}:\n{shown}");
        }
        assert!(!shown.contains("more)"), "{shown}");
    }

    #[test]
    fn without_colours_no_cell_has_one() {
        let history = history(3, 4);
        let has_colour = |is_coloured| {
            let look = ViewLook {
                is_coloured,
                ..plain(Language::English)
            };
            let buffer = drawn(&history, look, SIZES[0]);
            let mut cells = buffer.content().iter();
            cells.any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
        };
        assert_eq!([false, true].map(has_colour), [false, true]);
    }

    #[test]
    fn a_screen_of_any_size_is_drawn() {
        for history in [history(0, 0), history(1, 0), history(SAMPLES_MAX, 100)] {
            for size in [0, 1, 2, 3, 5, 9, 16, 24, 40, 79] {
                drawn(&history, plain(Language::English), (size, 24));
                drawn(&history, plain(Language::English), (80, size));
                drawn(&history, plain(Language::English), (size, size));
            }
        }
    }

    #[test]
    fn before_the_first_figures_there_are_none() {
        let shown = text_of(&drawn(&history(0, 0), plain(Language::English), SIZES[0]));
        assert!(shown.contains("Clients       –"), "{shown}");
        assert!(shown.contains("Threads       –"), "{shown}");
    }

    #[test]
    fn a_server_of_another_program_has_no_counts() {
        let history = ServerHistory {
            has_counters: false,
            ..history(2, 0)
        };
        for language in LANGUAGES {
            let shown = text_of(&drawn(&history, plain(language), SIZES[0]));
            for name in [text("Clients", "Clientes"), text("Refused", "Rechazados")] {
                let expected = format!("{:FIGURE_NAME$} –", language.of(name));
                assert!(shown.contains(&expected), "{expected}:\n{shown}");
            }
            assert!(shown.contains(language.of(NO_COUNTERS)), "{shown}");
            assert!(shown.contains("98"), "{shown}");
        }
    }

    #[test]
    fn workers_for_which_there_is_no_room_are_counted() {
        let shown = text_of(&drawn(&history(2, 100), plain(Language::English), SIZES[0]));
        // Of 17 rows a half: a title, and 7 rows of 2 workers.
        assert!(shown.contains("(86 more)"), "{shown}");
    }
}
