-- One decision as the command CL.THROTTLE of redis-cell makes it.
-- KEYS[1]: the TAT. ARGV: 1 the largest burst beside the permit at hand, 2 permits, 3 in so many microseconds,
-- 4 the permits to take.
-- Returns {1 if it is denied, the limit, what remains, when to ask again or -1, when the limit is full again}.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local most, interval, quantity = ARGV[1] + 1, ARGV[3] / ARGV[2], tonumber(ARGV[4])
local tolerance = interval * most
local stored = tonumber(redis.call('GET', KEYS[1]))
local tat = math.max(stored or now, now)
local next = tat + interval * quantity
local ahead = now - (next - tolerance)
local denied, retry, left = 0, -1, next
if ahead < 0 then
  denied, left = 1, tat
  if interval * quantity <= tolerance then retry = math.ceil(-ahead / 1000000) end
else
  redis.call('SET', KEYS[1], next, 'PX', math.ceil((next - now) / 1000))
end
local remaining = math.floor((tolerance - (left - now)) / interval)
return {denied, most, math.max(0, remaining), retry, math.ceil((left - now) / 1000000)}
