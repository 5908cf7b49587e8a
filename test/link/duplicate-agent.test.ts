import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_DIGEST } from "../../src/base/digest.ts";
import { Announcer } from "../../src/link/announcer.ts";
import { Identity } from "../../src/link/identity.ts";

test("an agent that knows of its double greets nobody, and names the problem once", () => {
  const identity = new Identity("00112233445566ff", 1);
  const names = { me: "west", peer: "east", agentVersion: "0", protocolVersion: 1, frameBytesMax: 1_000 };
  const announcer = new Announcer(names, identity, { routes: () => [], digest: EMPTY_DIGEST, size: 0 });
  identity.declareDuplicate(0, 0);
  assert.deepEqual(announcer.connected(1), [
    { type: "state", half: "out", from: "idle", to: "refused", why: 'another running agent speaks as cluster "west"' },
    { type: "problem", code: "DUPLICATE_AGENT", reason: 'another running agent speaks as cluster "west"' },
  ]);
  assert.deepEqual(announcer.greet(2, "again"), []);
});
