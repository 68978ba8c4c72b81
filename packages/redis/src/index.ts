export type { IoredisClient, NodeRedisClient, RedisClient } from './client.ts'
export { type RedisReplayStore, type RedisReplayStoreOptions, redisReplayStore } from './replay-store.ts'
