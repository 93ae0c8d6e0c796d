//! Loads that are described in a file.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::formats::valid;
use crate::requests::recorder;
use crate::truth::KEEP;
use crate::{Ran, assert_refused, greeter, program, run};

/// A plan in a folder of its own.
fn plan(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.toml");
    fs::write(&file, text).unwrap();
    (folder, file)
}

/// Runs the program with a plan and other arguments.
fn planned(text: &str, arguments: &str) -> Ran {
    let (_folder, file) = plan(text);
    run(program(&format!("--plan={} {arguments}", file.display())))
}

/// Plans that make no sense, and what is said of them.
#[rustfmt::skip] // a table
const REFUSED: &[(&str, &str)] = &[
    ("rat = 5", "plan.toml: rat: there is no such option; did you mean `rate`?"),
    ("requests_per_connection = 5", "did you mean `requests-per-connection`?"),
    ("xyzzy = 'red'", "plan.toml: xyzzy: there is no such option; --help lists them"),
    ("plan = 'other.toml'", "plan.toml: plan: there is no such option"),
    ("rate = 'fast'", "plan.toml: rate: invalid value 'fast' for '--rate <R>': `fast` is not a rate"),
    ("format = 'yaml'", "plan.toml: format: invalid value 'yaml'"),
    ("strict = 'yes'", "plan.toml: strict: it is true or false"),
    ("body = true", "plan.toml: body: it is a text or a number"),
    ("rate = [true]", "plan.toml: rate: it is a text, a number, or several of them"),
    ("path = ['/a', '/b']", "plan.toml: path: it is a text or a number"),
    ("[[load]]\nrate = 5", "plan.toml: load: a plan has no tables"),
    ("rate = 5\nrate = 6", "plan.toml: TOML parse error at line 2, column 1: duplicate key"),
    ("rate =", "plan.toml: TOML parse error at line 1"),
    ("fail-if = ['p99>1s', 'p99']", "plan.toml: fail-if: invalid value 'p99'"),
    ("url = '9'\nrate = 5\nclients = 5", "cannot be used with"),
    ("rate = 5", "say which server"),
    ("user = a:secret", "plan.toml: TOML parse error at line 1"),
    ("header = 'Authorization secret'\nurl = '9'", "the form `Name: value`"),
    ("user = 'secret'\nurl = '9'", "the form NAME:PASSWORD"),
    ("url = 'http://me:secret@127.0.0.1/'", "a URL names no user"),
];

#[test]
fn a_plan_has_loads_gates_and_outputs_and_the_command_line_wins() {
    let server = greeter();
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("result.json");
    let text = format!(
        "# What we promise.
url = 'http://{}/'
rate = [300, '0.4k']
arrivals = 'constant'
requests = 60
warmup = '0s'
header = ['Accept: text/html', 'X-A: b']
fail-if = ['max>1h', 'rate<1']
format = 'json'
output = '{}'
strict = false
",
        server.address,
        output.display()
    );
    let ran = planned(&text, "--seed=7");
    assert_eq!((ran.code, &*ran.stdout), (Some(0), ""), "{ran:?}");
    let levels = valid("load-levels.json", &fs::read_to_string(&output).unwrap());
    let levels = levels["levels"].as_array().unwrap();
    for (level, rate) in levels.iter().zip([300.0, 400.0]) {
        let plan = &level["plan"];
        assert_eq!(plan["rate_per_s"], rate);
        assert_eq!(plan["http"]["headers"], 2);
        assert_eq!((&plan["seed"], &plan["requests"]), (&7.into(), &60.into()));
    }
    fs::remove_file(&output).unwrap();
    let ran = planned(&text, "--rate=500 --output=/dev/stdout --fail-if=rate>1");
    let plan = ran.exits_with(99).summary().plan;
    assert_eq!(plan.rate_per_s, Some(500.0));
    assert!(!output.exists());
}

#[test]
fn a_wrong_plan_is_refused_with_its_file_and_key_and_shows_no_secret() {
    for (text, reason) in REFUSED {
        let (_folder, file) = plan(text);
        let said = assert_refused(program(&format!("--plan={}", file.display())), reason).stderr;
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn a_printed_plan_is_the_same_load_keeps_to_its_schema_and_is_printed_the_same() {
    let (server, _) = recorder(|_| KEEP);
    let line = format!(
        "http://{}/a?b=1#c --clients 1,4 --requests=50 --warmup=0s --expect-body any --fail-if p99>1h --fail-if \
         failed>5 --format json --body={{\"a\":\"ñ\\n\"}} --strict",
        server.address
    );
    let printed = run(program(&format!("{line} --print-plan"))).exits_with(0);
    assert_eq!(printed.stderr, "");
    assert_eq!(server.accepted(), 0, "nothing is measured");
    let as_data: Value = toml::from_str(&printed.stdout).unwrap();
    valid("load-plan.json", &as_data.to_string());
    assert_eq!(as_data["requests"], 50);
    let again = planned(&printed.stdout, "--print-plan");
    assert_eq!(again.stdout, printed.stdout);
    let [by_line, by_plan] = [run(program(&line)), planned(&printed.stdout, "")];
    for ran in [&by_line, &by_plan] {
        assert!(matches!(ran.code, Some(0 | 4)), "{ran:?}");
    }
    let plans = [by_line, by_plan].map(|ran| {
        let levels = ran.levels().levels.into_iter();
        levels
            .map(|level| (level.url, level.plan))
            .collect::<Vec<_>>()
    });
    assert_eq!(plans[0].len(), 2);
    assert_eq!(plans[0], plans[1]);
    let (_, plan) = &plans[0][0];
    assert_eq!(plan.http.as_ref().unwrap().body_bytes, Some(12));
}

#[test]
fn the_plans_of_the_documents_are_plans() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    for document in ["load.md", "load.es.md"] {
        let text = fs::read_to_string(docs.join(document)).unwrap();
        let (_, rest) = text.split_once("```toml\n").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        let ran = planned(example, "--print-plan").exits_with(0);
        assert_eq!(ran.stderr, "", "{document}");
    }
}
