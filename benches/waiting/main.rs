//! Waiting for permits: casgate's queue next to what else a caller can await.
//!
//! `cargo bench --bench waiting` prints tables in which the variants have taken turns: what a wait costs if there is
//! nothing to wait for, a crowd of waiters, the memory of each, what is lost when waits are dropped, and what is served
//! when callers give up. Words behind `--` choose tables: `uncontended`, `crowd`, `memory`, `cancelled`, `patience`; and
//! `quick` makes fewer and shorter runs.

mod cancelled;
mod crowd;
mod lines;
mod memory;
mod patience;
mod uncontended;
mod world;

use peak_alloc::PeakAlloc;
use std::num::NonZeroUsize;

/// Counts the bytes of all threads, since some timers keep theirs on a thread of their own.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// The medians of each variant in each of its columns. Within a round each variant runs once, and nobody is always first.
fn medians<const N: usize>(
    rounds: usize,
    variants: usize,
    sample: impl Fn(usize) -> [f64; N],
) -> Vec<[f64; N]> {
    let mut samples = vec![Vec::new(); variants];
    for round in 0..rounds {
        for turn in 0..variants {
            let i = (round + turn) % variants;
            samples[i].push(sample(i));
        }
    }
    let column = |rows: &[[f64; N]], i: usize| median(rows.iter().map(|row| row[i]).collect());
    samples.iter().map(|rows| std::array::from_fn(|i| column(rows, i))).collect()
}

/// Prints a table. The first column is of names, and the others are as wide as their heads or as `least`.
fn table(title: &str, least: usize, heads: &[&str], rows: &[(&str, Vec<String>)]) {
    let width = rows.iter().map(|row| row.0.len()).max().unwrap_or(0);
    let widths: Vec<usize> = heads.iter().map(|head| head.len().max(least)).collect();
    println!("\n{title}\n");
    print!("| {:width$} |", "");
    heads.iter().zip(&widths).for_each(|(head, width)| print!(" {head:>width$} |"));
    print!("\n|-{:-<width$}-|", "");
    widths.iter().for_each(|width| print!("-{:->width$}:|", ""));
    println!();
    for (name, cells) in rows {
        print!("| {name:width$} |");
        cells.iter().zip(&widths).for_each(|(cell, width)| print!(" {cell:>width$} |"));
        println!();
    }
}

/// The processor, as Linux names it, and how many threads it runs.
fn machine() -> String {
    let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = about.lines().find_map(|line| line.strip_prefix("model name\t: "));
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    format!("{}, {threads} threads", model.unwrap_or("an unnamed processor"))
}

/// Its word, and what prints it.
type Part = (&'static str, fn(bool));

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    if has("--test") || has("--list") {
        return;
    }
    if memory::print_one(&arguments) {
        return;
    }
    println!("{}", machine());
    let quick = has("quick");
    // Those that pause tokio's clock come last: it is slower afterwards.
    let parts: [Part; 5] = [
        ("uncontended", uncontended::print),
        ("crowd", crowd::print),
        ("memory", memory::print),
        ("cancelled", cancelled::print),
        ("patience", patience::print),
    ];
    let all = !parts.iter().any(|(name, _)| has(name));
    for (name, print) in parts {
        if all || has(name) {
            print(quick);
        }
    }
}
