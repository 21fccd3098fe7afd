#![doc = include_str!("../README.md")]
#![no_std]

#[doc(hidden)]
pub extern crate alloc;

include!(concat!(env!("OUT_DIR"), "/message.rs"));
