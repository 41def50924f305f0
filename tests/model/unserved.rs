//! Classes without instances, and what OpenLMI or CIM have that is left out.

/// A superclass of OpenLMI or VMware that has no instances of its own, and what it is for.
pub(crate) const BASES: &[(&str, &str)] = &[
    ("VMware_SoftwareIdentity", "what software of every kind has in common"),
    ("VMware_ElementSoftwareIdentity", "the ends are those of all software"),
    ("LMI_ConcreteJob", "what OpenLMI's jobs of every kind have in common"),
    ("LMI_SoftwareJob", "what jobs that work on packages have in common"),
    ("LMI_MethodResult", "what results of every kind have in common"),
    ("LMI_AffectedJobElement", "the ends are those of every job"),
    ("LMI_AssociatedJobMethodResult", "the ends are those of every job"),
    ("LMI_OwningJobElement", "the ends are those of every job"),
];

/// Classes of the schema that nobody serves, with a blank between them, and why.
pub(crate) const UNSERVED: &[(&str, &str)] = &[
    (
        "CIM_IndicationServiceSettingData CIM_FilterCollectionSubscription CIM_ListenerDestinationCIMXML \
         CIM_ServiceAvailableToElement CIM_OrderedMemberOfCollection",
        "nothing of the indication service can be set, filters are subscribed to one by one, and events are sent by \
         WS-Management alone",
    ),
    ("CIM_AlertIndication CIM_InstRead", "nothing raises alerts, and who reads is in the audit log"),
    (
        "CIM_JobQueue CIM_JobDestination CIM_HostedJobDestination CIM_JobSettingData CIM_ElementSettingData",
        "jobs wait in one queue, which is seen in them alone, and are not scheduled",
    ),
    (
        "CIM_Namespace CIM_NamespaceInManager CIM_ObjectManager CIM_ObjectManagerCommunicationMechanism \
         CIM_CIMXMLCommunicationMechanism CIM_CommMechanismForManager CIM_ServiceAccessBySAP CIM_RegisteredSubProfile \
         CIM_SubProfileRequiresProfile CIM_SettingsDefineCapabilities",
        "Identify tells about the service; sub-profiles are deprecated",
    ),
    (
        "CIM_OperatingSystem CIM_InstalledOS CIM_RunningOS CIM_SystemComponent",
        "TargetOSTypes names the operating system; to manage it is another profile's",
    ),
    ("CIM_SoftwareElement", "CIM's older model of software, which DSP1023 does not use"),
    (
        "CIM_ConcreteCollection CIM_ConcreteComponent CIM_ConcreteDependency CIM_ConcreteIdentity",
        "for whoever has no class of its own; here every class has one",
    ),
];

/// What is not in the schema: a class, or a class with a member, and why.
pub(crate) const LEFT_OUT: &[(&str, Option<&str>, &str)] = &[
    (
        "LMI_SoftwareIdentityCheckUnixFile",
        None,
        "OpenLMI's PackageKit provider joins a file check with an LMI_UnixFile, which its LogicalFile provider serves. This \
         service shows no files but those of packages, so one end would always be missing",
    ),
    (
        "LMI_ElementSoftwareIdentity",
        None,
        "OpenLMI-Software has none either; CIM_ElementSoftwareIdentity itself is served",
    ),
    ("CIM_Capabilities", Some("CreateGoalSettings"), "there are no settings to be goals"),
    ("CIM_Service", Some("ChangeAffectedElementsAssignedSequence"), "what the service affects has no order"),
    ("CIM_Service", Some("LoSID"), "experimental, and no levels of service are offered"),
    ("CIM_Service", Some("LoSOrgID"), "experimental, and no levels of service are offered"),
    ("CIM_ServiceAffectsElement", Some("AssignedSequence"), "what the service affects has no order"),
    ("CIM_ManagedElement", Some("Generation"), "only repositories count generations; their class has the property"),
    (
        "__MethodParameters_InstallFromSoftwareIdentity",
        Some("InstallOptionValues"),
        "OpenLMI's mistake for InstallOptionsValues",
    ),
    (
        "__MethodParameters_VerifyInstalledIdentity_Result",
        Some("Failed"),
        "an array of references, which OpenLMI's class lacks as well; the job's affected elements are the files",
    ),
];
