#![doc = include_str!("../docs/fleet.md")]
