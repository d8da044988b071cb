//! The chart of the README: what an admission takes, by the table in docs/performance.md.
//!
//! `cargo run --example speed` draws it again; its test fails if it is not what the table says.

use plotters::prelude::*;
use std::error::Error;
use std::path::PathBuf;

/// Rows of the table "Compared with other crates", and their labels.
const ROWS: [(&str, &str); 9] = [
    ("casgate bucket", "casgate"),
    ("governor", "governor 0.10.4"),
    ("rate-net", "rate-net 2.1.0"),
    ("better-bucket", "better-bucket 1.1.0"),
    ("ratelimit", "ratelimit 2.0.0"),
    ("leaky-bucket", "leaky-bucket 1.1.2"),
    ("casgate bucket, time given", "casgate, time given"),
    ("std::sync::Mutex, time given", "a std Mutex, time given"),
    ("AtomicU64::fetch_add", "a bare fetch_add"),
];
const ROW: i32 = 38;
const TOP: i32 = 40;
const LABELS: i32 = 210;
const WIDTH: i32 = 720;
/// Nanoseconds at the right edge.
const LONGEST: f64 = 42.0;

fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// The nanoseconds of a row with one thread and with two, as the table says. Of an admission, or of the floor.
fn nanoseconds<'a>(table: &'a str, row: &str) -> Option<[&'a str; 2]> {
    table.lines().find_map(|line| {
        let mut cells = line.split('|').skip(1).map(str::trim);
        let path = cells.next()?;
        let found = matches!(path, "admit" | "floor") && cells.next()? == row;
        let mut times = cells.map(|cell| cell.split(' ').next().unwrap_or(cell));
        if found { Some([times.next()?, times.next()?]) } else { None }
    })
}

fn draw(page: &str) -> Result<String, Box<dyn Error>> {
    let table = page
        .split("\n## ")
        .find(|section| section.starts_with("Compared with other crates"))
        .ok_or("docs/performance.md has no such section")?;
    let height = TOP + ROWS.len() as i32 * ROW;
    let mut svg = String::new();
    {
        let root =
            SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32)).into_drawing_area();
        root.fill(&WHITE)?;
        let title = "Nanoseconds for an admission: one thread above, two threads below";
        root.draw(&Text::new(title, (10, 10), ("sans-serif", 18)))?;
        let scale = f64::from(WIDTH - LABELS - 60) / LONGEST;
        for (i, (row, label)) in ROWS.into_iter().enumerate() {
            let top = TOP + i as i32 * ROW;
            let times = nanoseconds(table, row).ok_or_else(|| format!("no row {row}"))?;
            let color = match label {
                "casgate" | "casgate, time given" => RGBColor(30, 100, 200),
                "a bare fetch_add" => RGBColor(150, 150, 150),
                _ => RGBColor(210, 130, 60),
            };
            root.draw(&Text::new(label, (10, top + 8), ("sans-serif", 16)))?;
            for (half, time) in times.into_iter().enumerate() {
                let top = top + half as i32 * 16;
                let end = LABELS + (time.parse::<f64>()?.min(LONGEST) * scale) as i32;
                let mix = [1.0, 0.6][half];
                root.draw(&Rectangle::new(
                    [(LABELS, top), (end, top + 13)],
                    color.mix(mix).filled(),
                ))?;
                root.draw(&Text::new(time, (end + 6, top), ("sans-serif", 14)))?;
            }
        }
        root.present()?;
    }
    Ok(svg)
}

fn main() -> Result<(), Box<dyn Error>> {
    let page = std::fs::read_to_string(docs().join("performance.md"))?;
    std::fs::write(docs().join("speed.svg"), draw(&page)?)?;
    println!("Drawn in docs/speed.svg.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chart_is_what_the_table_says() {
        let page = std::fs::read_to_string(docs().join("performance.md")).expect("the page");
        let committed = std::fs::read_to_string(docs().join("speed.svg")).expect("the chart");
        assert!(committed == draw(&page).expect("drawn"), "`cargo run --example speed`");
    }

    #[test]
    fn a_row_is_found_by_its_whole_name() {
        let table = "| deny | governor | 1 (x) | 2 |\n| admit | governor, a clock | 3 | 4 |\n| admit | governor | 5.0 ( 1x) | 6 |";
        assert_eq!(nanoseconds(table, "governor"), Some(["5.0", "6"]));
        assert_eq!(nanoseconds(table, "rate-net"), None);
    }
}
