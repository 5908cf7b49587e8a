import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation } from "../../src/link/conversation.ts";
import { Identity } from "../../src/link/identity.ts";
import type { LinkOutput } from "../../src/link/output.ts";
import { RouteSet } from "../../src/route/route-set.ts";
import type { Compression } from "../../src/wire/compression.ts";
import { decodeControl, encodeControl } from "../../src/wire/control.ts";
import type { ControlBody } from "../../src/wire/message.ts";

const names = { agentVersion: "test", protocolVersion: 1, frameBytesMax: 1_000_000, routesMax: 9, routeRetentionMs: 1 };

function side(me: string, peer: string, expands: readonly Compression[]) {
  const identity = new Identity(`00000000000000a${me === "a" ? 1 : 2}`, 1_000);
  const conversation = new Conversation({ ...names, me, peer, expands }, identity, new RouteSet(["#"], 9));
  const bodies = (outputs: readonly LinkOutput[]): ControlBody[] =>
    outputs.flatMap((output) => (output.type === "send" ? [output.body] : []));
  return {
    conversation,
    /** What is said of that kind, as bytes. */
    says: (type: ControlBody["type"], outputs: readonly LinkOutput[]): Uint8Array => {
      const body = bodies(outputs).find((each) => each.type === type);
      assert.ok(body !== undefined, `no ${type}`);
      return encodeControl({ speaker: identity.speaker(), body });
    },
  };
}

function offerIn(bytes: Uint8Array): unknown {
  const decoded = decodeControl(bytes);
  assert.ok(decoded.ok);
  return "expands" in decoded.value.body ? decoded.value.body.expands : undefined;
}

test("hello and ack offer what the agent expands, and the ack is what counts", () => {
  const a = side("a", "b", ["brotli"]);
  const b = side("b", "a", ["zstd", "deflate"]);
  const hello = a.says("hello", a.conversation.connected(5_000));
  b.conversation.connected(5_000);
  const ack = b.says("ack", b.conversation.receive(hello, 5_020));
  assert.deepEqual([offerIn(hello), offerIn(ack)], [["brotli"], ["zstd", "deflate"]]);
  assert.deepEqual([...a.conversation.announcer.terms.expands], []);
  a.conversation.receive(ack, 5_040);
  assert.deepEqual([...a.conversation.announcer.terms.expands], ["zstd", "deflate"]);
  assert.deepEqual([...b.conversation.announcer.terms.expands], [], "no answer of a's yet");
});

test("an agent that expands nothing says nothing, and takes back what an earlier life of it offered", () => {
  const a = side("a", "b", []);
  const before = side("b", "a", ["deflate"]);
  before.conversation.connected(5_000);
  a.conversation.receive(
    before.says("ack", before.conversation.receive(a.says("hello", a.conversation.connected(5_000)), 0)),
    1,
  );
  assert.deepEqual([...a.conversation.announcer.terms.expands], ["deflate"]);
  const after = side("b", "a", []);
  after.conversation.connected(6_000);
  const hello = a.says("hello", a.conversation.connected(6_000));
  const ack = after.says("ack", after.conversation.receive(hello, 6_001));
  assert.deepEqual([offerIn(hello), offerIn(ack)], [undefined, undefined]);
  a.conversation.receive(ack, 6_002);
  assert.deepEqual([...a.conversation.announcer.terms.expands], []);
});

test("the round trip of a greeting is from its last repetition to the answer", () => {
  const a = side("a", "b", []);
  const b = side("b", "a", []);
  b.conversation.connected(5_000);
  const hello = a.says("hello", a.conversation.connected(5_000));
  assert.equal(a.conversation.announcer.terms.roundTripMs, null);
  a.conversation.tick(6_000);
  a.conversation.receive(b.says("ack", b.conversation.receive(hello, 6_030)), 6_060);
  assert.equal(a.conversation.announcer.terms.roundTripMs, 60);
});
