//! The server of files, from Linux's side: over a port of the host and over a TAP interface in a namespace of the test's own, by sockets and by curl.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::network::{bytes, can_make_interfaces, in_a_namespace, ip};
use crate::running::{Running, say};
use crate::test;

pub fn tests() -> Vec<Trial> {
    let can_run = rustix::process::geteuid().is_root() && can_make_interfaces();
    let has_curl = Command::new("curl").arg("--version").output().is_ok();
    let network_test = |name, body| test(name, body).with_ignored_flag(!can_run);
    vec![
        network_test("files_of_any_length_are_given_over_a_port_of_the_host", || {
            files(&["http-host", "--net", "host:8080=80"], "127.0.0.1:8080");
        }),
        network_test("files_are_given_over_tcp_in_user_space", || {
            files(&["http", "--net", "tap:hl0"], "10.99.0.2:80");
        }),
        network_test("curl_gets_files_parts_of_them_and_what_it_has_not_yet", curl)
            .with_ignored_flag(!can_run || !has_curl),
        network_test("nothing_outside_of_the_directory_is_given", outside),
        network_test("what_is_changed_or_removed_is_seen_within_the_time_that_is_said", changes),
        network_test("many_connections_at_once_and_slow_readers_keep_nobody_waiting", many),
        network_test("who_is_slow_or_silent_is_ended_and_room_is_made_for_others", limits),
        network_test("a_server_that_was_killed_serves_again", killed),
        network_test("a_directory_is_needed_and_a_wrong_argument_said", refused),
    ]
}

const PORTS: &str = include_str!("../../../programs/systems/http-host.toml");
const HOST: &str = "127.0.0.1:8080";
const NET: [&str; 4] = ["--net", "host:8080=80", "--tier", "shared"];
/// What never takes so long, but for an answer that does not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with some files.
fn site() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    // The machine has not root's power over others' files.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let write = |name: &str, contents: &[u8]| fs::write(folder.path().join(name), contents).unwrap();
    write("empty.txt", b"");
    write("hello.html", b"<p>hello</p>");
    write("index.html", b"the index");
    for sub in ["sub", "bare"] {
        fs::create_dir(folder.path().join(sub)).unwrap();
    }
    write("sub/index.html", b"the index of sub");
    write("bare/a b.txt", b"spaced");
    write(".hidden", b"secret");
    folder
}

/// The system on the host's port with these arguments instead, of this folder.
fn machine_with(folder: &Path, arguments: &str) -> Running {
    let system = PORTS.replace("\"cache=16m\"", &format!("\"cache=16m\", {arguments}"));
    ip("link set lo up");
    let mut running = Running::of(&system, &[&NET[..], &["--dir", folder.to_str().unwrap()]].concat());
    running.hear("serves files on port 80");
    running
}

fn connect(address: &str) -> TcpStream {
    let address: SocketAddr = address.parse().unwrap();
    let stream = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// An answer: status, fields in small letters, content.
#[derive(Debug)]
struct Heard {
    status: u16,
    fields: Vec<(String, String)>,
    content: Vec<u8>,
}

impl Heard {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Hears one answer; `bare`: one without a content, whatever it announces.
fn hear(reader: &mut impl BufRead, bare: Bare) -> Heard {
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    let first = line();
    let status = first.split(' ').nth(1).unwrap_or_else(|| panic!("an answer: {first:?}")).parse().unwrap();
    let mut fields = Vec::new();
    loop {
        let line = line();
        let Some((name, value)) = line.split_once(": ") else { break };
        fields.push((name.to_lowercase(), value.to_owned()));
    }
    let mut heard = Heard { status, fields, content: Vec::new() };
    if bare == Bare::No && status != 304 {
        let length = heard.field("content-length").unwrap_or("0").parse().unwrap();
        heard.content = vec![0; length];
        reader.read_exact(&mut heard.content).unwrap();
    }
    heard
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bare {
    Yes,
    No,
}

/// Asks on a connection that goes on.
fn ask(stream: &TcpStream, request: &str) -> Heard {
    let mut writer = stream;
    writer.write_all(request.as_bytes()).unwrap();
    let bare = if request.starts_with("HEAD") { Bare::Yes } else { Bare::No };
    hear(&mut BufReader::new(stream), bare)
}

fn get(stream: &TcpStream, path: &str) -> Heard {
    ask(stream, &format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n"))
}

/// Asks on a connection of its own.
fn get_once(path: &str) -> Heard {
    get(&connect(HOST), path)
}

fn stop(mut running: Running) {
    assert_eq!(say(&["stop"]), (String::new(), String::new(), 0));
    assert_eq!(running.code(), 0, "{}", running.heard);
}

/// Of a system as it comes with the command.
fn files(system: &[&str], address: &str) {
    let folder = site();
    // Within one message and over the bound of what is kept in memory; of many pieces.
    let largest = if system[0] == "http" { 2_000_000 } else { 100_000_000 };
    let lengths = [1, 1_024, 8_192, 8_193, 49_152, 49_153, 300_000, largest];
    for length in lengths {
        fs::write(folder.path().join(format!("{length}.bin")), bytes(length, length)).unwrap();
    }
    in_a_namespace(|| {
        ip("link set lo up");
        if system[0] == "http" {
            ip("tuntap add dev hl0 mode tap");
            ip("addr add 10.99.0.1/24 dev hl0");
            ip("link set hl0 up");
        }
        let given = ["--tier", "shared", "--dir", folder.path().to_str().unwrap()];
        let mut running = Running::start(&[&["run"], system, &given].concat(), None);
        running.hear("serves files on port 80");
        let stream = connect(address);
        // From the host, and from memory.
        for _ in 0..2 {
            for length in lengths {
                let heard = get(&stream, &format!("/{length}.bin"));
                assert_eq!(
                    (heard.status, heard.field("content-type")),
                    (200, Some("application/octet-stream"))
                );
                assert!(heard.content == bytes(length, length), "{length} bytes are others");
                let head = ask(&stream, &format!("HEAD /{length}.bin HTTP/1.1\r\nHost: x\r\n\r\n"));
                assert_eq!((head.status, head.field("content-length")), (200, Some(&*length.to_string())));
            }
            assert_eq!(get(&stream, "/empty.txt").content, b"");
            assert_eq!(get(&stream, "/").content, b"the index");
            assert_eq!(get(&stream, "/sub/?query").content, b"the index of sub");
            assert_eq!(get(&stream, "/bare/a%20b.txt").content, b"spaced");
        }
        let moved = get(&stream, "/sub?a=b");
        assert_eq!((moved.status, moved.field("location")), (301, Some("/sub/?a=b")));
        for (path, status) in [
            ("/none", 404),
            ("/bare/", 404),
            ("/hello.html/", 404),
            ("/hello.html/x", 404),
            ("/.hidden", 404),
        ] {
            assert_eq!(get(&stream, path).status, status, "{path}");
        }
        // Parts of what is in memory, and of what is not.
        for (path, length) in [("/1024.bin", 1_024), (&*format!("/{largest}.bin"), largest)] {
            let all = bytes(length, length);
            let part =
                ask(&stream, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nRange: bytes=100-199\r\n\r\n"));
            assert_eq!(part.field("content-range"), Some(&*format!("bytes 100-199/{length}")));
            assert_eq!((part.status, &part.content[..]), (206, &all[100..200]));
            let end = ask(&stream, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nRange: bytes=-10\r\n\r\n"));
            assert_eq!(end.content, all[length - 10..]);
            let two = ask(&stream, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-4,-5\r\n\r\n"));
            let boundary =
                two.field("content-type").unwrap().strip_prefix("multipart/byteranges; boundary=").unwrap();
            let parts: Vec<_> =
                two.content.windows(boundary.len()).filter(|part| *part == boundary.as_bytes()).collect();
            assert_eq!((two.status, parts.len()), (206, 3));
            let has = |part: &[u8]| two.content.windows(part.len()).any(|window| window == part);
            assert!(
                has(&[b"\r\n\r\n", &all[..5], b"\r\n--"].concat())
                    && has(&[b"\r\n\r\n", &all[length - 5..], b"\r\n--"].concat())
            );
            let beyond =
                ask(&stream, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nRange: bytes={length}-\r\n\r\n"));
            assert_eq!(
                (beyond.status, beyond.field("content-range")),
                (416, Some(&*format!("bytes */{length}")))
            );
        }
        // A pipeline: answers in its order.
        let paths = ["/sub/", "/none", "/", "/49153.bin", "/hello.html"];
        let requests: String =
            paths.iter().map(|path| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).collect();
        let mut writer = &stream;
        writer.write_all(requests.repeat(20).as_bytes()).unwrap();
        let mut reader = BufReader::new(&stream);
        for _ in 0..20 {
            let statuses =
                paths.map(|_| hear(&mut reader, Bare::No)).map(|heard| (heard.status, heard.content.len()));
            assert_eq!(statuses, [(200, 16), (404, 14), (200, 9), (200, 49_153), (200, 12)]);
        }
        drop(reader);
        // A body is let go, in chunks too; other methods are refused, and the connection goes on.
        let put = ask(
            &stream,
            "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        );
        assert_eq!((put.status, put.field("allow")), (405, Some("GET, HEAD, OPTIONS")));
        assert_eq!(get(&stream, "/").status, 200);
        // What cannot be told apart ends it, when it is said.
        let bad = ask(
            &stream,
            "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        );
        assert_eq!((bad.status, bad.field("connection")), (400, Some("close")));
        let mut stream = stream;
        assert_eq!(stream.read(&mut [0]).unwrap(), 0, "it ends");
        // HTTP/1.0 ends at once.
        let old = connect(address);
        assert_eq!(ask(&old, "GET / HTTP/1.0\r\n\r\n").content, b"the index");
        assert_eq!((&old).read(&mut [0]).unwrap(), 0, "it ends");
        let metrics = get(&connect(address), "/.machine");
        let metrics: serde_json::Value = serde_json::from_slice(&metrics.content).unwrap();
        assert!(metrics["server"]["answers"]["200"].as_u64() > Some(100), "{metrics}");
        assert_eq!(metrics["machine"]["cores"], 1, "{metrics}");
        let cells = metrics["machine"]["cells"].as_array().unwrap();
        let ours = cells.iter().find(|cell| cell["name"] == "http").unwrap();
        assert_eq!((&ours["state"], &ours["life"]), (&"running".into(), &1.into()), "{metrics}");
        stop(running);
    });
}

fn curl() {
    let folder = site();
    let large = bytes(3_000_000, 1);
    fs::write(folder.path().join("large"), &large).unwrap();
    in_a_namespace(|| {
        let running = machine_with(folder.path(), "\"log=no\"");
        let got = tempfile::tempdir().unwrap();
        let curl = |arguments: &[&str]| {
            let usual = ["-sS", "--max-time", "60", "-w", "%{http_code} %{num_connects}", "--output"];
            let to = got.path().join("file");
            let done = Command::new("curl").args(usual).arg(&to).args(arguments).output().unwrap();
            assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
            (String::from_utf8(done.stdout).unwrap(), fs::read(to).unwrap_or_default())
        };
        let url = |path: &str| format!("http://{HOST}{path}");
        assert_eq!(curl(&[&url("/large")]), ("200 1".to_owned(), large.clone()));
        assert_eq!(curl(&["--http1.0", &url("/hello.html")]).1, b"<p>hello</p>");
        assert_eq!(
            curl(&["-r", "1000000-", &url("/large")]),
            ("206 1".to_owned(), large[1_000_000..].to_vec())
        );
        // A file of which a part is there already.
        fs::write(got.path().join("file"), &large[..2_000_000]).unwrap();
        assert_eq!(curl(&["-C", "-", &url("/large")]), ("206 1".to_owned(), large.clone()));
        assert_eq!(curl(&["-L", &url("/sub")]), ("200 1".to_owned(), b"the index of sub".to_vec()));
        // What it has: by the tag, which a file has a second after it was changed, and by the date.
        let began = Instant::now();
        while get_once("/hello.html").field("etag").is_none() {
            assert!(began.elapsed() < PATIENCE);
        }
        let tag = got.path().join("tag");
        let tag = tag.to_str().unwrap();
        curl(&["--etag-save", tag, &url("/hello.html")]);
        fs::remove_file(got.path().join("file")).unwrap();
        let (said, _) = curl(&["--etag-compare", tag, &url("/hello.html")]);
        assert_eq!(said, "304 1");
        let file = folder.path().join("hello.html");
        assert_eq!(curl(&["-z", file.to_str().unwrap(), &url("/hello.html")]).0, "304 1");
        // It asks whether it may send this much, and goes on when it may; and hears that it is too much.
        fs::write(got.path().join("body"), bytes(900_000, 2)).unwrap();
        let body = format!("@{}", got.path().join("body").display());
        let posts = ["-X", "GET", "-H", "Expect: 100-continue", "--data-binary", &body, &url("/hello.html")];
        assert_eq!(curl(&posts), ("200 1".to_owned(), b"<p>hello</p>".to_vec()));
        fs::write(got.path().join("body"), bytes(2_000_000, 2)).unwrap();
        assert!(curl(&posts).0.starts_with("413"));
        stop(running);
    });
}

fn outside() {
    let (folder, other) = (site(), site());
    fs::write(other.path().join("secret"), b"secret").unwrap();
    let secret = other.path().join("secret");
    let at = |name: &str| folder.path().join(name);
    symlink(&secret, at("absolute")).unwrap();
    let up = Path::new("..").join(other.path().file_name().unwrap()).join("secret");
    symlink(&up, at("relative")).unwrap();
    symlink(other.path(), at("directory")).unwrap();
    symlink("/", at("root")).unwrap();
    symlink("sub/index.html", at("inside")).unwrap();
    symlink("loop", at("loop")).unwrap();
    fs::write(at("closed"), b"closed").unwrap();
    fs::set_permissions(at("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        at("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o666),
        0,
    )
    .unwrap();
    in_a_namespace(|| {
        let running = machine_with(folder.path(), "\"list=yes\"");
        let name = other.path().file_name().unwrap().to_str().unwrap();
        for path in [
            "/absolute",
            "/relative",
            "/directory/secret",
            "/directory/",
            "/root/etc/passwd",
            "/loop",
            "/closed",
            "/pipe",
            &format!("/../{name}/secret"),
            &format!("/%2e%2e/{name}/secret"),
            &format!("/sub/../../{name}/secret"),
            &format!("/..%2f{name}%2fsecret"),
            &format!("/sub/%2e%2e%2f%2e%2e%2f{name}/secret"),
            &format!("/{}", secret.display()),
        ] {
            let heard = get_once(path);
            assert_eq!((heard.status, &heard.content[..]), (404, &b"404 Not Found\n"[..]), "{path}");
        }
        assert_eq!(get_once("/a%00b").status, 400);
        assert_eq!(get_once("/inside").content, b"the index of sub");
        let list = String::from_utf8(get_once("/bare/").content).unwrap();
        assert!(list.contains("<a href=\"./a%20b.txt\">a b.txt</a>") && !list.contains("hidden"), "{list}");
        stop(running);
    });
}

/// Asks until it hears this; how long that took.
fn await_answer(stream: &TcpStream, path: &str, expected: (u16, &[u8])) -> Duration {
    let began = Instant::now();
    loop {
        let heard = get(stream, path);
        if (heard.status, &heard.content[..]) == expected {
            return began.elapsed();
        }
        assert!(began.elapsed() < PATIENCE, "{path} is {heard:?}");
    }
}

fn changes() {
    let folder = site();
    in_a_namespace(|| {
        // Looked at each time: what is changed is seen at once.
        let running = machine_with(folder.path(), "\"fresh=0\"");
        let stream = connect(HOST);
        let file = folder.path().join("file");
        for round in 0..20 {
            // Of one length, and often within one tick of the host's clock.
            let contents = format!("{round:03}");
            fs::write(&file, &contents).unwrap();
            assert_eq!(get(&stream, "/file").content, contents.as_bytes());
        }
        // Another file in its place with the same times and length.
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        for (path, contents) in [(&old, "old"), (&new, "new")] {
            fs::write(path, contents).unwrap();
            fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
        }
        let first = get(&stream, "/old");
        fs::rename(&new, &old).unwrap();
        let second = get(&stream, "/old");
        assert_eq!((&first.content[..], &second.content[..]), (&b"old"[..], &b"new"[..]));
        // When it has been as it is for a while, it has a tag and a date.
        let began = Instant::now();
        let date = loop {
            let heard = get(&stream, "/old");
            match heard.field("last-modified") {
                Some(date) if heard.field("etag").is_some() => break date.to_owned(),
                _ => assert!(began.elapsed() < PATIENCE, "{heard:?}"),
            }
        };
        assert_eq!(date, "Sun, 09 Sep 2001 01:46:40 GMT");
        fs::remove_file(&old).unwrap();
        assert_eq!(get(&stream, "/old").status, 404);
        // A file that becomes a directory.
        fs::create_dir(&old).unwrap();
        assert_eq!(get(&stream, "/old").status, 301);
        // One that gets shorter while it is sent: what was announced does not come, and the connection ends.
        let large = folder.path().join("large");
        fs::write(&large, bytes(50_000_000, 0)).unwrap();
        let reader = connect(HOST);
        (&reader).write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut some = [0; 1_000];
        (&reader).read_exact(&mut some).unwrap();
        fs::File::options().write(true).open(&large).unwrap().set_len(1_000).unwrap();
        let mut rest = Vec::new();
        // It ends, or is reset.
        let _ = (&reader).read_to_end(&mut rest);
        assert!(rest.len() < 50_000_000);
        assert_eq!(get(&stream, "/").status, 200);
        stop(running);
        // Kept for so long, once it was not changed for a second: not looked at before.
        let running = machine_with(folder.path(), "\"fresh=600000\"");
        let stream = connect(HOST);
        fs::write(&file, "before").unwrap();
        std::thread::sleep(Duration::from_millis(1_500));
        assert_eq!(get(&stream, "/file").content, b"before");
        fs::write(&file, "after").unwrap();
        assert_eq!(get(&stream, "/file").content, b"before");
        stop(running);
        // And looked at when that time is over.
        let running = machine_with(folder.path(), "\"fresh=1500\"");
        let stream = connect(HOST);
        fs::write(&file, "before").unwrap();
        std::thread::sleep(Duration::from_millis(1_500));
        assert_eq!(get(&stream, "/file").content, b"before");
        fs::write(&file, "after").unwrap();
        await_answer(&stream, "/file", (200, b"after"));
        fs::remove_file(&file).unwrap();
        await_answer(&stream, "/file", (404, b"404 Not Found\n"));
        stop(running);
    });
}

fn many() {
    let folder = site();
    let large = bytes(20_000_000, 4);
    fs::write(folder.path().join("large"), &large).unwrap();
    in_a_namespace(|| {
        let running = machine_with(folder.path(), "\"connections=300\"");
        // Some ask for more than is on its way at once, and read nothing.
        let slow: Vec<_> = (0..20)
            .map(|_| {
                let stream = connect(HOST);
                (&stream).write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
                stream
            })
            .collect();
        let open: Vec<_> = (0..200).map(|_| connect(HOST)).collect();
        // All are open, and all have asked before any answer is heard.
        for round in 0..5 {
            for (number, mut stream) in open.iter().enumerate() {
                let path = if (number + round) % 2 == 0 { "/hello.html" } else { "/empty.txt" };
                stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
            }
            for (number, stream) in open.iter().enumerate() {
                let expected: &[u8] = if (number + round) % 2 == 0 { b"<p>hello</p>" } else { b"" };
                let heard = hear(&mut BufReader::new(stream), Bare::No);
                assert_eq!((heard.status, &heard.content[..]), (200, expected));
            }
        }
        // Whoever was slow has all of it in the end.
        for stream in slow.iter().take(3) {
            assert!(hear(&mut BufReader::new(stream), Bare::No).content == large);
        }
        stop(running);
    });
}

fn limits() {
    let folder = site();
    fs::write(folder.path().join("large"), bytes(20_000_000, 4)).unwrap();
    in_a_namespace(|| {
        let running = machine_with(folder.path(), "\"patience=2\", \"idle=4\"");
        // Half a request, and then nothing; byte by byte is no better.
        let mut half = connect(HOST);
        half.write_all(b"GET / HT").unwrap();
        let heard = hear(&mut BufReader::new(&half), Bare::No);
        assert_eq!((heard.status, heard.field("connection")), (408, Some("close")));
        assert_eq!(half.read(&mut [0]).unwrap(), 0);
        // Nothing at all, and nothing more.
        let mut silent = connect(HOST);
        assert_eq!(silent.read(&mut [0]).unwrap(), 0, "it is closed without a word");
        let mut once = connect(HOST);
        assert_eq!(get(&once, "/").status, 200);
        assert_eq!(once.read(&mut [0]).unwrap(), 0);
        // A reader that takes nothing.
        let mut reader = connect(HOST);
        reader.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        drop((half, silent, once));
        let metrics = || {
            let metrics: serde_json::Value = serde_json::from_slice(&get_once("/.machine").content).unwrap();
            metrics["server"].clone()
        };
        let began = Instant::now();
        // The one that asks is open itself.
        while metrics()["open"] != 1 {
            assert!(began.elapsed() < PATIENCE, "{}", metrics());
        }
        let mut taken = Vec::new();
        let _ = reader.read_to_end(&mut taken);
        assert!(taken.len() < 20_000_000, "it was ended");
        let counted = metrics();
        assert!(counted["timed_out"].as_u64() >= Some(4), "{counted}");
        assert_eq!(counted["answers"]["408"], 1, "{counted}");
        // Lengths.
        for (request, status) in [
            (format!("GET /{} HTTP/1.1\r\n", "x".repeat(9_000)), 414),
            (format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000)), 431),
            ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n".to_owned(), 413),
            ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
            ("GET / HTTP/1.1\nHost: x\n\n".to_owned(), 400),
        ] {
            let stream = connect(HOST);
            let heard = ask(&stream, &request);
            assert_eq!(heard.status, status, "{}", &request[..20]);
        }
        stop(running);
        let running = machine_with(folder.path(), "\"connections=3\"");
        // Three that have nothing under way make room for a fourth.
        let idle: Vec<_> = (0..3).map(|_| connect(HOST)).collect();
        for stream in &idle {
            assert_eq!(get(stream, "/").status, 200);
        }
        assert_eq!(get_once("/").status, 200);
        let counted = metrics();
        assert!(counted["displaced"].as_u64() > Some(0), "{counted}");
        stop(running);
    });
}

fn killed() {
    let folder = site();
    in_a_namespace(|| {
        let mut running = machine_with(folder.path(), "\"log=yes\"");
        let pid = running.pid().to_string();
        for (cell, life) in [("http", 2), ("net", 2)] {
            let stream = connect(HOST);
            assert_eq!(get(&stream, "/").status, 200);
            running.hear(" GET / 200");
            assert_eq!(say(&["kill", cell, "--machine", &pid]).2, 0);
            running.hear("serves files on port 80");
            // Its connection is gone, and said to be.
            let mut left = Vec::new();
            let _ = (&stream).read_to_end(&mut left);
            assert_eq!(left, b"");
            assert_eq!(get_once("/sub/").content, b"the index of sub");
            let metrics: serde_json::Value = serde_json::from_slice(&get_once("/.machine").content).unwrap();
            let cells = metrics["machine"]["cells"].as_array().unwrap();
            let found = cells.iter().find(|found| found["name"] == cell).unwrap();
            assert_eq!(found["life"], life, "{metrics}");
        }
        stop(running);
    });
}

fn refused() {
    in_a_namespace(|| {
        ip("link set lo up");
        let (_, said, code) = say(&["run", "http-host", "--net", "host:8080=80", "--tier", "shared"]);
        assert!(code == 64 && said.contains("say `--dir FOLDER`"), "{code}: {said}");
        let folder = site();
        for (arguments, said) in [
            ("\"prot=80\"", "`prot=80` is no setting; there are port="),
            ("\"connections=0\"", "would serve nobody"),
            ("\"cache=x\"", "it is a number of bytes"),
            ("\"list=maybe\"", "it is yes or no"),
            ("\"root=/none\"", "root=/none is no directory that it is granted"),
        ] {
            let system = PORTS.replace("\"cache=16m\"", arguments);
            let given = ["--dir", folder.path().to_str().unwrap()];
            let mut running = Running::of(&system, &[&NET[..], &given].concat());
            running.hear(said);
            stop(running);
        }
    });
}
