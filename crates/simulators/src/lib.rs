#![doc = include_str!("../README.md")]

pub mod magento;
pub mod sage;
