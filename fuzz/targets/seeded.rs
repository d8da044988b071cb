#![no_main]

libfuzzer_sys::fuzz_target!(|input: fuzz::Input| fuzz::seeded(&input));
