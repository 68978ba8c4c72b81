const assert = require('node:assert/strict')

// The packages are ESM only. From Node 20.19 on, require() loads them all the same.
for (const name of ['core', 'express', 'fastify', 'hono', 'mcp', 'redis', 'agent', 'issuer']) {
  const module_ = require(`@sharkguard/${name}`)
  assert.ok(Object.keys(module_).length > 0, name)
}
const { createGuard } = require('@sharkguard/core')
const guard = createGuard('https://mcp.example.com/mcp', { issuer: 'https://as.example.com' })
assert.equal(guard.resourceMetadata.resource, 'https://mcp.example.com/mcp')
console.log('all packages load by require()')
