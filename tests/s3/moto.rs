//! moto as a server of its own: another implementation of S3, which keeps to its habits.

use super::{BUCKET, send};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server at work; it ends when it is dropped.
pub(crate) struct Moto {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Moto {
    /// Starts it, with an empty bucket; `None`, said in a line, where it cannot be had.
    pub(crate) fn start() -> Option<Moto> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/s3/moto");
        let installed = Command::new(script).stderr(Stdio::null()).output();
        let Some(server) = installed.ok().filter(|done| done.status.success()) else {
            println!("SKIPPED: object stores against moto (it cannot be installed on this machine)");
            return None;
        };
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new(String::from_utf8(server.stdout).unwrap().trim())
            .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (moto, begun) = (Moto { child, address }, Instant::now());
        while send(address, "PUT", &format!("/{BUCKET}"), &[], b"") != 200 {
            assert!(begun.elapsed() < Duration::from_secs(60), "moto does not answer");
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(moto)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
