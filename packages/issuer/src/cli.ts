#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { startIssuer } from './listen.ts'

const USAGE = `Usage: sharkguard-issuer [--port 8080] [--host 127.0.0.1] [--issuer URL] [--admin-key KEY]

Runs an authorization server for development and tests. Everything is kept in memory.`

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    host: { type: 'string', default: '127.0.0.1' },
    issuer: { type: 'string' },
    'admin-key': { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
})

if (values.help) {
  console.log(USAGE)
  process.exit(0)
}

const issuer = await startIssuer({
  port: Number(values.port),
  host: values.host,
  ...(values.issuer === undefined ? {} : { issuer: values.issuer }),
  ...(values['admin-key'] === undefined ? {} : { adminKey: values['admin-key'] }),
  log: (event) => console.error(JSON.stringify(event)),
})

console.log(`issuer     ${issuer.url}`)
console.log(`admin key  ${issuer.adminKey}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void issuer.close())
}
