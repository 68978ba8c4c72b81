/** What a JSON-RPC message asks for, as far as policy goes. */
export interface Operation {
  readonly kind: 'tools' | 'resources' | 'prompts'
  /** The tool's or prompt's name; the resource's URI as sent and, where it differs, in normal form. */
  readonly names: readonly string[]
}

/**
 * The operations that a request body asks for; several in a batch. Read from the body that is handed on, never from
 * `Mcp-Name` and `Mcp-Method`: whoever sends a request can write anything there.
 */
export function operationsOf(body: unknown): readonly Operation[] {
  const messages = Array.isArray(body) ? body : [body]
  return messages.flatMap((message) => {
    const operation = operationOf(message)
    return operation === undefined ? [] : [operation]
  })
}

function operationOf(message: unknown): Operation | undefined {
  const { method, params } = asRecord(message)
  const { name, uri, ref } = asRecord(params)
  switch (method) {
    case 'tools/call':
      return { kind: 'tools', names: [String(name)] }
    case 'prompts/get':
      return { kind: 'prompts', names: [String(name)] }
    case 'resources/read':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return { kind: 'resources', names: spellings(uri) }
    case 'completion/complete': {
      const target = asRecord(ref)
      if (target.type === 'ref/prompt') return { kind: 'prompts', names: [String(target.name)] }
      return { kind: 'resources', names: spellings(target.uri) }
    }
    default:
      return undefined
  }
}

/** A server may normalize a URI before it looks at it; what either spelling needs is needed. */
function spellings(uri: unknown): readonly string[] {
  const text = String(uri)
  const normal = URL.canParse(text) ? new URL(text).href : text
  return normal === text ? [text] : [text, normal]
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** Whether a name is the pattern, or begins with what stands before its final `*`. */
export function matchesName(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}
