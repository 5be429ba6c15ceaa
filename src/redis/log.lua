#!lua flags=allow-oom
--[[
What the scripts of the log have in common: this stands before `append.lua`, and before `proof.lua` and each of the others.
allow-oom: the log's memory is bounded, and an invalidation must go through where memory is short.

KEYS  1 {name}:log     hash   v epoch run repl head floor slots hashes maxLag maxLife bound doubt bytes cut longest beat
      2 {name}:stream  stream entry <last number>-0, field: epoch, value: f64 previous number, then u32 length + record, ...
                              (the first entry, 0-1, holds the epoch alone)
      3 {name}:table   string 16 bytes epoch, then 8 bytes for each slot
      4 {name}:bans    zset   0: e<epoch>; <number>: b<number> <ms> <pattern>; -<number>: a<id><number> <labels, patterns>
      5 {name}:nodes   hash   id: of this list; <node>: <epoch> <number> <serves for, ms> <reported at, ms>
ARGV  1 64 bytes, little-endian:
         0 an epoch, 16 characters, in case one has to begin
        16 slots u32   20 hashes u32   24 maxLag f64   32 maxLife f64: in case the log has to be created
        40 the epoch and 56 the number, f64, that the caller has applied; zeros for none
Numbers are written with %.0f or, faster, integers with %d: Lua's own form has 14 digits, and what hands a number to a
command writes it with 17, which takes longer than the command.
]]
local LOG, STREAM, TABLE, BANS, NODES = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local HEADER = 16
local MAX_NUMBER = 9007199254740991
local REPLICA = 'READONLY this is a replica: the log is written and proved on its primary'

local function text(number)
  return string.format('%.0f', number)
end

-- Whether the stream's last id is that of a head. XINFO takes twice as long as reading the last entry, and is asked only
-- where that is not there: whoever trimmed it away has not changed the last id.
local function endsAt(head)
  local id = head == 0 and '0-1' or text(head) .. '-0'
  local found = redis.pcall('XREVRANGE', STREAM, '+', '-', 'COUNT', '1')
  if found.err then return false end
  if found[1] and found[1][1] == id then return true end
  local info = redis.pcall('XINFO', 'STREAM', STREAM)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] == id end
  end
  return false
end

-- Whether every key of the log is there and of one epoch, and the server has not started anew. The last id of the stream is as
-- good as the epoch: it is the head.
local function isWhole(epoch, head, slots, run)
  if not string.find(redis.call('INFO', 'server'), 'run_id:' .. run, 1, true) then return false end
  if redis.call('GETRANGE', TABLE, 0, HEADER - 1) ~= epoch then return false end
  if redis.call('STRLEN', TABLE) ~= HEADER + 8 * slots then return false end
  return redis.call('ZSCORE', BANS, 'e' .. epoch) and endsAt(head)
end

-- Begins an epoch: makes the keys of the log anew, with the options that it had as far as they are known.
local function begin()
  local info = redis.call('INFO', 'server', 'replication')
  -- The 40 digits behind a name. A pattern would take a hundred times as long to find them.
  local function field(name)
    local _, last = string.find(info, name, 1, true)
    if not last then error({ err = 'TIDEMARK the INFO of this service has no ' .. name .. ' without it a restart or a failover cannot be told' }) end
    return string.sub(info, last + 1, last + 40)
  end
  local run, repl, epoch = field('run_id:'), field('master_replid:'), string.sub(ARGV[1], 1, 16)
  local known = redis.call('HMGET', LOG, 'slots', 'hashes', 'maxLag', 'maxLife', 'longest')
  local slots, hashes, maxLag, maxLife = struct.unpack('<I4I4dd', ARGV[1], 17)
  local function option(i, given) return text(tonumber(known[i] or given)) end
  slots = option(1, slots)
  redis.call('UNLINK', LOG, STREAM, TABLE, BANS)
  -- doubt: what is lost may have named any bound of a commit.
  redis.call('HSET', LOG, 'v', 1, 'epoch', epoch, 'run', run, 'repl', repl, 'head', 0, 'floor', 0, 'slots', slots,
    'hashes', option(2, hashes), 'maxLag', option(3, maxLag), 'maxLife', option(4, maxLife), 'bound', '', 'doubt', 1,
    'bytes', 0, 'cut', 0, 'longest', option(5, 0))
  redis.call('XADD', STREAM, '0-1', epoch, '')
  redis.call('SETRANGE', TABLE, HEADER + 8 * slots - 1, '\0')
  redis.call('SETRANGE', TABLE, 0, epoch)
  redis.call('ZADD', BANS, 0, 'e' .. epoch)
end
