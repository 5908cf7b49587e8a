import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ZLIB_ALGORITHMS, ZlibCodec } from "../../src/agent/zlib-codec.ts";
import { receiveFrame } from "../../src/hub/receive-frame.ts";
import { decodeControl, encodeControl } from "../../src/wire/control.ts";
import { decodeFrame, encodeFrame } from "../../src/wire/frame.ts";
import { CONTROL_CASES } from "../cases/control-messages.ts";
import { FRAME_CASES } from "../cases/frames.ts";
import { PACKED_FRAME, PACKED_FRAME_CASES } from "../cases/packed-frames.ts";
import { WIRE_ERROR_CASES } from "../cases/wire-errors.ts";
import { fromHex, plainBytes, toHex } from "./hex.ts";

describe("a control message has its bytes", () => {
  for (const { name, hex, value, written } of CONTROL_CASES) {
    test(name, () => {
      assert.deepEqual(decodeControl(fromHex(hex)), { ok: true, value });
      if (written) assert.equal(toHex(encodeControl(value)), hex);
    });
  }
});

describe("a frame has its bytes", () => {
  for (const { name, hex, value, written } of FRAME_CASES) {
    test(name, () => {
      const decoded = decodeFrame(fromHex(hex));
      assert.ok(decoded.ok);
      assert.deepEqual(plainBytes(decoded.value), plainBytes(value));
      if (written) assert.equal(toHex(encodeFrame(value)), hex);
    });
  }
});

describe("a compressed frame is understood", () => {
  for (const { name, algorithm, hex } of PACKED_FRAME_CASES) {
    test(name, () => {
      const received = receiveFrame(fromHex(hex), new ZlibCodec());
      // A Node without zstd never offers it; who sends it all the same is refused.
      if (!ZLIB_ALGORITHMS.includes(algorithm)) {
        assert.deepEqual(received, { ok: false, problem: "bad_value" });
        return;
      }
      assert.ok(received.ok, received.ok ? "" : received.problem);
      assert.deepEqual(plainBytes(received.value.frame), plainBytes(PACKED_FRAME));
      assert.equal(received.value.plainBytes, encodeFrame(PACKED_FRAME).length);
    });
  }
});

describe("what no agent sends is called by its name", () => {
  for (const { name, of, hex, problem } of WIRE_ERROR_CASES) {
    test(`${of}: ${name}`, () => {
      const bytes = fromHex(hex);
      const decoded = of === "control" ? decodeControl(bytes) : receiveFrame(bytes, new ZlibCodec());
      assert.deepEqual(decoded, { ok: false, problem });
    });
  }
});

test("every type of control message has a vector", () => {
  const types = new Set(CONTROL_CASES.map(({ value }) => value.body.type));
  assert.equal(types.size, 12);
});
