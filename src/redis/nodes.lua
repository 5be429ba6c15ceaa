--[[
The list of nodes. Who has not reported for long is struck off, and the list is another one then: a writer that knew it
cannot tell whether it was struck off rightly.

ARGV  2 a node to enter, '' for none   3 its tolerance: how long it serves when cut off, beyond maxLag, ms
Answers {epoch, id of the list, longest time that any node ever said it serves, node, entry, node, entry, ...}.
]]
local refused = verify()
if refused then return refused end
report(ARGV[2], ARGV[3])
local time = redis.call('TIME')
local at = time[1] * 1000 + time[2] / 1000
local answer = { log.epoch, '', text(log.longest) }
local all = redis.call('HGETALL', NODES)
for i = 1, #all, 2 do
  local name, entry = all[i], all[i + 1]
  local servesFor, reported = string.match(entry, ' (%d+) (%d+)$')
  if servesFor and at - reported > 3 * servesFor + 10000 then
    redis.call('HDEL', NODES, name)
    redis.call('HSET', NODES, 'id', string.sub(ARGV[1], 1, 16))
  elseif servesFor then
    answer[#answer + 1] = name
    answer[#answer + 1] = entry
  end
end
answer[2] = redis.call('HGET', NODES, 'id')
return answer
