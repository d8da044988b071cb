#![no_main]

libfuzzer_sys::fuzz_target!(|input: fuzz::Input| fuzz::rules(&input));
