#![doc = include_str!("../README.md")]

pub mod bench;
pub mod cli;
pub mod config;
pub mod connecting;
pub mod demo;
pub mod isolation;
pub mod lifecycle;
pub mod outside;
pub mod plan;
pub mod router;
pub mod routes;
pub mod security;
pub mod simulate;
pub mod stage;
pub mod state;
pub mod telemetry;
