//! Medians of trials in which every row takes its turn.

use crate::table::together::BATCH;
use crate::table::{BASE_NANOS, Path, Variant};
use crate::trial::trial;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Trials that count, of each row.
const SAMPLES: usize = 201;

/// For all of them together: on a machine that has other work most do not count.
const PATIENCE: Duration = Duration::from_secs(180);

/// Calls of the thread that is done first.
const CALLS: u64 = 200_000;

pub(crate) struct Measured {
    pub(crate) rows: Vec<Variant>,
    /// How many threads each column is of.
    pub(crate) threads: Vec<usize>,
    /// By row and column, nanoseconds per call of all threads together, in ascending order.
    samples: Vec<Vec<Vec<f64>>>,
}

impl Measured {
    pub(crate) fn of(rows: Vec<Variant>, threads: &[usize]) -> Self {
        let mut samples = vec![vec![Vec::new(); threads.len()]; rows.len()];
        let (start, mut round) = (Instant::now(), 0);
        let is_full =
            |samples: &[Vec<Vec<f64>>]| samples.iter().flatten().all(|s| s.len() == SAMPLES);
        while !is_full(&samples) && start.elapsed() < PATIENCE {
            for turn in 0..rows.len() {
                let i = (round + turn) % rows.len(); // nobody is always first
                for (column, &threads) in threads.iter().enumerate() {
                    if samples[i][column].len() < SAMPLES {
                        samples[i][column].extend(ns_per_call(&rows[i], threads));
                    }
                }
            }
            round += 1;
        }
        samples.iter_mut().flatten().for_each(|s| s.sort_by(f64::total_cmp));
        Self { rows, threads: threads.to_vec(), samples }
    }

    fn median(&self, row: usize, column: usize) -> Option<f64> {
        let samples = &self.samples[row][column];
        samples.get(samples.len() / 2).copied()
    }

    /// Of the row with that name, by column.
    pub(crate) fn row(&self, path: Path, name: &str) -> Vec<Option<f64>> {
        let row = self.rows.iter().position(|row| row.path == path && row.name == name);
        let row = row.expect("a row of that name");
        (0..self.threads.len()).map(|column| self.median(row, column)).collect()
    }

    /// With that many threads; none if too few trials counted.
    pub(crate) fn ns(&self, path: Path, name: &str, threads: usize) -> Option<f64> {
        let column = self.threads.iter().position(|&column| column == threads)?;
        self.row(path, name)[column]
    }

    pub(crate) fn print(&self) {
        println!("\nMeasured: ns per call of all threads together, medians of {SAMPLES} trials.");
        println!(
            "In brackets the throughput, of that of one thread; a star: fewer trials counted.\n"
        );
        print!("| {:5} | {:46} |", "path", "variant");
        self.threads.iter().for_each(|n| print!(" {:>17} |", format!("{n} thr")));
        print!("\n|-{:-<5}-|-{:-<46}-|", "", "");
        self.threads.iter().for_each(|_| print!("-{:->17}:|", ""));
        println!();
        for (i, row) in self.rows.iter().enumerate() {
            print!("| {:5} | {:46} |", row.path.name(), row.name);
            for column in 0..self.threads.len() {
                let star = if self.samples[i][column].len() < SAMPLES { "*" } else { " " };
                match (self.median(i, column), self.median(i, 0)) {
                    (Some(ns), Some(one)) => print!(" {ns:>7.2} ({:>5.2}x){star}|", one / ns),
                    _ => print!(" {:>17} |", ""),
                }
            }
            println!();
        }
    }
}

/// None if the trial does not count.
fn ns_per_call(row: &Variant, threads: usize) -> Option<f64> {
    let (shared, is_over) = ((row.fresh)(), AtomicBool::new(false));
    let (elapsed, made) = trial(threads, |_| {
        let mut run = shared();
        // Until each thread has found its cell.
        let mut calls = 0;
        let mut next = move || {
            let admitted = run(BASE_NANOS + calls);
            calls += BATCH;
            admitted
        };
        (0..16).for_each(|_| _ = next());
        let is_over = &is_over;
        move || {
            let (mut calls, mut admitted) = (0, 0);
            while calls < CALLS && !is_over.load(Relaxed) {
                admitted += next();
                calls += BATCH;
            }
            is_over.store(true, Relaxed);
            (calls, admitted)
        }
    })?;
    let (calls, admitted) = made.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    row.path.assert_all(admitted, calls, row.name);
    Some(elapsed.as_nanos() as f64 / calls as f64)
}
