//! The claims and their decider: what the data says of itself, and what verdicts are worth on figures whose truth is known.

mod cases;
mod command;
mod data;
mod scene;
mod simulations;
