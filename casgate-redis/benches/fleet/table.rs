use crate::grouped::grouped;
use std::num::NonZeroUsize;

pub(crate) fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// Prints a table. The first column is of names, and the others are as wide as their heads or as `least`.
pub(crate) fn table(title: &str, least: usize, heads: &[&str], rows: &[(&str, Vec<String>)]) {
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
pub(crate) fn machine() -> String {
    let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = about.lines().find_map(|line| line.strip_prefix("model name\t: "));
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    format!("{}, {threads} threads", model.unwrap_or("an unnamed processor"))
}

/// A number with as many digits as one reads.
pub(crate) fn rounded(number: f64) -> String {
    if number < 10.0 { format!("{number:.1}") } else { grouped(number as u64) }
}
