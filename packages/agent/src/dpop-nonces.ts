/**
 * The newest `DPoP-Nonce` of each origin (RFC 9449 §8, §9). Nonces of authorization and resource servers are not
 * interchangeable, even on one origin: keep one of these for each role.
 */
export class DPoPNonces {
  readonly #newest = new Map<string, string>()

  get(url: string | URL): string | undefined {
    return this.#newest.get(new URL(url).origin)
  }

  /** Takes the nonce of any answer, a success too (§8.2). True when there was one. */
  remember(url: string | URL, headers: Headers): boolean {
    const nonce = headers.get('dpop-nonce')
    // 1*NQCHAR (RFC 6749 Appendix A). Two fields, joined by ", ", hold a space and are therefore none.
    if (nonce === null || nonce.length > 1024 || !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(nonce)) return false
    this.#newest.set(new URL(url).origin, nonce)
    return true
  }
}
