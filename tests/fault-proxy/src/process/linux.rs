//! Linux: the kernel's table of connections names a socket, and `/proc` the process that holds it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, Signal};
use rustix::process::{getpid, pidfd_open, pidfd_send_signal, prlimit};

use super::ProcessError;

/// The variable by which a function knows its own name (AWS, "Defined runtime environment variables").
const FUNCTION_NAME: &[u8] = b"AWS_LAMBDA_FUNCTION_NAME=";

/// A process on this machine. It is held by a handle, so that another one that is given its number later is never meant.
#[derive(Debug)]
pub(crate) struct Process {
    pid: Pid,
    handle: OwnedFd,
    /// The file name of what it runs.
    program: String,
    function: Option<String>,
}

/// A process to which something may be done.
#[derive(Debug)]
pub(crate) struct Victim(Arc<Process>);

/// A process that is stopped as long as this is kept.
#[derive(Debug)]
pub(crate) struct Suspended(Victim);

impl Process {
    /// The process whose socket at `peer` is connected with ours at `here`.
    pub(crate) fn calling_from(peer: SocketAddr, here: SocketAddr) -> Result<Self, ProcessError> {
        let inode = socket(peer, here)?;
        let link = PathBuf::from(format!("socket:[{inode}]"));
        let (pid, held) = holder(link.as_os_str())?;
        let process = Self::of(pid)?;
        // It may have ended, and its number been given away, before there was a handle.
        if is_link_to(&held, link.as_os_str()) {
            Ok(process)
        } else {
            Err(ProcessError::NotFound)
        }
    }

    fn of(pid: Pid) -> Result<Self, ProcessError> {
        let folder = PathBuf::from(format!("/proc/{}", pid.as_raw_nonzero()));
        let program = fs::read_link(folder.join("exe")).map_err(|cause| unreadable(folder.join("exe"), cause))?;
        let program = program.file_name().unwrap_or(program.as_os_str());
        let program = program.to_string_lossy().into_owned();
        let handle = pidfd_open(pid, PidfdFlags::empty()).map_err(|errno| ProcessError::Refused {
            intent: "hold",
            program: program.clone(),
            cause: errno.into(),
        })?;
        let environment = fs::read(folder.join("environ")).unwrap_or_default();
        Ok(Self {
            pid,
            handle,
            program,
            function: function(&environment),
        })
    }

    /// The name of the function; of the program where it is no function.
    pub(crate) fn name(&self) -> &str {
        self.function.as_ref().unwrap_or(&self.program)
    }

    /// The process as one to which something may be done.
    pub(crate) fn victim(self: &Arc<Self>) -> Result<Victim, ProcessError> {
        match spared(self.pid, &self.program) {
            None => Ok(Victim(Arc::clone(self))),
            Some(reason) => Err(ProcessError::Spared {
                program: self.program.clone(),
                reason,
            }),
        }
    }
}

impl Victim {
    pub(crate) fn kill(&self) -> Result<(), ProcessError> {
        self.signal("kill", Signal::KILL)
    }

    /// Stops it until the answer is dropped.
    pub(crate) fn suspend(self) -> Result<Suspended, ProcessError> {
        self.signal("stop", Signal::STOP)?;
        Ok(Suspended(self))
    }

    /// Lets it have no more memory than it has.
    pub(crate) fn exhaust(&self) -> Result<(), ProcessError> {
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        // The second also stops what was set aside, but is not used yet.
        for resource in [Resource::As, Resource::Data] {
            prlimit(Some(self.0.pid), resource, none).map_err(|errno| self.refused("limit", errno))?;
        }
        Ok(())
    }

    fn signal(&self, intent: &'static str, signal: Signal) -> Result<(), ProcessError> {
        pidfd_send_signal(&self.0.handle, signal).map_err(|errno| self.refused(intent, errno))
    }

    fn refused(&self, intent: &'static str, errno: rustix::io::Errno) -> ProcessError {
        ProcessError::Refused {
            intent,
            program: self.0.program.clone(),
            cause: errno.into(),
        }
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        // It may have been killed meanwhile.
        drop(self.0.signal("resume", Signal::CONT));
    }
}

/// Why nothing is done to a process.
fn spared(pid: Pid, program: &str) -> Option<&'static str> {
    if pid == getpid() {
        Some("it is the proxy itself")
    } else if pid == Pid::INIT {
        Some("it is the first process")
    } else if program.starts_with("python") {
        Some("it may be the emulator")
    } else {
        None
    }
}

fn function(environment: &[u8]) -> Option<String> {
    environment
        .split(|byte| *byte == 0)
        .find_map(|variable| variable.strip_prefix(FUNCTION_NAME))
        .map(|name| String::from_utf8_lossy(name).into_owned())
}

/// The number of the socket that is bound to `peer` and connected to `here`.
fn socket(peer: SocketAddr, here: SocketAddr) -> Result<u64, ProcessError> {
    for (path, local, remote) in places(peer, here) {
        let table = fs::read_to_string(path).map_err(|cause| unreadable(path.into(), cause))?;
        if let Some(inode) = inode(&table, &local, &remote) {
            return Ok(inode);
        }
    }
    Err(ProcessError::NotFound)
}

/// Where the kernel may list the connection, and how it writes both ends: an IPv4 connection may belong to an IPv6 socket.
fn places(peer: SocketAddr, here: SocketAddr) -> Vec<(&'static str, String, String)> {
    let written = |ip: &dyn Fn(IpAddr) -> String, end: SocketAddr| format!("{}:{:04X}", ip(end.ip()), end.port());
    let long = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => words(&ip.to_ipv6_mapped().octets()),
        IpAddr::V6(ip) => words(&ip.octets()),
    };
    let short = |ip: IpAddr| match ip.to_canonical() {
        IpAddr::V4(ip) => words(&ip.octets()),
        IpAddr::V6(ip) => words(&ip.octets()),
    };
    vec![
        ("/proc/net/tcp", written(&short, peer), written(&short, here)),
        ("/proc/net/tcp6", written(&long, peer), written(&long, here)),
    ]
}

/// An address as the kernel prints it: words of four bytes, each in the order of the machine.
fn words(octets: &[u8]) -> String {
    let (words, _none_left) = octets.as_chunks::<4>();
    words
        .iter()
        .map(|word| format!("{:08X}", u32::from_ne_bytes(*word)))
        .collect()
}

/// The socket in a table like `/proc/net/tcp` (proc_pid_net(5)); 0 there means that no process holds it any more.
fn inode(table: &str, local: &str, remote: &str) -> Option<u64> {
    table.lines().find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let is_it = fields.next() == Some(local) && fields.next() == Some(remote);
        let inode = fields.nth(6).filter(|_| is_it)?;
        inode.parse().ok().filter(|inode| *inode != 0)
    })
}

/// The process that holds `link`, and where. Processes that may not be looked into are passed over; functions were started last,
/// and are looked into first.
fn holder(link: &OsStr) -> Result<(Pid, PathBuf), ProcessError> {
    let entries = fs::read_dir("/proc").map_err(|cause| unreadable("/proc".into(), cause))?;
    let mut processes: Vec<i32> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    processes.sort_unstable();
    processes
        .into_iter()
        .rev()
        .find_map(|number| {
            let mut files = fs::read_dir(format!("/proc/{number}/fd")).ok()?.flatten();
            let held = files.find(|file| is_link_to(&file.path(), link))?;
            Some((Pid::from_raw(number)?, held.path()))
        })
        .ok_or(ProcessError::NotFound)
}

fn is_link_to(path: &Path, target: &OsStr) -> bool {
    fs::read_link(path).is_ok_and(|found| found.as_os_str() == target)
}

fn unreadable(path: PathBuf, cause: io::Error) -> ProcessError {
    ProcessError::Unreadable {
        path: path.display().to_string(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::process::{Child, Command};

    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:11DA 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 8001 1 0000000000000000 20 4 30 10 -1
   1: 0100007F:C350 0100007F:11DA 01 00000000:00000000 00:00000000 00000000     0        0 8002 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:C351 0100007F:11DA 06 00000000:00000000 00:00000000 00000000     0        0 0 1 0000000000000000 20 4 30 10 -1
";

    /// A child that does nothing for a minute, and does not outlive the test.
    struct Sleeper(Child);

    impl Sleeper {
        fn start() -> Self {
            Self(Command::new("sleep").arg("60").spawn().unwrap())
        }

        fn victim(&self) -> Victim {
            let pid = Pid::from_child(&self.0);
            Arc::new(Process::of(pid).unwrap()).victim().unwrap()
        }

        fn state(&self) -> String {
            let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
            let (_, after_name) = stat.rsplit_once(") ").unwrap();
            after_name[..1].to_owned()
        }

        fn becomes(&self, state: &str) {
            while self.state() != state {
                std::thread::yield_now();
            }
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            drop(self.0.kill());
            drop(self.0.wait());
        }
    }

    #[test]
    fn the_callers_end_of_a_connection_is_found() {
        assert_eq!(inode(TABLE, "0100007F:C350", "0100007F:11DA"), Some(8002));
    }

    #[test]
    fn a_connection_that_nobody_holds_has_no_process() {
        assert_eq!(inode(TABLE, "0100007F:C351", "0100007F:11DA"), None);
    }

    #[test]
    fn an_ipv4_connection_may_belong_to_an_ipv6_socket() {
        let written: Vec<_> = places("127.0.0.1:50000".parse().unwrap(), "127.0.0.1:4570".parse().unwrap())
            .into_iter()
            .map(|(_, local, _)| local)
            .collect();
        assert_eq!(written, ["0100007F:C350", "0000000000000000FFFF00000100007F:C350"]);
    }

    #[test]
    fn a_caller_is_found_by_its_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _caller = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, peer) = listener.accept().unwrap();
        let process = Process::calling_from(peer, stream.local_addr().unwrap()).unwrap();
        assert_eq!(process.pid, getpid());
    }

    #[test]
    fn a_function_is_known_by_its_own_name() {
        let environment = b"PATH=/bin\0AWS_LAMBDA_FUNCTION_NAME=e-com67-email-sender\0HOME=/\0";
        assert_eq!(function(environment).as_deref(), Some("e-com67-email-sender"));
    }

    #[test]
    fn who_is_no_function_is_known_by_its_program() {
        let program = std::env::current_exe().unwrap();
        let process = Process::of(getpid()).unwrap();
        assert_eq!(Some(OsStr::new(process.name())), program.file_name());
    }

    #[test]
    fn the_proxy_does_nothing_to_itself() {
        assert_eq!(spared(getpid(), "fault-proxy"), Some("it is the proxy itself"));
    }

    #[test]
    fn the_first_process_is_spared() {
        assert_eq!(spared(Pid::INIT, "systemd"), Some("it is the first process"));
    }

    #[test]
    fn python_is_spared() {
        let pid = Pid::from_raw(4_000_000).unwrap();
        assert_eq!(spared(pid, "python3.11"), Some("it may be the emulator"));
    }

    #[test]
    fn a_function_is_not_spared() {
        assert_eq!(spared(Pid::from_raw(4_000_000).unwrap(), "bootstrap"), None);
    }

    #[test]
    fn whoever_is_forgotten_while_suspended_goes_on() {
        let sleeper = Sleeper::start();
        sleeper.becomes("S");
        let suspended = sleeper.victim().suspend().unwrap();
        sleeper.becomes("T");
        drop(suspended);
        sleeper.becomes("S");
    }
}
