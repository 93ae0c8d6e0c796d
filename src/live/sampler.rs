//! A thread that reads a server once a second.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::probe::ServerProbe;
use super::reading::LiveServer;
use super::sample::LiveSample;

/// Time between two readings.
const PERIOD: Duration = Duration::from_secs(1);

/// Tells of each second of the server's life, on a thread of its own, until its processes have ended.
pub(crate) fn sample_each_second(
    server: LiveServer,
    probe: Option<Arc<ServerProbe>>,
    tell: impl Fn(LiveSample) + Send + 'static,
) {
    thread::spawn(move || {
        let mut before = server.read();
        while before.usage.processes > 0 {
            thread::sleep(PERIOD);
            let after = server.read();
            let figures = probe.as_ref().map(|probe| probe.figures());
            tell(LiveSample::between(&before, &after, figures));
            before = after;
        }
    });
}
