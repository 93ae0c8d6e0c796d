//! The line on standard error that shows how a load goes.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};

use crate::formats::read_log;
use crate::{flawed, greeter, load, run};

/// What a load writes to a terminal of so many columns that is its standard error.
fn on_terminal(columns: u16, variables: &[(&str, &str)], arguments: &str) -> String {
    let size = Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let terminal = openpty(&size, None).unwrap();
    let server = flawed(9);
    let mut command = load(&server, &format!("--clients=3 {arguments}"));
    command
        .env_remove("NO_COLOR")
        .env("TERM", "xterm")
        .envs(variables.iter().copied())
        .stdout(Stdio::null())
        .stderr(terminal.slave);
    let mut child = command.spawn().unwrap();
    // It keeps the terminal open.
    drop(command);
    let mut written = Vec::new();
    // If the other side of a terminal is closed, a read ends with an error.
    let _ = File::from(terminal.master).read_to_end(&mut written);
    child.wait().unwrap();
    String::from_utf8(written).unwrap()
}

/// The lines that a terminal shows, one after the other; each erases the one before.
fn drawings(written: &str) -> Vec<String> {
    let plain = written.replace("\x1b[31m", "").replace("\x1b[0m", "");
    let lines = plain.split("\r\x1b[2K");
    lines.map(|line| line.trim_end().to_owned()).collect()
}

#[test]
fn the_live_line_shows_how_it_goes_and_leaves_nothing_behind() {
    let began = Instant::now();
    let written = on_terminal(120, &[], "--duration=1600ms");
    for expected in ["\x1b[31m", "closed_early", "p50", "p99", "lag", "in flight"] {
        assert!(written.contains(expected), "{written:?}");
    }
    let drawings = drawings(&written);
    assert_eq!(drawings.last().unwrap(), "", "{written:?}");
    let has_control = drawings.concat().contains(['\x1b', '\r', '\n']);
    assert!(!has_control, "{written:?}");
    // Besides two drawings per second, one more clears the line.
    let most = began.elapsed().div_duration_f64(Duration::from_millis(500)) + 1.0;
    let count = f64::from(u32::try_from(drawings.len()).unwrap());
    assert!(count <= most, "{count} drawings: {written:?}");
}

#[test]
fn the_live_line_does_without_colour_and_does_not_wrap() {
    let plain = on_terminal(60, &[("NO_COLOR", "1")], "--duration=1600ms");
    let has_colour = plain.contains("\x1b[3");
    assert!(plain.contains("p50") && !has_colour, "{plain:?}");
    for drawing in drawings(&plain) {
        assert!(drawing.chars().count() <= 60, "{drawing}");
    }
}

#[test]
fn the_live_line_does_not_keep_intervals_from_their_length() {
    let folder = tempfile::tempdir().unwrap();
    let hlog = folder.path().join("load.hlog");
    let arguments = format!("--duration=2s --interval=1s --hlog={}", hlog.display());
    on_terminal(120, &[], &arguments);
    let (_, bounds) = &read_log(&hlog)["response"];
    assert_eq!(bounds[..2], [[0, 1000], [1000, 2000]]);
}

#[test]
fn nothing_but_complaints_is_written_where_nobody_watches() {
    let ran = run(load(&greeter(), "--clients=3 --duration=700ms"));
    assert_eq!(ran.stderr, "");
    // A terminal that cannot erase a line gets none.
    let dumb = on_terminal(120, &[("TERM", "dumb")], "--duration=700ms");
    assert_eq!(dumb, "");
}
