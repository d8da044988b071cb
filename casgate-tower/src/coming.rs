#![doc = include_str!("../docs/coming.md")]
