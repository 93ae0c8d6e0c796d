//! A server that logs its own delays and faults, so that any load generator can be checked against it.
//!
//! It follows a plan, and prints its address on the first line of standard output. When it is told to stop (SIGTERM,
//! SIGINT, or the end of its standard input), it prints what it did by its own clock, as JSON.

#[path = "../tests/truth/mod.rs"]
mod truth;

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;

use clap::Parser;
use nix::sys::signal::{SigSet, Signal};
use truth::plan::Plan;
use truth::planned::Planned;

const EXAMPLES: &str = "\
Examples:
  truth --plan constant:10ms              every answer after 10 ms
  truth --plan bimodal:1ms,100ms,1%       one answer in a hundred after 100 ms, the others after 1 ms
  truth --plan uniform:1ms,40ms           anything between, equally likely
  truth --plan stall:1s/10s,1ms           one worker that takes 1 ms, and stands still for 1 s of every 10 s
  truth --plan queue:exponential:1000/s   one worker, exponential service: with Poisson arrivals, M/M/1
  truth --plan queue:constant:1000/s      one worker, constant service: M/D/1
  truth --plan faults:1%                  seven kinds of fault, each met by one request in a hundred
  truth --plan refuse:50/30ms             nobody listens for 30 ms after every 50th connection";

/// A server that follows a plan and logs what it does.
#[derive(Debug, Parser)]
#[command(name = "truth", after_help = EXAMPLES)]
struct Arguments {
    /// What to do with each request
    #[arg(long, value_name = "PLAN")]
    plan: String,

    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    bind: SocketAddr,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let plan = match Plan::parse(&arguments.plan) {
        Ok(plan) => plan,
        Err(reason) => {
            eprintln!("error: {reason}");
            return ExitCode::from(2);
        }
    };
    match serve(&arguments, plan) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: &Arguments, plan: Plan) -> io::Result<()> {
    let stops: SigSet = [Signal::SIGTERM, Signal::SIGINT].into_iter().collect();
    // Block the signals before any thread exists, so that only the thread that waits for them receives them.
    stops.thread_block()?;
    let server = Planned::bind(plan, arguments.bind)?;
    let mut stdout = io::stdout();
    writeln!(stdout, "truth listening on {}", server.address)?;
    stdout.flush()?;
    let (asked, told) = mpsc::channel();
    let also_asked = asked.clone();
    thread::spawn(move || {
        let _ = stops.wait();
        let _ = asked.send(());
    });
    thread::spawn(move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        let _ = also_asked.send(());
    });
    // Either is enough; the other thread ends with the program.
    let _ = told.recv();
    writeln!(stdout, "{}", server.stop().json(&arguments.plan))
}
