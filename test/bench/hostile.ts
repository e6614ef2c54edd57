/** Programs that a user should not write: each must end by a limit, and hold up nobody else. */

export const HOSTILE: Readonly<Record<string, string>> = {
  "endless loop": "while (true) {}",
  "nested loops": "x = 0; for (i = 0; i < 20000; i += 1) { for (j = 0; j < 20000; j += 1) { x += 1; } } x;",
  "growing string": "s = 'x'; for (i = 0; i < 20000; i += 1) { s = s + s; } s.length();",
  "nested arrays": "x = 0; for (i = 0; i < 20000; i += 1) { a = new long[20000]; x += a.length; } x;",
  "endless range": "Util.intsBetween(0, 2147483647, 2).length",
  "catastrophic regex": "s = 'a'; for (i = 0; i < 13; i += 1) { s = s + s; } (s + '!').replaceAll('(a+)+$', 'b');",
  "costly calls":
    "x = ''; for (i = 0; i < 20000; i += 1) { x = new DateTime(i * 1000000).withZone(DateTimeZone.forID('UTC')).monthOfYear().getAsText(); } x;",
};
