//! What others have published, next to what the model predicts for as many threads.

use crate::costs::Costs;
use crate::model::{one_line, own_lines};

/// In nanoseconds per call of all threads together.
pub(crate) struct Point {
    pub(crate) name: &'static str,
    pub(crate) threads: usize,
    pub(crate) ns: f64,
}

/// Those of which an absolute cost is known. Their machines are others than this one.
pub(crate) const POINTS: [Point; 2] = [
    Point { name: "limit counters of perfbook", threads: 420, ns: 19.7 / 420.0 },
    Point { name: "Pulsar", threads: 100, ns: 0.4 },
];

/// One contended word, whatever the cores.
pub(crate) const CONTENDED: [f64; 2] = [12.0, 20.0];

/// Predictions of one word and of cells, for so many threads.
struct Predicted {
    word: f64,
    cells: f64,
}

pub(crate) fn print(costs: &Costs) {
    let predicted = |threads| Predicted {
        word: one_line(costs.fetch_add, threads),
        cells: own_lines(costs.sharded, threads),
    };
    let alone = costs.sharded;
    let rows = [
        (
            "one contended word, whatever the cores, ns",
            "12 to 20".to_owned(),
            format!("{:.1}", predicted(64).word),
        ),
        (
            "LongAdder of one AtomicLong, 10 threads",
            "5.3x".to_owned(),
            format!("{:.1}x", predicted(10).word / own_lines(costs.own_line, 10)),
        ),
        (
            "aggregating funnels of a fetch_add, from dozens of threads on",
            "up to 4x".to_owned(),
            format!("{:.1}x, no common order", predicted(64).word / predicted(64).cells),
        ),
        (
            "limit counters of perfbook, an update of one thread, up to 420 CPUs, ns",
            "19.7".to_owned(),
            format!("{:.1}", predicted(420).cells * 420.0),
        ),
        (
            "Pulsar, all of 100 threads together, no bound, ns",
            "0.4".to_owned(),
            format!("{:.2}, exact", predicted(100).cells),
        ),
    ];
    println!(
        "\nPublished by others, on their machines, next to what the model predicts for this one with as many"
    );
    println!("threads (a sharded check takes {alone:.1} ns on one):\n");
    println!("| {:71} | {:>9} | {:>24} |", "", "published", "predicted");
    println!("|-{:-<71}-|-{:->9}:|-{:->24}:|", "", "", "");
    for (name, published, predicted) in rows {
        println!("| {name:71} | {published:>9} | {predicted:>24} |");
    }
}
