-- What LuaJIT leaves to its interpreter: where a compiled trace must leave the machine code to call a
-- function that cannot be compiled, and why the recording of a trace was given up.
local host = ...
local attach, pairs, ipairs, type, tostring = jit.attach, pairs, ipairs, type, tostring

-- By what tostring says of them: iterators of gmatch are one function and many values.
local names = {}
for _, word in ipairs({ 'string', 'table', 'math', 'bit', 'coroutine' }) do
  for name, member in pairs(_G[word] or {}) do names[tostring(member)] = word .. '.' .. name end
end
for name, member in pairs(_G) do
  if type(member) == 'function' then names[tostring(member)] = name end
end
names[tostring(string.gmatch('', ''))] = 'string.gmatch'

-- What the host itself calls around each batch.
local OWN = { collectgarbage = true, setfenv = true, xpcall = true }

-- By LuaJIT's numbers for the reasons, lj_traceerr.h; those that are part of finding a good trace
-- are left out. Those of bytecodes are in lj_bc.h.
local NOT_COMPILED, UNSUPPORTED_CALL = 7, 15
local BYTECODES = { [50] = 'a closure over a loop variable', [51] = 'a new closure' }
local REASONS = {
  [0] = 'error', [2] = 'a long trace', [3] = 'deep calls', [4] = 'many branches',
  [11] = 'an argument of another type', [13] = 'recursion', [15] = 'a library function',
  [16] = 'a return', [17] = 'a NaN or nil key', [18] = 'a missing metamethod',
  [19] = 'a looping __index', [20] = 'a table with gaps', [25] = 'many variables',
  [26] = 'values of changing types', [27] = 'no memory for code', [28] = 'a long trace',
  [30] = 'many variables', [33] = 'many variables', [34] = 'many variables',
}

-- By reason, how many traces.
local counts = {}

local function reason_of(what, trace, func, code, info)
  if what == 'stop' then
    -- A function in the place of a tail call ends a trace without a stitch.
    local name = names[tostring(func)]
    if OWN[name] then return end
    return name or host.trace_info(trace).linktype == 'stitch' and 'a library function' or nil
  elseif what == 'abort' then
    if code == NOT_COMPILED then return BYTECODES[info] or 'an operation' end
    return code == UNSUPPORTED_CALL and names[tostring(info)] or REASONS[code]
  end
end

-- Begins to count: the host's own preparations are no concern of the user.
function host.watch_traces()
  attach(function(what, trace, func, _, code, info)
    local reason = reason_of(what, trace, func, code, info)
    if reason then counts[reason] = (counts[reason] or 0) + 1 end
  end, 'trace')
end

function host.interpreted() return counts end
