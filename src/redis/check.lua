--[[
What the log knows about labels, as of its head.

ARGV  2 u32 slots, as many as there are hashes for each label   3 '1': replicas confirm
Answers {epoch, head, floor, positions, bans with scores}, or {'', slots, hashes, maxLag, maxLife} as append does.
]]
local refused = verify()
if refused then return refused end
local slots, hashes = struct.unpack('<I4I4', ARGV[1], 17)
if slots ~= log.slots or hashes ~= log.hashes then
  return { '', log.slots, log.hashes, text(log.maxLag), text(log.maxLife) }
end
if ARGV[3] == '1' then beat() end
local positions, smallest = {}, nil
for i = 0, #ARGV[2] / 4 - 1 do
  local offset = HEADER + 8 * struct.unpack('<I4', ARGV[2], 4 * i + 1)
  local position = struct.unpack('<d', redis.call('GETRANGE', TABLE, offset, offset + 7))
  if not smallest or position < smallest then smallest = position end
  if (i + 1) % log.hashes == 0 then
    positions[#positions + 1] = text(smallest)
    smallest = nil
  end
end
return { log.epoch, text(log.head), text(log.floor), positions, redis.call('ZRANGE', BANS, 0, -1, 'WITHSCORES') }
