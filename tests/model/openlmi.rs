//! What OpenLMI-Software 0.5 says that it fills (qualifier `Implemented` in its MOF), and the values that are always the
//! same there.

/// Classes and properties. Jobs have in common what `LMI_SoftwareJob` says.
pub(crate) const FILLED: &[(&str, &str)] = &[
    (
        "LMI_SoftwareIdentity",
        "InstanceID Caption Classifications Description ElementName InstallDate IsEntity Name TargetTypes VersionString Epoch \
         Version Release Architecture",
    ),
    ("LMI_SystemSoftwareCollection", "InstanceID Caption"),
    (
        "LMI_SoftwareIdentityResource",
        "CreationClassName Name SystemCreationClassName SystemName AccessContext AccessInfo AvailableRequestedStates Caption Cost \
         Description ElementName EnabledDefault EnabledState ExtendedResourceType Generation HealthState GPGCheck InfoFormat \
         InstanceID MirrorList OperationalStatus OtherAccessContext PrimaryStatus RepoGPGCheck RequestedState ResourceType \
         StatusDescriptions TimeOfLastStateChange TimeOfLastUpdate TransitioningToState",
    ),
    ("LMI_HostedSoftwareCollection", "Antecedent Dependent"),
    ("LMI_MemberOfSoftwareCollection", "Collection Member"),
    ("LMI_InstalledSoftwareIdentity", "InstalledSoftware System"),
    ("LMI_ResourceForSoftwareIdentity", "AvailableSAP ManagedElement"),
    ("LMI_HostedSoftwareIdentityResource", "Antecedent Dependent"),
    (
        "LMI_SoftwareInstallationService",
        "CreationClassName Name SystemCreationClassName SystemName Caption CommunicationStatus Description DetailedStatus \
         EnabledDefault EnabledState HealthState InstanceID OperatingStatus OperationalStatus PrimaryStatus RequestedState Started \
         TransitioningToState",
    ),
    (
        "LMI_SoftwareInstallationServiceCapabilities",
        "InstanceID CanAddToCollection SupportedTargetTypes SupportedInstallOptions Description SupportedURISchemes \
         SupportedAsynchronousActions SupportedSynchronousActions SupportedExtendedResourceTypes",
    ),
    ("LMI_AssociatedSoftwareInstallationServiceCapabilities", "Capabilities ManagedElement Characteristics"),
    ("LMI_HostedSoftwareInstallationService", "Antecedent Dependent"),
    (
        "LMI_SoftwareInstallationServiceAffectsElement",
        "AffectingElement AffectedElement ElementEffects OtherElementEffectsDescriptions",
    ),
    ("LMI_SoftwareInstallationJob", JOB),
    ("LMI_SoftwareVerificationJob", JOB),
    ("LMI_SoftwareMethodResult", "InstanceID Caption Description ElementName PreCallIndication PostCallIndication"),
    ("LMI_AssociatedSoftwareJobMethodResult", "Job JobParameters"),
    ("LMI_OwningSoftwareJobElement", "OwningElement OwnedElement"),
    (
        "LMI_AffectedSoftwareJobElement",
        "AffectingElement AffectedElement ElementEffects OtherElementEffectsDescriptions",
    ),
    (
        "LMI_SoftwareIdentityFileCheck",
        "Name CheckID SoftwareElementID SoftwareElementState TargetOperatingSystem Version CheckMode ChecksumType FailedFlags \
         FileChecksum FileChecksumOriginal FileExists FileMode FileModeOriginal FileModeFlags FileModeFlagsOriginal FileName \
         FileSize FileSizeOriginal FileType FileTypeOriginal GroupID GroupIDOriginal MD5Checksum LastModificationTime \
         LastModificationTimeOriginal LinkTarget LinkTargetOriginal UserID UserIDOriginal",
    ),
    ("LMI_SoftwareIdentityChecks", "Element Check"),
];

const JOB: &str = "DeleteOnCompletion ElapsedTime JobState LocalOrUtcTime Name OperationalStatus PercentComplete StartTime \
    TimeBeforeRemoval TimeOfLastStateChange TimeSubmitted InstanceID Caption CommunicationStatus Description ErrorCode JobStatus \
    MethodName Priority RecoveryAction JobInParameters JobOutParameters";

/// Classes and the methods that they serve.
pub(crate) const METHODS: &[(&str, &str)] = &[
    ("LMI_SoftwareIdentityResource", "RequestStateChange"),
    (
        "LMI_SoftwareInstallationService",
        "CheckSoftwareIdentity InstallFromSoftwareIdentity InstallFromURI VerifyInstalledIdentity FindIdentity",
    ),
    ("LMI_SoftwareInstallationJob", "GetError GetErrors RequestStateChange"),
    ("LMI_SoftwareVerificationJob", "GetError GetErrors RequestStateChange"),
    ("LMI_SoftwareIdentityFileCheck", "Invoke InvokeOnSystem"),
];

/// Class, property, and the value that OpenLMI's yum provider has in every instance; elements of arrays have commas between
/// them, and what has no value is empty.
pub(crate) const VALUES: &[(&str, &str, &str)] = &[
    ("LMI_SoftwareIdentity", "Classifications", "0"),
    ("LMI_SoftwareIdentity", "IsEntity", "true"),
    ("LMI_SoftwareIdentity", "TargetTypes", "rpm, yum"),
    ("LMI_SystemSoftwareCollection", "InstanceID", "LMI:LMI_SystemSoftwareCollection"),
    ("LMI_SystemSoftwareCollection", "Caption", "System RPM Package Collection"),
    ("LMI_SystemSoftwareCollection", "ElementName", ""),
    ("LMI_SoftwareIdentityResource", "CreationClassName", "LMI_SoftwareIdentityResource"),
    ("LMI_SoftwareIdentityResource", "SystemCreationClassName", "PG_ComputerSystem"),
    ("LMI_SoftwareIdentityResource", "AccessContext", "1"),
    ("LMI_SoftwareIdentityResource", "OtherAccessContext", "YUM package repository"),
    ("LMI_SoftwareIdentityResource", "InfoFormat", "200"),
    ("LMI_SoftwareIdentityResource", "AvailableRequestedStates", "2, 3"),
    ("LMI_SoftwareIdentityResource", "EnabledDefault", "5"),
    ("LMI_SoftwareIdentityResource", "TransitioningToState", "12"),
    ("LMI_SoftwareIdentityResource", "ResourceType", "1"),
    ("LMI_SoftwareIdentityResource", "OtherResourceType", "RPM Software Package"),
    ("LMI_SoftwareIdentityResource", "ExtendedResourceType", "3"),
    ("LMI_SoftwareInstallationService", "CreationClassName", "LMI_SoftwareInstallationService"),
    ("LMI_SoftwareInstallationService", "Name", "LMI:LMI_SoftwareInstallationService"),
    ("LMI_SoftwareInstallationService", "InstanceID", "LMI:LMI_SoftwareInstallationService"),
    ("LMI_SoftwareInstallationService", "SystemCreationClassName", "PG_ComputerSystem"),
    ("LMI_SoftwareInstallationService", "Caption", "Software installation service for this system."),
    ("LMI_SoftwareInstallationService", "Description", "Software installation service using YUM packake manager."),
    ("LMI_SoftwareInstallationService", "CommunicationStatus", "1"),
    ("LMI_SoftwareInstallationService", "DetailedStatus", "0"),
    ("LMI_SoftwareInstallationService", "EnabledDefault", "5"),
    ("LMI_SoftwareInstallationService", "EnabledState", "5"),
    ("LMI_SoftwareInstallationService", "HealthState", "5"),
    ("LMI_SoftwareInstallationService", "OperatingStatus", "2"),
    ("LMI_SoftwareInstallationService", "OperationalStatus", "2"),
    ("LMI_SoftwareInstallationService", "PrimaryStatus", "1"),
    ("LMI_SoftwareInstallationService", "RequestedState", "12"),
    ("LMI_SoftwareInstallationService", "Started", "true"),
    ("LMI_SoftwareInstallationService", "TransitioningToState", "12"),
    (CAPABILITIES, "InstanceID", "LMI:LMI_SoftwareInstallationServiceCapabilities"),
    (CAPABILITIES, "ElementName", ""),
    (CAPABILITIES, "Caption", "Capabilities of LMI:LMI_SoftwareInstallationService"),
    (CAPABILITIES, "CanAddToCollection", "true"),
    (CAPABILITIES, "SupportedAsynchronousActions", "3, 5"),
    (CAPABILITIES, "SupportedSynchronousActions", "2"),
    (CAPABILITIES, "SupportedInstallOptions", "4, 5, 9, 3, 6"),
    (CAPABILITIES, "SupportedExtendedResourceTypes", "3"),
    (CAPABILITIES, "SupportedTargetTypes", "rpm, yum"),
    (CAPABILITIES, "SupportedURISchemes", "3, 4, 5, 6"),
    ("LMI_AssociatedSoftwareInstallationServiceCapabilities", "Characteristics", "2, 3"),
    ("LMI_SoftwareInstallationJob", "LocalOrUtcTime", "2"),
    ("LMI_SoftwareInstallationJob", "CommunicationStatus", "1"),
    ("LMI_SoftwareInstallationJob", "RecoveryAction", ""),
    ("LMI_SoftwareVerificationJob", "CommunicationStatus", "1"),
    ("LMI_SoftwareIdentityFileCheck", "SoftwareElementState", "2"),
    ("LMI_SoftwareIdentityFileCheck", "CheckMode", "true"),
    ("CIM_InstMethodCall", "ReturnValueType", "9"),
    ("CIM_Error", "ErrorType", "4"),
    ("CIM_Error", "ErrorSourceFormat", "2"),
    ("CIM_Error", "MessageID", ""),
    ("CIM_Error", "OwningEntity", ""),
    ("CIM_Error", "ProbableCause", "0"),
];

const CAPABILITIES: &str = "LMI_SoftwareInstallationServiceCapabilities";
