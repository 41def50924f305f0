//! What an administrator does when the image that runs is damaged and the one before is whole.

use std::fs;

use crate::client::Administrator;
use crate::support::image::ImageFolder;
use crate::support::server::Host;
use crate::support::vib::release::{GOLDEN_INSTALLED, GOLDEN_REMOVED};

#[test]
fn the_whole_image_is_shown_gone_back_to_and_served_again() {
    let image = ImageFolder::esxi_5_5_u1(1000);
    let patch = image.esxi_5_5_u1a(1000);
    image.run(&["install"], &[patch.to_str().unwrap()]);
    image.run(&["boot"], &[]);
    let database = image.image().join("bootbank/imgdb.tgz");
    fs::remove_file(&database).unwrap();
    fs::write(&database, "this is no file that gzip made\n").unwrap();

    let folder = image.image().display().to_string();
    let told = format!(
        "[DatabaseFormatError] {folder}/bootbank/imgdb.tgz: invalid gzip header. The other boot bank has the image before: \
         `quartermaster image roll-back {folder}` goes back to it."
    );
    let host = Host::of_image(&image.image()).with_settings(&image.settings());
    let (status, said) = host.run(&["serve", "--engine", "none", "--image", &folder, "--listen", "127.0.0.1:0"]);
    assert!(!status.success());
    assert!(said.ends_with(&format!("quartermaster: cannot open the image store {folder}: {told}\n")), "{said}");

    let (succeeded, shown) = image.try_run(&["show"], &[]);
    assert!(!succeeded);
    assert!(shown.starts_with(&format!("the image that runs:\tdamaged: {told}\n")), "{shown}");
    assert!(
        shown.contains("\nthe image that can be gone back to, which is whole:\tESXi-5.5.0-U1-standard ("),
        "{shown}"
    );
    assert!(shown.contains("\nesx-base\t5.5.0-1.15.1623387\t"), "{shown}");
    assert!(shown.ends_with(&format!("quartermaster: cannot open the image store {folder}: {told}\n")), "{shown}");

    let (succeeded, refused) = image.try_run(&["boot"], &[]);
    assert!(!succeeded && refused.contains("goes back to it."), "{refused}");
    let (succeeded, refused) = image.try_run(&["remove"], &["lsi-mr3"]);
    assert!(!succeeded && refused.contains("goes back to it."), "{refused}");
    let back = "went back to the image of the other boot bank\nit runs after the next boot\n";
    assert_eq!(image.run(&["roll-back"], &[]), back);
    let (_, shown) = image.try_run(&["show"], &[]);
    assert!(
        shown.contains("\nthe image that runs after the next boot, which is whole:\tESXi-5.5.0-U1-standard"),
        "{shown}"
    );
    assert_eq!(image.run(&["boot"], &[]), "booted: the image that waited runs now\n");

    let running = Administrator::of(&image).vibs("2, 6");
    assert!(GOLDEN_REMOVED.iter().all(|vib| running.iter().any(|there| there == vib)), "{running:?}");
    image.run(&["install"], &[patch.to_str().unwrap()]);
    image.run(&["boot"], &[]);
    let shown = image.run(&["show"], &[]);
    assert!(GOLDEN_INSTALLED.iter().all(|vib| shown.contains(vib.rsplit('_').next().unwrap())), "{shown}");
}
