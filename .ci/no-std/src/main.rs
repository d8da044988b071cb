//! A program without the standard library that limits. The C runtime calls its `main`.

#![no_std]
#![no_main]

use casgate::{FixedWindow, Limiter, Quota, SlidingWindow, Slot, Timestamp, TokenBucket};
use core::time::Duration;

static WINDOW: Limiter<FixedWindow> = Limiter::fixed_window(Quota::per_second(2));
static BUCKET: Limiter<TokenBucket> = Limiter::token_bucket(Quota::per_second(2));
static SLIDING: Limiter<SlidingWindow<[Slot; 2]>> =
    Limiter::sliding_window_array(Duration::from_secs(1));

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// What unwinds: nothing does. The prebuilt `core` names it.
// Safety: as below.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// 0 if two of three pass in each, and a quota is parsed.
// Safety: the program has no other symbol of that name.
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    let now = Timestamp::from_secs(1);
    let count = |passes: &dyn Fn() -> bool| (0..3).filter(|_| passes()).count();
    let passed = [
        count(&|| WINDOW.is_allowed_at(now)),
        count(&|| BUCKET.is_allowed_at(now)),
        count(&|| SLIDING.is_allowed_at(now)),
    ];
    let parsed = "2 per second".parse() == Ok(Quota::per_second(2));
    i32::from(passed != [2, 2, 2] || !parsed)
}
