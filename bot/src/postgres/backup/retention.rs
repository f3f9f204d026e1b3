//! Deletes old backups after a new one is complete.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    BackupError, Manifest,
    file::{prefix, remove_leftover},
};

/// Keep the `keep` newest backups of `schema` in `directory`. Files without a manifest, with that of another schema, or with a different
/// name are left alone. Returns the deleted files.
pub(super) fn prune(directory: &Path, schema: &str, keep: usize) -> Result<Vec<PathBuf>, BackupError> {
    let prefix = prefix(schema);
    let mut backups = Vec::new();
    for entry in fs::read_dir(directory).map_err(BackupError::io("read", directory))? {
        let path = entry.map_err(BackupError::io("read", directory))?.path();
        let ours = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with(&prefix));
        if !ours {
            continue;
        }
        remove_leftover(&path);
        let Some(file) = Manifest::file_of(&path) else {
            continue;
        };
        let named = |manifest: &Manifest| {
            manifest.schema == schema
                && file
                    .file_name()
                    .is_some_and(|name| name == manifest.file.as_str())
        };
        if let Ok(manifest) = Manifest::read(&file)
            && named(&manifest)
            && file.extension().is_some_and(|ending| ending == "dump")
        {
            backups.push((manifest.started_at, file));
        }
    }
    backups.sort_unstable_by(|one, other| other.cmp(one));
    let mut removed = Vec::new();
    for (_, file) in backups.into_iter().filter(|(_, file)| file.exists()).skip(keep) {
        // The manifest is deleted last: as long as it exists, the next backup finds the files that remain to be deleted.
        for path in [file.clone(), Manifest::path(&file)] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(BackupError::io("remove", path)(error));
                }
                _ => {}
            }
        }
        removed.push(file);
    }
    Ok(removed)
}
