//! Web servers as processes, asked by `wrk` over the loopback interface: what `http` compares.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hallows_load::{ProcessTime, free_port};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::contestant::{Contestant, Description};
use crate::cores::{Cores, Priority, on_core};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;
use crate::whole_command::find;

/// The file that is asked for.
const NAME: &str = "file.txt";
/// Its length in bytes.
const FILE_BYTES: usize = 1_024;
/// A machine of ours may have to compile its programs first.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a server has to end when it is asked to.
const CONSIDERATION: Duration = Duration::from_secs(5);
/// Between two looks whether it answers, or has ended.
const LOOK: Duration = Duration::from_millis(5);

/// What of nginx's configuration is not a path: one process that does all, everything in memory that it keeps there, nothing written.
const NGINX: &str = "worker_processes 1; master_process off; daemon off; events { worker_connections 4096; use epoll; multi_accept on; } \
                     access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_timeout 65; keepalive_requests 1000000000; \
                     open_file_cache max=1000 inactive=60s; open_file_cache_valid 60s; open_file_cache_min_uses 1";

/// A server of files.
pub struct WebServer<'a> {
    name: &'static str,
    configuration: String,
    cores_used: u32,
    start: Start<'a>,
}

/// How it is started.
type Start<'a> = Box<dyn Fn(&Place<'_>) -> Result<Command, BenchError> + 'a>;

/// Where a server is started.
pub struct Place<'p> {
    /// The port that it listens on, of 127.0.0.1.
    pub port: u16,
    /// The folder that it serves.
    pub site: &'p Path,
    /// A folder for what it needs itself.
    pub own: &'p Path,
    /// The turn's cores: the first is the client's, and for what looks after time.
    pub cores: &'p Cores,
}

impl<'a> WebServer<'a> {
    /// Ours: how it is set up, and how it is started.
    pub fn ours(
        configuration: impl Into<String>,
        start: impl Fn(&Place<'_>) -> Result<Command, BenchError> + 'a,
    ) -> Self {
        Self { name: "ours", configuration: configuration.into(), cores_used: 2, start: Box::new(start) }
    }

    /// nginx with one process.
    #[must_use]
    pub fn nginx() -> Self {
        Self {
            name: "nginx",
            configuration: format!("`{NGINX}`, on the second core"),
            cores_used: 1,
            start: Box::new(|place| {
                let program = find("nginx", "nginx-light")?;
                let file = place.own.join("nginx.conf");
                fs::write(&file, nginx(place)).map_err(BenchError::system("write nginx's configuration"))?;
                let mut command = Command::new(program);
                command.arg("-p").arg(place.own).arg("-c").arg(file).args(["-e", "stderr"]);
                Ok(command)
            }),
        }
    }
}

/// nginx's configuration.
fn nginx(place: &Place<'_>) -> String {
    let (main, http) = NGINX.split_once("} ").unwrap_or((NGINX, ""));
    let paths =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|path| format!("{path}_temp_path {path};"));
    format!(
        "{main}}}\npid nginx.pid;\nerror_log stderr crit;\nhttp {{ {http}; {} types {{ text/plain txt; }}\n\
         server {{ listen 127.0.0.1:{}; location / {{ root {}; }} }} }}\n",
        paths.join(" "),
        place.port,
        place.site.display()
    )
}

/// A server that runs; ended when it is dropped.
struct Running {
    child: Child,
    address: SocketAddr,
    contents: Vec<u8>,
    _folders: [tempfile::TempDir; 2],
}

impl Running {
    fn start(server: &WebServer<'_>, cores: &Cores) -> Result<Self, BenchError> {
        let folder = || tempfile::tempdir().map_err(BenchError::system("make a temporary folder"));
        let (site, own) = (folder()?, folder()?);
        let contents: Vec<u8> = (b' '..=b'~').cycle().take(FILE_BYTES).collect();
        fs::write(site.path().join(NAME), &contents).map_err(BenchError::system("write a file"))?;
        let port = free_port().map_err(wrong)?;
        let mut command = (server.start)(&Place { port, site: site.path(), own: own.path(), cores })?;
        let log = fs::File::create(own.path().join("log")).map_err(BenchError::system("make a file"))?;
        let output = log.try_clone().map_err(BenchError::system("share a file"))?;
        command.stdin(Stdio::null()).stdout(output).stderr(log);
        let mut spawn = || command.spawn().map_err(BenchError::system("start a server"));
        // Who uses one core inherits it; ours takes its own.
        let child = if server.cores_used == 1 {
            on_core(cores.second()?, Priority::Ordinary, spawn)?
        } else {
            cores.second()?;
            spawn()
        }?;
        let address = ([127, 0, 0, 1], port).into();
        let mut running = Self { child, address, contents, _folders: [site, own] };
        let begin = Instant::now();
        loop {
            if running.check().is_ok() {
                return Ok(running);
            }
            let has_ended = !matches!(running.child.try_wait(), Ok(None));
            if has_ended || begin.elapsed() > PATIENCE {
                let [_, own] = &running._folders;
                let said = fs::read_to_string(own.path().join("log")).unwrap_or_default();
                let what = if has_ended { "has ended" } else { "does not answer" };
                return Err(BenchError::Wrong(format!("{} {what}; it said: {said}", server.name)));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Asks for the file once, and looks at all of it.
    fn check(&self) -> Result<(), BenchError> {
        let ask = || -> std::io::Result<Vec<u8>> {
            let mut stream = TcpStream::connect_timeout(&self.address, CONSIDERATION)?;
            stream.set_read_timeout(Some(CONSIDERATION))?;
            stream.write_all(
                format!("GET /{NAME} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n").as_bytes(),
            )?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer)?;
            Ok(answer)
        };
        let answer = ask().map_err(BenchError::system("ask a server"))?;
        let is_well = answer.starts_with(b"HTTP/1.1 200 OK\r\n")
            && answer.ends_with(&[b"\r\n\r\n", &self.contents[..]].concat());
        if is_well { Ok(()) } else { Err(wrong(String::from_utf8_lossy(&answer))) }
    }

    /// Has wrk ask for the file on so many connections that go on; how many answers there were.
    fn load(&self, connections: usize, budget: Duration, cores: &Cores) -> Result<u64, BenchError> {
        let mut wrk = Command::new(find("wrk", "wrk")?);
        // It counts whole seconds.
        let seconds = budget.as_secs().max(1).to_string();
        wrk.args(["-t", "1", "-c", &connections.to_string(), "-d", &seconds, "--timeout", "10"]);
        wrk.arg(format!("http://{}/{NAME}", self.address));
        let run = || wrk.output().map_err(BenchError::system("start wrk"));
        let done = on_core(cores.first(), Priority::Ordinary, run)??;
        let said = String::from_utf8_lossy(&done.stdout);
        // Said only where there are some.
        if !done.status.success() || said.contains("Socket errors") || said.contains("Non-2xx") {
            return Err(BenchError::Wrong(format!(
                "wrk says: {said}{}",
                String::from_utf8_lossy(&done.stderr)
            )));
        }
        answered(&said).ok_or_else(|| BenchError::Wrong(format!("wrk says: {said}")))
    }
}

/// How many requests wrk says that were answered: `123 requests in 2.00s, …`.
fn answered(said: &str) -> Option<u64> {
    let count = said.lines().find_map(|line| line.split_once(" requests in "))?.0;
    count.trim().parse().ok().filter(|count| *count > 0)
}

fn wrong(what: impl std::fmt::Display) -> BenchError {
    BenchError::Wrong(what.to_string())
}

impl Drop for Running {
    fn drop(&mut self) {
        let begin = Instant::now();
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM);
        while matches!(self.child.try_wait(), Ok(None)) && begin.elapsed() < CONSIDERATION {
            std::thread::sleep(LOOK);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A contestant: what a request costs the server, in ns of its processor time, all its threads and processes together, while one thread asks as fast as it can.
pub struct PerRequest<'a> {
    server: WebServer<'a>,
    connections: usize,
}

impl<'a> PerRequest<'a> {
    /// On so many connections.
    #[must_use]
    pub const fn new(server: WebServer<'a>, connections: usize) -> Self {
        Self { server, connections }
    }
}

impl Contestant for PerRequest<'_> {
    fn describe(&self) -> Description {
        let WebServer { name, configuration, cores_used, .. } = &self.server;
        Description {
            name: (*name).to_owned(),
            configuration: configuration.clone(),
            cores_used: *cores_used,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        find("wrk", "wrk")?;
        let running = Running::start(&self.server, turn.cores)?;
        running.load(self.connections, Duration::from_secs(1), turn.cores)?;
        let before = ProcessTime::of(running.child.id());
        let answered = running.load(self.connections, turn.budget, turn.cores)?;
        let spent = ProcessTime::of(running.child.id()).since(&before).total;
        running.check()?;
        let spent_ns = u64::try_from(spent.as_nanos()).unwrap_or(u64::MAX);
        Ok(Samples::scaled(vec![spent_ns], 1.0 / answered as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::turn::Sampling;

    fn play(server: WebServer<'_>) -> Result<Vec<f64>, BenchError> {
        let (cores, clock) = (Cores::default_pair()?, Clock::calibrate()?);
        let budget = Duration::from_secs(1);
        let turn = Turn { cores: &cores, clock: &clock, sampling: Sampling::Single, budget, sample_limit: 1 };
        PerRequest::new(server, 3).turn(&turn).map(|samples| samples.values().collect())
    }

    /// Whether a host lacks what a contestant needs, and is told how to get it.
    fn is_told_what_is_missing(error: &BenchError) -> bool {
        let BenchError::Unavailable { remedy, .. } = error else { return false };
        remedy.contains("apt-get install") || remedy.contains("--cores")
    }

    #[test]
    fn nginx_is_asked_or_it_is_said_how_to_get_it() {
        match play(WebServer::nginx()) {
            // A request takes system calls.
            Ok(samples) => assert!(samples.len() == 1 && samples[0] > 500.0, "{samples:?}"),
            Err(error) => assert!(is_told_what_is_missing(&error), "{error}"),
        }
    }

    #[test]
    fn a_server_that_does_not_start_is_an_error_with_what_it_said() {
        let broken = WebServer::ours("none", |_| {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", "echo no such thing; exit 3"]);
            Ok(command)
        });
        let error = play(broken).expect_err("it ends");
        assert!(error.to_string().contains("no such thing") || is_told_what_is_missing(&error), "{error}");
    }

    #[test]
    fn what_wrk_says_is_read() {
        let said = "Running 1s test @ http://127.0.0.1:1/\n  1 threads and 3 connections\n  48035 requests in 1.10s, 59.03MB read\n";
        assert_eq!(answered(said), Some(48_035));
        assert_eq!(answered("  0 requests in 1.10s, 0.00B read\n"), None);
        assert_eq!(answered("unable to connect"), None);
    }
}
