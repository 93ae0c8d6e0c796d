//! Analysis and reports over synthetic records: known effects, and everything that can be missing.
mod documents;
mod eventful;
mod fixture;
mod languages;
mod loads;
mod noise;
mod several;
mod simulations;
mod verdicts;
