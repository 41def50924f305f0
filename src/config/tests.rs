use super::*;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("q.toml"))
}

fn message(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

/// The sample with the defaults, or with the examples, switched on.
fn sample(mark: &str) -> String {
    let uncomment = |line: &str| match line.strip_prefix(mark) {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase()) => rest.to_owned(),
        _ => line.to_owned(),
    };
    SAMPLE.lines().map(uncomment).filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_sample_shows_the_defaults() {
    let defaults = sample("#").replace("e.g. ", "#");
    assert!(defaults.contains("\nlisten = "), "nothing was switched on");
    assert_eq!(parse(&defaults).unwrap(), Config::default());
    assert_eq!(parse(SAMPLE).unwrap(), Config::default());
}

#[test]
fn the_samples_examples_are_valid_and_no_defaults() {
    // A keytab is a mistake where the program cannot use one.
    let is_left_out = |line: &&str| cfg!(feature = "kerberos") || !line.starts_with("kerberos_keytab = ");
    let sample = sample("#e.g. ").lines().filter(is_left_out).collect::<Vec<_>>().join("\n");
    let config = parse(&sample).unwrap();
    assert_eq!(config.auth.kerberos_keytab.is_some(), cfg!(feature = "kerberos"));
    assert_eq!(config.system_name.as_deref(), Some("host.example.org"));
    assert!(config.tls.certificate.is_some() && config.tls.key.is_some() && config.events.trust_file.is_some());
    let downloads = &config.downloads;
    assert!(downloads.trust_file.is_some() && downloads.proxy.is_some() && downloads.proxy_user.is_some());
    assert!(downloads.proxy_password_file.is_some() && downloads.no_proxy.len() == 3);
    assert!(config.audit.file.is_some() && config.metrics.listen.is_some());
    let image = &config.image;
    assert!(image.dir.is_some() && image.system_name.is_some() && image.vmware_trust_file.is_some());
    assert!(image.partner_trust_file.is_some() && image.revocation_file.is_some());
    assert_eq!(config.image.acceptance_level, Some(AcceptanceLevel::Community));
}

#[test]
fn the_sample_documents_every_key() {
    for section in ["", "tls", "limits", "page", "image", "jobs", "downloads", "events", "auth", "audit", "metrics"] {
        let text = if section.is_empty() { "zzz = 1".to_owned() } else { format!("[{section}]\nzzz = 1") };
        // The error of an unknown key lists all known ones.
        let error = message(&text);
        let known: Vec<_> = error.split('`').skip(3).step_by(2).collect();
        assert!(!known.is_empty(), "{error}");
        let documented = match section {
            "" => SAMPLE.split("\n[").next().unwrap(),
            _ => SAMPLE.split(&format!("[{section}]\n")).nth(1).unwrap().split("\n[").next().unwrap(),
        };
        for key in known {
            let shown = [format!("\n#{key} = "), format!("\n#e.g. {key} = ")];
            let is_section = section.is_empty() && SAMPLE.contains(&format!("\n[{key}]\n"));
            let documented = format!("\n{documented}");
            assert!(is_section || shown.iter().any(|shown| documented.contains(shown)), "[{section}] {key}");
        }
    }
}

#[test]
fn an_unknown_key_is_told_with_file_line_and_key() {
    let error = message("listen = \"127.0.0.1:0\"\n\nlisten_to = 3\n");
    assert!(error.starts_with("q.toml, line 3: ") && error.contains("`listen_to`"), "{error}");
    let error = message("[limits]\nbody_octets = 8192\n[auth]\ncash = 3\n");
    assert!(error.starts_with("q.toml, line 4: ") && error.contains("`cash`"), "{error}");
}

#[test]
fn a_keytab_is_told_with_its_line_where_the_program_cannot_use_one() {
    let text = "[auth]\n\nkerberos_keytab = \"/etc/http.keytab\"\n";
    if cfg!(feature = "kerberos") {
        assert_eq!(parse(text).unwrap().auth.kerberos_keytab.as_deref(), Some(Path::new("/etc/http.keytab")));
        return;
    }
    let error = message(text);
    assert!(error.starts_with("q.toml, line 3: ") && error.contains("kerberos_keytab"), "{error}");
    assert!(error.contains("built without Kerberos"), "{error}");
}

#[test]
fn a_value_out_of_range_is_told_with_its_line_and_key() {
    for (line, key) in [
        ("[auth]\n\nhash_mebibytes = 0", "hash_mebibytes"),
        ("[auth]\n\ndigest = [\"SHA-512\"]", "digest"),
        ("[auth]\n\nkerberos_keytab = \"http.keytab\"", "kerberos_keytab"),
        ("[auth]\n\nkerberos_realms = [\"EXAMPLE.ORG\", \"a@b\"]", "kerberos_realms"),
        ("[auth]\n\nkerberos_channel_bindings = \"none\"", "kerberos_channel_bindings"),
        ("[limits]\n\nbody_seconds = -1", "body_seconds"),
        ("[events]\n\nallow = [\"10.0.0.0/33\"]", "allow"),
        ("\n\nsystem_class = \"Computer\"", "system_class"),
        ("\n\nengine = \"pacman\"", "engine"),
        ("\n\nlisten = \"localhost\"", "listen"),
        ("\n\nroot = 3", "root"),
        ("[downloads]\n\nproxy = \"proxy:3128\"", "proxy"),
        ("[downloads]\n\nproxy = \"http://proxy:x\"", "proxy"),
        ("[downloads]\n\nproxy = \"http://a:b@proxy\"", "proxy_password_file"),
        ("[downloads]\n\nno_proxy = [\"*.example.com\"]", "no_proxy"),
        ("[downloads]\n\nno_proxy = [\".10.0.0.1\"]", "no_proxy"),
        ("[image]\n\nacceptance_level = \"vmware\"", "acceptance_level"),
    ] {
        let error = message(line);
        assert!(error.starts_with("q.toml, line 3: ") && error.contains(key), "{line}: {error}");
    }
}

#[test]
fn a_text_that_is_no_toml_is_told_with_its_line() {
    assert!(message("listen = \"127.0.0.1:1\"\nwhat is this").starts_with("q.toml, line 2: "));
}

#[test]
fn the_command_line_goes_before_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("q.toml");
    std::fs::write(&file, "listen = \"127.0.0.1:1\"\nroot = \"/a\"\n[auth]\nhash_mebibytes = 4\n").unwrap();
    let overrides = Overrides { root: Some("/b".into()), engine: Some(Engine::Rpm), ..Overrides::default() };
    let config = Config::load(Some(&file), overrides).unwrap();
    assert_eq!(config.listen.port(), 1);
    assert_eq!((config.root.as_path(), config.engine, config.auth.hash_mebibytes), (Path::new("/b"), Engine::Rpm, 4));
}

#[test]
fn a_named_file_must_be_there_and_pairs_must_be_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("q.toml");
    assert!(matches!(Config::load(Some(&file), Overrides::default()), Err(ConfigError::Read { .. })));
    for text in [
        "[tls]\nkey = \"/k\"\n",
        "[downloads]\nproxy = \"http://proxy\"\nproxy_user = \"a\"\n",
        "[downloads]\nno_proxy = [\"depot\"]\n",
    ] {
        std::fs::write(&file, text).unwrap();
        assert!(matches!(Config::load(Some(&file), Overrides::default()), Err(ConfigError::Conflict(_))), "{text}");
    }
}

#[test]
fn allowed_destinations_are_networks_addresses_and_names() {
    let network = |address: &str, prefix| Allowed::Network { address: address.parse().unwrap(), prefix };
    assert_eq!("10.0.0.0/8".parse(), Ok(network("10.0.0.0", 8)));
    assert_eq!("::1".parse(), Ok(network("::1", 128)));
    assert_eq!("Sink.example.org".parse(), Ok(Allowed::Host("sink.example.org".to_owned())));
    for wrong in ["", "10.0.0.0/", "10.0.0.0/33", "a..b", "http://a", "a/8", "ü.org"] {
        assert!(wrong.parse::<Allowed>().is_err(), "{wrong}");
    }
}

#[test]
fn a_host_and_its_image_have_different_keys() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("quartermaster.toml");
    let is_taken = |text: &str| {
        std::fs::write(&file, text).unwrap();
        Config::load(Some(&file), Overrides::default()).is_ok()
    };
    let same = "system_class = \"OMC_UnitaryComputerSystem\"\n[image]\ndir = \"/image\"\n";
    assert!(!is_taken(same));
    assert!(is_taken(&format!("engine = \"none\"\n{same}")));
    assert!(is_taken(&format!("{same}system_name = \"esx.example.org\"\n")));
    assert!(is_taken("[image]\ndir = \"/image\"\n"));
}
