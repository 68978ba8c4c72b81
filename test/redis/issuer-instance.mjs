/**
 * One instance of an issuer that keeps everything in a Redis, on what `tsc -b` has built. Says where it listens.
 *
 *     node issuer-instance.mjs <redis url> <issuer identifier> <admin key>
 */
import { startIssuer } from '@sharkguard/issuer'
import { redisIssuerStore } from '@sharkguard/redis'
import { createClient } from 'redis'

const [url, issuer, adminKey] = process.argv.slice(2)
const client = await createClient({ url }).connect()
const store = redisIssuerStore(client)
await store.ready()
const { port } = await startIssuer({ issuer, adminKey, store, autoApprove: true })
process.send({ port })
