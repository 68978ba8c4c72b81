import type { Reason, UnavailableReason } from '@sharkguard/core'

/** What usually is behind a reason, and what an operator does about it. Goes into docs/refusals.md. */
export const REMEDIES = {
  target_ambiguous:
    'A scanner, or a proxy that sends absolute URLs, `//` or dot segments: pass the path on as it came. `publicUrl` must be the origin that clients use',
  credentials_missing:
    'Usual: the first request of every client. Cookies, API keys and `Basic` count as none',
  credentials_ambiguous: 'Something in between adds an `Authorization` field of its own, or joins two',
  credentials_malformed: 'A client that sends more, or nothing, behind `Bearer` or `DPoP`',
  token_malformed:
    'An opaque token: the client did not ask for this resource, or the issuer must be told to issue JWTs. A token of over 16 KB. [Your issuer](issuers.md)',
  token_type_unsupported:
    '`detail` says why: an ID token was sent, `typ` is missing, there is no `client_id` or `azp`, or a claim that only other kinds of JWT have. [Your issuer](issuers.md)',
  token_algorithm_unsupported:
    'The issuer signs with HS256, or with what `algorithms` leaves out: let it sign with RS256 or ES256',
  token_issuer_unknown:
    'Compare `iss` with `issuer`, octet by octet: a slash at the end, http, another host name of the issuer',
  token_key_unknown:
    'The issuer has rotated keys and does not publish the new one, or the token is from another stage under the same `iss`. Each process asks again every 5 s',
  token_signature_invalid:
    'Changed on the way, or forged; or two stages of an issuer use one `kid` for different keys',
  token_claims_invalid:
    '`detail` names the claim: missing, empty, or of the wrong type. [Your issuer](issuers.md)',
  token_expired:
    'Usual: the client renews. If all tokens are: this machine’s clock is ahead. `exp` has no tolerance',
  token_not_yet_valid: 'The issuer’s clock is ahead of this one by more than `clockTolerance`: run NTP',
  audience_mismatch:
    '`detail` has both sides. The client must ask for this resource (`resource`, `audience`), or the issuer must be told what to put into `aud`; compared exactly. [Your issuer](issuers.md)',
  token_revoked: 'As intended; the client signs in again',
  confirmation_unsupported:
    'The token is bound by something else than `cnf.jkt`, such as a certificate (mTLS): not supported here',
  token_not_bound:
    "A plain token: turn DPoP on for the client at the issuer, or allow Bearer by `dpop: 'when-bound'`. Sent with the scheme `DPoP` it is refused either way",
  scheme_mismatch:
    'A bound token was sent as `Bearer`: stolen, or by a client that gets DPoP tokens and cannot use them',
  proof_key_mismatch: 'Stolen, or a client that has changed its key and kept the token: it gets a new one',
  proof_missing: 'As before, or a proxy that drops the `DPoP` field',
  proof_ambiguous: 'Something in between sends the `DPoP` field twice, or joins two',
  proof_malformed: 'A bug in the client: no JWT, a missing claim, a `jti` of over 256 characters, over 8 KB',
  proof_type_unsupported: 'A bug in the client',
  proof_algorithm_unsupported:
    'The challenge names what is accepted in `algs`; ES256 always is. RS256 only if `proofAlgorithms` has it',
  proof_key_invalid: 'A private, weak or malformed key in the proof: a bug in the client, or an attack',
  proof_signature_invalid: 'A bug in the client, or an attack',
  proof_method_mismatch: 'A bug in the client, or something in between that changes methods',
  proof_target_mismatch:
    '`detail` has both sides. Another origin: the audience or `publicUrl` is not what clients use. Another path: a proxy cuts off or rewrites it. [Behind a proxy](deployment.md#behind-a-proxy)',
  proof_expired:
    'A client whose clock is behind, that makes proofs ahead, or that repeats a request with the old one. Of all clients: this clock is ahead',
  proof_not_yet_valid:
    'A client whose clock is ahead by more than `clockTolerance`. Of all clients: this clock is behind',
  proof_token_mismatch:
    'A client that made the proof for the token before, without `ath`, or for another request',
  proof_nonce_required:
    'Usual with `nonce`, and in the first seconds of a process in production: the client comes back with the nonce. If it does not: it lacks RFC 9449 §8',
  proof_replayed:
    'A client or proxy that sends a request twice with one proof: each attempt needs its own. Otherwise an attack',
  insufficient_scope:
    '`detail` names the scope that is missing. Usual with step-up; else grant it at the issuer. Roles are no scopes',
  keys_unavailable:
    '`detail` has the URL and what was wrong: the issuer cannot be reached from here, names itself otherwise than `issuer` (`localhost` and `127.0.0.1` are two names), or redirects. `jwksUri` skips discovery',
  revocation_unavailable:
    '`detail` has the source: reach the issuer, or the answer is over 60 s old. [When it cannot be known](revocation.md#when-it-cannot-be-known)',
  replay_store_unavailable:
    '`detail` and `cause` are the store’s: Redis down, slow, a replica, or told to evict. [When something fails](replay.md#when-something-fails)',
  replay_store_full:
    '`noeviction` and no room left, or more proofs than `maxEntries`. [When the memory store is full](replay.md#when-the-memory-store-is-full)',
  replay_quota_exceeded:
    '`jkt` is whose: one agent sends over its tenth of the memory store. Talk to it, or raise `quota`',
  unexpected:
    'A bug, here or in what was passed in (`clock`, `impliesScope`, a source, a store): `cause` has it. Tell us',
} as const satisfies Record<Reason | UnavailableReason, string>
