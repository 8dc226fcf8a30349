-- Failures: what is recorded when a call fails, and how the loop is left. Also its start and pace.
local host = ...
local cast, getinfo, collectgarbage, setfenv = ffi.cast, debug.getinfo, collectgarbage, setfenv
local type, tostring, error, pcall, xpcall = type, tostring, error, pcall, xpcall
local format, sub, gsub = string.format, string.sub, string.gsub
local position, push_row, show = host.position, host.push_row, host.show
local number_text = host.number_text

-- Raised to unwind to the batch once a failure is recorded, through the user's own pcall as well.
local UNWIND = 'gleam: the batch has failed'
local recorded

-- Made beforehand: when it is needed, nothing can be made. It also stands in the place of a
-- failure that cannot be described for want of memory.
local out_of_memory = { message = 'not enough memory for Lua', step = 0, row = 0, arguments = {} }

-- A message without the places of the host's own code: a function that user code tail-calls
-- has the loop as its caller, and coroutine.wrap puts the place of the resume in front.
local function without_host(message)
  local count
  repeat message, count = gsub(message, '^gleam host:%d+: ', '') until count == 0
  return (gsub(message, "to 'call%d+'", 'to the function called by return', 1))
end

local function describe(err)
  local kind = type(err)
  if kind == 'string' then return without_host(err) end
  if kind == 'number' then return number_text(err) end
  if kind == 'table' then
    local ok, text = pcall(tostring, err)
    if ok and type(text) == 'string' and sub(text, 1, 7) ~= 'table: ' then return text end
    if not ok then return 'error raised with a table whose __tostring fails' end
  end
  return kind == 'nil' and 'error raised with nil' or 'error raised with a ' .. kind
end

-- The line of the user's code that is on the stack, innermost first. Where the function has left
-- the stack by a tail call, it is known only if the function has one line.
local function running_line(source, user_function)
  for level = 3, 60 do
    local info = getinfo(level, 'Sl')
    if info == nil then break end
    if info.source == source and info.currentline > 0 then return info.currentline end
  end
  local info = getinfo(user_function, 'S')
  if info.source == source and info.linedefined == info.lastlinedefined then
    return info.linedefined
  end
end

local function arguments_of(step)
  local ok, values = pcall(host.arguments[step])
  if not ok then return {} end
  local rendered = {}
  for k = 1, values.n do
    local v = values[k]
    local kind = type(v)
    local entry = { type = kind, bytes = kind == 'string' and #v or 0 }
    if kind == 'string' then entry.text = sub(v, 1, 200)
    elseif kind == 'number' then entry.text = number_text(v)
    elseif kind == 'cdata' then entry.text = tostring(v); entry.type = 'number'
    elseif kind == 'boolean' then entry.text = v and 'true' or 'false'
    else entry.text = kind end
    rendered[k] = entry
  end
  return rendered
end

local function failure_of(err, line)
  local step = position.step
  return { message = describe(err), line = line, step = step, row = position.row,
    arguments = arguments_of(step) }
end

-- The message handler of every protected call whose failure ends the batch. It runs where the
-- error was raised, so the user's line is still on the stack.
local function capture(err)
  if recorded == nil then
    local step = position.step
    recorded, out_of_memory.step, out_of_memory.row = out_of_memory, step, position.row
    if err ~= 'not enough memory' then
      recorded = failure_of(err, running_line('=' .. host.chunk_names[step], host.functions[step]))
    end
  end
  return UNWIND
end

-- How many of the rows that ON ERROR tolerates are described, of each batch.
local SAMPLES = 3

-- Begins the notes of a step whose errors are tolerated: its calls, those of them with an error, the
-- call that the last error belongs to, and the first few errors.
local noted_by_step = host.noted
function host.forget(step)
  noted_by_step[step] = { calls = 0, errors = 0, last = 0, samples = {} }
end

-- Notes an error that ON ERROR tolerates. A call may have several, and counts once.
function host.note(step, err)
  local noted = noted_by_step[step]
  if noted.last == noted.calls then return end
  noted.last, noted.errors = noted.calls, noted.errors + 1
  if noted.errors <= SAMPLES then
    position.step = step
    noted.samples[noted.errors] = failure_of(err, nil)
  end
end

function host.no_values(columns)
  error(format('the function returned nothing, but AS has %d column%s', columns,
    columns == 1 and '' or 's'), 0)
end

function host.surplus_of_call(returned)
  error(format('the function returned %d values, and its RETURNS is one', returned), 0)
end

function host.surplus(returned, columns)
  error(format('the function returned %d values, but AS has %d column%s', returned, columns,
    columns == 1 and '' or 's'), 0)
end

function host.surplus_of_iterator(columns)
  error(format('the iterator gave more than %d value%s, but AS has %d column%s', columns,
    columns == 1 and '' or 's', columns, columns == 1 and '' or 's'), 0)
end

-- For rows given to later steps from within user code, which might swallow their errors.
local function unwind(ok)
  if not ok then error(UNWIND, 0) end
end

function host.protected(next_step)
  return function(...) unwind(xpcall(next_step, capture, ...)) end
end

function host.check_unwinding()
  if recorded ~= nil then error(UNWIND, 0) end
end

-- A function that calls `tell` with `output`, and stops the loop where sending has failed.
local function telling(tell, output)
  local column = cast('const void *', output)
  return function()
    if not tell(column) then
      recorded = recorded or { message = 'output', step = position.step, row = position.row,
        arguments = {} }
      error(UNWIND, 0)
    end
  end
end

-- Pushes a whole row; `output` is told, so that it can send what it has when that is enough.
function host.end_row(output) return telling(push_row, output) end

-- Tells the parent, now and then, that the loop goes on.
function host.beat(output) return telling(host.send_beat, output) end

-- Garbage. What lives from batch to batch is mostly small, and the dead strings between it are what
-- each new string is looked up among: they should fit into a core's cache. So a collection starts
-- after GARBAGE_KIB more, or, where the user's state is large, when memory has doubled as usual. (With
-- a pause of 2000 LuaJIT's collector falls behind, to tens of MB, and strings take twice the time.)
local GARBAGE_KIB = 256
local lowest_kib = 1024

local function pace_collector()
  local used_kib = collectgarbage('count')
  lowest_kib = used_kib < lowest_kib and used_kib or lowest_kib * 1.02
  local pause = 100 + 100 * GARBAGE_KIB / lowest_kib
  collectgarbage('setpause', pause > 600 and 600 or pause < 200 and 200 or pause)
end

function host.guard_loop(loop)
  return function(rows)
    recorded = nil
    pace_collector()
    local ok, err = xpcall(loop, capture, rows)
    if ok then return nil end
    if recorded == nil then
      -- LuaJIT runs no handler when memory is out.
      recorded, out_of_memory.step, out_of_memory.row = out_of_memory, position.step, position.row
      if err ~= 'not enough memory' then recorded = failure_of(err, nil) end
    end
    return recorded
  end
end

-- Runs the user's chunk in its environment: gives the function, or nil and what is wrong.
function host.start(chunk, env)
  setfenv(chunk, env)
  local ok, value = pcall(chunk)
  if not ok then return nil, describe(value) end
  if type(value) == 'function' then return value end
  return nil, format('the code gives %s instead of a function', show(value))
end

function host.column(address) return cast('const void *', address) end
