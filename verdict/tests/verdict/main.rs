//! Tests of the whole crate with simulated runs: estimates, claims, differences, and how often each is right.

mod claims;
mod class;
mod difference;
mod estimates;
mod simulation;
mod stored;
mod world;
