//! Sockets: accepting, TLS, places for connections, and an end that loses nothing.

use super::access::AccessKeys;
use super::auth::Gate;
use super::http::{Bounds, Budget, Incoming, Refusal, Response, Service, serve};
use super::inline;
use super::limiter::Limiter;
use super::metrics::{self, Metrics};
use super::mns::Ringer;
use super::options::Options;
use super::receivers;
use super::service::Api;
use super::state::State;
use super::tls;
use crate::engine::queues::Style;
use crate::engine::{Buckets, Delivery, DeliveryOptions, Engine, FilmLabels, Follower, IndexerOptions};
use crate::error::{Error, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// Longest that a new connection waits for the place of an idle or slow one.
const MAKE_ROOM: Duration = Duration::from_secs(1);
/// Wait after a failed accept: out of file descriptors, most likely.
const PAUSE: Duration = Duration::from_millis(50);
/// Connections that wait to be accepted: what Linux allows by default (`net.core.somaxconn`).
const BACKLOG: u32 = 4096;
/// Where the certificate of pushed messages is found.
pub(super) const CERTIFICATE_PATH: &str = "/mns/certificate.pem";
/// Connections of monitors.
const MONITORS: usize = 64;

/// A running server. Dropped, it ends without waiting for requests under way.
pub struct Server {
    runtime: Runtime,
    state: Arc<State>,
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    places: Vec<Arc<Places>>,
    accepting: Vec<JoinHandle<()>>,
    _started: Started,
}

/// A start that is written down until it ends in order.
struct Started {
    engine: Engine,
    is_safe: bool,
}

impl Started {
    fn begin(engine: &Engine, wary: bool) -> Result<Started> {
        let is_safe = engine.begin_start()?;
        Ok(Started { is_safe: is_safe && (wary || engine.health().refuses_writes.is_some()), engine: engine.clone() })
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // What cannot be crossed out counts as a start that did not end: the next may be a safe one.
        let _noted_or_not = self.engine.end_start();
    }
}

/// Places for connections.
struct Places {
    free: Arc<Semaphore>,
    most: u32,
    /// Tells the connection to go that has been idle or slow for longest.
    leave: Notify,
}

impl Places {
    fn new(most: usize) -> Arc<Places> {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        Arc::new(Places { free: Arc::new(Semaphore::new(most as usize)), most, leave: Notify::new() })
    }

    /// A place, made by sending an idle or slow connection away if need be.
    async fn take(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
            return Some(place);
        }
        self.leave.notify_one();
        timeout(MAKE_ROOM, Arc::clone(&self.free).acquire_owned()).await.ok()?.ok()
    }
}

/// What one listener's connections share.
struct Door<S> {
    service: S,
    state: Arc<State>,
    bounds: Bounds,
    places: Arc<Places>,
    tls: Option<TlsAcceptor>,
    stopping: watch::Receiver<bool>,
}

impl Server {
    /// Opens the sockets and begins to serve. Files of `buckets` can be indexed; work that was accepted before a restart
    /// goes on.
    pub fn start(engine: &Engine, keys: AccessKeys, buckets: Buckets, options: Options) -> Result<Server> {
        options.validate()?;
        raise_file_limit();
        let tls = options.tls.as_ref().map(tls::acceptor).transpose()?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(inline::threads())
            .max_blocking_threads(options.calls)
            .thread_name("serve")
            .enable_all()
            .build()
            .map_err(|e| Error::io("start the server's threads", e))?;
        let listener = runtime.block_on(listen(options.listen))?;
        let metrics = options.metrics.map(|at| runtime.block_on(listen(at))).transpose()?;
        let started = Started::begin(engine, options.safe_mode)?;
        let state = Arc::new(State {
            _delivery: deliver(engine, &options, address(&listener)?)?,
            ringer: Ringer::start(engine)?,
            tasks: engine.start_tasks(buckets.clone(), options.tasks.clone())?,
            // It died of its work twice in a row, or nothing can be written: it serves, and the work waits.
            indexer: if started.is_safe {
                engine.rest_indexer(buckets.clone(), IndexerOptions::default())
            } else {
                engine.start_indexer(buckets.clone(), IndexerOptions::default())?
            },
            films: if started.is_safe {
                None
            } else {
                Some(engine.start_film_labels(buckets.clone(), options.tasks.video.clone())?)
            },
            follower: if started.is_safe { None } else { Some(engine.start_follower(buckets, options.follow)?) },
            engine: engine.clone(),
            gate: Gate::open(keys, options.window, options.clock)?,
            limiter: Limiter::new(options.project_rate, options.project_concurrency),
            metrics: Metrics::default(),
            ready: AtomicBool::new(true),
            options,
        });
        let (stop, stopping) = watch::channel(false);
        let mut server = Server {
            address: address(&listener)?,
            metrics_address: metrics.as_ref().map(address).transpose()?,
            runtime,
            state: Arc::clone(&state),
            stop,
            places: Vec::new(),
            accepting: Vec::new(),
            _started: started,
        };
        server.open(listener, Api::new(Arc::clone(&state)), tls, state.options.connections, &stopping);
        if let Some(listener) = metrics {
            server.open(listener, Monitor { state }, None, MONITORS, &stopping);
        }
        Ok(server)
    }

    fn open<S: Service + Send + Sync + 'static>(
        &mut self,
        listener: TcpListener,
        service: S,
        tls: Option<TlsAcceptor>,
        connections: usize,
        stopping: &watch::Receiver<bool>,
    ) {
        let options = &self.state.options;
        let bounds = Bounds {
            head_bytes: options.head_bytes,
            body_bytes: options.body_bytes,
            idle: options.idle,
            receive: options.receive,
            send: options.send,
            budget: Budget::new(options.buffer_bytes),
        };
        let (state, places, stopping) = (Arc::clone(&self.state), Places::new(connections), stopping.clone());
        self.places.push(Arc::clone(&places));
        let door = Arc::new(Door { service, state, bounds, places, tls, stopping });
        self.accepting.push(self.runtime.spawn(accept(listener, door)));
    }

    /// Whether accepted work rests until another start.
    pub fn is_safe(&self) -> bool {
        self.state.indexer.is_resting()
    }

    /// Where the API listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where metrics are served.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Takes no more connections, lets requests under way end (at most `patience`), and waits for the indexer and the follower to put
    /// down what they have in hand. Answers whether every request ended.
    pub fn stop(self, patience: Duration) -> bool {
        self.state.ready.store(false, Ordering::Relaxed);
        // Receivers live as long as the accepting tasks.
        let _ = self.stop.send(true);
        // Those that wait for messages see that they need not.
        self.state.engine.queues().wake();
        let all_ended = self.runtime.block_on(async {
            for accepting in self.accepting {
                // A task that panicked accepts no more either.
                let _ = accepting.await;
            }
            let ended = async {
                for places in &self.places {
                    // The semaphore is never closed.
                    let _ = places.free.acquire_many(places.most).await;
                }
            };
            timeout(patience, ended).await.is_ok()
        });
        self.state.indexer.stop();
        self.state.follower.iter().for_each(Follower::stop);
        self.state.films.iter().for_each(FilmLabels::stop);
        self.state.tasks.stop();
        self.runtime.shutdown_timeout(Duration::from_secs(1));
        all_ended
    }
}

/// Starts to send messages out.
fn deliver(engine: &Engine, options: &Options, listening: SocketAddr) -> Result<Delivery> {
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    let own = format!("{scheme}://{listening}");
    let base = if options.public_url.is_empty() { own.as_str() } else { options.public_url.trim_end_matches('/') };
    let style = Style { region: options.region.clone(), ..options.style.clone() };
    let certificate_url = format!("{base}{CERTIFICATE_PATH}");
    engine.start_delivery(DeliveryOptions { style, allowed: options.push_allowed.clone(), certificate_url })
}

async fn listen(at: SocketAddr) -> Result<TcpListener> {
    let open = || -> std::io::Result<TcpListener> {
        let socket = if at.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // The addresses of connections that ended a moment ago do not stand in the way of a restart.
        socket.set_reuseaddr(true)?;
        socket.bind(at)?;
        socket.listen(BACKLOG)
    };
    open().map_err(|e| Error::io(format_args!("listen on {at}"), e))
}

fn address(listener: &TcpListener) -> Result<SocketAddr> {
    listener.local_addr().map_err(|e| Error::io("find the address of a socket", e))
}

/// Each connection is a file: the soft limit of open files is often 1024.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Refused, the connections end at the present limit.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

async fn accept<S: Service + Send + Sync + 'static>(listener: TcpListener, door: Arc<Door<S>>) {
    let mut stopping = door.stopping.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let metrics = &door.state.metrics;
        metrics.accepted.fetch_add(1, Ordering::Relaxed);
        match door.places.take().await {
            Some(place) => drop(tokio::spawn(connect(stream, peer, Arc::clone(&door), place))),
            None => drop(metrics.turned_away.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

/// Serves one connection in its place.
async fn connect<S: Service>(stream: TcpStream, peer: SocketAddr, door: Arc<Door<S>>, place: OwnedSemaphorePermit) {
    door.state.metrics.connections.fetch_add(1, Ordering::Relaxed);
    // Answers are written whole: there is nothing to gather.
    let _ = stream.set_nodelay(true);
    let leave = || async {
        let mut stopping = door.stopping.clone();
        tokio::select! {
            () = door.places.leave.notified() => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
    };
    match &door.tls {
        None => serve(stream, peer, &door.service, &door.bounds, leave).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(door.bounds.receive, tls.accept(stream)).await {
                serve(stream, peer, &door.service, &door.bounds, leave).await;
            }
        }
    }
    door.state.metrics.connections.fetch_sub(1, Ordering::Relaxed);
    drop(place);
}

/// Answers monitors.
struct Monitor {
    state: Arc<State>,
}

impl Service for Monitor {
    async fn call(&self, request: Incoming) -> Response {
        if request.head.path() != "/metrics" {
            return Response::text(404, "text/plain", "expected the path /metrics, got another\n".to_owned());
        }
        let (pending, nonces) = (self.state.indexer.pending(), &self.state.gate.nonces);
        let health = self.state.engine.health();
        let gauges = [
            ("medialith_work_pending", "Files accepted for indexing and not yet indexed.", pending),
            ("medialith_nonces", "Nonces of requests that could still be repeated.", nonces.count()),
            ("medialith_nonces_unwritten", "Nonces that a restart would forget.", nonces.unwritten()),
            ("medialith_ready", "1 while requests are taken.", u64::from(self.state.ready.load(Ordering::Relaxed))),
            (
                "medialith_writable",
                "1 while writes are taken, 0 while they are refused.",
                u64::from(health.refuses_writes.is_none()),
            ),
            ("medialith_disk_free_bytes", "Bytes free on the disk of the database.", health.free_bytes.unwrap_or(0)),
            (
                "medialith_safe_mode",
                "1 while accepted work rests until another start.",
                u64::from(self.state.indexer.is_resting()),
            ),
        ];
        let mut text = self.state.metrics.render(&gauges) + &metrics::extraction(&self.state.engine.extraction());
        receivers::render(&self.state.engine, &mut text);
        Response::text(200, "text/plain; version=0.0.4; charset=utf-8", text)
    }

    fn refuse(&self, refusal: Refusal, _peer: SocketAddr) -> Response {
        Response::text(refusal.status, "text/plain", format!("{}\n", refusal.message))
    }
}
