//! How the limiters scale over cores: measured with as many threads as there are cores, and predicted for more.
//!
//! `cargo bench --bench scaling` prints what it measured on one thread, two, four and so on up to the machine's cores;
//! whether the sharded limiters keep what is promised of them; and what a model of costs predicts for 1 to 64 cores, with
//! its parameters measured here, next to what others have published. With `-- --chart FILE` it draws all three. On a
//! machine with many cores the measured points then lie next to the prediction that was made from two.
//!
//! A relative FILE is one in the repository, wherever the command is given.

#[path = "../table/mod.rs"]
#[allow(dead_code)] // the other benches use the rest
mod table;

mod accepted;
mod chart;
mod costs;
mod measure;
mod model;
mod published;
mod rows;
mod trial;

use costs::Costs;
use measure::Measured;
use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|arg| arg == "--test" || arg == "--list") {
        return;
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let measured = Measured::of(rows::all(cores), &threads(cores));
    measured.print();
    accepted::print(&measured);
    let Some(costs) = Costs::of(&measured) else {
        println!("\nNo prediction: a line travels only between two cores.");
        return;
    };
    costs.print();
    model::print(&costs, &measured);
    published::print(&costs);
    if let Some(i) = arguments.iter().position(|arg| arg == "--chart") {
        let file = arguments.get(i + 1).expect("--chart FILE");
        // Cargo runs a bench in its package's directory.
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        chart::draw(&file, &costs, &measured).expect("drawn");
    }
}

/// 1, 2, 4 and so on, and all cores.
fn threads(cores: usize) -> Vec<usize> {
    let powers = (0..).map(|i| 1 << i).take_while(|&threads| threads < cores);
    powers.chain([cores]).collect()
}
