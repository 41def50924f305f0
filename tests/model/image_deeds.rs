//! Everything that VMware's classes tell of is done on a host with an image.

use std::path::Path;

use crate::deeds::{Visit, reference};
use crate::evidence::Evidence;
use crate::patch_deeds;
use crate::support::image::ImageFolder;
use crate::support::installation::{ended, job_of};
use crate::support::server::{Host, PATIENCE};
use crate::support::sink::{Event, Sink};
use crate::support::vib::{Bundle, Vib};
use crate::table::Family;

const SERVICE: &str = "VMware_SoftwareInstallationService";
const SYSTEM: &str = "OMC_UnitaryComputerSystem";
const JOB: &str = "VMware_ConcreteJob";

/// ESXi 5.5 U1, to which the patch to U1a comes; what lacks something does not.
pub(crate) fn done() -> Evidence {
    let image = ImageFolder::esxi_5_5_u1(1000);
    let patch = image.esxi_5_5_u1a(1000);
    let lacking =
        Vib { depends: vec!["vmkapi_9_9_0_0".to_owned()], ..Vib::new("lacking", "1.0-1") }.at_level("partner");
    let broken = image.bundle("broken.zip", &Bundle::of(vec![lacking]));
    let host = Host::of_image(&image.image()).with_settings(&image.settings());
    let server = host.serve();
    let (client, sink) = (server.admin(), Sink::new());
    let mut visit = Visit::new(client, Family::Image);
    visit.subscribe(&sink);
    for class in [SYSTEM, SERVICE] {
        visit.enumerate(class);
    }
    let update = install(&mut visit, &patch);
    install(&mut visit, &broken);
    patch_deeds::patch(&mut visit);
    visit.look_at_jobs_of(JOB);
    visit.enumerate_all();
    visit.call_what_is_not_served();
    image.run(&["boot"], &[]);
    let gone =
        |events: &[Event]| events.iter().any(|event| event.indication().name == "CIM_InstDeletion").then_some(());
    sink.wait_for("the VIBs that the boot takes away", PATIENCE, gone);
    visit.remove_a_job(JOB, &update);
    visit.take_events(&sink, "VMware_ConcreteJobDeletion");
    visit.seen
}

/// Installs a bundle and waits for the job's end; gives its InstanceID.
fn install(visit: &mut Visit, bundle: &Path) -> String {
    let (uri, system) = (format!("file://{}", bundle.display()), reference(SYSTEM, &visit.first(SYSTEM)));
    let arguments = [("URI", &*uri), ("Target", &*system), ("InstallOptions", "4"), ("InstallOptionsValues", "")];
    let service = visit.first(SERVICE);
    let id = job_of(&visit.call(SERVICE, service, "InstallFromURI", &arguments));
    ended(&mut visit.client, &id);
    id
}
