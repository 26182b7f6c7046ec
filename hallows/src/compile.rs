//! Compiling programs: what the cache has not got, the compiler makes in its sandbox.

use std::io::Write;
use std::process::{Command, Stdio};

use hallows_artifact::{CpuFeatures, Platform, SealKey, Settings, program_hash, seal};

use crate::embedded;
use crate::failure::{Failure, SOFTWARE, USAGE};

/// The compiler for this machine.
pub struct Compiler {
    settings: Settings,
    key: [u8; 32],
}

impl Compiler {
    /// For the processor that this runs on.
    ///
    /// # Errors
    /// When the processor lacks what programs are compiled for.
    pub fn open(_quiet: bool) -> Result<Self, Failure> {
        let features = CpuFeatures::detect(|name| match name {
            "sse3" => is_x86_feature_detected!("sse3"),
            "ssse3" => is_x86_feature_detected!("ssse3"),
            "sse4.1" => is_x86_feature_detected!("sse4.1"),
            "sse4.2" => is_x86_feature_detected!("sse4.2"),
            "popcnt" => is_x86_feature_detected!("popcnt"),
            "avx" => is_x86_feature_detected!("avx"),
            "avx2" => is_x86_feature_detected!("avx2"),
            "fma" => is_x86_feature_detected!("fma"),
            "bmi1" => is_x86_feature_detected!("bmi1"),
            "bmi2" => is_x86_feature_detected!("bmi2"),
            "lzcnt" => is_x86_feature_detected!("lzcnt"),
            _ => false,
        });
        let settings = Settings::new(Platform::Linux, features).map_err(|error| Failure::other(SOFTWARE, error))?;
        Ok(Self { settings, key: [7; 32] })
    }

    /// What artefacts are sealed with.
    pub fn seal_key(&self) -> [u8; 32] {
        self.key
    }

    /// The artefact of a program, and the program's hash.
    ///
    /// # Errors
    /// Why it was not compiled.
    pub fn compile(&mut self, name: &str, wasm: &[u8]) -> Result<(Vec<u8>, [u8; 32]), Failure> {
        let path = std::env::temp_dir().join("hallows-compiler-dev");
        if !path.exists() {
            std::fs::write(&path, embedded::COMPILER).unwrap();
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mut child = Command::new(path).args(["--settings", &self.settings.to_canonical()])
            .stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let copy = wasm.to_vec();
        let feeder = std::thread::spawn(move || stdin.write_all(&copy));
        let output = child.wait_with_output().unwrap();
        let _ = feeder.join();
        if !output.status.success() {
            return Err(Failure::other(USAGE, format!("cannot compile {name}: {}", String::from_utf8_lossy(&output.stderr))));
        }
        let mut artifact = output.stdout;
        seal(&mut artifact, &SealKey::from_bytes(self.key)).unwrap();
        Ok((artifact, *program_hash(wasm).as_bytes()))
    }
}
