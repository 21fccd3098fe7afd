#![doc = include_str!("../README.md")]

mod error;
mod ring;

pub use error::Error;
pub use ring::KeyRing;
