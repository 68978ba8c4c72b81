/** One requirement of a specification, by the name that tests cite in their titles: `[id]`. */
export interface Requirement {
  readonly id: string
  readonly source: string
  readonly level: Level
  readonly text: string
  /** `host` and `client` are others' code: what binds them needs no test here. */
  readonly binds: Party
  /** The name that the MCP conformance suite has for it. */
  readonly check?: string
}

export type Level = 'MUST' | 'SHOULD'
export type Party = 'guard' | 'issuer' | 'host' | 'client'

export type Row = readonly [id: string, level: Level, text: string, more?: Pick<Requirement, 'check'>]

/** Requirements of one document on one party. */
export function requirements(source: string, binds: Party, rows: readonly Row[]): readonly Requirement[] {
  return rows.map(([id, level, text, more]) => ({ id, source, level, text, binds, ...more }))
}
