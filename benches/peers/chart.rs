//! The table's columns of one and two threads as bars.

use crate::table::{Path, Variant};
use plotters::prelude::*;
use std::error::Error;
use std::path::Path as FilePath;

const ROW: i32 = 18;
const LABELS: i32 = 330;
const WIDTH: i32 = 900;
/// Bars end here, in nanoseconds; longer ones are cut and say how long they are.
const LONGEST: f64 = 60.0;

pub(crate) fn draw(
    file: &FilePath,
    variants: &[Variant],
    columns: &[Vec<Option<f64>>],
) -> Result<(), Box<dyn Error>> {
    let height = (variants.len() as i32 + 3) * ROW * 2 + 20;
    let root = SVGBackend::new(file, (WIDTH as u32, height as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    let title = ("sans-serif", 16).into_font();
    let font = ("sans-serif", 12).into_font();
    root.draw(&Text::new("ns per call: one thread above, two below", (10, 8), title))?;
    let scale = f64::from(WIDTH - LABELS - 70) / LONGEST;
    for (i, variant) in variants.iter().enumerate() {
        let top = 36 + i as i32 * ROW * 2;
        let label = format!("{}: {}", variant.path.name(), variant.name);
        root.draw(&Text::new(label, (10, top + ROW / 2), font.clone()))?;
        let ours = variant.name.starts_with("casgate");
        let color = match variant.path {
            Path::Floor => RGBColor(150, 150, 150),
            _ if ours => RGBColor(30, 100, 200),
            _ => RGBColor(210, 130, 60),
        };
        for (half, column) in columns.iter().take(2).enumerate() {
            let Some(ns) = column[i] else { continue };
            let top = top + half as i32 * (ROW - 2);
            let end = LABELS + (ns.min(LONGEST) * scale) as i32;
            let bar = [(LABELS, top), (end, top + ROW - 5)];
            root.draw(&Rectangle::new(bar, color.mix(if half == 0 { 1.0 } else { 0.6 }).filled()))?;
            root.draw(&Text::new(format!("{ns:.1}"), (end + 5, top), font.clone()))?;
        }
    }
    root.present()?;
    Ok(())
}
