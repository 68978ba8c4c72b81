export type { DuplicableClient, IoredisClient, NodeRedisClient, RedisClient } from './client.ts'
export { type RedisIssuerStore, type RedisIssuerStoreOptions, redisIssuerStore } from './issuer-store.ts'
export { type RedisReplayStore, type RedisReplayStoreOptions, redisReplayStore } from './replay-store.ts'
