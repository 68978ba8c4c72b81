/** What fetch does, as far as this package and MCP's transports use it. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>
