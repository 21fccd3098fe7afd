#![doc = include_str!("../README.md")]

pub mod hooks;
pub mod magento;
pub mod mail;
pub mod sage;
