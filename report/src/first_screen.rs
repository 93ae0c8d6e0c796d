//! The first table and the first picture.

use hdrhistogram::Histogram;
use hola_base::{Language, Text, text};
use hola_lab::metric::Metric;
use hola_lab::plan::Level;
use hola_lab::record::ServerCard;
use hola_verdict::LevelKey;
use hola_verdict::analysis::{HEADLINE, Missing, TARGETS};

use crate::charts::Drawing;
use crate::charts::lines::{LineChart, Point, Series};
use crate::document::{Table, TableCell};
use crate::facts::{CAPACITY, CRASH, Facts, IDLE, Judged, MissingReasons, hue, load, rate_per_s};
use crate::{labels, numbers};

/// Ways in which a handler dies: the levels of the crash experiment.
const DEATHS: [&str; 3] = ["panic", "abort", "segv"];

/// Before a lower bound.
const AT_LEAST: &str = "≥\u{a0}";

/// Name of a procedure's note about what ended it.
const LIMIT: &str = "limit";

/// A row for each server: what it costs, how long clients wait, how much it can do, and what it does not survive.
pub(crate) fn table(facts: &Facts<'_>, are_models: bool, language: Language) -> Table {
    const CAPTIONS: [Text; 2] = [
        text(
            "The models, at 2,000 new connections per second for each",
            "Los modelos, a 2000 conexiones nuevas por segundo cada uno",
        ),
        text(
            "Reference targets, asked for the same",
            "Servidores de referencia, con las mismas peticiones",
        ),
    ];
    const COLUMNS: [Text; 10] = [
        text("Model", "Modelo"),
        text("Verdict on its CPU", "Veredicto sobre su CPU"),
        text("CPU per request, µs", "CPU por petición, µs"),
        text("× iterative [95 %]", "× iterative [95 %]"),
        text("p50 / p99", "p50 / p99"),
        text(
            "Requests/s of one full CPU, new / kept connections",
            "Peticiones/s de una CPU llena, conexiones nuevas / mantenidas",
        ),
        text(
            "Idle client, KiB user + kernel",
            "Cliente inactivo, KiB usuario + núcleo",
        ),
        text(
            "Most clients, and the limit",
            "Máximo de clientes, y el límite",
        ),
        text(
            "Deaths of one that kill all",
            "Muertes de uno que matan a todos",
        ),
        text("Lines of code", "Líneas de código"),
    ];
    let mut table = Table::new(2, COLUMNS.map(|column| language.of(column)));
    table.caption = language.of(CAPTIONS[usize::from(!are_models)]).into();
    // This column holds words.
    table.columns[8].is_numeric = false;
    let at = if are_models { HEADLINE } else { TARGETS };
    let judged = facts.judged(at, Metric::CpuPerRequest);
    let mut reasons = MissingReasons::default();
    for card in facts.cards(are_models) {
        // A target that is not measured at this level gets no row. A model always does, at least to say why figures are
        // missing.
        if !are_models && !facts.takes_part(at, &card.name) {
            continue;
        }
        let row = Row {
            facts,
            language,
            card,
            at,
            reasons: &mut reasons,
        };
        table.rows.push(row.cells(judged.get(&card.name)));
    }
    table.notes = reasons.notes(language);
    let is_bound = |cell: &TableCell| cell.text.contains(AT_LEAST);
    if table.rows.iter().flatten().any(is_bound) {
        let note = language.choose(
            || "≥: the generator was the limit: the server answered so many with a part of its CPU.",
            || "≥: el límite fue el generador: el servidor respondió tantas con una parte de su CPU.",
        );
        table.notes.insert(0, note.into());
    }
    if !are_models {
        // Targets take part only in the comparison of costs.
        table.leave_out_empty_columns(numbers::NONE);
    } else if facts.cards(true).all(|card| card.lines_of_code.is_none()) {
        // Older runs have no lines of code.
        table.leave_out(COLUMNS.len() - 1);
    }
    table
}

/// The word and the comparison, or two dashes.
pub(crate) fn judgement(
    judged: Option<&Judged>,
    metric: Metric,
    language: Language,
) -> [TableCell; 2] {
    match judged {
        Some((estimate, word)) => [
            TableCell::word(labels::word(*word, metric, language)),
            TableCell::comparison(metric, estimate, language),
        ],
        None => [numbers::NONE.into(), numbers::NONE.into()],
    }
}

/// Stands for the word in the control's row.
pub(crate) fn control_word(language: Language) -> TableCell {
    language.choose(|| "the control", || "el control").into()
}

struct Row<'f, 'r> {
    facts: &'f Facts<'r>,
    language: Language,
    card: &'r ServerCard,
    /// The level at which all rows get the same load.
    at: LevelKey<'static>,
    reasons: &'f mut MissingReasons,
}

impl Row<'_, '_> {
    fn cells(mut self, judged: Option<&Judged>) -> Vec<TableCell> {
        let (card, language) = (self.card, self.language);
        let metric = Metric::CpuPerRequest;
        let headline = self.facts.level(HEADLINE);
        let [word, ratio] = match headline {
            Some(level) if level.control == card.name => {
                let ratio = TableCell::number(numbers::times(1.0, language), 1.0);
                [control_word(language), ratio]
            }
            _ => judgement(judged, metric, language),
        };
        vec![
            TableCell::name(&card.name, card.title.in_language(language)),
            word,
            self.value(self.at, metric),
            ratio,
            self.percentiles(),
            self.capacity(),
            self.memory(),
            self.held(),
            self.deaths(),
            card.lines_of_code.map_or(numbers::NONE.into(), |lines| {
                TableCell::number(lines.to_string(), lines.into())
            }),
        ]
    }

    /// A value; otherwise `None`, and the reason is noted.
    fn figure(&mut self, at: LevelKey<'_>, metric: Metric) -> Option<f64> {
        match self.facts.value(at, &self.card.name, metric) {
            Ok(estimate) => Some(estimate.value),
            Err(why) => {
                self.note_missing(at, &why);
                None
            }
        }
    }

    /// Notes why a server that should have a figure has none.
    fn note_missing(&mut self, at: LevelKey<'_>, why: &Missing) {
        let name = &self.card.name;
        if self.card.is_model || self.facts.takes_part(at, name) {
            self.reasons.add(why, name, at.experiment, self.language);
        }
    }

    fn value(&mut self, at: LevelKey<'_>, metric: Metric) -> TableCell {
        let value = self.figure(at, metric);
        value.map_or(numbers::NONE.into(), |value| {
            TableCell::figure(metric, value, self.language)
        })
    }

    /// Two values in one cell; one dash if both are missing.
    fn pair(
        &mut self,
        at: LevelKey<'_>,
        metrics: [Metric; 2],
        between: &str,
        write: fn(f64, Language) -> String,
    ) -> ([Option<f64>; 2], TableCell) {
        let values = metrics.map(|metric| self.figure(at, metric));
        let written = values.map(|value| match value {
            Some(value) => write(value, self.language),
            None => numbers::NONE.into(),
        });
        let cell = match values {
            [None, None] => numbers::NONE.into(),
            _ => written.join(between).into(),
        };
        (values, cell)
    }

    fn percentiles(&mut self) -> TableCell {
        let metrics = [Metric::ResponseP50, Metric::ResponseP99];
        let ([_, value], cell) = self.pair(self.at, metrics, " / ", numbers::duration_us);
        TableCell { value, ..cell }
    }

    /// What one CPU can serve, over new and over kept connections.
    fn capacity(&mut self) -> TableCell {
        let served = ["new", "kept"].map(|level| self.served(LevelKey::new(CAPACITY, level)));
        let Some((value, _)) = served.iter().flatten().next() else {
            return numbers::NONE.into();
        };
        let written = served.each_ref().map(|one| match one {
            Some((_, text)) => text.as_str(),
            None => numbers::NONE,
        });
        TableCell::number(written.join(" / "), *value)
    }

    /// Answers per second of a full CPU. With CPU time left they are a lower bound: the generator was the limit.
    fn served(&mut self, at: LevelKey<'_>) -> Option<(f64, String)> {
        let (facts, name, language) = (self.facts, &self.card.name, self.language);
        let written = |metric, before: &str| {
            let value = facts.value(at, name, metric)?.value;
            let figure = numbers::figure(metric, value, language);
            Ok((value, format!("{before}{figure}")))
        };
        let bound = |_no_capacity| written(Metric::GoodPerS, AT_LEAST);
        let found = written(Metric::CapacityPerS, "").or_else(bound);
        found.map_err(|why| self.note_missing(at, &why)).ok()
    }

    /// The maximum number of clients held, and what limited it.
    fn held(&mut self) -> TableCell {
        let Some(at) = self.facts.first_level(IDLE) else {
            return numbers::NONE.into();
        };
        let limit = self.facts.analysis.notes(at, &self.card.name, LIMIT);
        TableCell {
            below: limit
                .first()
                .map(|name| labels::limit(name, self.language).to_owned()),
            ..self.value(at, Metric::ClientsHeld)
        }
    }

    fn memory(&mut self) -> TableCell {
        let Some(at) = self.facts.first_level(IDLE) else {
            return numbers::NONE.into();
        };
        let metrics = [Metric::MemoryPerClient, Metric::KernelMemoryPerClient];
        let ([value, _], cell) = self.pair(at, metrics, " + ", numbers::plain);
        TableCell { value, ..cell }
    }

    /// The deaths of one client's handler that killed the whole server.
    fn deaths(&mut self) -> TableCell {
        let survived = |death| self.figure(LevelKey::new(CRASH, death), Metric::Survived);
        let survived = DEATHS.map(survived);
        if survived.iter().all(Option::is_none) {
            return numbers::NONE.into();
        }
        let deaths = DEATHS.into_iter().zip(survived);
        let fatal = deaths.filter(|(_, survived)| survived.is_some_and(|share| share < 1.0));
        let fatal: Vec<&str> = fatal.map(|(death, _)| death).collect();
        match fatal.as_slice() {
            [] => self.language.choose(|| "none", || "ninguna").into(),
            _ => fatal.join(", ").into(),
        }
    }
}

/// CPU per request against the offered rate, and response times at the common rate, of all models.
pub(crate) fn pictures(facts: &Facts<'_>, language: Language) -> Vec<Drawing> {
    let rates = rates(facts, HEADLINE.experiment, "new", true, language);
    [rates, tails(facts, language)]
        .into_iter()
        .flatten()
        .collect()
}

/// Title of the first picture.
pub(crate) const PICTURE_TITLE: Text = text(
    "What a request costs, and how long its client waits",
    "Lo que cuesta una petición, y cuánto espera su cliente",
);

/// Caption of the first picture.
pub(crate) const PICTURE_CAPTION: Text = text(
    "Left: CPU per request at each offered rate, bands are 95 % intervals; lower is cheaper. Right: response times at \
     2,000 new connections per second, the slowest requests at the right; lower is faster. Colours: what one client costs — \
     a thread (orange), a process (purple), a task (blue), nothing (grey).",
    "Izquierda: CPU por petición a cada ritmo ofrecido, las bandas son intervalos del 95 %; más bajo es más barato. \
     Derecha: tiempos de respuesta a 2000 conexiones nuevas por segundo, las peticiones más lentas a la derecha; más bajo es \
     más rápido. Colores: lo que cuesta un cliente — un hilo (naranja), un proceso (morado), una tarea (azul), nada (gris).",
);

/// CPU per request of a stage's open loops, against their rate. `None` with fewer than three rates.
pub(crate) fn rates(
    facts: &Facts<'_>,
    experiment: &str,
    stage: &str,
    only_models: bool,
    language: Language,
) -> Option<Drawing> {
    let design = facts.design(experiment)?;
    let stage = design.stages.iter().find(|one| one.name == stage)?;
    let levels = stage.levels.iter();
    let levels = levels.filter_map(|level| Some((rate_per_s(level)?, level)));
    let mut levels: Vec<(f64, &Level)> = levels.collect();
    levels.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let kind = |level| load(level).map(|load| load.requests_per_connection);
    let is_one_kind = levels
        .windows(2)
        .all(|pair| kind(pair[0].1) == kind(pair[1].1));
    let steps = levels.windows(2).filter(|pair| pair[0].0 < pair[1].0);
    if steps.count() < 2 || !is_one_kind {
        return None;
    }
    let metric = Metric::CpuPerRequest;
    let cards = facts.run.servers.iter();
    let cards = cards.filter(|card| card.is_model || !only_models);
    let series = cards.map(|card| {
        let point = |(rate, level): &(f64, &Level)| {
            let at = LevelKey::new(experiment, &level.name);
            let estimate = facts.value(at, &card.name, metric).ok()?;
            Some(Point {
                x: *rate,
                y: estimate.value,
                interval: Some((estimate.low, estimate.high)),
            })
        };
        Series {
            name: card.name.clone(),
            hue: hue(card),
            points: levels.iter().filter_map(point).collect(),
        }
    });
    LineChart {
        label: language.choose(
            || "CPU per request against the offered rate, a line for each model; the figures are in the tables.",
            || "CPU por petición según el ritmo ofrecido, una línea por modelo; las cifras están en las tablas.",
        ).into(),
        x_label: language.choose(|| "requests offered per second", || "peticiones ofrecidas por segundo").into(),
        x_ticks: levels.iter().map(|(rate, _)| (*rate, numbers::round(*rate, language))).collect(),
        y_label: match only_models {
            true => labels::metric(metric, language),
            false => format!("{}: {}", stage.name, labels::metric(metric, language)),
        },
        write: &|value| numbers::round(value, language),
        series: series.filter(|one| !one.points.is_empty()).collect(),
    }
    .draw()
}

/// Points of the tail: one request in this many is slower.
const ONE_IN: [f64; 13] = [
    2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 10_000.0,
];

/// Minimum number of requests beyond a percentile.
const BEYOND: f64 = 10.0;

fn tails(facts: &Facts<'_>, language: Language) -> Option<Drawing> {
    let series = facts.cards(true).filter_map(|card| {
        let points = tail(facts, &card.name)?;
        Some(Series {
            name: card.name.clone(),
            hue: hue(card),
            points,
        })
    });
    let series: Vec<Series> = series.collect();
    let points = series.iter().flat_map(|one| &one.points);
    let longest = points.map(|point| point.x).fold(0.0, f64::max);
    let mut ticks = vec![2.0, 10.0, 100.0, 1000.0, 10_000.0];
    ticks.retain(|one_in| *one_in <= longest);
    let tick = |one_in: f64| {
        let percentile = numbers::round(100.0 - 100.0 / one_in, language);
        (one_in, percentile + "\u{a0}%")
    };
    LineChart {
        label: language.choose(
            || "Percentiles of the response time at the common rate, a line for each model; the median and the 99th are in the table.",
            || "Percentiles del tiempo de respuesta al ritmo común, una línea por modelo; la mediana y el 99 están en la tabla.",
        ).into(),
        x_label: language.choose(|| "percentile of requests", || "percentil de las peticiones").into(),
        x_ticks: ticks.into_iter().map(tick).collect(),
        y_label: language.choose(|| "Response time", || "Tiempo de respuesta").into(),
        write: &|value| numbers::tick(Metric::ResponseP50, value, language),
        series,
    }
    .draw()
}

/// The tail of a participant's response times at the headline, over all blocks: histograms merge without loss.
fn tail(facts: &Facts<'_>, participant: &str) -> Option<Vec<Point>> {
    let mut merged: Option<Histogram<u64>> = None;
    let mut failed = 0;
    for reading in facts.readings(HEADLINE, participant) {
        let Some(histogram) = reading.histogram() else {
            continue;
        };
        failed += reading.undisturbed().map(|slice| slice.failed).sum::<u64>();
        match &mut merged {
            None => merged = Some(histogram),
            Some(merged) => {
                merged.auto(true);
                merged.add(&histogram).ok()?;
            }
        }
    }
    let merged = merged?;
    let count = merged.len() as f64;
    // For a failed request only a lower bound of its time is known, so the tail ends where failures begin.
    let beyond = BEYOND.max(failed as f64 + 1.0);
    let known = ONE_IN
        .into_iter()
        .take_while(|one_in| count / one_in >= beyond);
    let points = known.map(|one_in| Point {
        x: one_in,
        y: merged.value_at_quantile(1.0 - 1.0 / one_in) as f64 / 1e3,
        interval: None,
    });
    let points: Vec<Point> = points.collect();
    (!points.is_empty()).then_some(points)
}
