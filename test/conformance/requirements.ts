import { DPOP } from './requirements/dpop.ts'
import { ISSUER } from './requirements/issuer.ts'
import { JOSE } from './requirements/jose.ts'
import { MCP } from './requirements/mcp.ts'
import type { Requirement } from './requirements/requirement.ts'
import { RESOURCE } from './requirements/resource.ts'

/** What binds the guard and the issuer, by the specifications they are built on. */
export const REQUIREMENTS: readonly Requirement[] = [...DPOP, ...RESOURCE, ...JOSE, ...MCP, ...ISSUER]
