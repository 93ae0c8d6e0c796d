//! A run on a screen: how far it has come, and a bar for each experiment.

use hola_base::{Language, Text, text};
use hola_lab::record::RunStatus;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::look::{ViewLook, bar};
use super::progress::{ExperimentProgress, RunProgress};
use super::view::text_of;

/// Columns of a text that is printed once.
const TEXT_COLUMNS: u16 = 80;
/// Rows above the experiments.
const HEAD_ROWS: u16 = 4;
/// Columns of the name of an experiment.
const NAME_COLUMNS: usize = 18;
/// Columns of an experiment without its bar.
const FIGURE_COLUMNS: u16 = 42;
/// Longest bar.
const BAR_COLUMNS_MAX: u16 = 60;

const LEAVE: Text = text("q leaves", "q sale");

/// Draws the whole screen.
pub(super) fn draw(progress: &RunProgress, look: ViewLook, area: Rect, buffer: &mut Buffer) {
    let [head, experiments, note] = Layout::vertical([
        Constraint::Length(HEAD_ROWS),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(area);
    draw_head(progress, look, head, buffer);
    draw_experiments(progress, look, experiments, buffer);
    let leave = Line::styled(look.language.of(LEAVE), look.note());
    leave.right_aligned().render(note, buffer);
}

/// The same as text, without what a screen needs.
pub(super) fn plain_text(progress: &RunProgress, language: Language) -> String {
    let look = ViewLook {
        language,
        is_coloured: false,
    };
    let experiments = u16::try_from(progress.experiments.len()).unwrap_or(u16::MAX);
    let area = Rect::new(0, 0, TEXT_COLUMNS, HEAD_ROWS.saturating_add(experiments));
    let mut buffer = Buffer::empty(area);
    let [head, experiments] =
        Layout::vertical([Constraint::Length(HEAD_ROWS), Constraint::Fill(1)]).areas(area);
    draw_head(progress, look, head, &mut buffer);
    draw_experiments(progress, look, experiments, &mut buffer);
    text_of(&buffer)
}

fn draw_head(progress: &RunProgress, look: ViewLook, area: Rect, buffer: &mut Buffer) {
    let lines = [
        Line::styled(progress.name.as_str(), look.title()),
        Line::raw(summary(progress, look)),
        Line::raw(newest_block(progress, look)),
    ];
    for (row, line) in area.rows().zip(lines) {
        line.render(row, buffer);
    }
}

/// Status, blocks, and the time that is left.
fn summary(progress: &RunProgress, look: ViewLook) -> String {
    let blocks: usize = progress.experiments.iter().map(|one| one.blocks).sum();
    let time = time(progress.left_s, look);
    match progress.status {
        RunStatus::Running => look.language.choose(
            || format!("running (or killed) · {blocks} blocks kept · at most {time} left"),
            || {
                format!(
                    "en marcha (o muerta) · {blocks} bloques guardados · quedan {time} como mucho"
                )
            },
        ),
        RunStatus::Complete => look.language.choose(
            || format!("complete · {blocks} blocks kept"),
            || format!("completa · {blocks} bloques guardados"),
        ),
        RunStatus::Interrupted => look.language.choose(
            || format!("interrupted · {blocks} blocks kept"),
            || format!("interrumpida · {blocks} bloques guardados"),
        ),
    }
}

fn newest_block(progress: &RunProgress, look: ViewLook) -> String {
    let Some(block) = &progress.newest else {
        return look.language.choose(
            || "no block is kept yet".into(),
            || "todavía no se ha guardado ningún bloque".into(),
        );
    };
    let (experiment, stage, number) = (&block.experiment, &block.stage, block.number);
    let took = time(block.took_s, look);
    look.language.choose(
        || format!("newest block: {experiment} · {stage} · block {number}, in {took}"),
        || format!("último bloque: {experiment} · {stage} · bloque {number}, en {took}"),
    )
}

/// A duration.
fn time(seconds: f64, look: ViewLook) -> String {
    match seconds < 100.0 {
        true => format!("{seconds:.0} s"),
        false => format!("{} min", look.number(seconds / 60.0)),
    }
}

/// A line for each experiment; if they are more than the rows, those around the current one.
fn draw_experiments(progress: &RunProgress, look: ViewLook, area: Rect, buffer: &mut Buffer) {
    let rows = usize::from(area.height);
    let current = progress.experiments.iter().position(|one| one.is_current);
    let first_max = progress.experiments.len().saturating_sub(rows);
    let first = current.unwrap_or(0).saturating_sub(rows / 2);
    let shown = progress.experiments.iter().skip(first.min(first_max));
    for (row, experiment) in area.rows().zip(shown) {
        experiment_line(experiment, look, area.width).render(row, buffer);
    }
}

fn experiment_line(experiment: &ExperimentProgress, look: ViewLook, width: u16) -> Line<'static> {
    let columns = width.saturating_sub(FIGURE_COLUMNS).min(BAR_COLUMNS_MAX);
    let columns = usize::from(columns);
    let (name, blocks, most) = (&experiment.name, experiment.blocks, experiment.blocks_max);
    let blocks = look.language.choose(
        || format!("{blocks} of {most} blocks"),
        || format!("{blocks} de {most} bloques"),
    );
    let marker = if experiment.is_current { '▶' } else { ' ' };
    let bar = bar(experiment.share, 1.0, columns);
    Line::from(vec![
        Span::raw(format!("{marker} {name:NAME_COLUMNS$} ")),
        Span::styled(format!("{bar:columns$}"), look.bars()),
        Span::raw(format!("  {blocks}")),
    ])
}

#[cfg(test)]
mod tests {
    use hola_base::LANGUAGES;

    use super::super::progress::NewestBlock;
    use super::*;

    fn progress(experiments: usize) -> RunProgress {
        let experiment = |number| ExperimentProgress {
            name: format!("experiment-{number}"),
            blocks: 3,
            blocks_max: 12,
            is_current: number == 20,
            share: 0.5,
        };
        RunProgress {
            name: "2026-11-28T143522Z-full".into(),
            status: RunStatus::Running,
            experiments: (0..experiments).map(experiment).collect(),
            newest: Some(NewestBlock {
                experiment: "experiment-20".into(),
                stage: "main".into(),
                number: 3,
                took_s: 12.3,
            }),
            left_s: 252.0,
        }
    }

    fn drawn(progress: &RunProgress, language: Language, columns: u16, rows: u16) -> String {
        let look = ViewLook {
            language,
            is_coloured: false,
        };
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        draw(progress, look, buffer.area, &mut buffer);
        text_of(&buffer)
    }

    #[test]
    fn a_run_is_on_screens_of_both_sizes_in_both_languages() {
        for (columns, rows) in [(80, 24), (200, 50)] {
            let shown = LANGUAGES.map(|one| drawn(&progress(25), one, columns, rows));
            for (shown, expected) in shown.iter().zip([
                [
                    "at most 4.20 min left",
                    "experiment-20 · main · block 3, in 12 s",
                    "▶ experiment-20",
                    "3 of 12 blocks",
                    "q leaves",
                ],
                [
                    "quedan 4,20 min como mucho",
                    "experiment-20 · main · bloque 3, en 12 s",
                    "▶ experiment-20",
                    "3 de 12 bloques",
                    "q sale",
                ],
            ]) {
                for expected in expected {
                    assert!(shown.contains(expected), "{expected}:\n{shown}");
                }
            }
        }
    }

    #[test]
    fn the_current_experiment_is_seen_and_a_screen_of_any_size_is_drawn() {
        let small = drawn(&progress(60), Language::English, 60, 10);
        assert!(small.contains("▶ experiment-20"), "{small}");
        for size in [0, 1, 2, 3, 5, 9, 16, 24, 40, 79] {
            drawn(&progress(25), Language::English, size, 24);
            drawn(&progress(25), Language::English, 80, size);
        }
    }

    #[test]
    fn the_text_has_every_experiment() {
        let shown = plain_text(&progress(60), Language::English);
        assert!(shown.contains("experiment-59"), "{shown}");
    }
}
