-- FLATMAP: emit, and what becomes of the result of a call.
local host = ...
local type, error, next, select, unpack = type, error, next, select, unpack
local format, show, list_length = string.format, host.show, host.list_length

function host.emitter(step)
  host.active[step] = false
  return function(...)
    local row = host.active[step]
    if not row then error('emit() works only while the function handles a row', 2) end
    if select('#', ...) == 0 then error('emit() takes the columns of a row', 2) end
    row(...)
  end
end

-- An element that is a table holds the columns of a row: by position, or, where there is nothing
-- at the positions, by name.
local function spread(element, names, row)
  if #element > #names then host.surplus(#element, #names) end
  for k = 1, #names do
    if element[k] ~= nil then return row(unpack(element, 1, #names)) end
  end
  local known, values = {}, {}
  for k = 1, #names do known[names[k]] = k end
  for key, value in next, element do
    if known[key] ~= nil then
      values[known[key]] = value
    elseif key ~= 'n' then
      error(format('a row of the list has the field %s, which is no column of AS', show(key)), 0)
    end
  end
  return row(unpack(values, 1, #names))
end

-- Gives expand(result...), which hands each row of a FLATMAP call's result to `row`, those of an
-- iterator by way of `each`.
function host.expander(names, nested, row, each)
  return function(first, state, control)
    if first == nil then return end
    if type(first) == 'function' then
      each(first, state, control)
    elseif type(first) == 'table' then
      for k = 1, list_length(first) do
        local element = first[k]
        if type(element) == 'table' and (#names > 1 or not nested) then
          spread(element, names, row)
        else
          row(element)
        end
      end
    else
      error(format('FLATMAP takes an iterator, a list or calls of emit(), but got %s',
        show(first)), 0)
    end
  end
end
