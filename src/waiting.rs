#![doc = include_str!("../docs/waiting.md")]
