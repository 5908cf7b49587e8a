import assert from "node:assert/strict";
import { test } from "node:test";
import { controlProblem } from "../../src/agent/control-answer.ts";

test("a control message that a broker takes is no problem", () => {
  assert.equal(controlProblem("b", 0x00), null);
});

test("what an operator can mend is named with its link", () => {
  assert.deepEqual(controlProblem("b", 0x10), {
    code: "PEER_SILENT",
    reason: 'no agent of cluster "b" listens on its broker',
  });
  assert.equal(controlProblem("b", 0x87)?.code, "CONTROL_DENIED");
  assert.match(controlProblem("b", 0x87)?.reason ?? "", /denies publishing on the control topics of link "b"/);
  assert.match(controlProblem("b", 0x97)?.reason ?? "", /refuses control messages of link "b" with 0x97/);
});
