//! What each rule admits from the same traffic: the pictures of docs/choosing.md.
//!
//! `cargo run --example choosing` draws them again and prints what they show; its test fails if they
//! are not what the crate does today.

use casgate::{FixedWindow, Limiter, Quota, Timestamp, TokenBucket};
use plotters::prelude::*;
use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const LIMIT: u32 = 10;

/// Milliseconds at which one permit is asked for: 30 around the boundary at 1 s, a quiet second, then
/// one every 40 ms.
fn traffic() -> Vec<u64> {
    let burst = (850..1_150).step_by(10);
    let steady = (2_400..4_000).step_by(40);
    burst.chain(steady).collect()
}

struct Picture {
    file: &'static str,
    title: &'static str,
    /// The milliseconds of [`traffic`] that were admitted.
    admitted: Vec<u64>,
}

/// Lets the real limiters decide.
fn pictures() -> Vec<Picture> {
    let ten = Quota::per_second(LIMIT);
    let fixed = Limiter::fixed_window(ten);
    let bucket = Limiter::token_bucket(ten);
    let sliding = Limiter::sliding_window(ten);
    let strict = Limiter::strict(Quota::at_most(LIMIT).with_burst(4).in_any(SECOND));
    let both = Limiter::both(
        TokenBucket::new(ten.with_burst(3)),
        FixedWindow::new(Quota::new(15, 2 * SECOND).expect("slow enough")),
    );
    let picture = |file, title, allows: &dyn Fn(Timestamp) -> bool| {
        let asked = traffic().into_iter();
        let admitted = asked.filter(|&ms| allows(Timestamp::from_millis(ms))).collect();
        Picture { file, title, admitted }
    };
    vec![
        picture("fixed-window", "fixed window, 10 per second", &|t| fixed.is_allowed_at(t)),
        picture("token-bucket", "token bucket, 10 per second, burst 10", &|t| {
            bucket.is_allowed_at(t)
        }),
        picture("sliding-window", "sliding window, 10 per second", &|t| sliding.is_allowed_at(t)),
        picture("strict-window", "strict window, at most 10 in any second, burst 4", &|t| {
            strict.is_allowed_at(t)
        }),
        picture("both", "both: 10 per second, burst 3, and 15 in 2 s", &|t| both.is_allowed_at(t)),
    ]
}

/// How many of `instants` lie in the half-open second that ends every ten milliseconds, where all
/// of them lie.
fn in_the_last_second(instants: &[u64]) -> Vec<(f64, i32)> {
    (0..4_000u64)
        .step_by(10)
        .map(|now| {
            let count = instants.iter().filter(|&&t| t <= now && now - t < 1_000).count();
            (now as f64 / 1_000.0, count as i32)
        })
        .collect()
}

fn draw(picture: &Picture) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (720, 260)).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(picture.title, ("sans-serif", 18))
            .margin(8)
            .x_label_area_size(34)
            .y_label_area_size(44)
            .build_cartesian_2d(0.0..4.0, 0..31)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc("seconds")
            .y_desc("in the last second")
            .y_labels(4)
            .draw()?;
        chart.draw_series(AreaSeries::new(
            in_the_last_second(&traffic()),
            0,
            RGBColor(225, 225, 225),
        ))?;
        let blue = RGBColor(30, 100, 200);
        chart.draw_series(LineSeries::new(
            in_the_last_second(&picture.admitted),
            blue.stroke_width(2),
        ))?;
        let limit = [(0.0, LIMIT as i32), (4.0, LIMIT as i32)];
        chart.draw_series(LineSeries::new(limit, RGBColor(200, 60, 40)))?;
        chart.draw_series(picture.admitted.iter().map(|&ms| {
            let x = ms as f64 / 1_000.0;
            PathElement::new([(x, 0), (x, 1)], blue)
        }))?;
        root.present()?;
    }
    Ok(svg)
}

fn path(picture: &Picture) -> PathBuf {
    let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/choosing");
    docs.join(picture.file).with_extension("svg")
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{:50} {:>8} {:>22}", "rule", "admitted", "most in any second");
    println!("{:50} {:>8} {:>22}", "(asked for)", traffic().len(), most(&traffic()));
    for picture in pictures() {
        std::fs::write(path(&picture), draw(&picture)?)?;
        let admitted = picture.admitted.len();
        println!("{:50} {admitted:>8} {:>22}", picture.title, most(&picture.admitted));
    }
    println!("\nDrawn in docs/choosing.");
    Ok(())
}

fn most(instants: &[u64]) -> i32 {
    in_the_last_second(instants).into_iter().map(|(_, count)| count).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pictures_are_what_the_crate_does() {
        for picture in pictures() {
            let drawn = draw(&picture).expect("drawn into a string");
            let committed = std::fs::read_to_string(path(&picture)).expect("a picture in the docs");
            assert!(committed == drawn, "{}: `cargo run --example choosing`", picture.file);
        }
    }

    #[test]
    fn the_boundary_burst_and_the_rules_without_it() {
        let most: Vec<i32> = pictures().iter().map(|picture| most(&picture.admitted)).collect();
        assert_eq!(most[0], 2 * LIMIT as i32, "a fixed window lets the burst through twice");
        assert!(most[1] > LIMIT as i32 && most[1] < 2 * LIMIT as i32, "burst and refill");
        assert!(most[2] == LIMIT as i32 && most[3] <= LIMIT as i32, "any second");
    }
}
