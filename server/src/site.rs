//! The site: what the build leaves for browsers, script and style, and the file beside the program that knows their names.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use messages::message;

use crate::config::Config;

/// Where the two parts of the site are.
#[derive(Debug, PartialEq, Eq)]
pub struct Site {
    /// What browsers are given.
    pub folder: PathBuf,
    /// The names of script and style, which carry a hash.
    pub names: PathBuf,
}

/// Why pages come without script and style.
#[derive(Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no such folder, or it is empty.
    NoFolder(PathBuf),
    /// There is no such file.
    NoNames(PathBuf),
    /// The file knows other names than the folder.
    OtherBuild(Site),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Self::NoFolder(folder) => message!(site.no_folder, folder = folder.display()),
            Self::NoNames(file) => message!(site.no_names, file = file.display()),
            Self::OtherBuild(Site { folder, names }) => {
                message!(site.other_build, file = names.display(), folder = folder.display())
            }
        })
    }
}

impl Site {
    /// The site's folder as configured, or where the build leaves it beside the program when the process was started elsewhere.
    pub fn of(config: &Config) -> io::Result<Self> {
        let program = std::env::current_exe()?;
        let beside = program.with_file_name("../site");
        let is_beside = !config.site_root.exists() && beside.exists();
        let folder = if is_beside { beside } else { config.site_root.clone() };
        Ok(Self { folder, names: program.with_file_name("hash.txt") })
    }

    /// What is missing.
    pub fn trouble(&self) -> Option<Trouble> {
        let package = self.folder.join("pkg");
        let is_empty = fs::read_dir(&package).is_ok_and(|mut files| files.next().is_none());
        if !package.is_dir() || is_empty {
            return Some(Trouble::NoFolder(self.folder.clone()));
        }
        match fs::read_to_string(&self.names) {
            Ok(names) => {
                let holds = |(kind, hash): (&str, &str)| {
                    package.join(format!("ledger.{}.{}", hash.trim(), kind.trim())).exists()
                };
                let has_all = names.lines().filter_map(|line| line.split_once(':')).all(holds);
                let other = Self { folder: self.folder.clone(), names: self.names.clone() };
                (!has_all).then_some(Trouble::OtherBuild(other))
            }
            // A build for development gives no hashes.
            Err(_) if package.join("ledger.js").exists() => None,
            Err(_) => Some(Trouble::NoNames(self.names.clone())),
        }
    }

    /// Whether names carry a hash.
    pub fn has_hashes(&self) -> bool {
        self.names.exists()
    }

    /// The folder, as Leptos takes it.
    pub fn root(&self) -> Option<&str> {
        Path::to_str(&self.folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let site = Site { folder: at("site"), names: at("hash.txt") };
        assert_eq!(site.trouble(), Some(Trouble::NoFolder(at("site"))));
        fs::create_dir_all(at("site/pkg")).unwrap();
        assert_eq!(site.trouble(), Some(Trouble::NoFolder(at("site"))), "it is empty");
        for file in ["ledger.abc.js", "ledger.def.css"] {
            fs::write(at("site/pkg").join(file), "").unwrap();
        }
        assert_eq!(site.trouble(), Some(Trouble::NoNames(at("hash.txt"))));
        let said = site.trouble().unwrap().to_string();
        assert!(said.contains("hash.txt"), "{said}");
        fs::write(at("hash.txt"), "js: abc\ncss: def\n").unwrap();
        assert_eq!(site.trouble(), None);
        fs::write(at("hash.txt"), "js: older\ncss: def\n").unwrap();
        assert!(matches!(site.trouble(), Some(Trouble::OtherBuild(_))));
        fs::remove_file(at("hash.txt")).unwrap();
        fs::write(at("site/pkg/ledger.js"), "").unwrap();
        assert_eq!(site.trouble(), None, "a build without hashes");
    }
}
