//! The program that `cargo test --target wasm32-unknown-unknown` hands each test module to.
//!
//! It is wasm-bindgen's own test runner, taken as a library: in this way it has the version that the lock file names
//! and nothing has to be installed beside the project. It owns nothing and must not grow: which driver, browser and
//! time limits are used is said in the environment, by `cargo xtask test`.

use std::process::ExitCode;

fn main() -> ExitCode {
    match wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
