import { type AuthInfo, ConfigurationError, type Guard, type Refused } from '@sharkguard/core'
import { matchesName, messagesOf, type Operation, operationsOf } from './operations.ts'

/** Name, or `prefix_*` → scopes that the operation needs. Where several match, all of their scopes are needed. */
type ScopesByName = Readonly<Record<string, readonly string[]>>

/** Which scopes single operations need, beyond the guard's own `scopes`. */
export interface OperationScopes {
  readonly tools?: ScopesByName
  /** By URI. */
  readonly resources?: ScopesByName
  readonly prompts?: ScopesByName
  /** Whether a granted scope covers a needed one: `(granted, needed) => …`. Default: they are the same. The guard's too. */
  readonly impliesScope?: (granted: string, needed: string) => boolean
}

const KINDS = ['tools', 'resources', 'prompts'] as const

/**
 * Decides by the request body whether the scopes suffice: `403` naming *all* scopes that the request's operations need, in
 * the caller's own scheme, so that stock clients step up (MCP authorization, scope challenges). For hosts that parse the
 * body themselves:
 *
 * ```ts
 * const check = operationScopes(guarded.guard, { tools: { delete_file: ['files:write'] } })
 * app.use(guarded)
 * app.post('/mcp', express.json(), (req, res, next) => {
 *   const refused = req.auth && check(req.auth, req.body)
 *   if (refused) res.status(refused.status).set(refused.headers).send(refused.body)
 *   else next()
 * })
 * ```
 * @returns the refusal, or `undefined` where the scopes suffice
 * @throws ConfigurationError
 */
export function operationScopes(guard: Pick<Guard, 'insufficientScope'>, options: OperationScopes) {
  requireTables(options)
  const { impliesScope = (granted, needed) => granted === needed } = options

  return (
    auth: AuthInfo,
    body: unknown,
    isExempt = (_operation: Operation) => false,
  ): Refused | undefined => {
    const operations = messagesOf(body)
      .flatMap(operationsOf)
      .filter((operation) => !isExempt(operation))
    const needed = [...new Set(operations.flatMap((operation) => scopesOf(operation, options)))]
    const isCovered = (scope: string) => auth.scopes.some((granted) => impliesScope(granted, scope))
    return needed.every(isCovered) ? undefined : guard.insufficientScope(auth, needed)
  }
}

function scopesOf({ kind, names }: Operation, options: OperationScopes): readonly string[] {
  return Object.entries(options[kind] ?? {})
    .filter(([pattern]) => names === undefined || names.some((name) => matchesName(pattern, name)))
    .flatMap(([, scopes]) => scopes)
}

function requireTables(options: OperationScopes): void {
  for (const kind of KINDS) {
    const table = options[kind]
    if (table === undefined) continue
    if (typeof table !== 'object' || table === null || Array.isArray(table)) {
      throw new ConfigurationError(kind, 'expected names and the scopes they need')
    }
    for (const [name, scopes] of Object.entries(table)) {
      const fine =
        Array.isArray(scopes) &&
        scopes.every((scope) => typeof scope === 'string' && /^[!#-[\]-~]+$/.test(scope))
      if (!fine) throw new ConfigurationError(`${kind}.${name}`, 'expected a list of scope names')
    }
  }
  const { impliesScope } = options
  if (impliesScope !== undefined && typeof impliesScope !== 'function') {
    throw new ConfigurationError('impliesScope', 'expected a function')
  }
}
