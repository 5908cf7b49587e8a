import assert from "node:assert/strict";
import { test } from "node:test";
import { isPlainText } from "../../src/topic/plain-text.ts";

test("control characters and non-characters are not plain, everything else is", () => {
  for (const code of [0, 1, 0x1f, 0x7f, 0x80, 0x9f, 0xfdd0, 0xfdef, 0xfffe, 0xffff, 0x1fffe, 0x10ffff]) {
    assert.ok(!isPlainText(`a${String.fromCodePoint(code)}b`), `U+${code.toString(16)}`);
  }
  for (const code of [0x20, 0x7e, 0xa0, 0xfdcf, 0xfdf0, 0xfffd, 0x1f600, 0x10fffd]) {
    assert.ok(isPlainText(`a${String.fromCodePoint(code)}b`), `U+${code.toString(16)}`);
  }
  assert.ok(isPlainText(""));
});
