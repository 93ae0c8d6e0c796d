//! Pages of many runs: what foreign records may do to them.

use hola_report::class::{self, ClassView};
use hola_report::site::{self, RunChange};
use hola_verdict::class::{Class, JudgedRun, RunIdentity};
use hola_verdict::difference::{Difference, RecordedRun, Selection};

use crate::fixture;

const HOSTILE: &str = "../<script>alert(1)</script>\u{1b}[2J|\u{202e}\"x\"";

/// Two runs of a machine, whose records and folders have text of others, and the comparison of the two.
fn hostile() -> (Class, Difference) {
    let (mut base, base_blocks) = fixture::quick_run();
    let (mut candidate, blocks) = fixture::with_slower_tokio();
    for (run, year) in [(&mut base, "2026"), (&mut candidate, "2027")] {
        run.started_at = format!("{year}{HOSTILE}");
        run.environment.cpu_model = HOSTILE.into();
        run.environment.kernel = HOSTILE.into();
        run.environment.version = HOSTILE.into();
    }
    let judged = |run, blocks, id: &str| {
        let identity = RunIdentity {
            id: id.repeat(32),
            label: format!("{id}/{HOSTILE}"),
            machine: String::new(),
            machine_name: HOSTILE.into(),
        };
        JudgedRun::new(run, blocks, identity)
    };
    let runs = vec![
        judged(&base, &base_blocks, "0a"),
        judged(&candidate, &blocks, "0b"),
    ];
    let [base, candidate] = [(&base, &base_blocks), (&candidate, &blocks)]
        .map(|(run, blocks)| RecordedRun { run, blocks });
    let difference = Difference::new(base, candidate, &Selection::default());
    (Class::new(runs), difference)
}

#[test]
fn what_others_wrote_is_shown_in_pages_of_many_runs_and_does_nothing() {
    let (class, difference) = hostile();
    let machine = &class.machines[0];
    let change = RunChange {
        machine,
        base: &machine.runs[0],
        candidate: &machine.runs[1],
        difference,
    };
    assert!(change.is_change());
    for run in &machine.runs {
        let folder = site::run_folder(run);
        assert!(
            folder.starts_with("runs/202") && !folder.contains(".."),
            "{folder}"
        );
        assert_eq!(folder.matches('/').count(), 1, "{folder}");
    }
    let mut files = class::files(ClassView::new(&class, 0));
    files.extend(site::index(&class, &mut [change], 0));
    files.extend(site::badges(&class));
    for (name, text) in files {
        let is_active =
            |letter: char| letter != '\n' && (letter.is_control() || letter == '\u{202e}');
        assert!(
            !text.contains(is_active),
            "{name} has a raw control character"
        );
        let is_data = name.ends_with(".json");
        assert!(
            is_data || !text.contains("<script>alert"),
            "{name} has markup of others"
        );
        let is_shown = text.contains("alert(1)");
        assert!(is_shown || name.ends_with(".svg"), "{name} leaves it out");
    }
}
