import assert from "node:assert/strict";
import { test } from "node:test";
import type { AdapterOptions } from "../../src/broker/adapter-options.ts";
import { createAdapter } from "../../src/broker/registry.ts";
import { BROKER_KINDS } from "../../src/config/types.ts";
import { FakeSession, Recorder } from "./recorder.ts";

function options(more: Partial<AdapterOptions> = {}): AdapterOptions {
  return { cluster: "a", controlPrefix: "$LINK", sink: new Recorder(), random: () => 0.5, ...more };
}

test("every kind of the configuration has an adapter that says its name", () => {
  for (const kind of BROKER_KINDS) {
    const adapter = createAdapter(kind, options({ eventsTopic: "e/#", filters: ["x"] }));
    assert.equal(adapter.kind, kind);
  }
});

test("each subscribes to what its broker publishes", () => {
  const first = (kind: "mosquitto" | "aedes" | "emqx" | "events"): string | undefined => {
    const session = new FakeSession("own");
    createAdapter(kind, options({ eventsTopic: "e/#" })).up(session, { sessionPresent: false, awayMs: null }, 0);
    return session.subscribed[0]?.[0];
  };
  assert.deepEqual(
    ["mosquitto", "aedes", "emqx", "events"].map((kind) => first(kind as "events")),
    ["$SYS/broker/log/M/subscribe", "$SYS/+/new/clients", "$SYS/brokers/+/clients/#", "e/#"],
  );
});

test("what the configuration has already refused is a bug here", () => {
  assert.throws(() => createAdapter("events", options()));
  assert.throws(() => createAdapter("events", options({ eventsTopic: "a/#/b" })));
  assert.throws(() => createAdapter("static", options({ filters: ["a/#/b"] })));
});
