//! The places of a system: those that every worker may use, and those of which no worker is given all for the sake of one file.

use std::fs;
use std::path::Path;

/// Programs and libraries of the system.
pub(super) const SYSTEM: [&str; 5] = ["/usr", "/bin", "/sbin", "/lib", "/lib64"];

/// Settings that programs read before they do anything: users, names, time, libraries, certificates. Keys lie beside
/// certificates, so those directories are not granted as a whole.
pub(super) const SETTINGS: [&str; 33] = [
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "default/locale",
    "fonts",
    "gai.conf",
    "group",
    "host.conf",
    "hosts",
    "java",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "locale.conf",
    "localtime",
    "mime.types",
    "networks",
    "nsswitch.conf",
    "os-release",
    "passwd",
    "perl",
    "pki/ca-trust",
    "pki/java",
    "pki/tls/cert.pem",
    "pki/tls/certs",
    "pki/tls/openssl.cnf",
    "protocols",
    "resolv.conf",
    "services",
    "ssl/cert.pem",
    "ssl/certs",
    "ssl/openssl.cnf",
];

/// What the kernel tells of the machine, and of nobody's processes.
pub(super) const MACHINE: [&str; 10] = [
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys",
    "/proc/uptime",
    "/proc/version",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
];

/// Devices that are nobody's.
pub(super) const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// Directories in which everybody keeps something: none is granted for the sake of one file in it.
const COMMON: [&str; 13] = [
    "/tmp",
    "/var/tmp",
    "/home",
    "/root",
    "/etc",
    "/srv",
    "/opt",
    "/mnt",
    "/media",
    "/var",
    "/var/lib",
    "/run",
    "/usr/local",
];

/// Whether a directory, whatever it is called here, is such a one, somebody's home, or the kernel's.
pub(super) fn is_common(directory: &Path) -> bool {
    let Ok(directory) = fs::canonicalize(directory) else { return true };
    let is = |path: &Path| fs::canonicalize(path).is_ok_and(|path| path == directory);
    directory.parent().is_none_or(|parent| parent == Path::new("/home"))
        || std::env::var_os("HOME").is_some_and(|home| is(Path::new(&home)))
        || COMMON.iter().any(|path| is(Path::new(path)))
        || is_of_the_kernel(&directory)
}

/// What is no file of anybody's, and in part the guardian's own memory.
pub(super) fn is_of_the_kernel(path: &Path) -> bool {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    // Files in memory are somebody's.
    let is_memory = path.starts_with("/dev/shm") && path != Path::new("/dev/shm");
    !is_memory && ["/proc", "/sys", "/dev"].iter().any(|root| path.starts_with(root))
}

#[cfg(test)]
mod tests {
    use super::super::project::project;
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn no_directory_in_which_everybody_keeps_something_is_granted_for_one_file() {
        let (_dir, root) = project();
        let home = PathBuf::from(std::env::var_os("HOME").unwrap());
        for path in [
            Path::new("/"),
            Path::new("/tmp"),
            Path::new("/tmp/../etc"),
            &home,
            &home.join("."),
            Path::new("/proc"),
            Path::new("/dev/shm"),
        ] {
            assert!(is_common(path), "{}", path.display());
        }
        assert!(!is_common(&root) && !is_common(&root.join("lib/..")));
        assert!(!is_of_the_kernel(Path::new("/dev/shm/own")) && is_of_the_kernel(Path::new("/dev/own")));
    }
}
