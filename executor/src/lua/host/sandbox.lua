-- Gives environment(emit), which makes the globals of one step. Only what is listed is there.
--
-- `string` is one table for all steps of a child, and the methods of strings: a function a user
-- adds to it works as a method. The host's code calls nothing through it.
local pairs, setfenv, type, error = pairs, setfenv, type, error
local setmetatable, getmetatable, unpack, select = setmetatable, getmetatable, unpack, select

local function only(library, names)
  local copy = {}
  for name in names:gmatch('%S+') do copy[name] = library[name] end
  return copy
end

local strings = only(string,
  'byte char find format gmatch gsub len lower match rep reverse sub upper')
local metatable = getmetatable('')
metatable.__index = strings
metatable.__metatable = 'string'

local function pack(...) return { n = select('#', ...), ... } end

local function rawlen(value)
  if type(value) ~= 'table' and type(value) ~= 'string' then
    error('bad argument #1 to rawlen (table or string expected)', 2)
  end
  return #value
end

local base = only(_G, [[pairs ipairs next type tostring tonumber select pcall xpcall error assert
  unpack setmetatable getmetatable rawget rawset rawequal]])
local tables = only(table, 'concat insert remove sort maxn move foreach foreachi getn')
local maths = only(math, [[abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp huge ldexp
  log log10 max min modf pi pow rad random randomseed sin sinh sqrt tan tanh]])
local bits = only(bit, 'arshift band bnot bor bswap bxor lshift rol ror rshift tobit tohex')
local coroutines = only(coroutine, 'create resume running status wrap yield isyieldable')

local function copy(from)
  local to = {}
  for key, value in pairs(from) do to[key] = value end
  return to
end

return function(emit)
  local env = copy(base)
  env.string, env.math, env.bit = strings, copy(maths), copy(bits)
  env.table, env.coroutine = copy(tables), copy(coroutines)
  env.table.unpack, env.table.pack, env.rawlen = unpack, pack, rawlen
  env._VERSION, env._G, env.emit = 'LuaJIT', env, emit
  return env
end
