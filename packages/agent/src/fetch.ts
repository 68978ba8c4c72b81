/** What fetch does, as far as this package and MCP's transports use it. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/** The runtime's fetch, free of `this`: browsers and Workers refuse to run it as somebody's method. */
export const globalFetch: Fetch = (input, init) => fetch(input, init)
