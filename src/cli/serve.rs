//! `medialith serve`: the IMM API over HTTP until it is told to stop.

use super::args::Place;
use super::exit::Exit;
use super::output::{Output, complain, counted};
use super::{follow, interrupt, keys};
use crate::engine::queues::{Allowed, Style};
use crate::engine::{Buckets, Engine, TaskOptions};
use crate::error::Result;
use crate::server::{AccessKeys, EventToken, Log, NewKey, Options, Role, Server, TlsFiles};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often a signal is noticed.
const LOOK_UP: Duration = Duration::from_millis(100);

#[derive(clap::Args)]
#[command(after_help = "\
The first start makes an access key with the role admin and prints it once; `medialith keys` manages keys, also while the server
runs. Clients name the address as their endpoint, for example Config(endpoint='127.0.0.1:7070', protocol='HTTP').
Ctrl-C or SIGTERM ends it after the requests under way; accepted work goes on at the next start. See docs/server.md.")]
pub(crate) struct Args {
    /// Where to listen; beyond loopback use --tls-cert, or a proxy that does
    #[arg(long, default_value = "127.0.0.1:7070", value_name = "ADDR:PORT")]
    listen: SocketAddr,
    /// Where to serve Prometheus metrics, in plain HTTP
    #[arg(long, value_name = "ADDR:PORT")]
    metrics: Option<SocketAddr>,
    /// Certificate chain for TLS, in PEM
    #[arg(long, requires = "tls_key", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate, in PEM
    #[arg(long, requires = "tls_cert", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Folder or store (s3://..., oss://...) whose files can be indexed as oss://NAME/path (may be repeated)
    #[arg(long = "bucket", value_name = "NAME=PLACE", value_parser = bucket)]
    buckets: Vec<(String, PathBuf)>,
    #[command(flatten)]
    how: follow::How,
    #[command(flatten)]
    seal: keys::Seal,
    /// Requests per second and project, 0 for no limit
    #[arg(long, default_value_t = 1000, value_name = "COUNT")]
    project_rate: u32,
    /// Requests at the same time per project, 0 for no limit
    #[arg(long, default_value_t = 100, value_name = "COUNT")]
    project_concurrency: u32,
    /// Connections at the same time
    #[arg(long, default_value_t = 12_000, value_name = "COUNT")]
    connections: usize,
    /// Tasks at the same time, 1 to 64, each at a lower priority than requests
    #[arg(long, default_value_t = 1, value_name = "COUNT")]
    tasks: usize,
    /// RegionId that ListRegions names
    #[arg(long, default_value = "local", value_name = "NAME")]
    region: String,
    /// Host that may be pushed to though its address is private: a name or address, or host:port (may be repeated)
    #[arg(long = "push-allow", value_name = "HOST")]
    push_allow: Vec<String>,
    /// What a topic gets of an event: its payload in the envelope of the API, or the payload alone
    #[arg(long, default_value = "envelope", value_parser = ["envelope", "bare"], value_name = "FORM")]
    message_form: String,
    /// Put events into queues in Base64, as MNS SDKs decode them unless told otherwise
    #[arg(long)]
    message_base64: bool,
    /// Number of the account, as OwnerId of documents and in subjects and topics of messages
    #[arg(long, default_value = "0", value_name = "ID")]
    account: String,
    /// Where clients find this server, for the certificate of pushed messages [default: where it listens]
    #[arg(long, default_value = "", value_name = "URL")]
    public_url: String,
    /// File with the token (mode 600) that object stores send with their messages to /store-events, see docs/sources.md
    #[arg(long, value_name = "FILE")]
    store_events: Option<PathBuf>,
    /// Seconds that one query may take; official SDKs wait for 10
    #[arg(long, default_value_t = 6, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    deadline: u64,
    /// Seconds that requests under way may take to end
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    grace: u64,
    /// Index files even if the last two starts, within five minutes, did not end in order
    #[arg(long)]
    no_safe_mode: bool,
    /// Write no line for each request to standard error
    #[arg(short, long)]
    quiet: bool,
}

pub(crate) fn bucket(text: &str) -> Result<(String, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or_else(|| format!("expected NAME=PLACE, got {text:?}"))?;
    Ok((name.to_owned(), PathBuf::from(path)))
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    let asked = interrupt::watch();
    let mut buckets = Buckets::new();
    args.buckets.iter().try_for_each(|(name, path)| buckets.add(name, path))?;
    let owner_id = if args.account == "0" { "" } else { args.account.as_str() };
    let engine = place.open_to_serve(Duration::from_secs(args.deadline), owner_id)?;
    let folder = place.folder()?;
    let keys = AccessKeys::open(&folder, &args.seal.path(&folder))?;
    first_key(&keys)?;
    let server = Server::start(&engine, keys, buckets, options(args)?)?;
    let mut out = Output::new();
    let scheme = if args.tls_cert.is_some() { "https" } else { "http" };
    out.line(format_args!("serving {scheme}://{}", server.address()))?;
    if let Some(metrics) = server.metrics_address() {
        out.line(format_args!("metrics at http://{metrics}/metrics"))?;
    }
    if let Some(posture) = engine.extraction().posture {
        out.line(format_args!("files are read in worker processes, jail: {posture}"))?;
    }
    if let Some(why) = engine.health().refuses_writes {
        complain(format_args!("writes are refused: {why}"));
    } else if server.is_safe() {
        complain("the last starts did not end in order: files are not indexed until the next start (safe mode)");
    }
    let waiting = engine.pending_files();
    if waiting > 0 {
        out.line(format_args!("going on with {} accepted before", counted(waiting, "file")))?;
    }
    let waiting = engine.waiting_tasks();
    if waiting > 0 {
        out.line(format_args!("going on with {} accepted before", counted(waiting, "task")))?;
    }
    out.flush()?;
    let mut violations = 0;
    while !asked.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK_UP);
        violations = warn_of_violations(&engine, violations);
    }
    if !server.stop(Duration::from_secs(args.grace)) {
        complain(format_args!("some requests did not end within {} s", args.grace));
    }
    Ok(Exit::Done)
}

/// Says when a file made its worker try what its jail forbids: nothing that is read in good faith does.
fn warn_of_violations(engine: &Engine, known: u64) -> u64 {
    let now = engine.extraction().violations;
    if now > known {
        complain(format_args!(
            "warning: a worker was ended because it made a system call that its jail forbids ({now} so far); \
             `medialith search outcome:sandbox_violation` lists the files"
        ));
    }
    now
}

fn options(args: &Args) -> Result<Options> {
    let files = args.tls_cert.clone().zip(args.tls_key.clone());
    Ok(Options {
        listen: args.listen,
        metrics: args.metrics,
        tls: files.map(|(certificates, key)| TlsFiles { certificates, key }),
        region: args.region.clone(),
        style: Style {
            account: args.account.clone(),
            bare: args.message_form == "bare",
            base64: args.message_base64,
            ..Style::default()
        },
        push_allowed: Allowed::new(args.push_allow.iter().cloned()),
        public_url: args.public_url.clone(),
        safe_mode: !args.no_safe_mode,
        connections: args.connections,
        project_rate: args.project_rate,
        project_concurrency: args.project_concurrency,
        tasks: TaskOptions { threads: args.tasks, ..TaskOptions::default() },
        follow: args.how.options(),
        event_token: args.store_events.as_deref().map(EventToken::read).transpose()?,
        log: if args.quiet { Log::Off } else { Log::Stderr },
        ..Options::default()
    })
}

/// A database without keys gets one, shown once.
fn first_key(keys: &AccessKeys) -> Result<()> {
    if !keys.list()?.is_empty() {
        return Ok(());
    }
    let new =
        NewKey { role: Role::Admin, projects: Vec::new(), lasts: None, note: "made by the first start".to_owned() };
    keys::show(&keys.create(&new)?)
}
