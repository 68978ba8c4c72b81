/** What a JSON-RPC message asks for, as far as policy goes. */
export interface Operation {
  readonly kind: 'tools' | 'resources' | 'prompts'
  /**
   * The tool's or prompt's name; the resource's URI in every spelling a server may take it for. `undefined` where none can
   * be read: such an operation may be any.
   */
  readonly names: readonly string[] | undefined
}

type Json = Readonly<Record<string, unknown>>

/** The messages of a request body: one, or a batch. */
export function messagesOf(body: unknown): readonly Json[] {
  return (Array.isArray(body) ? body : [body]).map(asRecord)
}

/**
 * What a message asks for: mostly one operation or none. Read from the body that is handed on, never from `Mcp-Name` and
 * `Mcp-Method`: whoever sends a request can write anything there.
 */
export function operationsOf({ method, params }: Json): readonly Operation[] {
  const { name, uri, ref, notifications } = asRecord(params)
  switch (method) {
    case 'tools/call':
      return [named('tools', name)]
    case 'prompts/get':
      return [named('prompts', name)]
    case 'completion/complete': {
      const { type, name: prompt, uri: template } = asRecord(ref)
      return [type === 'ref/prompt' ? named('prompts', prompt) : located(template)]
    }
    case 'subscriptions/listen': {
      const { resourceSubscriptions: uris } = asRecord(notifications)
      return uris === undefined ? [] : Array.isArray(uris) ? uris.map(located) : [located(uris)]
    }
    case 'resources/read':
      return [located(uri)]
    default:
      // Subscribing, and what extensions add: whatever names a resource.
      return typeof method === 'string' && method.startsWith('resources/') && uri !== undefined
        ? [located(uri)]
        : []
  }
}

function named(kind: 'tools' | 'prompts', name: unknown): Operation {
  return { kind, names: typeof name === 'string' ? [name] : undefined }
}

/** A server may normalize and decode a URI before it looks at it; what any spelling needs is needed. */
function located(uri: unknown): Operation {
  if (typeof uri !== 'string') return { kind: 'resources', names: undefined }
  const normal = normalize(uri)
  const decoded = decode(normal)
  return { kind: 'resources', names: [...new Set([uri, normal, decoded, normalize(decoded)])] }
}

function normalize(uri: string): string {
  return URL.canParse(uri) ? new URL(uri).href : uri
}

function decode(uri: string): string {
  try {
    return decodeURIComponent(uri)
  } catch {
    return uri
  }
}

/** `{}` for anything that is no object, so that what is malformed names nothing. */
export function asRecord(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {}
}

/** Whether a name is the pattern, or begins with what stands before its final `*`. */
export function matchesName(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}
