//! Tests of the plans.

mod cancelling;
mod completion;
mod golden;
mod installation;
mod problems;
mod properties;
mod return_and_removal;
mod selection;

use std::sync::Arc;

use super::super::descriptor::{Descriptor, VibId};
use super::super::error::ImageError;
use super::super::image::ImageSnapshot;
use super::super::level::AcceptanceLevel;
use super::super::samples::day;
use super::super::stop::Stop;
use super::{Candidate, ImagePlan, Rules};
use crate::software::CancelToken;

/// The rules of a host that takes what partners support.
fn rules() -> Rules {
    Rules { level: AcceptanceLevel::Partner, at: day(30) }
}

fn wanted(vibs: Vec<Descriptor>) -> Vec<Candidate> {
    vibs.into_iter().map(|vib| Candidate { descriptor: Arc::new(vib), wanted: true }).collect()
}

fn at_hand(vibs: Vec<Descriptor>) -> Vec<Candidate> {
    vibs.into_iter().map(|vib| Candidate { descriptor: Arc::new(vib), wanted: false }).collect()
}

fn install(snapshot: &ImageSnapshot, vibs: Vec<Descriptor>) -> Result<ImagePlan, ImageError> {
    planned(snapshot, &wanted(vibs))
}

fn planned(snapshot: &ImageSnapshot, candidates: &[Candidate]) -> Result<ImagePlan, ImageError> {
    finished(ImagePlan::install(snapshot, candidates, &rules(), &CancelToken::default()))
}

/// What came of planning that nobody cancelled.
fn finished(result: Result<ImagePlan, Stop>) -> Result<ImagePlan, ImageError> {
    result.map_err(|stop| match stop {
        Stop::Failed(error) => error,
        Stop::Cancelled => panic!("nobody cancelled it"),
    })
}

/// What is told to be wrong, after the class.
fn told(result: Result<ImagePlan, ImageError>) -> String {
    result.expect_err("a plan that fails").to_string()
}

fn came(plan: &ImagePlan) -> Vec<VibId> {
    plan.outcome().installed
}

/// The names and versions of the VIBs of the image.
fn becomes(plan: &ImagePlan) -> Vec<String> {
    plan.image.vibs.iter().map(|vib| format!("{} {}", vib.name, vib.version)).collect()
}
