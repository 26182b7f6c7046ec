//! Machines that run as processes of their own, and what they say: who waits for a word of one hears of it when any of them ends, and does not wait for ever.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use hallows_bench::BenchError;
use hallows_bench::cores::Core;
use tempfile::NamedTempFile;

use super::life::{Ended, machine_of, own_command};
use super::machine::wrong;

/// A word that has not come by then never comes: the longest turn takes seconds, and programs may have to be compiled before.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a machine is started.
pub struct Setting<'s> {
    /// What it is called where something is wrong with it.
    pub name: &'static str,
    /// Its description.
    pub system: &'s str,
    /// Its interface, as `--net` takes it.
    pub network: &'s str,
    /// The core of all of its threads.
    pub core: Core,
}

/// One of the machines that were started.
#[derive(Clone, Copy)]
pub struct Which(usize);

/// The machines of a turn. They end with this, the last one first.
pub struct Running {
    machines: Vec<Machine>,
    sender: Sender<(usize, Option<String>)>,
    /// Lines of all of them, and none for the end of one.
    news: Receiver<(usize, Option<String>)>,
}

struct Machine {
    name: &'static str,
    /// Lines that nobody has waited for yet.
    unheard: VecDeque<String>,
    /// Those without the word that was waited for.
    heard: String,
    has_ended: bool,
    process: Ended,
    _system: NamedTempFile,
}

impl Running {
    /// None yet.
    pub fn new() -> Self {
        let (sender, news) = channel();
        Self { machines: Vec::new(), sender, news }
    }

    /// Starts one more, at tier shared.
    pub fn start(&mut self, setting: &Setting<'_>) -> Result<Which, BenchError> {
        let mut file = tempfile::Builder::new().suffix(".toml").tempfile().map_err(wrong)?;
        file.write_all(setting.system.as_bytes()).map_err(wrong)?;
        let mut command = own_command()?;
        command.args(["run", "--quiet", "--tier", "shared", "--memory", "192M", "--net", setting.network]);
        let core = setting.core.to_string();
        command.args(["--cores", &core, "--housekeeping", &core]).arg(file.path());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(wrong)?;
        let output = child.stdout.take().ok_or_else(|| wrong("the machine has no output"))?;
        let (number, sender) = (self.machines.len(), self.sender.clone());
        self.machines.push(Machine {
            name: setting.name,
            unheard: VecDeque::new(),
            heard: String::new(),
            has_ended: false,
            process: Ended(child),
            _system: file,
        });
        let listen = move || {
            // What cannot be read is as good as the end. When the turn is over nobody hears it.
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = sender.send((number, Some(line)));
            }
            let _ = sender.send((number, None));
        };
        std::thread::Builder::new().name("bench-listens".to_owned()).spawn(listen).map_err(wrong)?;
        Ok(Which(number))
    }

    /// What stands behind this word, in the next line of a machine that has it.
    ///
    /// # Errors
    /// When one of the machines has ended, whichever; when the word does not come.
    pub fn hear(&mut self, Which(number): Which, word: &str) -> Result<String, BenchError> {
        let until = Instant::now() + PATIENCE;
        loop {
            let machine = self.machine(number)?;
            while let Some(line) = machine.unheard.pop_front() {
                if let Some((_, rest)) = line.split_once(word) {
                    return Ok(rest.to_owned());
                }
                machine.heard = format!("{}{line}\n", machine.heard);
            }
            if let Some(ended) = self.machines.iter().find(|machine| machine.has_ended) {
                let said = ended.unheard.iter().fold(ended.heard.clone(), |said, line| said + line + "\n");
                return Err(wrong(format!("{} has ended before its time; it said: {said}", ended.name)));
            }
            match self.news.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok((from, line)) => {
                    let machine = self.machine(from)?;
                    machine.has_ended |= line.is_none();
                    machine.unheard.extend(line);
                }
                // Nobody hangs up, as a sender is kept here.
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    let Machine { name, heard, .. } = self.machine(number)?;
                    return Err(wrong(format!(
                        "{name} has not said `{word}` for {PATIENCE:?}; it said: {heard}"
                    )));
                }
            }
        }
    }

    /// The thread of Linux's that drives this core of a machine.
    pub fn thread(&self, Which(number): Which, core: Core) -> Result<String, BenchError> {
        let machine = self.machines.get(number).ok_or_else(|| wrong("there is no such machine"))?;
        let tasks = format!("/proc/{}/task", machine_of(machine.process.0.id())?);
        for task in std::fs::read_dir(tasks).map_err(wrong)?.flatten() {
            let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
            if name.trim_end() == format!("core-{core}") {
                return Ok(task.file_name().to_string_lossy().into_owned());
            }
        }
        Err(wrong(format!("{} has no thread core-{core}", machine.name)))
    }

    fn machine(&mut self, number: usize) -> Result<&mut Machine, BenchError> {
        self.machines.get_mut(number).ok_or_else(|| wrong("there is no such machine"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        while self.machines.pop().is_some() {}
    }
}
