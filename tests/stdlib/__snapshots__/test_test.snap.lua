-- Written by moonq test; --update takes them anew.
return {
  ["test.snapshot is content as long as the value stays"] = { id = 1, tags = { "a" } },
  ["test.snapshot refuses another value at the same place without a name"] = 1,
  ["test.snapshot shows what changed / order"] = { id = 1 },
}
