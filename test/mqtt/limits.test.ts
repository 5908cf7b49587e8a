import assert from "node:assert/strict";
import { test } from "node:test";
import { limitsOf } from "../../src/mqtt/limits.ts";

test("a broker that says nothing allows the protocol's own limits", () => {
  assert.deepEqual(limitsOf({}, null), {
    receiveMaximum: 65_535,
    maximumPacketSize: 268_435_460,
    maximumQoS: 2,
    retainAvailable: true,
    subscriptionIdsAvailable: true,
    serverKeepAlive: null,
    topicAliasMaximum: 0,
    sessionExpirySeconds: null,
  });
});

test("what it says counts", () => {
  const said = {
    receiveMaximum: 20,
    maximumPacketSize: 1_000,
    maximumQoS: 0,
    retainAvailable: false,
    subscriptionIdentifiersAvailable: false,
    serverKeepAlive: 60,
    topicAliasMaximum: 10,
    sessionExpiryInterval: 5,
  };
  assert.deepEqual(limitsOf(said, 300), {
    receiveMaximum: 20,
    maximumPacketSize: 1_000,
    maximumQoS: 0,
    retainAvailable: false,
    subscriptionIdsAvailable: false,
    serverKeepAlive: 60,
    topicAliasMaximum: 10,
    sessionExpirySeconds: 5,
  });
});

test("a session expiry that the broker does not change is the one we asked for", () => {
  assert.equal(limitsOf({}, 300).sessionExpirySeconds, 300);
  assert.equal(limitsOf({ sessionExpiryInterval: 0 }, 300).sessionExpirySeconds, 0);
});

test("a maximum QoS that is none of 0 and 1 sets no limit", () => {
  assert.equal(limitsOf({ maximumQoS: 1 }, null).maximumQoS, 1);
  assert.equal(limitsOf({ maximumQoS: 7 }, null).maximumQoS, 2);
});
