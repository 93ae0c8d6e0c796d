//! Analysis and reports over synthetic records: known effects, and everything that can be missing.
mod documents;
mod eventful;
mod exports;
mod fixture;
mod foreign;
mod languages;
mod loads;
mod noise;
mod printing;
mod rebuilt;
mod several;
mod simulations;
mod verdicts;
