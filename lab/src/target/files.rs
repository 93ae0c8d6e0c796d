//! What one start of a target needs: its port, its files, and the values in its arguments.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use hola_loadgen::workload::GREETING;
use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::{Group, User};

use super::{TargetPaths, TargetSpec};

/// Folders of Apache's modules: on Debian, and on other systems.
const APACHE_MODULES: &[&str] = &[
    "/usr/lib/apache2/modules",
    "/usr/lib64/httpd/modules",
    "/usr/lib/httpd/modules",
];

/// Stands for the port in a command of the user's.
pub(super) const PORT: &str = "{port}";

/// The values of the placeholders for one start.
pub(super) struct Placeholders(Vec<(&'static str, String)>);

impl Placeholders {
    pub(super) fn new(places: &TargetPaths, folder: &Path, port: u16) -> Result<Self, String> {
        let shown = |path: &Path| path.display().to_string();
        // If root starts a server, its workers drop root's rights.
        let nobody = User::from_name("nobody")
            .ok()
            .flatten()
            .ok_or("this system has no user nobody")?;
        let group = Group::from_gid(nobody.gid).ok().flatten();
        let group = group.map_or_else(|| nobody.gid.to_string(), |group| group.name);
        let mut modules = APACHE_MODULES.iter();
        let modules = modules.find(|folder| Path::new(folder).is_dir());
        let modules = modules.unwrap_or(&APACHE_MODULES[0]);
        let (_, descriptors) = getrlimit(Resource::RLIMIT_NOFILE)
            .map_err(|errno| format!("limit on open files: {}", errno.desc()))?;
        Ok(Placeholders(vec![
            ("@port@", port.to_string()),
            ("@folder@", shown(folder)),
            ("@reference@", shown(&places.reference())),
            ("@programs@", shown(places.programs())),
            ("@installed@", shown(&places.installed())),
            ("@user@", nobody.name),
            ("@group@", group),
            ("@modules@", (*modules).to_owned()),
            ("@descriptors@", descriptors.to_string()),
        ]))
    }

    pub(super) fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.0 {
            text = text.replace(name, value);
        }
        text
    }
}

/// Writes the files that a target needs into its folder.
pub(super) fn write_files(
    spec: &TargetSpec,
    places: &TargetPaths,
    folder: &Path,
    placeholders: &Placeholders,
) -> Result<(), String> {
    let write = || -> std::io::Result<()> {
        fs::create_dir(folder.join("public"))?;
        fs::write(folder.join("public/greeting"), GREETING)?;
        for template in &spec.templates {
            let text = fs::read_to_string(places.reference().join(template))?;
            // A template of the user's is anywhere.
            let name = Path::new(template).file_name().unwrap_or_default();
            let name = name.to_string_lossy();
            let name = name.strip_suffix(".in").unwrap_or(&name);
            fs::write(folder.join(name), placeholders.fill(&text))?;
        }
        Ok(())
    };
    write().map_err(|error| format!("the folder of {}: {error}", spec.name))
}

/// A port that is free now. If another process takes it first, the start fails, because the target's listener is not
/// found.
pub(super) fn free_port() -> Result<u16, String> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("no free port: {error}"))
}
