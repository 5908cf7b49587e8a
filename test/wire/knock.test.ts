import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeControl } from "../../src/wire/control.ts";
import { decodeFrame } from "../../src/wire/frame.ts";
import { encodeKnock } from "../../src/wire/knock.ts";

test("a knock is passed over as a control message and as a frame", () => {
  assert.deepEqual(decodeControl(encodeKnock()), { ok: false, problem: "optional_type" });
  assert.deepEqual(decodeFrame(encodeKnock()), { ok: false, problem: "optional_type" });
});
