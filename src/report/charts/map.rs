//! Who wins where: a cell for each pair of a column and a row, in the colour of its winner.

use super::legend::Legend;
use super::marks;
use super::svg::{Anchor, LINE, Svg, fitted, text_width, wrapped};
use super::ticks;
use super::{Frame, MARGIN, Name};

/// Width of a sign in the legend, in pixels.
const SIGN: f64 = 22.0;

/// Between two cells, in pixels.
const GAP: f64 = 5.0;

/// Least width of a cell in a grid: every model's name fits into it, if on three lines.
const CELL_LEAST: f64 = 76.0;

/// Least width of a cell below its row, where there is room for more: names in a tie have one line each.
const CELL_BELOW_LEAST: f64 = 108.0;

const CELL_HEIGHT: f64 = 56.0;

/// Lines of names in a cell.
const MOST_LINES: usize = 3;

/// How much of the width the texts of rows may take beside their cells.
const ROW_TEXTS: f64 = 0.28;

/// Who wins where.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Map<'a> {
    pub(in crate::report) name: Name<'a>,
    /// What the columns are.
    pub(in crate::report) columns_title: &'a str,
    pub(in crate::report) columns: &'a [String],
    pub(in crate::report) rows: &'a [String],
    /// Row by row, a cell for each column.
    pub(in crate::report) cells: &'a [Vec<MapCell>],
    /// Everybody who may win, by the number that cells give.
    pub(in crate::report) models: &'a [MapModel],
    /// What the legend calls a tie, and a cell that was not measured.
    pub(in crate::report) signs: [&'a str; 2],
}

/// One of those who may win.
#[derive(Clone, Debug)]
pub(in crate::report) struct MapModel {
    /// As it is written in a cell.
    pub(in crate::report) short: String,
    /// As it is written in the legend.
    pub(in crate::report) title: String,
}

/// Who wins at one place.
#[derive(Clone, Debug, Default)]
pub(in crate::report) struct MapCell {
    /// Numbers of the winners, the best first; more than one in a tie, none where nothing was measured.
    pub(in crate::report) winners: Vec<usize>,
    /// Where it is and who wins there, in words.
    pub(in crate::report) say: String,
}

/// What a sign in the legend stands for.
#[derive(Clone, Copy, Debug)]
enum Sign {
    Model(usize),
    Tie,
    Empty,
}

/// Draws the map.
pub(in crate::report) fn map(frame: Frame, chart: &Map<'_>) -> String {
    let signs = signs(chart);
    let entries = signs.iter().map(|sign| match *sign {
        Sign::Model(number) => (Some(number), chart.models[number].title.as_str()),
        Sign::Tie => (None, chart.signs[0]),
        Sign::Empty => (None, chart.signs[1]),
    });
    let legend = Legend::new(entries, SIGN, frame.inside());
    let layout = Layout::new(frame, chart);
    let beside = frame.width - MARGIN - layout.left;
    let columns_title = wrapped(chart.columns_title, beside, MOST_LINES);
    let top = MARGIN + legend.height() + ticks::height(&columns_title) + 8.0;
    let height = top + layout.height(chart) + MARGIN;
    let mut svg = Svg::new(frame, height, chart.name);

    legend.draw(&mut svg, (MARGIN, 2.0), |svg, place, (x, y)| {
        let (corner, size) = ((x, y - 7.0), (SIGN, 14.0));
        match signs[place] {
            Sign::Model(number) => fill(svg, &[number], corner, size),
            // Of a colour that no model has.
            Sign::Tie => svg.rect("cell tie", corner, size),
            Sign::Empty => fill(svg, &[], corner, size),
        }
    });
    let title_at = (layout.left, MARGIN + legend.height() + 12.0);
    svg.texts("axis", title_at, Anchor::Start, &columns_title);
    layout.draw(&mut svg, chart, top);
    svg.finish()
}

/// The legend's signs: everybody who wins somewhere, and what else there is.
fn signs(chart: &Map<'_>) -> Vec<Sign> {
    let cells = || chart.cells.iter().flatten();
    let wins = |number: &usize| cells().any(|cell| cell.winners.contains(number));
    let models = (0..chart.models.len()).filter(wins).map(Sign::Model);
    let tie = cells()
        .any(|cell| cell.winners.len() > 1)
        .then_some(Sign::Tie);
    let empty = cells()
        .any(|cell| cell.winners.is_empty())
        .then_some(Sign::Empty);
    models.chain(tie).chain(empty).collect()
}

/// A cell's area: its winner's colour in full, paler and with a dashed outline in a tie.
fn fill(svg: &mut Svg, winners: &[usize], corner: (f64, f64), size: (f64, f64)) {
    let class = match winners {
        [] => "cell empty".to_owned(),
        [winner] => format!("cell {}", marks::colour(*winner)),
        [first, ..] => format!("cell tie {}", marks::colour(*first)),
    };
    svg.rect(&class, corner, size);
}

/// The names in a cell, each on lines of its own; who has no room in a tie is counted.
fn names(models: &[MapModel], winners: &[usize], width: f64) -> Vec<String> {
    let short = |winner: &usize| models[*winner].short.as_str();
    let whole: Vec<String> = winners
        .iter()
        .flat_map(|winner| wrapped(short(winner), width, MOST_LINES))
        .collect();
    if whole.len() <= MOST_LINES {
        return whole;
    }
    let one_line = |winner| fitted(short(winner), width);
    if winners.len() <= MOST_LINES {
        return winners.iter().map(one_line).collect();
    }
    let (named, others) = winners.split_at(MOST_LINES - 1);
    let others = format!("+{}", others.len());
    named.iter().map(one_line).chain([others]).collect()
}

/// Where cells are: in a grid, or below the text of their row where there is no room for its columns.
#[derive(Debug)]
struct Layout {
    is_grid: bool,
    left: f64,
    cell_width: f64,
    /// Cells on one line.
    across: usize,
    /// Each row's text, in lines.
    row_texts: Vec<Vec<String>>,
}

impl Layout {
    fn new(frame: Frame, chart: &Map<'_>) -> Self {
        let columns = chart.columns.len().max(1);
        let widest = chart
            .rows
            .iter()
            .map(|row| text_width(row))
            .fold(0.0, f64::max);
        let row_width = widest.min(frame.inside() * ROW_TEXTS);
        let texts = |width: f64| {
            let lines = chart.rows.iter().map(|row| wrapped(row, width, MOST_LINES));
            lines.collect()
        };
        let cell_width = |room: f64, across: usize| (room + GAP) / across as f64 - GAP;
        let room = frame.inside() - row_width - 2.0 * GAP;
        if cell_width(room, columns) >= CELL_LEAST {
            return Self {
                is_grid: true,
                left: MARGIN + row_width + 2.0 * GAP,
                cell_width: cell_width(room, columns),
                across: columns,
                row_texts: texts(row_width + 0.5),
            };
        }
        let most = (1..=columns).rev();
        let mut fitting =
            most.filter(|across| cell_width(frame.inside(), *across) >= CELL_BELOW_LEAST);
        let across = fitting.next().unwrap_or(1);
        Self {
            is_grid: false,
            left: MARGIN,
            cell_width: cell_width(frame.inside(), across),
            across,
            row_texts: texts(frame.inside()),
        }
    }

    /// Height of a cell with what is written above it, in pixels.
    fn step(&self) -> f64 {
        CELL_HEIGHT + GAP + if self.is_grid { 0.0 } else { LINE }
    }

    fn row_height(&self, chart: &Map<'_>, text: &[String]) -> f64 {
        if self.is_grid {
            return self.step();
        }
        let lines = chart.columns.len().div_ceil(self.across);
        ticks::height(text) + lines as f64 * self.step() + 10.0
    }

    fn height(&self, chart: &Map<'_>) -> f64 {
        let heading = if self.is_grid { LINE } else { 0.0 };
        let rows = self
            .row_texts
            .iter()
            .map(|text| self.row_height(chart, text));
        heading + rows.sum::<f64>()
    }

    fn draw(&self, svg: &mut Svg, chart: &Map<'_>, top: f64) {
        let mut y = top;
        if self.is_grid {
            self.write_columns(svg, chart.columns, y);
            y += LINE;
        }
        for (row, text) in self.row_texts.iter().enumerate() {
            let cells = chart.cells.get(row).map_or(&[][..], Vec::as_slice);
            if self.is_grid {
                let middle = y + (CELL_HEIGHT - ticks::height(text)) / 2.0 + 12.0;
                svg.texts("row", (MARGIN, middle), Anchor::Start, text);
                self.draw_cells(svg, chart, cells, y);
            } else {
                svg.texts("name", (MARGIN, y + 12.0), Anchor::Start, text);
                let mut y = y + ticks::height(text);
                let mut rest = cells;
                for columns in chart.columns.chunks(self.across) {
                    let (line, after) = rest.split_at(columns.len().min(rest.len()));
                    self.write_columns(svg, columns, y);
                    self.draw_cells(svg, chart, line, y + LINE);
                    rest = after;
                    y += self.step();
                }
            }
            y += self.row_height(chart, text);
        }
    }

    fn x(&self, place: usize) -> f64 {
        self.left + place as f64 * (self.cell_width + GAP)
    }

    fn write_columns(&self, svg: &mut Svg, columns: &[String], y: f64) {
        for (place, column) in columns.iter().enumerate() {
            let at = (self.x(place) + self.cell_width / 2.0, y + 11.0);
            let text = fitted(column, self.cell_width);
            svg.text("label", at, Anchor::Middle, &text);
        }
    }

    fn draw_cells(&self, svg: &mut Svg, chart: &Map<'_>, cells: &[MapCell], y: f64) {
        for (place, cell) in cells.iter().take(self.across).enumerate() {
            let corner = (self.x(place), y);
            if cell.winners.is_empty() {
                svg.saying(&cell.say, |svg| self.draw_cell(svg, chart, cell, corner));
            } else {
                svg.one(&cell.winners, |svg| {
                    svg.saying(&cell.say, |svg| self.draw_cell(svg, chart, cell, corner));
                });
            }
        }
    }

    fn draw_cell(&self, svg: &mut Svg, chart: &Map<'_>, cell: &MapCell, corner: (f64, f64)) {
        fill(svg, &cell.winners, corner, (self.cell_width, CELL_HEIGHT));
        let [first, others @ ..] = &cell.winners[..] else {
            return;
        };
        let class = if others.is_empty() {
            format!("inside {}", marks::colour(*first))
        } else {
            "inside".to_owned()
        };
        let names = names(chart.models, &cell.winners, self.cell_width - 6.0);
        let x = corner.0 + self.cell_width / 2.0;
        let y = corner.1 + (CELL_HEIGHT - ticks::height(&names)) / 2.0 + 12.0;
        svg.texts(&class, (x, y), Anchor::Middle, &names);
    }
}

#[cfg(test)]
mod tests {
    use crate::report::charts::{NARROW, WIDE, checker};

    use super::*;

    fn cell(winners: &[usize]) -> MapCell {
        MapCell {
            winners: winners.to_vec(),
            say: format!("won by {winners:?}"),
        }
    }

    fn texts(text: &str, count: usize) -> Vec<String> {
        vec![text.to_owned(); count]
    }

    fn drawn(frame: Frame, columns: &[String], rows: &[String], cells: &[Vec<MapCell>]) -> String {
        let model = |short: &str, title: &str| MapModel {
            short: short.to_owned(),
            title: title.to_owned(),
        };
        let models: Vec<MapModel> = (0..20)
            .map(|_| model("tokio-current-thread", checker::LONG_TITLE))
            .collect();
        let chart = Map {
            name: Name {
                id: "map",
                title: "Map",
                description: "Who wins where.",
            },
            columns_title: "clients at the same time, each of which asks again as soon as it is answered",
            columns,
            rows,
            cells,
            models: &models,
            signs: ["tie", "not measured"],
        };
        map(frame, &chart)
    }

    #[test]
    fn a_map_stays_readable_whatever_it_shows() {
        let all: Vec<usize> = (0..20).collect();
        let mixed = [&all[..0], &[3], &[9, 1], &[2, 3, 4], &all]
            .map(cell)
            .to_vec();
        let few = texts("64", 5);
        let many = texts(checker::LONG_TITLE, 40);
        let rows = texts(checker::LONG_TITLE, 7);
        for frame in [WIDE, NARROW] {
            for columns in [&few[..1], &few, &many, &[]] {
                for rows in [&rows[..], &rows[..1], &[]] {
                    let cells = vec![mixed.clone(); rows.len()];
                    checker::assert_readable(&drawn(frame, columns, rows, &cells));
                    checker::assert_readable(&drawn(frame, columns, rows, &[]));
                }
            }
        }
    }

    #[test]
    fn a_tie_differs_by_its_outline_and_counts_whom_it_cannot_name() {
        let row = vec![cell(&[1]), cell(&[2, 3]), cell(&[0, 1, 2, 3]), cell(&[])];
        let svg = drawn(WIDE, &texts("64", 4), &texts("no wait", 1), &[row]);
        assert!(
            svg.contains("<g class=\"one\" data-series=\"2 3\">"),
            "{svg}"
        );
        assert_eq!(svg.matches("class=\"cell tie c").count(), 2);
        assert!(checker::texts(&svg).contains(&"+2".to_owned()));
        assert_eq!(svg.matches("data-say=").count(), 4);
        // Four models that win somewhere; a tie and an empty cell are of no series.
        assert_eq!(svg.matches("<g class=\"entry\"").count(), 4);
    }

    #[test]
    fn cells_without_room_side_by_side_stand_below_their_row() {
        let (columns, rows) = (texts("64", 6), texts("no wait", 2));
        let cells = vec![vec![cell(&[0]); 6]; 2];
        let [wide, narrow] =
            [WIDE, NARROW].map(|frame| checker::texts(&drawn(frame, &columns, &rows, &cells)));
        let columns_in = |texts: &[String]| texts.iter().filter(|text| *text == "64").count();
        assert_eq!((columns_in(&wide), columns_in(&narrow)), (6, 12));
    }
}
