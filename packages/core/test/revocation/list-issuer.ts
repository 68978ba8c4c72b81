import type { RevocationRule } from '../../src/revocation/rules.ts'
import { FakeContext, sign } from './fake-context.ts'
import { ISSUER } from './tokens.ts'

/** An issuer of revocation lists with a long-poll that ends when the test says so. */
export class ListIssuer {
  rules: { seq: number; rule: RevocationRule }[] = []
  seq = 0
  down = false
  /** Breaks something of each list before it is signed. */
  tamper: (claims: Record<string, unknown>) => object = (claims) => claims
  readonly context: FakeContext
  readonly #waiting = new Set<() => void>()

  constructor() {
    this.context = new FakeContext((url, init) => this.#answer(url, init))
  }

  revoke(rule: RevocationRule): void {
    this.rules.push({ seq: ++this.seq, rule })
    this.release()
  }

  /** All that wait are answered. */
  release(): void {
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  /** Nothing is remembered, nobody waits any more. */
  restart(): void {
    this.rules = []
    this.seq = 0
    this.release()
  }

  /** Time passes, and whoever waits is answered. */
  pass(seconds: number): void {
    this.context.now += seconds
    this.release()
  }

  get waiting(): number {
    return this.#waiting.size
  }

  async #answer({ searchParams }: URL, { signal }: RequestInit): Promise<Response> {
    if (this.down) throw new TypeError('connection refused')
    const since = Number(searchParams.get('since') ?? 0)
    if (searchParams.has('wait') && this.seq <= since) {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.add(resolve)
        signal?.addEventListener('abort', () => reject(signal.reason))
      })
    }
    if (this.down) throw new TypeError('connection reset')
    const rules = this.rules.filter(({ seq }) => seq > since).map(({ rule }) => rule)
    const iat = Math.floor(this.context.now)
    const claims = { iss: ISSUER, iat, exp: iat + 60, seq: this.seq, since, rules }
    return new Response(await sign(this.tamper(claims), 'revocation-list+jwt'))
  }
}
