//! The rival `composed-components`: two wasmtime components in one store, called from each other.
//!
//! A line of JSON on standard input asks for a turn, a line on standard output answers it; between turns it sleeps in a
//! read.

use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use wasmtime::component::{Component, Linker, TypedFunc};
use wasmtime::error::Context;
use wasmtime::{Config, Engine, OptLevel, Result, Store, ensure};

const PAIR: &str = include_str!("pair.wat");

/// What is asked.
#[derive(Deserialize)]
struct Ask {
    /// Exchanges per sample.
    operations: u32,
    /// How long to measure, in nanoseconds.
    budget_ns: u64,
    /// How many samples at most.
    sample_limit: usize,
}

/// What is answered: nanoseconds per sample, each of `operations` exchanges.
#[derive(Serialize)]
struct Answer {
    sample_ns: Vec<u64>,
}

fn main() -> Result<()> {
    let mut pair = Pair::new()?;
    for line in std::io::stdin().lock().lines() {
        let ask: Ask = serde_json::from_str(&line?).context("a line that asks for a turn")?;
        ensure!(ask.operations > 0, "a sample needs at least one exchange");
        let answer = serde_json::to_string(&pair.measure(&ask)?)?;
        let mut output = std::io::stdout().lock();
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

struct Pair {
    store: Store<()>,
    run: TypedFunc<(u32,), ()>,
}

impl Pair {
    /// Compiles at full optimisation, with no interruption checks: the fastest that wasmtime offers.
    fn new() -> Result<Self> {
        let mut config = Config::new();
        config.cranelift_opt_level(OptLevel::Speed).epoch_interruption(false).consume_fuel(false);
        let engine = Engine::new(&config)?;
        let component = Component::new(&engine, PAIR)?;
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
        let run = instance.get_typed_func(&mut store, "run")?;
        Ok(Self { store, run })
    }

    fn measure(&mut self, ask: &Ask) -> Result<Answer> {
        let budget = Duration::from_nanos(ask.budget_ns);
        let warm = Instant::now();
        for _ in 0..ask.sample_limit {
            self.exchange(ask.operations)?;
            if warm.elapsed() >= budget / 10 {
                break;
            }
        }

        let mut sample_ns = Vec::with_capacity(ask.sample_limit);
        let begin = Instant::now();
        let mut from = begin;
        while sample_ns.len() < ask.sample_limit {
            self.exchange(ask.operations)?;
            let to = Instant::now();
            sample_ns.push((to - from).as_nanos() as u64);
            if to - begin >= budget {
                break;
            }
            from = Instant::now();
        }
        Ok(Answer { sample_ns })
    }

    /// The loop is inside: entering WebAssembly costs as much as an exchange, and is paid once per sample.
    fn exchange(&mut self, calls: u32) -> Result<()> {
        self.run.call(&mut self.store, (calls,))
    }
}
