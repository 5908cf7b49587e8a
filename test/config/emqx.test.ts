/** Links that speak EMQX's protocol: what they need, what has no effect, what is said of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { actorClientIds, emqxClientIds, ownClientId } from "../../src/agent/emqx-sessions.ts";
import { configDiff } from "../../src/config/config-diff.ts";
import { describeConfig } from "../../src/config/describe.ts";
import { effectiveConfig } from "../../src/config/effective.ts";
import { aclText } from "../../src/doctor/acl-text.ts";
import { localRights, peerRights } from "../../src/doctor/broker-rights.ts";
import { BASE, LOCAL, loaded, problemsOf, withLink } from "./loading.ts";

test("a link may speak EMQX's protocol, and speaks ours unless it is told", () => {
  assert.equal(loaded(withLink({})).links[0]?.protocol, "brokerlink");
  assert.equal(loaded(withLink({ protocol: "emqx" })).links[0]?.protocol, "emqx");
  assert.match(problemsOf(withLink({ protocol: "mqtt" })).join(), /links\[0\].protocol/);
});

test("it needs a server and MQTT 5 at both ends", () => {
  const file = { ...BASE, links: [{ name: "b", protocol: "emqx" }] };
  assert.match(problemsOf({ file }).join(), /^links\[0\].server: is missing: "protocol: emqx" needs it/);
  assert.match(
    problemsOf(withLink({ protocol: "emqx", protocol_version: 4 })).join(),
    /links\[0\].protocol_version: must be 5/,
  );
  const old = {
    ...BASE,
    local: { ...LOCAL, protocol_version: 4 },
    links: [{ name: "b", server: "mqtt://h", protocol: "emqx" }],
  };
  assert.match(problemsOf({ file: old }).join(), /links\[0\].protocol: "emqx" needs MQTT 5 on the local broker/);
});

test("what has no effect there is refused", () => {
  assert.match(
    problemsOf(withLink({ protocol: "emqx", control_prefix: "_x" })).join(),
    /control_prefix: has no effect/,
  );
  assert.match(problemsOf(withLink({ protocol: "emqx", compression: "brotli" })).join(), /compression: has no effect/);
  assert.deepEqual(problemsOf(withLink({ protocol: "emqx", compression: "none" })), []);
});

test("another protocol needs a restart", () => {
  const [before, after] = [loaded(withLink({})), loaded(withLink({ protocol: "emqx" }))];
  assert.deepEqual(configDiff(before, after).needsRestart, ["links.b.protocol"]);
});

test("check --json gives it back", () => {
  const config = loaded(withLink({ protocol: "emqx" }));
  assert.equal(loaded({ file: JSON.parse(JSON.stringify(effectiveConfig(config))) }).links[0]?.protocol, "emqx");
});

test("check says so, with the rights that each side needs", () => {
  const text = describeConfig(loaded(withLink({ protocol: "emqx" }))).join("\n");
  assert.match(text, /protocol\s+EMQX's own: b is an EMQX cluster, without an agent/);
  assert.match(
    text,
    /on EMQX, this agent's user may publish "\$LINK\/cluster\/route\/a" and "\$LINK\/cluster\/msg\/a"/,
  );
  assert.match(text, /on the local broker, EMQX's user may publish "\$LINK\/cluster\/route\/b"/);
});

test("acl prints what EMQX needs here, and what this agent needs there", () => {
  const config = loaded(withLink({ protocol: "emqx" }));
  const [link] = config.links;
  assert.ok(link !== undefined);
  const lines = aclText(localRights(config, new Map()), "mosquitto");
  for (const line of [
    "topic write $LINK/cluster/route/b",
    "topic write $LINK/cluster/msg/b",
    "topic read $LINK/cluster/resp/b/+",
  ])
    assert.ok(lines.includes(line), line);
  assert.ok(lines.includes("topic readwrite $LINK/#"));
  const there = peerRights(config, link, new Map());
  assert.ok(there !== null);
  const rules = aclText(there, "emqx").join("\n");
  assert.match(rules, /publish, \["\$LINK\/cluster\/route\/a"\]/);
  assert.match(rules, /subscribe, \["\$LINK\/cluster\/resp\/a\/\+"\]/);
  const other = loaded({
    file: { ...BASE, control_prefix: "_ctl", links: [{ name: "b", server: "mqtt://h", protocol: "emqx" }] },
  });
  assert.ok(aclText(localRights(other, new Map()), "mosquitto").includes("topic readwrite $LINK/cluster/#"));
});

test("client ids are EMQX's, by the first digits of a hash of the node's name", () => {
  assert.deepEqual(actorClientIds("c", "emqx@127.0.0.1", []), ["c:routesync:2bd61c44"]);
  assert.deepEqual(actorClientIds("clusterA", "emqxA@127.0.0.1", []), ["clusterA:routesync:e803b062"]);
  assert.deepEqual(actorClientIds("c", "ps-routes-v1", ["emqx@127.0.0.1", "ps-routes-v1"]), [
    "c:routesync-ps:2bd61c44",
  ]);
  assert.equal(ownClientId("me", "msg", "emqx@127.0.0.1"), "me:msg:2bd61c44:1");
  assert.equal(ownClientId("me", "routesync", "emqx@127.0.0.1"), "me:routesync:2bd61c44");
  assert.deepEqual(emqxClientIds(loaded(withLink({}))), []);
  assert.deepEqual(emqxClientIds(loaded(withLink({ protocol: "emqx" }))), ["brokerlink-a-emqx", "brokerlink-a-emqx-b"]);
});
