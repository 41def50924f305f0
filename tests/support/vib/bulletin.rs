//! Bulletins and image profiles as metadata has them.

use super::package::{Platform, element, text_element};

/// A bulletin to be written.
#[derive(Clone, Debug)]
pub struct Bulletin {
    /// Its id.
    pub id: String,
    /// Its vendor.
    pub vendor: String,
    /// One line.
    pub summary: String,
    /// `critical`, `important` …
    pub severity: String,
    /// `security`, `bugfix` …
    pub category: String,
    /// `critical` …
    pub urgency: String,
    /// `patch`, `rollup` …
    pub release_type: String,
    /// More lines.
    pub description: String,
    /// The article.
    pub kb_url: String,
    /// Whom to ask.
    pub contact: String,
    /// ISO 8601.
    pub release_date: String,
    /// The products.
    pub platforms: Vec<Platform>,
    /// The ids of its VIBs.
    pub vibs: Vec<String>,
    /// Name, name for people, version, version for people: what it is as a component (from 7.0 on).
    pub component: Option<[String; 4]>,
}

impl Bulletin {
    /// A security patch for ESXi 5.x of these VIBs.
    pub fn new(id: &str, summary: &str, vibs: &[String]) -> Self {
        Self {
            id: id.to_owned(),
            vendor: "VMware, Inc.".to_owned(),
            summary: summary.to_owned(),
            severity: "critical".to_owned(),
            category: "security".to_owned(),
            urgency: "critical".to_owned(),
            release_type: "patch".to_owned(),
            description: "For more information, see the article.".to_owned(),
            kb_url: "http://kb.example.com/2076665".to_owned(),
            contact: "http://www.example.com/support".to_owned(),
            release_date: "2014-04-19T00:00:00+00:00".to_owned(),
            platforms: vec![Platform::esxi("5.*")],
            vibs: vibs.to_vec(),
            component: None,
        }
    }

    /// The file of `bulletins/`: its VIBs by their ids.
    pub fn xml(&self) -> String {
        let ids: String = self.vibs.iter().map(|id| text_element("vibID", id)).collect();
        self.xml_with(&ids)
    }

    /// The bulletin with this content of `vibList`.
    pub(super) fn xml_with(&self, vibs: &str) -> String {
        let component = self.component.as_ref().map(|[name, ui_name, version, ui_version]| {
            format!(
                "<componentNameSpec name=\"{name}\" uiString=\"{ui_name}\"/>\
                 <componentVersionSpec version=\"{version}\" uiString=\"{ui_version}\"/>"
            )
        });
        let platforms: String = self.platforms.iter().map(|platform| platform.xml("softwarePlatform")).collect();
        let content = [
            text_element("id", &self.id),
            text_element("vendor", &self.vendor),
            text_element("summary", &self.summary),
            text_element("severity", &self.severity),
            text_element("category", &self.category),
            text_element("urgency", &self.urgency),
            text_element("releaseType", &self.release_type),
            text_element("description", &self.description),
            text_element("kbUrl", &self.kb_url),
            text_element("contact", &self.contact),
            component.unwrap_or_default(),
            text_element("releaseDate", &self.release_date),
            element("platforms", &platforms),
            element("vibList", vibs),
        ];
        element("bulletin", &content.concat())
    }
}

/// An image profile to be written.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Who made it.
    pub creator: String,
    /// When it was made and changed.
    pub created_at: String,
    /// Its own id.
    pub profile_id: String,
    /// More lines.
    pub description: String,
    /// The lowest level of its VIBs.
    pub acceptance_level: String,
    /// The ids of its VIBs, each with the names of its payloads and of their files.
    pub vibs: Vec<(String, Vec<(String, String)>)>,
}

impl Profile {
    /// The file of `profiles/`.
    pub fn xml(&self) -> String {
        let mut vibs = String::new();
        for (id, payloads) in &self.vibs {
            let payload =
                |(name, file): &(String, String)| format!("<payload payload-name=\"{name}\" vfat-name=\"{file}\"/>");
            vibs += &format!("<vib id=\"{id}\">{}</vib>", payloads.iter().map(payload).collect::<String>());
        }
        let content = [
            text_element("name", &self.name),
            text_element("creator", &self.creator),
            text_element("creationtime", &self.created_at),
            text_element("modifiedtime", &self.created_at),
            text_element("profileID", &self.profile_id),
            text_element("description", &self.description),
            text_element("readonly", "true"),
            element("viblist", &vibs),
            text_element("acceptancelevel", &self.acceptance_level),
        ];
        element("imageprofile", &content.concat())
    }
}
