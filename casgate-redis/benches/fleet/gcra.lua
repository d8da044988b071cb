-- One decision by GCRA. KEYS[1]: the TAT. ARGV: 1 the time in which a permit refills, 2 that of the burst.
-- Times are microseconds.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local tat = math.max(tonumber(redis.call('GET', KEYS[1])) or now, now) + interval
if tat > now + burst then return 0 end
redis.call('SET', KEYS[1], tat, 'PX', math.ceil((tat - now) / 1000))
return 1
