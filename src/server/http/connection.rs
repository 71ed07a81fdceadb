//! One connection: requests in, responses out, each step within its time.

use super::body::{Framing, Step, Unchunk};
use super::buffer::{Budget, Buffer, Short};
use super::head::{self, Head, HeadError};
use super::response::{Response, http_date};
use std::future::Future;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep, timeout};

/// What a connection may take.
#[derive(Debug, Clone)]
pub(in crate::server) struct Bounds {
    /// Bytes of a request head, its target included.
    pub(in crate::server) head_bytes: usize,
    /// Bytes of a request body.
    pub(in crate::server) body_bytes: usize,
    /// Time between requests.
    pub(in crate::server) idle: Duration,
    /// Time from the first byte of a request to its last.
    pub(in crate::server) receive: Duration,
    /// Time to take a response.
    pub(in crate::server) send: Duration,
    /// Buffers of all connections.
    pub(in crate::server) budget: Budget,
}

/// One request, whole.
#[derive(Debug)]
pub(in crate::server) struct Incoming {
    pub(in crate::server) head: Head,
    pub(in crate::server) peer: SocketAddr,
    body: Buffer,
    /// Pays for the head until the request is answered.
    _paid: Buffer,
}

impl Incoming {
    pub(in crate::server) fn body(&self) -> &[u8] {
        &self.body.bytes
    }
}

/// Why a request is answered without having been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) struct Refusal {
    pub(in crate::server) status: u16,
    pub(in crate::server) message: String,
}

/// What answers requests.
pub(in crate::server) trait Service: Sync {
    /// Answers a request.
    fn call(&self, request: Incoming) -> impl Future<Output = Response> + Send;
    /// Answers what is no request.
    fn refuse(&self, refusal: Refusal, peer: SocketAddr) -> Response;
}

enum Trouble {
    Gone,
    Refused(Refusal),
}

impl Trouble {
    fn new(status: u16, message: impl Into<String>) -> Trouble {
        Trouble::Refused(Refusal { status, message: message.into() })
    }
}

impl From<Short> for Trouble {
    fn from(short: Short) -> Trouble {
        match short {
            Short::Gone => Trouble::Gone,
            Short::Full => Trouble::new(503, "too many large requests are being received; try again"),
        }
    }
}

impl From<HeadError> for Trouble {
    fn from(error: HeadError) -> Trouble {
        let status = match error {
            HeadError::Malformed(_) => 400,
            HeadError::FieldsTooLarge => 431,
            HeadError::Coding => 501,
        };
        Trouble::new(status, error.to_string())
    }
}

/// Time from which on a request counts as slow: its connection goes as idle ones do.
const SLOW: Duration = Duration::from_secs(2);

/// Time to read the last response. A connection sent away for others gets less: they wait for its place.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BRIEFLY: Duration = Duration::from_millis(100);

/// Serves a connection until either side ends it. `leave` completes when idle and slow connections shall go.
pub(in crate::server) async fn serve<I, S, L>(
    mut io: I,
    peer: SocketAddr,
    service: &S,
    bounds: &Bounds,
    leave: impl Fn() -> L,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send,
    S: Service,
    L: Future<Output = ()>,
{
    let mut buffer = Buffer::new(&bounds.budget);
    loop {
        if buffer.bytes.is_empty() && !wait(&mut io, &mut buffer, bounds, leave()).await {
            return;
        }
        let mut patience = LINGER;
        let received = tokio::select! {
            received = timeout(bounds.receive, receive(&mut io, &mut buffer, peer, bounds)) => {
                let late = || Trouble::new(408, format!("the request was not received within {:?}", bounds.receive));
                received.unwrap_or_else(|_| Err(late()))
            }
            () = async { sleep(SLOW).await; leave().await } => {
                patience = LINGER_BRIEFLY;
                Err(Trouble::new(503, "the request comes slowly, and its connection is needed for others; try again"))
            }
        };
        let (response, head_only, last) = match received {
            Ok(request) => {
                let (head_only, keep) = (request.head.method == "HEAD", request.head.keep_alive);
                (service.call(request).await, head_only, !keep)
            }
            Err(Trouble::Gone) => return,
            Err(Trouble::Refused(refusal)) => (service.refuse(refusal, peer), false, true),
        };
        let end = last || response.close;
        if !send(&mut io, response, head_only, end, bounds).await {
            return;
        }
        if end {
            return linger(&mut io, patience).await;
        }
    }
}

/// Waits for the first bytes of a request; the connection holds no buffer meanwhile. Answers whether any came.
async fn wait<I, L>(io: &mut I, buffer: &mut Buffer, bounds: &Bounds, leave: L) -> bool
where
    I: AsyncRead + Unpin,
    L: Future<Output = ()>,
{
    let mut first = [0; 1 << 10];
    tokio::select! {
        received = timeout(bounds.idle, io.read(&mut first)) => match received {
            Ok(Ok(count)) if count > 0 => {
                // So few bytes cost no permit.
                let _ = buffer.append(first.get(..count).unwrap_or(&[]));
                true
            }
            _ => false,
        },
        () = leave => false,
    }
}

async fn send<I>(io: &mut I, mut response: Response, head_only: bool, end: bool, bounds: &Bounds) -> bool
where
    I: AsyncWrite + Unpin,
{
    response.close = end;
    let head = response.head(&http_date());
    let body: &[u8] = if head_only { &[] } else { response.body.as_slice() };
    let sent = timeout(bounds.send, write_both(io, &head, body));
    matches!(sent.await, Ok(Ok(())))
}

/// Writes head and body in one call where the socket takes both, without copying the body behind the head.
async fn write_both<I: AsyncWrite + Unpin>(io: &mut I, head: &[u8], body: &[u8]) -> std::io::Result<()> {
    let mut both = [IoSlice::new(head), IoSlice::new(body)];
    let mut left = both.as_mut_slice();
    while !left.is_empty() {
        match io.write_vectored(left).await? {
            0 => return Err(std::io::ErrorKind::WriteZero.into()),
            // An empty body is left behind together with the head.
            count => IoSlice::advance_slices(&mut left, count),
        }
    }
    io.flush().await
}

/// Lets the client read the last response: a connection closed with unread bytes would be reset under it.
async fn linger<I: AsyncRead + AsyncWrite + Unpin>(io: &mut I, patience: Duration) {
    const MOST: usize = 16 << 20;
    let drained = async {
        io.shutdown().await.ok()?;
        // On the heap, so that connections which end otherwise do not pay for it.
        let (mut sink, mut left) = (vec![0; 8 << 10], MOST);
        while left > 0 {
            match io.read(&mut sink).await {
                Ok(0) | Err(_) => break,
                Ok(count) => left = left.saturating_sub(count),
            }
        }
        Some(())
    };
    // How it ends makes no difference to anybody.
    let _ = timeout(patience, drained).await;
}

/// Receives one request; the buffer already holds its first bytes.
async fn receive<I>(io: &mut I, buffer: &mut Buffer, peer: SocketAddr, bounds: &Bounds) -> Result<Incoming, Trouble>
where
    I: AsyncRead + AsyncWrite + Unpin,
{
    let (head, paid) = receive_head(io, buffer, bounds).await?;
    if head.expects_continue && head.framing != Framing::Length(0) {
        let granted = io.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
        granted.map_err(|_| Trouble::Gone)?;
    }
    let body = match head.framing {
        Framing::Length(length) => receive_length(io, buffer, length, bounds.body_bytes).await?,
        Framing::Chunked => receive_chunks(io, buffer, bounds).await?,
    };
    Ok(Incoming { head, peer, body, _paid: paid })
}

async fn receive_head<I>(io: &mut I, buffer: &mut Buffer, bounds: &Bounds) -> Result<(Head, Buffer), Trouble>
where
    I: AsyncRead + Unpin,
{
    let mut seen = 0;
    loop {
        // Empty lines before a request are allowed (RFC 9112, section 2.2).
        let blank = buffer.bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        if seen == 0 && blank > 0 {
            buffer.bytes.drain(..blank);
        }
        if let Some(end) = head::head_end(&buffer.bytes, seen) {
            let mut raw = buffer.take(end);
            let head = head::parse(&raw.bytes)?;
            raw.bytes = Vec::new();
            return Ok((head, raw));
        }
        seen = buffer.bytes.len();
        if seen > bounds.head_bytes {
            let most = bounds.head_bytes;
            return Err(Trouble::new(414, format!("expected a request head of at most {most} bytes, got more")));
        }
        buffer.fill(io).await?;
    }
}

fn too_large(most: usize) -> Trouble {
    Trouble::new(413, format!("expected a body of at most {most} bytes, got more"))
}

async fn receive_length<I>(io: &mut I, buffer: &mut Buffer, length: u64, most: usize) -> Result<Buffer, Trouble>
where
    I: AsyncRead + Unpin,
{
    let length = usize::try_from(length).ok().filter(|length| *length <= most).ok_or_else(|| too_large(most))?;
    while buffer.bytes.len() < length {
        buffer.fill(io).await?;
    }
    Ok(buffer.take(length))
}

async fn receive_chunks<I: AsyncRead + Unpin>(
    io: &mut I,
    buffer: &mut Buffer,
    bounds: &Bounds,
) -> Result<Buffer, Trouble> {
    let (mut unchunk, mut body) = (Unchunk::new(bounds.body_bytes), Buffer::new(&bounds.budget));
    let mut piece = Vec::new();
    loop {
        piece.clear();
        let step = unchunk.take(&buffer.bytes, &mut piece);
        body.append(&piece)?;
        match step {
            Step::Whole(used) => {
                drop(buffer.bytes.drain(..used));
                return Ok(body);
            }
            Step::More(used) => drop(buffer.bytes.drain(..used)),
            Step::Malformed => return Err(Trouble::new(400, "the body is not in chunks (RFC 9112, section 7.1)")),
            Step::TooLarge => return Err(too_large(bounds.body_bytes)),
        }
        buffer.fill(io).await?;
    }
}
