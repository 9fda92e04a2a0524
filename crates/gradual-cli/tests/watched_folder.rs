//! `gradual watch`: a page that follows runs, over plain HTTP.

mod common;

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::tempdir;

/// The program while it serves.
struct Watching {
    child: Child,
    /// `127.0.0.1:PORT`.
    address: String,
}

impl Watching {
    fn begin(dir: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gradual"))
            .arg("watch")
            .arg(dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").unwrap();
        let address = address.strip_suffix('/').unwrap().to_owned();
        assert!(address.starts_with("127.0.0.1:"), "{address}");
        Self { child, address }
    }

    fn connect(&self, path: &str, host: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        stream
    }

    /// Status line, headers and body of an answer.
    fn ask(&self, path: &str, host: &str) -> String {
        let mut answer = String::new();
        self.connect(path, host)
            .read_to_string(&mut answer)
            .unwrap();
        answer
    }

    fn get(&self, path: &str) -> String {
        let answer = self.ask(path, &self.address);
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        answer
    }

    /// The changing part once it holds `words`.
    fn until(&self, words: &str) -> String {
        let began = Instant::now();
        loop {
            let drawn = self.get("/drawn");
            if drawn.contains(words) {
                return drawn;
            }
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "{words} is not in {drawn}"
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line(step: u64) -> String {
    let skill = step as f64 / 100.0;
    let one = json!({"accuracy": 0.5 + 0.5 * skill, "loss": 1.0 - skill, "chance": 0.5, "frequency": 1.0});
    let line = json!({
        "schema": 1, "step": step, "examples": 8 * step, "train_loss": 1.0 - skill, "capabilities": {"add": one}
    });
    format!("{line}\n")
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_page_follows_a_run_from_before_its_beginning_to_its_end() {
    let home = tempdir().unwrap();
    let dir = home.path().join("mine");
    let watching = Watching::begin(&dir);
    watching.until("it is waited for");

    let run = dir.join("plain/seed-0");
    fs::create_dir_all(&run).unwrap();
    fs::write(
        dir.join("experiment.json"),
        r#"{"schema": 1, "name": "mine", "baseline": "plain", "arms": [{"name": "plain", "runs": 3}]}"#,
    )
    .unwrap();
    let config = r#"{"schema": 1, "experiment": "mine", "arm": "plain", "seed": 0, "steps": 100}"#;
    fs::write(run.join("config.json"), config).unwrap();
    let curves = run.join("curves.jsonl");
    for step in [0, 10, 20] {
        append(&curves, &line(step));
    }
    let drawn = watching.until("20 of 100");
    assert!(
        drawn.contains("Capability curves") && drawn.contains("<svg"),
        "{drawn}"
    );
    assert!(
        drawn.contains("0 of 3 runs finished, 2 are not begun."),
        "{drawn}"
    );

    // Half a line is waited for.
    let mut events = BufReader::new(watching.connect("/events", &watching.address));
    let mut number = || loop {
        let mut line = String::new();
        assert!(events.read_line(&mut line).unwrap() > 0, "the stream ended");
        if let Some(number) = line.trim().strip_prefix("data:") {
            return number.trim().parse::<u64>().unwrap();
        }
    };
    let before = number();
    let next = line(30);
    let (head, tail) = next.split_at(40);
    append(&curves, head);
    assert!(number() > before);
    assert!(watching.get("/drawn").contains("20 of 100"));
    append(&curves, tail);
    watching.until("30 of 100");

    // What can't be read is said above what there was, and is gone when it is mended.
    let whole = fs::read(&curves).unwrap();
    append(&curves, "{}\n");
    append(&curves, &line(40));
    let drawn = watching.until("At the moment:");
    assert!(
        drawn.contains("line 5 of") && drawn.contains("30 of 100"),
        "{drawn}"
    );
    fs::write(&curves, &whole).unwrap();
    for step in (40..=100).step_by(10) {
        append(&curves, &line(step));
    }
    fs::write(run.join("DONE"), "").unwrap();
    let drawn = watching.until("1 of 3 runs finished, 2 are not begun.");
    assert!(!drawn.contains("At the moment:"), "{drawn}");

    // The page itself, which loads nothing from elsewhere.
    let page = watching.get("/");
    assert!(
        page.contains("EventSource(\"/events\")") && page.contains("<title>mine</title>"),
        "{page}"
    );
    assert!(
        page.to_lowercase()
            .contains("content-security-policy: default-src 'none'")
    );
    // Nothing else is served, and nobody who asks for another machine is answered.
    for path in [
        "/mine/experiment.json",
        "/../experiment.json",
        "/%2e%2e/experiment.json",
        "/drawn/",
    ] {
        let answer = watching.ask(path, &watching.address);
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
    for host in ["evil.example", "evil.example:80", "127.0.0.1", ""] {
        for path in ["/", "/drawn", "/events"] {
            let answer = watching.ask(path, host);
            assert!(
                answer.starts_with("HTTP/1.1 403"),
                "{host} {path}: {answer}"
            );
            assert!(!answer.contains("svg"), "{answer}");
        }
    }
    let port = watching.address.rsplit(':').next().unwrap();
    assert!(
        watching
            .ask("/drawn", &format!("localhost:{port}"))
            .starts_with("HTTP/1.1 200")
    );
}

#[cfg(unix)]
#[test]
fn a_signal_stops_it() {
    let home = tempdir().unwrap();
    let mut watching = Watching::begin(home.path());
    // A stream that is open does not keep it.
    let _events = watching.connect("/events", &watching.address);
    std::thread::sleep(Duration::from_millis(200));
    let id = watching.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    assert!(watching.child.wait().unwrap().success());
}

#[test]
fn a_port_that_is_taken_is_said() {
    let home = tempdir().unwrap();
    let watching = Watching::begin(home.path());
    let port = watching.address.rsplit(':').next().unwrap();
    let said = common::refused(home.path(), &["watch", ".", "--port", port]);
    assert!(said.contains(port) && said.contains("--port 0"), "{said}");
}
