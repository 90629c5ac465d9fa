-- expect: contained-time: a file that never ends
while true do
end
