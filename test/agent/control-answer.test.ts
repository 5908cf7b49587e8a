import assert from "node:assert/strict";
import { test } from "node:test";
import { controlProblem, deniedBy } from "../../src/agent/control-answer.ts";

test("a broker's answer to a control message is a problem only when an operator can do something", () => {
  assert.equal(controlProblem("east", 0), null);
  assert.equal(controlProblem("east", 0x10)?.code, "PEER_SILENT");
  assert.equal(controlProblem("east", 0x87)?.code, "CONTROL_DENIED");
  assert.deepEqual(controlProblem("east", 0x97), {
    code: "CONTROL_DENIED",
    reason: 'the broker refuses control messages of link "east" with 0x97',
  });
});

test("that nobody listens is no denial", () => {
  assert.equal(deniedBy("east", 0x10), null);
  assert.equal(deniedBy("east", 0x87)?.code, "CONTROL_DENIED");
});
