//! What is said of inherited properties wherever a class says nothing else of them.

use crate::table::{Row, fixed, none};

pub(crate) const ROWS: &[Row] = &[
    none(
        "MajorVersion MinorVersion RevisionNumber BuildNumber LargeBuildNumber",
        "VersionString has the version, which DSP1023 takes in their place; a package's version is not four numbers",
    ),
    fixed("IsLargeBuildNumber", "false", "there is no build number"),
    none("TargetOperatingSystems", "TargetOSTypes has a number for every system that packages are for here"),
    none("ClassificationDescriptions", "Classifications has no 1 (Other) to describe"),
    none("Languages", "package databases do not tell them"),
    none("SerialNumber", "packages have none"),
    none(
        "IdentityInfoType IdentityInfoValue",
        "nobody gives packages identifiers beside their names, and builds of one package share the Name",
    ),
    none("ReleaseDate", "package databases do not tell when a build was released"),
    none("OtherExtendedResourceTypeDescription", "ExtendedResourceType is not 1 (Other)"),
    none(
        "MinExtendedResourceTypeMajorVersion MinExtendedResourceTypeMinorVersion \
         MinExtendedResourceTypeRevisionNumber MinExtendedResourceTypeBuildNumber",
        "the host's own tools say whether they can install a package",
    ),
    none("InstallDate", "only of packages it is known when they were installed"),
    none("Status", "CIM deprecates it; OperationalStatus is in its place, where there is one"),
    none(
        "OperationalStatus StatusDescriptions HealthState CommunicationStatus DetailedStatus OperatingStatus PrimaryStatus",
        "it is not watched for how well it does",
    ),
    none("OtherEnabledState", "EnabledState is not 1 (Other)"),
    none("TimeOfLastStateChange AvailableRequestedStates", "its state is always the same"),
    fixed("TransitioningToState", "12", "Not Applicable: no change of state is under way"),
    none("PrimaryOwnerName PrimaryOwnerContact", "hosts do not record their owners"),
];
