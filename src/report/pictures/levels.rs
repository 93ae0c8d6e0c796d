//! A figure against the levels of an experiment, a line per model.

use crate::analysis::metric::Metric;
use crate::claims::names::EXPERIMENTS;
use crate::experiments::level_name;
use crate::lab::record::Level;
use crate::report::charts::{self, Line, LineChart, Name, Point, SMALL};
use crate::report::view::{Chart, Table};
use crate::report::{numbers, words};

use super::{Around, Sketch};

/// From so many times the smallest median on, a figure is drawn on a logarithmic axis.
const WIDE_RANGE: f64 = 30.0;

/// A chart for each figure that is compared, and for the 99th percentile where the load rises; none where there is one
/// level only. Their numbers are in the table of every level.
pub(super) fn lines(sketch: &Sketch<'_, '_>) -> Vec<Chart> {
    if sketch.analysis.design.levels.len() < 2 {
        return Vec::new();
    }
    let mut metrics = sketch.analysis.metrics.clone();
    let levels = &sketch.analysis.design.levels;
    let rises = is_by_clients(levels) || levels.iter().any(Level::is_open);
    if rises && !metrics.contains(&Metric::ResponseP99Us) {
        metrics.push(Metric::ResponseP99Us);
    }
    metrics
        .into_iter()
        .filter_map(|metric| chart(sketch, metric))
        .collect()
}

fn chart(sketch: &Sketch<'_, '_>, metric: Metric) -> Option<Chart> {
    let Sketch {
        analysis, language, ..
    } = *sketch;
    let design = analysis.design;
    let figure = words::metric(metric, language);
    let levels: Vec<charts::Level> = design
        .levels
        .iter()
        .map(|level| charts::Level {
            name: level_name(&level.name, language).into_owned(),
            number: is_by_clients(&design.levels).then_some(f64::from(level.clients)),
        })
        .collect();
    let lines: Vec<Line> = design
        .models
        .iter()
        .map(|model| line(sketch, metric, model, &levels))
        .filter(|line| line.points.iter().any(Option::is_some))
        .collect();
    let around = Around {
        id: sketch.id(metric.name()),
        title: words::lines_title(figure, language),
        caption: language.of(words::LINES_CAPTION).to_owned(),
        summary: Vec::new(),
        table: Table::default(),
    };
    let name = around.id.clone();
    let (title, description) = (around.title.clone(), around.description());
    let factor = EXPERIMENTS
        .iter()
        .find(|one| one.name == design.experiment)
        .map_or(words::LEVEL, |one| one.factor);
    let write = |value| numbers::axis(metric, value, language);
    around.chart_in(&[SMALL], |frame| {
        let drawing = LineChart {
            name: Name {
                id: &name,
                title: &title,
                description: &description,
            },
            levels: &levels,
            levels_title: language.of(factor),
            figure_title: figure,
            is_log: is_wide(&lines),
            write: &write,
            lines: &lines,
        };
        charts::lines(frame, &drawing)
    })
}

/// Whether the levels differ in how many clients there are, and in nothing else.
fn is_by_clients(levels: &[Level]) -> bool {
    let plain = |level: &Level| Level {
        name: String::new(),
        clients: 0,
        models: Vec::new(),
        ..level.clone()
    };
    let first = levels.first().map(plain);
    let rises = levels
        .iter()
        .zip(levels.iter().skip(1))
        .all(|(one, next)| one.clients < next.clients);
    rises && levels.iter().all(|level| Some(plain(level)) == first)
}

fn line(sketch: &Sketch<'_, '_>, metric: Metric, model: &str, levels: &[charts::Level]) -> Line {
    let title = sketch.title(model);
    let analysis = sketch.analysis;
    let point = |(level, shown): (&Level, &charts::Level)| {
        let cell = analysis
            .level(&level.name)
            .find(|cell| cell.model == model)?;
        let estimate = cell.estimate(metric, analysis.seed)?;
        let written = numbers::estimate(metric, &estimate, sketch.language);
        Some(Point {
            value: estimate.value,
            interval: estimate.interval,
            say: format!("{title}, {}: {written}", shown.name),
        })
    };
    Line {
        points: analysis
            .design
            .levels
            .iter()
            .zip(levels)
            .map(point)
            .collect(),
        title,
    }
}

fn is_wide(lines: &[Line]) -> bool {
    let values = || {
        let points = lines.iter().flat_map(|line| line.points.iter().flatten());
        points.map(|point| point.value).filter(|value| *value > 0.0)
    };
    let range = values().reduce(f64::min).zip(values().reduce(f64::max));
    range.is_some_and(|(low, high)| high / low > WIDE_RANGE)
}
