/** The only file that looks at the process environment; everything else gets what it says from here. */
export interface Environment {
  /** `SHARK_URL`: the issuer when none is configured. */
  readonly issuer: string | undefined
  /** `NODE_ENV` is `production`: nothing is assumed about the issuer, and it must be https. */
  readonly production: boolean
}

export function readEnvironment(): Environment {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } }
  const issuer = process?.env?.SHARK_URL
  return { issuer: issuer === '' ? undefined : issuer, production: process?.env?.NODE_ENV === 'production' }
}
