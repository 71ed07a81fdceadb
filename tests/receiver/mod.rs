//! Receivers of pushed messages: an HTTP server that takes them, or that behaves badly in one of several manners.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How a receiver answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Manner {
    /// With that status, and no body.
    Status(u16),
    /// With status 204; nothing of what came is kept but that it came.
    Count,
    /// Not at all.
    Hang,
    /// By closing the connection.
    Reset,
    /// By sending the caller elsewhere.
    Redirect(String),
    /// With ten million bytes.
    Huge,
    /// With a byte a second.
    Drip,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) when: Instant,
}

impl Got {
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }
}

/// A running receiver; it ends when it is dropped.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
    stopped: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Receiver {
    pub(crate) fn start(manner: Manner) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (got, stopped) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (kept, until) = (Arc::clone(&got), Arc::clone(&stopped));
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if until.load(Ordering::Relaxed) {
                    return;
                }
                let (manner, kept, until) = (manner.clone(), Arc::clone(&kept), Arc::clone(&until));
                std::thread::spawn(move || drop(answer(stream, &manner, &kept, &until)));
            }
        });
        Receiver { address, got, stopped, accepting: Some(accepting) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }

    /// Waits until so many requests have come.
    pub(crate) fn wait_for(&self, count: usize, patience: Duration) -> bool {
        let begun = Instant::now();
        while self.count() < count {
            if begun.elapsed() > patience {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
        drop(self.accepting.take().unwrap().join());
    }
}

fn answer(mut stream: TcpStream, manner: &Manner, got: &Mutex<Vec<Got>>, stopped: &AtomicBool) -> std::io::Result<()> {
    let mut request = read(&stream)?;
    if *manner == Manner::Count {
        request = Got { fields: Vec::new(), body: String::new(), ..request };
    }
    got.lock().unwrap().push(request);
    let waits = |time: u64| {
        let begun = Instant::now();
        while !stopped.load(Ordering::Relaxed) && begun.elapsed() < Duration::from_millis(time) {
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    match manner {
        Manner::Count => stream.write_all(b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n"),
        Manner::Status(status) => {
            write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Manner::Hang => {
            waits(60_000);
            Ok(())
        }
        Manner::Reset => Ok(()),
        Manner::Redirect(to) => {
            write!(stream, "HTTP/1.1 307 X\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Manner::Huge => {
            stream.write_all(b"HTTP/1.1 500 X\r\nContent-Length: 10000000\r\n\r\n")?;
            (0..1000).try_for_each(|_| stream.write_all(&[b'x'; 10_000]))
        }
        Manner::Drip => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
            for _ in 0..60 {
                stream.write_all(b"X")?;
                waits(1000);
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
            }
            Ok(())
        }
    }
}

fn read(stream: &TcpStream) -> std::io::Result<Got> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut fields) = (String::new(), Vec::new());
    reader.read_line(&mut line)?;
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            // The sender died on the way.
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end().split_once(':') {
            Some((name, value)) => fields.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => break,
        }
    }
    let length = fields.iter().find(|(name, _)| name == "content-length").map_or("0", |(_, value)| value);
    let mut body = vec![0; length.parse().unwrap_or(0)];
    reader.read_exact(&mut body)?;
    Ok(Got { fields, body: String::from_utf8(body).unwrap(), when: Instant::now() })
}
