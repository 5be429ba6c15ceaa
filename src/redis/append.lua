--[[
Appends records, all or none, at numbers that follow one another.

ARGV  8 bytes of history to keep   9 a floor record, its floor and id to be filled in
     10 the records: u32 length + record each, their numbers zero
     11 how they are parted into entries of the stream: u32 records and u32 bytes of each
     12 for each record: u32 count, then as many u32 slots that its labels write to
     13... in groups of four, in the order of the records, what else they do: operation, index of the record, x, y
        p pattern -: ban             E - -: everything             f floor -: raise the floor
        a id content: announce       c id -: close                 l bound epoch:number / u - -: bound of commits
Answers {epoch, last number}, or {'', slots, hashes, maxLag, maxLife} when the slots were made for a table of another shape.
]]
local refused = verify()
if refused then return refused end
if tonumber(ARGV[2]) ~= log.slots or tonumber(ARGV[3]) ~= log.hashes then
  return { '', log.slots, log.hashes, text(log.maxLag), text(log.maxLife) }
end

local time = now()
local changed = {}

local function set(name, value)
  log[name] = value
  changed[name] = true
end

local function save()
  local fields = { 'head', integer(log.head), 'bytes', integer(log.bytes) }
  for name in pairs(changed) do
    fields[#fields + 1] = name
    fields[#fields + 1] = name == 'bound' and log.bound or integer(log[name])
  end
  redis.call('HSET', LOG, unpack(fields))
end

local function put(records, count)
  local last = math.max(time, log.head + 1) + count - 1
  redis.call('XADD', STREAM, idOf(last), log.epoch, struct.pack('<d', log.head) .. records)
  log.head = last
  log.bytes = log.bytes + #records
end

local function raiseFloor(floor)
  if not (floor > log.floor) then return end
  set('floor', floor)
  redis.call('ZREMRANGEBYSCORE', BANS, '(0', text(floor))
end

-- A ban leaves the list only by a record that raises the floor to it: when no entry can be as old, or there are too many.
local function retireBans()
  if redis.call('ZCARD', BANS) == 1 then return end -- The epoch alone.
  local last
  local surplus = redis.call('ZCOUNT', BANS, '(0', '+inf') - 1000
  if surplus > 0 then
    last = redis.call('ZRANGEBYSCORE', BANS, '(0', '+inf', 'WITHSCORES', 'LIMIT', surplus - 1, 1)[2]
  end
  local expired = time / 1000 - log.maxLife
  while true do
    local oldest = redis.call('ZRANGEBYSCORE', BANS, '(' .. (last or '0'), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    if not oldest[1] or tonumber(string.match(oldest[1], '^b%d+ (%d+)')) >= expired then break end
    last = oldest[2]
  end
  if not last then return end
  local floor = tonumber(last)
  local bytes = struct.pack('<d', floor)
  -- Its floor is at 52; its id ends at 36, in what makes it another one each time.
  local record = string.sub(ARGV[9], 1, 28) .. bytes .. string.sub(ARGV[9], 37, 52) .. bytes .. string.sub(ARGV[9], 61)
  put(struct.pack('<I4', #record) .. record, 1)
  raiseFloor(floor)
end

local function close(id)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', BANS, '-inf', '(0')) do
    if string.sub(member, 2, 33) == id then redis.call('ZREM', BANS, member) end
  end
end

-- Made for those who have something for them to do.
local function operations()
  return {
    p = function(number, pattern)
      redis.call('ZADD', BANS, text(number), table.concat({ 'b' .. text(number), text(math.floor(time / 1000)), pattern }, ' '))
    end,
    E = function(number) raiseFloor(number) end,
    f = function(_, floor) raiseFloor(tonumber(floor)) end,
    a = function(number, id, content)
      redis.call('ZADD', BANS, '-' .. text(number), 'a' .. id .. text(number) .. ' ' .. content)
    end,
    c = function(_, id) close(id) end,
    u = function(number) set('doubt', math.max(log.doubt, number)) end,
    l = function(_, bound, after)
      if bound > log.bound then set('bound', bound) end
      local epoch, number = string.match(after, '^(%x+):(%d+)$')
      if epoch == log.epoch and tonumber(number) >= log.doubt then set('doubt', 0) end
    end,
  }
end

retireBans()
local parts = ARGV[11]
if #parts > 0 then
  local first, at = math.max(time, log.head + 1), 1
  if first > MAX_NUMBER / 2 then return redis.error_reply('TIDEMARK the clock of this server is far in the future') end
  -- The numbers of one call follow one another, also across entries.
  time = first
  for i = 1, #parts, 8 do
    local count, bytes = struct.unpack('<I4I4', parts, i)
    put(string.sub(ARGV[10], at, at + bytes - 1), count)
    at = at + bytes
  end

  local slots, length, position = ARGV[12], nil, nil
  local call, format, read = redis.call, string.format, struct.unpack
  at = 1
  for number = first, log.head do
    length, at = read('<I4', slots, at)
    if length > 0 then
      position = struct.pack('<d', number)
      for _ = 1, length do
        call('SETRANGE', TABLE, format('%d', HEADER + 8 * read('<I4', slots, at)), position)
        at = at + 4
      end
    end
  end
  local does = ARGV[13] and operations()
  for i = 13, #ARGV, 4 do
    does[ARGV[i]](first + ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
  end
end

-- Half of the history at a time: entries before the last cut but one are gone.
if log.bytes > ARGV[8] / 2 then
  if log.cut > 0 then redis.call('XTRIM', STREAM, 'MINID', '~', text(log.cut) .. '-1', 'LIMIT', 0) end
  set('cut', log.head)
  log.bytes = 0
end
save()
return { log.epoch, integer(log.head) }
