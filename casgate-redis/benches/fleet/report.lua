-- Takes note of permits that a process has admitted already. KEYS[1]: the TAT.
-- ARGV: 1 the time in which a permit refills, 2 the permits, 3 the time in which they were admitted, which ends now.
-- Returns by how much the TAT is ahead of the clock. Times are microseconds.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local stored = tonumber(redis.call('GET', KEYS[1]))
local tat = math.max(stored or now, now - ARGV[3]) + ARGV[1] * ARGV[2]
redis.call('SET', KEYS[1], tat, 'PX', math.ceil(math.max(tat - now, 0) / 1000) + 1000)
return math.max(tat - now, 0)
