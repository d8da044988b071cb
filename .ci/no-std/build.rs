//! The C library, which the standard one would have linked.
fn main() {
    println!("cargo::rustc-link-arg=-lc");
}
