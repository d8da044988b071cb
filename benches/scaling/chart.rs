//! The prediction as lines, what was measured as dots, and what others have published as rings.

use crate::costs::Costs;
use crate::measure::Measured;
use crate::model::LINES;
use crate::published::{CONTENDED, POINTS};
use plotters::prelude::*;
use std::error::Error;
use std::path::Path;

const SIZE: (i32, i32) = (900, 560);
/// Of the field in which points lie: left, right, top, bottom.
const FIELD: [i32; 4] = [60, 600, 50, 510];
/// Of the axes, both logarithmic: cores, and nanoseconds.
const MOST_CORES: f64 = 512.0;
const NANOS: [f64; 2] = [0.005, 100.0];

const COLORS: [RGBColor; 7] = [
    RGBColor(150, 150, 150),
    RGBColor(200, 60, 60),
    RGBColor(90, 90, 90),
    RGBColor(30, 100, 200),
    RGBColor(120, 80, 180),
    RGBColor(20, 150, 120),
    RGBColor(180, 140, 20),
];

fn place(cores: f64, nanos: f64) -> (i32, i32) {
    let [left, right, top, bottom] = FIELD;
    let x = cores.log2() / MOST_CORES.log2();
    let y = (nanos / NANOS[0]).ln() / (NANOS[1] / NANOS[0]).ln();
    (left + (x * f64::from(right - left)) as i32, bottom - (y * f64::from(bottom - top)) as i32)
}

pub(crate) fn draw(file: &Path, costs: &Costs, measured: &Measured) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(file, (SIZE.0 as u32, SIZE.1 as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    let title = ("sans-serif", 16).into_font();
    let font = ("sans-serif", 12).into_font();
    let heading = "ns per call of all cores together, by cores: lines predicted, dots measured";
    root.draw(&Text::new(heading, (10, 10), title))?;

    let grid = RGBColor(225, 225, 225);
    for cores in (0..=9).map(|i| f64::from(1 << i)) {
        root.draw(&PathElement::new([place(cores, NANOS[0]), place(cores, NANOS[1])], grid))?;
        let (x, y) = place(cores, NANOS[0]);
        root.draw(&Text::new(cores.to_string(), (x - 6, y + 6), font.clone()))?;
    }
    for nanos in [0.01, 0.1, 1.0, 10.0, 100.0] {
        root.draw(&PathElement::new([place(1.0, nanos), place(MOST_CORES, nanos)], grid))?;
        let (x, y) = place(1.0, nanos);
        root.draw(&Text::new(nanos.to_string(), (x - 34, y - 6), font.clone()))?;
    }

    for (i, (line, color)) in LINES.iter().zip(COLORS).enumerate() {
        let points = (0..=6).map(|i| 1 << i);
        let points: Vec<_> = points.map(|c| place(c as f64, (line.at)(costs, c))).collect();
        root.draw(&PathElement::new(points, color.stroke_width(1)))?;
        for (column, ns) in measured.row(line.path, line.name).into_iter().enumerate() {
            let Some(ns) = ns else { continue };
            let at = place(measured.threads[column] as f64, ns);
            root.draw(&Circle::new(at, 4, color.filled()))?;
        }
        let label = format!("{}: {}", line.path.name(), line.name);
        let top = FIELD[2] + i as i32 * 20;
        root.draw(&Circle::new((FIELD[1] + 22, top + 6), 4, color.filled()))?;
        root.draw(&Text::new(label, (FIELD[1] + 34, top), font.clone()))?;
    }

    let color = RGBColor(210, 130, 60);
    let top = FIELD[2] + LINES.len() as i32 * 20 + 20;
    root.draw(&Text::new("published, on other machines", (FIELD[1] + 16, top), font.clone()))?;
    let band = [place(2.0, CONTENDED[1]), place(64.0, CONTENDED[0])];
    root.draw(&Rectangle::new(band, color.mix(0.25).filled()))?;
    let label = format!("one contended word: {} to {}", CONTENDED[0], CONTENDED[1]);
    let beside = [(FIELD[1] + 16, top + 22), (FIELD[1] + 28, top + 32)];
    root.draw(&Rectangle::new(beside, color.mix(0.25).filled()))?;
    root.draw(&Text::new(label, (FIELD[1] + 34, top + 20), font.clone()))?;
    for (i, point) in POINTS.iter().enumerate() {
        root.draw(&Circle::new(place(point.threads as f64, point.ns), 5, color.stroke_width(2)))?;
        let top = top + 40 + i as i32 * 20;
        root.draw(&Circle::new((FIELD[1] + 22, top + 6), 5, color.stroke_width(2)))?;
        let label = format!("{}: {:.2} at {}", point.name, point.ns, point.threads);
        root.draw(&Text::new(label, (FIELD[1] + 34, top), font.clone()))?;
    }
    root.present()?;
    Ok(())
}
