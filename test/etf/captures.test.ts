import assert from "node:assert/strict";
import { test } from "node:test";
import { zlibInflate } from "../../src/agent/zlib-inflate.ts";
import { encodeTerm } from "../../src/etf/encode-term.ts";
import { readTerm } from "../../src/etf/read-term.ts";
import { PACKETS, PAYLOADS, SESSION } from "./captured.ts";
import { erlangText } from "./erlang-text.ts";

test("every captured payload decodes, and comes back byte for byte", () => {
  assert.ok(PAYLOADS.length > 120, `${PAYLOADS.length} payloads`);
  assert.ok(PACKETS.length === 55 && SESSION.length > 200);
  for (const [name, bytes] of PAYLOADS) {
    const read = readTerm(bytes, zlibInflate);
    assert.ok(read.ok, `${name}: ${read.ok || read.problem}`);
    assert.deepEqual(Buffer.from(encodeTerm(read.value)).toString("hex"), Buffer.from(bytes).toString("hex"), name);
  }
});

test("captured terms mean what Erlang printed of them", () => {
  let compared = 0;
  for (const { name, payload, term } of PACKETS) {
    if (payload === undefined || term === undefined) continue;
    const read = readTerm(new Uint8Array(Buffer.from(payload, "hex")), zlibInflate);
    assert.ok(read.ok);
    assert.equal(erlangText(read.value), term, name);
    compared += 1;
  }
  assert.ok(compared > 40, `${compared} terms`);
});
