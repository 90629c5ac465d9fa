--- How large a string the functions of the string library make.
return {
  --- 16 MiB are about ten milliseconds of C.
  LONGEST = 1 << 24,
  TOO_LARGE = "resulting string too large (at most 16 MiB)",
}
