//! What the tests of the whole are written with: programs that are started and ended, clients that do exactly what they
//! are told, and browsers that are driven.
//!
//! It must not hold an expectation about the server: those stand in `tests/`.

pub mod browser;
pub mod contract;
pub mod engine;
pub mod frames;
#[cfg(doctest)]
pub mod mismatches;
pub mod partings;
pub mod program;
pub mod proxy;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
