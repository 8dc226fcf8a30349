/// One file: for the user, and for the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileName {
    /// What the user would write: the value of the `file` column, and what errors say.
    pub(crate) shown: String,
    /// The absolute path of a file of this machine.
    pub(crate) path: Option<String>,
}

/// Turns locations back into what the user wrote: the value of the `file` column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FileNames {
    /// What locations begin with: an absolute directory with a `/` at the end, without the
    /// first `/`, as object stores spell it.
    pub(crate) base: String,
    /// What stands there in the query: `logs/`, `../`, `/var/log/`, `s3://bucket/` or nothing.
    pub(crate) shown: String,
}

impl FileNames {
    /// The name of a location, as the user would write it.
    pub(crate) fn name(&self, location: &str) -> String {
        match location.strip_prefix(&self.base) {
            Some(rest) => format!("{}{rest}", self.shown),
            None => format!("/{location}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelled_as_in_the_query() {
        let names = |base: &str, shown: &str| FileNames { base: base.into(), shown: shown.into() };
        for (names, location, name) in [
            (names("home/me/logs/", "logs/"), "home/me/logs/a.log", "logs/a.log"),
            (names("home/me/", ""), "home/me/a.log", "a.log"),
            (names("home/", "../"), "home/x/y", "../x/y"),
            (names("", "/"), "a.log", "/a.log"),
            (names("", "s3://bucket/"), "x/a.log", "s3://bucket/x/a.log"),
            (names("home/me/", ""), "elsewhere/a.log", "/elsewhere/a.log"),
        ] {
            assert_eq!(names.name(location), name);
        }
    }
}
