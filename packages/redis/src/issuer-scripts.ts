/**
 * What the issuer's store does in one step each. `KEYS[1]` is the prefix of all keys; one server holds them all.
 *
 * | key | |
 * |---|---|
 * | `record:KIND:ID` | hash: `json`, `expiresAt` (empty: never), `version`, `indexes` (JSON) |
 * | `list:KIND`, `index:KIND:INDEX` | ids in the order in which they were added |
 * | `expiring` | `KIND:ID` by the second it expires at |
 * | `number` | the last version or place given out |
 * | `rules`, `rules:expiring` | `SEQ JSON` by sequence number, and by the second it expires at |
 * | `rules:seq` | the sequence number of the newest rule ever |
 * | `rules:wake` | a stream of one entry, whose id is that number: who waits reads it |
 */
const PROLOGUE = `
local P = KEYS[1]
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] + time[2] / 1000000
end
local function recordKey(kind, id) return P .. 'record:' .. kind .. ':' .. id end
local function remove(kind, id)
  local key = recordKey(kind, id)
  local indexes = redis.call('HGET', key, 'indexes')
  if not indexes then return end
  for _, index in ipairs(cjson.decode(indexes)) do
    redis.call('ZREM', P .. 'index:' .. kind .. ':' .. index, id)
  end
  redis.call('ZREM', P .. 'list:' .. kind, id)
  redis.call('ZREM', P .. 'expiring', kind .. ':' .. id)
  redis.call('DEL', key)
end
local function sweep(most)
  local due = redis.call('ZRANGEBYSCORE', P .. 'expiring', '-inf', now, 'LIMIT', 0, most)
  for _, name in ipairs(due) do
    local colon = string.find(name, ':', 1, true)
    remove(string.sub(name, 1, colon - 1), string.sub(name, colon + 1))
  end
  return #due
end
local function live(kind, id)
  local found = redis.call('HMGET', recordKey(kind, id), 'json', 'version', 'expiresAt')
  if not found[1] or (found[3] ~= '' and tonumber(found[3]) <= now) then return nil end
  return found
end
local function expire(kind, id, expiresAt)
  redis.call('HSET', recordKey(kind, id), 'expiresAt', expiresAt)
  if expiresAt == '' then
    redis.call('ZREM', P .. 'expiring', kind .. ':' .. id)
  else
    redis.call('ZADD', P .. 'expiring', expiresAt, kind .. ':' .. id)
  end
end
`

/** now, kind, id → json and version, or nil */
export const GET = `${PROLOGUE}
local found = live(ARGV[2], ARGV[3])
return found and { found[1], found[2] }
`

/** now, kind, id, json, expiresAt, indexes (JSON) → 1, or 0 if there is one */
export const ADD = `${PROLOGUE}
local kind, id, json, expiresAt, indexes = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
sweep(20)
if live(kind, id) then return 0 end
remove(kind, id)
local place = redis.call('INCR', P .. 'number')
redis.call('HSET', recordKey(kind, id), 'json', json, 'version', place, 'indexes', indexes)
expire(kind, id, expiresAt)
redis.call('ZADD', P .. 'list:' .. kind, place, id)
for _, index in ipairs(cjson.decode(indexes)) do
  redis.call('ZADD', P .. 'index:' .. kind .. ':' .. index, place, id)
end
return 1
`

/** now, kind, id, version read, json, expiresAt or 'stays' → 1, or 0 if somebody else has written or removed it */
export const REPLACE = `${PROLOGUE}
local kind, id, version, json, expiresAt = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local found = live(kind, id)
if not found or found[2] ~= version then return 0 end
redis.call('HSET', recordKey(kind, id), 'json', json, 'version', redis.call('INCR', P .. 'number'))
if expiresAt ~= 'stays' then expire(kind, id, expiresAt) end
return 1
`

/** now, kind, id → json, or nil */
export const TAKE = `${PROLOGUE}
local found = live(ARGV[2], ARGV[3])
remove(ARGV[2], ARGV[3])
return found and found[1]
`

/** now, kind, index or '', offset, limit → total and the jsons; nil if there is more to sweep first */
export const LIST = `${PROLOGUE}
local kind, index, offset, limit = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
if sweep(500) == 500 then return false end
local key = P .. (index == '' and 'list:' .. kind or 'index:' .. kind .. ':' .. index)
local page = { redis.call('ZCARD', key) }
if limit > 0 then
  for _, id in ipairs(redis.call('ZREVRANGE', key, offset, offset + limit - 1)) do
    page[#page + 1] = redis.call('HGET', recordKey(kind, id), 'json')
  end
end
return page
`

/** now, then json and expiry of each rule → the last sequence number */
export const APPEND_RULES = `${PROLOGUE}
for _, due in ipairs(redis.call('ZRANGEBYSCORE', P .. 'rules:expiring', '-inf', now, 'LIMIT', 0, 100)) do
  redis.call('ZREM', P .. 'rules', due)
  redis.call('ZREM', P .. 'rules:expiring', due)
end
local seq = tonumber(redis.call('GET', P .. 'rules:seq') or 0)
for i = 2, #ARGV, 2 do
  seq = redis.call('INCR', P .. 'rules:seq')
  local entry = string.format('%.0f', seq) .. ' ' .. ARGV[i]
  redis.call('ZADD', P .. 'rules', seq, entry)
  redis.call('ZADD', P .. 'rules:expiring', ARGV[i + 1], entry)
end
if #ARGV > 1 then
  redis.call('XADD', P .. 'rules:wake', 'MAXLEN', 1, string.format('%.0f', seq) .. '-0', 'rule', '')
end
return seq
`

/** now, since → the newest sequence number, the server's or the given time, and `SEQ JSON` of each rule */
export const RULES_SINCE = `${PROLOGUE}
local found = { tonumber(redis.call('GET', P .. 'rules:seq') or 0), tostring(now) }
for _, entry in ipairs(redis.call('ZRANGEBYSCORE', P .. 'rules', '(' .. ARGV[2], '+inf')) do
  found[#found + 1] = entry
end
return found
`
