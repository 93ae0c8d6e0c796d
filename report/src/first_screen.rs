//! The first table and the first picture.

use hdrhistogram::Histogram;
use hola_base::{Language, Text, text};
use hola_lab::metric::Metric;
use hola_lab::record::ServerCard;
use hola_verdict::At;
use hola_verdict::analysis::{HEADLINE, TARGETS};

use crate::charts::Drawing;
use crate::charts::lines::{LineChart, Point, Series};
use crate::document::{Table, TableCell};
use crate::facts::{CAPACITY, CRASH, Facts, IDLE, MissingReasons, hue, load, place, rate_per_s};
use crate::{numbers, words};

/// Ways in which a handler dies: the levels of the crash experiment.
const DEATHS: [&str; 3] = ["panic", "abort", "segv"];

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
        text("Capacity, requests/s", "Capacidad, peticiones/s"),
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
    let caption = language.of(CAPTIONS[usize::from(!are_models)]);
    let mut table = Table::new(caption, 2, &COLUMNS.map(|column| language.of(column)));
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
        };
        table
            .rows
            .push(row.cells(judged.get(&card.name), &mut reasons));
    }
    table.notes = reasons.notes(language);
    if !are_models {
        // Targets take part only in the comparison of costs.
        table.leave_out_empty_columns(numbers::NONE);
    } else if facts.cards(true).all(|card| card.lines_of_code.is_none()) {
        // Older runs have no lines of code.
        table.leave_out(COLUMNS.len() - 1);
    }
    table
}

struct Row<'f, 'r> {
    facts: &'f Facts<'r>,
    language: Language,
    card: &'r ServerCard,
    /// The level at which all rows get the same load.
    at: At<'static>,
}

impl Row<'_, '_> {
    fn cells(
        &self,
        judged: Option<&crate::facts::Judged>,
        reasons: &mut MissingReasons,
    ) -> Vec<TableCell> {
        let language = self.language;
        let metric = Metric::CpuPerRequest;
        let is_control = self.is_control();
        let (word, ratio) = match judged {
            _ if is_control => (
                language.choose(|| "the control", || "el control").into(),
                TableCell::number(numbers::times(1.0, language), 1.0),
            ),
            Some((estimate, word)) => {
                let (word, tone) = words::word(*word, metric, language);
                let ratio = numbers::comparison(metric, estimate, language);
                (
                    TableCell::word(word, tone),
                    TableCell::number(ratio, estimate.value),
                )
            }
            None => (numbers::NONE.into(), numbers::NONE.into()),
        };
        let title = words::stored(&self.card.title, language);
        vec![
            TableCell::name(&self.card.name, title),
            word,
            self.value(self.at, metric, reasons),
            ratio,
            self.percentiles(reasons),
            self.value(place(CAPACITY, "new"), Metric::CapacityPerS, reasons),
            self.memory(reasons),
            self.held(reasons),
            self.deaths(reasons),
            self.lines(),
        ]
    }

    fn lines(&self) -> TableCell {
        self.card
            .lines_of_code
            .map_or(numbers::NONE.into(), |lines| {
                TableCell::number(lines.to_string(), lines.into())
            })
    }

    fn is_control(&self) -> bool {
        let level = self
            .facts
            .design(HEADLINE.experiment)
            .and_then(|design| design.level(HEADLINE.level));
        level.is_some_and(|(_, level)| level.control == self.card.name)
    }

    /// A value; otherwise `None`, and the reason goes to `reasons`.
    fn figure(&self, at: At<'_>, metric: Metric, reasons: &mut MissingReasons) -> Option<f64> {
        let name = &self.card.name;
        let estimate = self.facts.value(at, name, metric);
        if estimate.is_none() && (self.card.is_model || self.facts.takes_part(at, name)) {
            let why = self.facts.analysis.missing(at, name, metric);
            reasons.add(&why, name, at.experiment, self.language);
        }
        estimate.map(|estimate| estimate.value)
    }

    fn value(&self, at: At<'_>, metric: Metric, reasons: &mut MissingReasons) -> TableCell {
        self.figure(at, metric, reasons)
            .map_or(numbers::NONE.into(), |value| {
                TableCell::number(numbers::figure(metric, value, self.language), value)
            })
    }

    fn percentiles(&self, reasons: &mut MissingReasons) -> TableCell {
        let [p50, p99] = [Metric::ResponseP50, Metric::ResponseP99]
            .map(|metric| self.figure(self.at, metric, reasons));
        let write = |value: Option<f64>| {
            value.map_or(numbers::NONE.into(), |us| {
                numbers::duration_us(us, self.language)
            })
        };
        if p50.is_none() && p99.is_none() {
            return numbers::NONE.into();
        }
        TableCell {
            value: p99,
            ..TableCell::from(format!("{} / {}", write(p50), write(p99)))
        }
    }

    /// The maximum number of clients held, and what limited it.
    fn held(&self, reasons: &mut MissingReasons) -> TableCell {
        let Some(at) = self.facts.first_level(IDLE) else {
            return numbers::NONE.into();
        };
        let limit = self.facts.analysis.notes(at, &self.card.name, LIMIT);
        TableCell {
            below: limit.first().map(|limit| (*limit).to_owned()),
            ..self.value(at, Metric::ClientsHeld, reasons)
        }
    }

    fn memory(&self, reasons: &mut MissingReasons) -> TableCell {
        let Some(at) = self.facts.first_level(IDLE) else {
            return numbers::NONE.into();
        };
        let [user, kernel] = [Metric::MemoryPerClient, Metric::KernelMemoryPerClient]
            .map(|metric| self.figure(at, metric, reasons));
        let write = |value: Option<f64>| {
            value.map_or(numbers::NONE.into(), |kib| {
                numbers::plain(kib, self.language)
            })
        };
        match (user, kernel) {
            (None, None) => numbers::NONE.into(),
            _ => TableCell {
                value: user,
                ..TableCell::from(format!("{} + {}", write(user), write(kernel)))
            },
        }
    }

    /// The deaths of one client's handler that killed the whole server.
    fn deaths(&self, reasons: &mut MissingReasons) -> TableCell {
        let mut fatal = Vec::new();
        let mut is_known = false;
        for level in DEATHS {
            let at = place(CRASH, level);
            if let Some(survived) = self.figure(at, Metric::Survived, reasons) {
                is_known = true;
                if survived < 1.0 {
                    fatal.push(level.to_owned());
                }
            }
        }
        match fatal.as_slice() {
            _ if !is_known => numbers::NONE.into(),
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
pub(crate) fn picture_title(language: Language) -> &'static str {
    language.choose(
        || "What a request costs, and how long its client waits",
        || "Lo que cuesta una petición, y cuánto espera su cliente",
    )
}

/// Caption of the first picture.
pub(crate) fn picture_caption(language: Language) -> &'static str {
    language.choose(
        || "Left: CPU per request at each offered rate, bands are 95 % intervals; lower is cheaper. Right: response times at \
            2,000 new connections per second, the slowest requests at the right; lower is faster. Colours: what one client costs — \
            a thread (orange), a process (purple), a task (blue), nothing (grey).",
        || "Izquierda: CPU por petición a cada ritmo ofrecido, las bandas son intervalos del 95 %; más bajo es más barato. \
            Derecha: tiempos de respuesta a 2000 conexiones nuevas por segundo, las peticiones más lentas a la derecha; más bajo es \
            más rápido. Colores: lo que cuesta un cliente — un hilo (naranja), un proceso (morado), una tarea (azul), nada (gris).",
    )
}

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
    let mut levels: Vec<_> = stage
        .levels
        .iter()
        .filter_map(|level| Some((rate_per_s(level)?, level)))
        .collect();
    levels.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let kinds = levels
        .iter()
        .filter_map(|(_, level)| Some(load(level)?.requests_per_connection));
    let is_one_kind = kinds
        .collect::<Vec<_>>()
        .windows(2)
        .all(|pair| pair[0] == pair[1]);
    let different = levels
        .windows(2)
        .filter(|pair| pair[0].0 < pair[1].0)
        .count();
    if different < 2 || !is_one_kind {
        return None;
    }
    let metric = Metric::CpuPerRequest;
    let cards = facts
        .run
        .servers
        .iter()
        .filter(|card| card.is_model || !only_models);
    let series = cards.map(|card| {
        let point = |(rate, level): &(f64, &hola_lab::plan::Level)| {
            let at = place(experiment, &level.name);
            let estimate = facts.value(at, &card.name, metric)?;
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
        across: language.choose(|| "requests offered per second", || "peticiones ofrecidas por segundo").into(),
        marks: levels.iter().map(|(rate, _)| (*rate, numbers::round(*rate, language))).collect(),
        up: match only_models {
            true => words::metric(metric, language),
            false => format!("{}: {}", stage.name, words::metric(metric, language)),
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
    let longest = series
        .iter()
        .flat_map(|one| &one.points)
        .map(|point| point.x)
        .fold(0.0, f64::max);
    let mark = |one_in: f64| {
        (
            one_in,
            numbers::round(100.0 - 100.0 / one_in, language) + "\u{a0}%",
        )
    };
    let marks = [2.0, 10.0, 100.0, 1000.0, 10_000.0]
        .into_iter()
        .filter(|one_in| *one_in <= longest);
    LineChart {
        label: language.choose(
            || "Percentiles of the response time at the common rate, a line for each model; the median and the 99th are in the table.",
            || "Percentiles del tiempo de respuesta al ritmo común, una línea por modelo; la mediana y el 99 están en la tabla.",
        ).into(),
        across: language.choose(|| "percentile of requests", || "percentil de las peticiones").into(),
        marks: marks.map(mark).collect(),
        up: language.choose(|| "Response time", || "Tiempo de respuesta").into(),
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
        failed += reading.counted().map(|slice| slice.failed).sum::<u64>();
        match &mut merged {
            None => merged = Some(histogram),
            Some(merged) => {
                merged.auto(true);
                merged.add(&histogram).ok()?;
            }
        }
    }
    let merged = merged?;
    let count = to_f64(merged.len());
    // For a failed request only a lower bound of its time is known, so the tail ends where failures begin.
    let most = ONE_IN
        .into_iter()
        .take_while(|one_in| count / one_in >= BEYOND.max(to_f64(failed) + 1.0));
    let points: Vec<Point> = most
        .map(|one_in| Point {
            x: one_in,
            y: to_f64(merged.value_at_quantile(1.0 - 1.0 / one_in)) / 1e3,
            interval: None,
        })
        .collect();
    (!points.is_empty()).then_some(points)
}

#[allow(
    clippy::cast_precision_loss,
    reason = "counts and nanoseconds of an hour stay below 2^53"
)]
fn to_f64(count: u64) -> f64 {
    count as f64
}
