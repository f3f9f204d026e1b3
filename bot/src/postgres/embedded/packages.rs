//! How to install a version of PostgreSQL on this machine: each release of a distribution has one version, and postgresql.org has all of
//! them.

use std::fs;

/// The major version in each release of a distribution, by code name.
const RELEASES: [(&str, u32); 9] = [
    ("bullseye", 13),
    ("bookworm", 15),
    ("trixie", 17),
    ("focal", 12),
    ("jammy", 14),
    ("noble", 16),
    ("plucky", 17),
    ("questing", 17),
    ("resolute", 18),
];

/// The command that installs `package`, such as `postgresql` or `postgresql-client`, of a major version.
pub(crate) fn install(package: &str, major: u32) -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    command(package, major, &release)
}

/// The command that installs the version of this machine's distribution, or else `oldest`.
pub(super) fn install_some(package: &str, oldest: u32) -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let major = shipped(&release).filter(|major| *major >= oldest);
    command(package, major.unwrap_or(oldest), &release)
}

fn command(package: &str, major: u32, release: &str) -> String {
    let get = format!("apt-get install {package}-{major}");
    if shipped(release) == Some(major) || !is_of_debian(release) {
        return get;
    }
    // <https://www.postgresql.org/download/linux/debian/>
    format!(
        "apt-get install postgresql-common && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y && {get}"
    )
}

fn shipped(release: &str) -> Option<u32> {
    let name = value(release, "VERSION_CODENAME")?;
    RELEASES
        .into_iter()
        .find(|(release, _)| *release == name)
        .map(|(_, major)| major)
}

fn is_of_debian(release: &str) -> bool {
    ["ID", "ID_LIKE"].iter().any(|key| {
        let names = value(release, key).unwrap_or_default();
        names.split(' ').any(|name| matches!(name, "debian" | "ubuntu"))
    })
}

/// <https://www.freedesktop.org/software/systemd/man/latest/os-release.html>
fn value<'a>(release: &'a str, key: &str) -> Option<&'a str> {
    let value = release
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
    Some(value.trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::{command, shipped};

    const BOOKWORM: &str = "PRETTY_NAME=\"Debian GNU/Linux 12\"\nVERSION_CODENAME=bookworm\nID=debian\n";
    const TRIXIE: &str = "VERSION_CODENAME=trixie\nID=debian\n";
    const NOBLE: &str = "ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n";
    const MINT: &str = "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_CODENAME=wilma\n";

    #[test]
    fn the_distribution_s_own_package_where_it_has_one() {
        for (release, major) in [(BOOKWORM, 15), (TRIXIE, 17), (NOBLE, 16)] {
            assert_eq!(shipped(release), Some(major));
            let expected = format!("apt-get install postgresql-{major}");
            assert_eq!(command("postgresql", major, release), expected);
        }
        assert_eq!(shipped(""), None);
    }

    #[test]
    fn postgresql_org_s_where_it_has_none() {
        for (release, major) in [(BOOKWORM, 17), (TRIXIE, 15), (NOBLE, 18), (MINT, 16)] {
            let typed = command("postgresql-client", major, release);
            assert!(typed.contains("apt.postgresql.org.sh"), "{typed}");
            let last = format!("&& apt-get install postgresql-client-{major}");
            assert!(typed.ends_with(&last), "{typed}");
        }
    }
}
