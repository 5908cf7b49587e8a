import assert from "node:assert/strict";
import { test } from "node:test";
import { CarrierAnswers } from "../../src/agent/carrier-answers.ts";
import { pair } from "../hub/world.ts";

function answers() {
  const { world, a } = pair();
  return {
    answers: new CarrierAnswers(a.hub, (work) => {
      work(world.nowMs);
      world.settle();
    }),
    problems: () => a.reported("problem").map((event) => (event.type === "problem" ? event.code : "")),
    word: () => a.link("b").status,
  };
}

test("a control message that is refused is named once, and the link is connected again with the next that is taken", () => {
  const rig = answers();
  for (let round = 0; round < 3; round += 1) rig.answers.control("b", 0x87);
  assert.deepEqual(rig.problems(), ["CONTROL_DENIED"]);
  assert.equal(rig.word(), "inconsistent");
  rig.answers.control("b", 0);
  assert.equal(rig.word(), "connected");
  rig.answers.control("nobody", 0x87);
  assert.equal(rig.word(), "connected");
});

test("a frame that is refused is named each time, and the link is connected again with the next that is taken", () => {
  const rig = answers();
  rig.answers.frame("b", 1, 0x87);
  rig.answers.frame("b", 2, 0x87);
  assert.deepEqual(rig.problems(), ["MESSAGE_REFUSED", "MESSAGE_REFUSED"]);
  assert.equal(rig.word(), "inconsistent");
  rig.answers.frame("b", 3, 0);
  assert.equal(rig.word(), "connected");
  rig.answers.frame("b", 4, 0x95);
  assert.equal(rig.word(), "connected", "one that is too large says nothing of the others");
});

test("a connection that ends behind a refusal is explained by it, another by itself", () => {
  const rig = answers();
  const lost = { code: "PEER_UNREACHABLE", reason: "closed", wasConnected: true, willRetryInMs: 1 } as const;
  assert.equal(rig.answers.whyDown("b", lost).code, "PEER_UNREACHABLE");
  rig.answers.control("b", 0x87);
  assert.equal(rig.answers.whyDown("b", lost).code, "CONTROL_DENIED");
  assert.equal(rig.answers.whyDown("b", { ...lost, wasConnected: false }).code, "PEER_UNREACHABLE");
});
