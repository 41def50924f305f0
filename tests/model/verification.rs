//! Verification: the files of installed packages.

use crate::table::{Entry, Family, fixed, none, served, works};

const RPM: &str = "tests/engine_verify.rs::rpm_and_this_engine_find_the_same";
const DEB: &str = "tests/engine_verify.rs::with_the_package_file_everything_is_judged";
const FETCHED: &str = "tests/engine_verify.rs::a_verification_fetches_the_package_file_and_the_server_does_not";
const HERE: &str = "tests/model/claims.rs::every_method_answers_as_the_page_says";

pub(crate) const CLASSES: &[Entry] = &[
    Entry {
        class: "LMI_SoftwareIdentityFileCheck",
        says: "A file of an installed package, as it is and as it was installed. Those that did not pass a verification are \
               enumerated, all others are reached from their package. What is not known has no value: of a Debian package whose \
               archive is neither in apt's cache nor in a repository on this host, dpkg knows checksums alone. A verification \
               also fetches it from elsewhere, and what it found shows what it learned.",
        by: &[RPM, DEB, FETCHED],
        rows: &[
            served("Name FileName", "the path"),
            served(
                "CheckID",
                "`LMI:LMI_SoftwareIdentityFileCheck`, or the InstanceID of the verification job that found it",
            ),
            served("SoftwareElementID Version", "the package's ElementName and VersionString"),
            fixed("SoftwareElementState", "2", "Executable"),
            served("TargetOperatingSystem", "the package's TargetOSTypes; 36 (LINUX) is taken as well"),
            served("Caption", "which package's file it is"),
            fixed("CheckMode", "true", "the file is to be there"),
            served("ConfigurationFile", "our own: whether whoever manages the host may change it"),
            served("FileExists", "whether it is there"),
            served("FailedFlags", "what differs, as `rpm --verify` sees it; empty if nothing does"),
            served("ChecksumType", "0 where no checksum is known"),
            served("FileChecksum FileChecksumOriginal", "of a regular file, by the package's own algorithm"),
            served("MD5Checksum", "the same where it is MD5").only(Family::Deb, "rpm's checksums are SHA-256 today"),
            served("FileType FileTypeOriginal FileSize FileSizeOriginal", "by lstat; in octets"),
            served("FileMode FileModeOriginal", "type and permissions as stat(2) has them"),
            served("FileModeFlags", "the bits of FileMode that are set")
                .unlike("the bits of FileModeOriginal, which is a mistake"),
            served("FileModeFlagsOriginal", "the bits of FileModeOriginal that are set"),
            served("UserID UserIDOriginal GroupID GroupIDOriginal", "numbers of the managed root's own accounts"),
            served("LinkTarget LinkTargetOriginal", "of a symbolic link"),
            served("LastModificationTime LastModificationTimeOriginal", "seconds since 1970"),
            none("CreateTimeStamp", "neither packages nor POSIX know when a file was made"),
            none("CheckSum CRC1 CRC2", "packages have better checksums"),
            none("InstanceID ElementName Description", "the six keys name it, the caption tells the rest"),
        ],
        methods: &[
            works("Invoke", "2", "0 if the file is as it was installed, 2 if it is not", HERE),
            works("InvokeOnSystem", "0", "the same; TargetSystem must be this system", HERE),
        ],
    },
    Entry {
        class: "LMI_SoftwareIdentityChecks",
        says: "A package has the file.",
        by: &[],
        rows: &[served("Element", "the installed package"), served("Check", "the file as it is now")],
        methods: &[],
    },
];
