//! The migrations are compiled in: a new file must build this crate anew.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations/postgres");
}
