//! Quartermaster shows a host's software as CIM objects over WS-Management and changes it on request.
//!
//! The rooms below stand on floors; a room uses only rooms on lower floors (`docs/ARCHITECTURE.md`).

pub mod access;
pub mod app;
pub mod audit;
pub mod broker;
pub mod cim;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod console;
pub mod events;
pub mod hexadecimal;
pub mod jobs;
pub mod metrics;
pub mod page;
pub mod providers;
pub mod server;
pub mod soap;
pub mod software;
pub mod store;
pub mod wire;
pub mod worker;
pub mod wsman;
pub mod xml;
