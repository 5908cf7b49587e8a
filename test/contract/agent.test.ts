/** An agent in this process beside a real Mosquitto: start and stop, brokers that are late, restart, refuse, or share their ids. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { EchoProbe } from "../../src/agent/echo-probe.ts";
import { decodeControl } from "../../src/wire/control.ts";
import { AgentRig, endpoint, link } from "../agent/agent-rig.ts";
import { SessionRig } from "../mqtt/session-rig.ts";
import { type MosquittoConf, OPEN, TestMosquitto } from "../mqtt/test-mosquitto.ts";
import { until } from "../support/until.ts";

/** What docs ask of a Mosquitto: subscriptions and connections on log topics. */
const WITH_EVENTS: MosquittoConf = (dir, ports) => [
  "log_type all",
  "log_timestamp false",
  "log_dest topic",
  "log_dest stderr",
  "sys_interval 1",
  "set_tcp_nodelay true",
  "max_queued_messages 0",
  ...OPEN(dir, ports),
];

const ids = (broker: TestMosquitto): string[] =>
  broker.log.flatMap((line) => /New client connected from \S+ as (\S+)/.exec(line)?.[1] ?? []);

describe("an agent beside its broker", () => {
  test("starts with the events session, then the others, and is ready", async () => {
    await using broker = await TestMosquitto.start(WITH_EVENTS);
    await using rig = new AgentRig("a", broker.url);
    assert.equal(rig.agent.ready, false);
    rig.agent.start();
    await rig.ready();
    // Each durable session is wiped on a connection of its own first.
    const order = ids(broker);
    assert.equal(order.indexOf("brokerlink-a-events"), 0);
    assert.equal(order[1], "brokerlink-a-events");
    assert.deepEqual([...new Set(order)].sort(), ["brokerlink-a-data", "brokerlink-a-events", "brokerlink-a-link"]);
    assert.deepEqual(
      Object.values(rig.status.sessions).map(({ up, reason }) => [up, reason]),
      new Array(3).fill([true, null]),
    );
    assert.equal(rig.status.controlDenied, null);
    assert.equal(rig.status.eventsAdvice, null);
  });

  test("stops with a goodbye on each session, and nothing is left behind", async () => {
    await using broker = await TestMosquitto.start(WITH_EVENTS);
    const rig = new AgentRig("a", broker.url);
    rig.agent.start();
    await rig.ready();
    await rig.agent.stop(1_000);
    await until("the broker says so", () => broker.log.filter((line) => / disconnected\.$/.test(line)).length >= 5);
    assert.equal(
      broker.log.some((line) => /brokerlink-a-\w+ closed its connection|brokerlink.*error/i.test(line)),
      false,
    );
    assert.equal(rig.lines.at(-1)?.msg, "agent stopped");
  });

  test("waits for a broker that is not there yet, saying so once", async () => {
    await using broker = await TestMosquitto.start(WITH_EVENTS);
    await broker.end();
    await using rig = new AgentRig("a", broker.url);
    rig.agent.start();
    await rig.line("local session down", { session: "events", code: "LOCAL_UNREACHABLE" });
    await until("a few attempts", () => (rig.status.sessions.events.reason ?? "").includes("refused"));
    assert.equal(rig.agent.ready, false);
    await broker.restart();
    await rig.ready();
    const said = rig.lines.filter(({ msg, session }) => msg === "local session down" && session === "events");
    assert.equal(said.length, 1);
  });

  test("comes back after its broker restarts, and is not ready meanwhile", async () => {
    await using broker = await TestMosquitto.start(WITH_EVENTS);
    await using rig = new AgentRig("a", broker.url);
    rig.agent.start();
    await rig.ready();
    await broker.end("SIGKILL");
    await until("not ready", () => !rig.agent.ready);
    const from = rig.lines.length;
    await broker.restart();
    await rig.ready();
    for (const session of ["events", "link", "data"]) await rig.line("local session up", { session }, from);
  });

  test("a login that is refused is named, and not hurried", async () => {
    await using broker = await TestMosquitto.start((dir, [port]) => {
      writeFileSync(join(dir, "passwords"), "");
      execFileSync("mosquitto_passwd", ["-b", join(dir, "passwords"), "agent", "secret"], { stdio: "ignore" });
      chmodSync(join(dir, "passwords"), 0o600);
      return [`listener ${port} 127.0.0.1`, "allow_anonymous false", `password_file ${dir}/passwords`];
    });
    await using rig = new AgentRig("a", broker.url, { username: "agent", password: "wrong" });
    rig.agent.start();
    const line = await rig.line("local session down", { session: "events" });
    assert.equal(line["code"], "LOCAL_REFUSED");
    assert.match(String(line["why"]), /not authorized/);
    assert.equal(rig.agent.ready, false);
    assert.equal(JSON.stringify(rig.lines).includes("wrong"), false);
  });

  test("a client that takes one of its sessions again and again is named", async () => {
    await using broker = await TestMosquitto.start(WITH_EVENTS);
    await using rig = new AgentRig("a", broker.url);
    rig.agent.start();
    await rig.ready();
    await using _rival = await SessionRig.up({
      urls: [broker.url],
      clientId: "brokerlink-a-link",
      reconnect: { baseMs: 1, capMs: 1, settledMs: 60_000 },
    });
    const line = await rig.line("local session down", { session: "link", code: "LOCAL_SESSION_TAKEN" });
    assert.match(String(line["why"]), /another client may use the same client id/);
    assert.equal(rig.agent.ready, false);
  });

  for (const [missing, acl, expected] of [
    ["write", "topic read $LINK/#", /PUBLISH refused: not authorized \(0x87\); the user needs write on it/],
    ["read", "topic write $LINK/#", /never delivered to us: the user needs read on it/],
  ] as const) {
    test(`an access list without ${missing} on the control topics is named within seconds`, async () => {
      await using broker = await TestMosquitto.start((dir, ports) => {
        writeFileSync(join(dir, "acl"), `${acl}\ntopic readwrite #\ntopic read $SYS/#\n`);
        return [...WITH_EVENTS(dir, ports), `acl_file ${dir}/acl`];
      });
      await using rig = new AgentRig("a", broker.url);
      rig.agent.start();
      const line = await rig.line("the local broker denies control topics");
      assert.match(String(line["why"]), expected);
      assert.match(rig.status.controlDenied ?? "", /^\$LINK\/v1\/a\/a\/probe: /);
    });
  }
});

describe("linked agents", () => {
  test("carry messages, and a stop takes leave: the peer is told `pause`, and no last words follow", async () => {
    await using brokerA = await TestMosquitto.start(WITH_EVENTS);
    await using brokerB = await TestMosquitto.start(WITH_EVENTS);
    const a = new AgentRig("a", brokerA.url, {}, [link("b", endpoint(brokerB.url, "brokerlink-a-to-b"), ["t/#"])]);
    await using b = new AgentRig("b", brokerB.url, {}, [link("a", endpoint(brokerA.url, "brokerlink-b-to-a"), [])]);
    a.agent.start();
    b.agent.start();
    await Promise.all([a.linked("b"), b.linked("a")]);
    await using subscriber = await SessionRig.up({ urls: [brokerA.url] });
    await using publisher = await SessionRig.up({ urls: [brokerB.url] });
    await subscriber.subscribe("t/1");
    await until("the message crosses", async () => {
      if (subscriber.messages.length > 0) return true;
      await publisher.publish("t/1", "over the link");
      return false;
    });
    assert.equal(subscriber.texts[0], "over the link");

    await using witness = await SessionRig.up({ urls: [brokerB.url] });
    const said: string[] = [];
    await using tap = await tapOf(brokerB.url, "$LINK/v1/b/a/ctl", (bytes) => {
      const decoded = decodeControl(bytes);
      said.push(decoded.ok ? JSON.stringify(decoded.value) : "undecodable");
    });
    assert.deepEqual(tap.problems, []);
    await a.agent.stop(2_000);
    await until("the goodbye arrives", () => said.some((text) => text.includes('"pause"')) || said.join("\n"));
    await tap.subscribe("sentinel");
    await witness.publish("sentinel", "sentinel");
    await tap.got("sentinel");
    assert.match(said.at(-1) ?? "", /"pause"/, "nothing is said behind it");
    assert.equal(
      brokerB.log.some((line) => /brokerlink-a-to-b closed its connection/.test(line)),
      false,
    );
  });

  test("a peer's broker that is not there, or refuses the login, is named with the link", async () => {
    await using broker = await TestMosquitto.start(WITH_EVENTS);
    await using closed = await TestMosquitto.start((_dir, [port]) => [
      `listener ${port} 127.0.0.1`,
      "allow_anonymous false",
    ]);
    await using rig = new AgentRig("a", broker.url, {}, [
      link("b", endpoint("mqtt://127.0.0.1:1", "brokerlink-a-to-b"), ["t/#"]),
      link("c", endpoint(closed.url, "brokerlink-a-to-c"), ["t/#"]),
    ]);
    rig.agent.start();
    const absent = await rig.line("problem", { link: "b", code: "PEER_UNREACHABLE" });
    assert.match(String(absent["why"]), /connection refused by 127\.0\.0\.1:1/);
    const refused = await rig.line("problem", { link: "c", code: "PEER_LOGIN_REFUSED" });
    assert.match(String(refused["why"]), /not authorized/);
    await rig.ready();
  });

  test("a peer whose access list denies us the control topics, and one with no agent, are named", async () => {
    await using broker = await TestMosquitto.start(WITH_EVENTS);
    await using strict = await TestMosquitto.start((dir, ports) => {
      writeFileSync(join(dir, "acl"), "topic readwrite #\n");
      return [...OPEN(dir, ports), `acl_file ${dir}/acl`];
    });
    await using empty = await TestMosquitto.start();
    await using rig = new AgentRig("a", broker.url, {}, [
      link("b", endpoint(strict.url, "brokerlink-a-to-b"), ["t/#"]),
      link("c", endpoint(empty.url, "brokerlink-a-to-c"), ["t/#"]),
    ]);
    rig.agent.start();
    const denied = await rig.line("problem", { link: "b", code: "CONTROL_DENIED" });
    assert.match(String(denied["why"]), /link "b" \(0x87, not authorized\)/);
    const silent = await rig.line("problem", { link: "c", code: "PEER_SILENT" });
    assert.match(String(silent["why"]), /the agent of cluster "c" does not answer/);
  });
});

describe("the echo probe at a real broker", () => {
  for (const [bridge, echoing] of [
    [true, false],
    [false, true],
  ] as const) {
    test(`a 3.1.1 session ${bridge ? "with" : "without"} the bridge bit ${echoing ? "gets" : "does not get"} its own`, async () => {
      await using broker = await TestMosquitto.start();
      const endpoint = { protocolVersion: 4 } as const;
      await using data = await SessionRig.up({ urls: [broker.url], endpoint, bridge });
      await using other = await SessionRig.up({ urls: [broker.url], endpoint });
      const probe = new EchoProbe("$LINK/v1/a/a/probe-echo", data.session, other.session);
      data.onMessage = ({ topic, text }) => void probe.message(topic, Buffer.from(text));
      probe.linkReady();
      assert.equal(await new Promise((resolve) => probe.dataReady(resolve)), echoing);
      probe.stop();
    });
  }
});

/** A session that hands on the bytes of one topic. */
async function tapOf(url: string, topic: string, take: (bytes: Uint8Array) => void): Promise<SessionRig> {
  const rig = await SessionRig.up({ urls: [url] });
  rig.onMessage = (received) => {
    if (received.topic === topic) take(received.bytes);
  };
  await rig.subscribe(topic);
  return rig;
}
