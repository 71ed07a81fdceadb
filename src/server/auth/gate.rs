//! A claim held against keys, clock and nonces. What decides comes last: without a valid signature nobody learns more than
//! that a key exists.

use super::claim::{Claim, Request, incomplete};
use crate::error::Result;
use crate::model::Timestamp;
use crate::server::access::{AccessKeys, Keyring, Known};
use crate::server::fault::Fault;
use crate::server::nonce::{Nonces, Seen};
use crate::server::sign::{Clock, acs3, in_window};
use std::sync::Arc;
use std::time::Duration;

/// The API version that is served.
const VERSION: &str = "2020-09-30";

/// What requests pass before anything else is known of them.
pub(in crate::server) struct Gate {
    keyring: Keyring,
    pub(in crate::server) nonces: Nonces,
    window: Duration,
    clock: Clock,
}

/// A caller whose signature fits, and the operation that they signed.
pub(in crate::server) struct Caller {
    pub(in crate::server) key: Arc<Known>,
    pub(in crate::server) action: String,
}

impl Gate {
    /// Lets pass who holds one of the keys.
    pub(in crate::server) fn open(keys: AccessKeys, window: Duration, clock: Clock) -> Result<Gate> {
        let nonces = Nonces::open(keys.folder(), window, clock.now())?;
        Ok(Gate { keyring: Keyring::open(keys)?, nonces, window, clock })
    }

    /// Finds out who sent a request that was not answered before.
    pub(in crate::server) fn identify(&self, request: Request<'_>) -> Result<Caller, Fault> {
        let (key, claim) = self.verify(request)?;
        self.check_once(&claim)?;
        check_version(&claim)?;
        Ok(Caller { key, action: claim.action.to_owned() })
    }

    /// Who signed a request, new or not.
    #[cfg(test)]
    pub(super) fn verified(&self, request: Request<'_>) -> Result<Caller, Fault> {
        let (key, claim) = self.verify(request)?;
        Ok(Caller { key, action: claim.action.to_owned() })
    }

    /// The key that signed a request, and what it signed.
    fn verify<'a>(&self, request: Request<'a>) -> Result<(Arc<Known>, Claim<'a>), Fault> {
        let claim = Claim::of(request)?;
        let (key, fits) =
            self.holds(claim.key_id, |secret| acs3::same(&(claim.sign)(secret, &claim.text), claim.given));
        let Some(key) = key else {
            return Err(Fault::new(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."));
        };
        if !fits {
            return Err(mismatch(&claim));
        }
        if !key.grant.enabled {
            return Err(Fault::new(400, "InvalidAccessKeyId.Inactive", "Specified access key is disabled."));
        }
        self.check_token(&key, claim.token)?;
        Ok((key, claim))
    }

    /// The key of that id, and whether its secret passes the test. An unknown key costs what a known one does: the time
    /// tells nothing.
    pub(in crate::server) fn holds(&self, key_id: &str, passes: impl Fn(&str) -> bool) -> (Option<Arc<Known>>, bool) {
        let key = self.keyring.find(key_id);
        let fits =
            passes(key.as_ref().map_or("no key has this for its secret: it is shorter", |key| key.secret.as_str()));
        (key, fits)
    }

    /// Temporary keys come with a token, others without.
    pub(in crate::server) fn check_token(&self, key: &Known, token: &str) -> Result<(), Fault> {
        let Some(expires) = key.grant.expires else {
            if token.is_empty() {
                return Ok(());
            }
            let message = "expected no security token with this access key, got one";
            return Err(Fault::new(400, "InvalidSecurityToken.Malformed", message));
        };
        if token.is_empty() {
            return Err(Fault::new(400, "MissingSecurityToken", "SecurityToken is mandatory for this access key."));
        }
        if !key.has_token(token) {
            return Err(Fault::new(400, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed."));
        }
        if expires < self.clock.now().0 {
            return Err(Fault::new(400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired."));
        }
        Ok(())
    }

    /// The request is of now, and was not answered before.
    fn check_once(&self, claim: &Claim<'_>) -> Result<(), Fault> {
        let date = Timestamp::parse(claim.date).map_err(|_| {
            Fault::new(400, "InvalidTimeStamp.Format", "expected a time such as 2026-01-02T03:04:05Z, got another text")
        })?;
        let (present, expired) = (self.clock.now(), "Specified time stamp or date value is expired.");
        if !in_window(date, present, self.window) {
            return Err(Fault::new(400, "InvalidTimeStamp.Expired", expired));
        }
        if claim.nonce.is_empty() {
            return Err(incomplete("the nonce is missing"));
        }
        match self.nonces.note(claim.key_id, claim.nonce, date, present) {
            Seen::Never => Ok(()),
            Seen::Before => Err(Fault::new(400, "SignatureNonceUsed", "Specified signature nonce was used already.")),
            Seen::Forgotten => Err(Fault::new(400, "InvalidTimeStamp.Expired", expired)),
            Seen::Full => Err(Fault::throttled("too many requests in this time window", 60_000)),
        }
    }
}

fn mismatch(claim: &Claim<'_>) -> Fault {
    let mut message = "Specified signature does not match our calculation.".to_owned();
    for (what, text) in [("StringToSign", &claim.text), ("CanonicalRequest", &claim.canonical)] {
        if !text.is_empty() {
            message.push_str(&format!(" server {what} is [{}]", shortened(text)));
        }
    }
    Fault::new(400, "SignatureDoesNotMatch", message)
}

fn check_version(claim: &Claim<'_>) -> Result<(), Fault> {
    match (claim.action, claim.version) {
        ("", _) => Err(Fault::new(400, "MissingAction", "Action is mandatory for this action.")),
        (_, "") => Err(Fault::new(400, "MissingVersion", "Version is mandatory for this action.")),
        (_, VERSION) => Ok(()),
        _ => Err(Fault::new(400, "InvalidVersion", "Specified parameter Version is not valid.")),
    }
}

/// Enough of a text to compare with one's own.
fn shortened(text: &str) -> String {
    const MOST: usize = 2000;
    let mut shown: String = text.chars().take(MOST).collect();
    if shown.len() < text.len() {
        shown.push_str("...");
    }
    shown
}
