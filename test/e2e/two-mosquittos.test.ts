import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { after, before, describe, type TestContext, test } from "node:test";
import { connectAsync, type ErrorWithReasonCode, type IClientOptions, type MqttClient } from "mqtt";
import type { AgentStatus } from "../../src/ops/agent-status.ts";
import { freePorts } from "../support/free-ports.ts";
import { until } from "../support/until.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const EXAMPLE = `${ROOT}examples/two-mosquittos`;
const NOT_AUTHORIZED = 0x87;
/** Four processes, two of which wait for the brokers' counters. */
const START_MS = 40_000;

/** `run.js` of the example, on free ports. */
class Example {
  out = "";
  exit: { code: number | null; signal: NodeJS.Signals | null } | null = null;
  readonly ports: readonly number[];
  readonly process: ChildProcess;

  constructor(ports: readonly number[]) {
    this.ports = ports;
    const [A_PORT, B_PORT, A_HTTP_PORT, B_HTTP_PORT] = ports.map(String);
    this.process = spawn(process.execPath, [`${EXAMPLE}/run.js`], {
      env: { ...process.env, A_PORT, B_PORT, A_HTTP_PORT, B_HTTP_PORT },
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.out += text;
      });
    }
    this.process.on("close", (code, signal) => {
      this.exit = { code, signal };
    });
  }

  async linked(): Promise<void> {
    await until(
      "the example is linked",
      () => {
        if (this.exit !== null) throw new Error(`it ended:\n${this.out}`);
        return this.out.includes("\nLinked.") || this.out;
      },
      START_MS,
    );
  }

  async ends(): Promise<number | null> {
    await until("the example ends", () => this.exit !== null || this.out, START_MS);
    return this.exit?.code ?? null;
  }

  client(cluster: "a" | "b", options: IClientOptions = {}): Promise<MqttClient> {
    const port = this.ports[cluster === "a" ? 0 : 1];
    return connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, reconnectPeriod: 0, ...options });
  }

  async status(cluster: "a" | "b"): Promise<AgentStatus> {
    const port = this.ports[cluster === "a" ? 2 : 3];
    return (await (await fetch(`http://127.0.0.1:${port}/api/v1/status`)).json()) as AgentStatus;
  }
}

/** The reason code with which the broker refuses a QoS 1 message; 0: it takes it. Ends the client: a refusal ends its connection. */
async function refusal(connecting: Promise<MqttClient>, topic: string): Promise<number> {
  const client = await connecting;
  try {
    await client.publishAsync(topic, "hello", { qos: 1 });
    return 0;
  } catch (error) {
    return (error as ErrorWithReasonCode).code;
  } finally {
    await client.endAsync(true);
  }
}

describe("examples/two-mosquittos", () => {
  let example: Example;

  before(async () => {
    example = new Example(await freePorts(4));
    await example.linked();
  });

  after(async () => {
    example.process.kill("SIGTERM");
    await example.ends();
  });

  async function client(t: TestContext, cluster: "a" | "b", options: IClientOptions = {}): Promise<MqttClient> {
    const connected = await example.client(cluster, options);
    t.after(() => connected.endAsync(true));
    return connected;
  }

  test("what somebody on a subscribed to arrives from b once, and what nobody wants does not cross", async (t) => {
    const received: string[] = [];
    const subscriber = await client(t, "a");
    subscriber.on("message", (topic, payload) => received.push(`${topic} ${payload}`));
    const sent = (await example.status("b")).hub.links[0]?.sent.messages ?? 0;
    await subscriber.subscribeAsync("sensors/+/temperature", { qos: 1 });
    await until("b's agent has subscribed for a", async () => {
      const { demand } = (await example.status("b")).hub;
      return (demand.filters === 1 && demand.pending === 0) || JSON.stringify(demand);
    });
    const publisher = await client(t, "b");
    await publisher.publishAsync("sensors/7/temperature", "21.5", { qos: 1 });
    for (let i = 0; i < 20; i += 1) await publisher.publishAsync("sensors/7/humidity", "40", { qos: 1 });
    await publisher.publishAsync("yard/gate", "open", { qos: 1 });
    await publisher.publishAsync("sensors/8/temperature", "the last", { qos: 1 });
    await until("the last one is there", () => received.at(-1) === "sensors/8/temperature the last" || `${received}`);
    assert.deepEqual(received, ["sensors/7/temperature 21.5", "sensors/8/temperature the last"]);
    assert.equal((await example.status("b")).hub.links[0]?.sent.messages, sent + 2);
  });

  test("commands cross from a to b", async (t) => {
    const received: string[] = [];
    const machine = await client(t, "b");
    machine.on("message", (topic, payload) => received.push(`${topic} ${payload}`));
    await machine.subscribeAsync("commands/7/#", { qos: 1 });
    await until("a's agent has subscribed for b", async () => {
      const { demand } = (await example.status("a")).hub;
      return (demand.filters === 1 && demand.pending === 0) || JSON.stringify(demand);
    });
    await (await client(t, "a")).publishAsync("commands/7/valve", "close", { qos: 1 });
    await until("the command is there", () => received.length > 0);
    assert.deepEqual(received, ["commands/7/valve close"]);
  });

  test("a stranger may publish ordinary topics, and nothing under $LINK", async () => {
    assert.equal(await refusal(example.client("a"), "sensors/1"), 0);
    for (const topic of ["$LINK/v1/a/b/ctl", "$LINK/v1/a/b/msg", "$LINK/v1/b/a/ctl", "$LINK/v1/a/a/probe"]) {
      assert.equal(await refusal(example.client("a"), topic), NOT_AUTHORIZED, topic);
    }
  });

  test("the peer's user may publish its own control topics, no message topic, and in no other name", async () => {
    const peer = () => example.client("a", { username: "link-b", password: "b-may-enter-a" });
    // Not a topic of the conversation: the agents are not disturbed.
    assert.equal(await refusal(peer(), "$LINK/v1/a/b/test"), 0);
    for (const topic of ["sensors/1", "$LINK/v1/a/c/ctl", "$LINK/v1/b/a/ctl"]) {
      assert.equal(await refusal(peer(), topic), NOT_AUTHORIZED, topic);
    }
  });

  test("a wrong password is refused", async () => {
    await assert.rejects(example.client("a", { username: "link-b", password: "wrong" }));
  });

  test("Ctrl-C ends all four", async () => {
    const other = new Example(await freePorts(4));
    await other.linked();
    other.process.kill("SIGINT");
    assert.equal(await other.ends(), 0, other.out);
    // Whoever can listen there is alone.
    for (const port of other.ports) {
      const server = createServer();
      await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  });

  test("a port that is taken is named, with the variable that changes it", async () => {
    const [free] = await freePorts(1);
    const taken = example.ports[1] ?? 0;
    const other = new Example([free ?? 0, taken, 1, 2]);
    assert.equal(await other.ends(), 1);
    assert.match(other.out, new RegExp(`Port ${taken} is in use.*B_PORT=`));
  });

  for (const cluster of ["a", "b"]) {
    test(`brokerlink check accepts ${cluster}/brokerlink.yaml`, () => {
      const file = `${EXAMPLE}/${cluster}/brokerlink.yaml`;
      const { status, stdout, stderr } = spawnSync(process.execPath, [`${ROOT}bin/brokerlink.js`, "check", file], {
        encoding: "utf8",
      });
      assert.equal(status, 0, stderr);
      assert.match(stdout, new RegExp(`^Cluster ${cluster}$`, "m"));
      assert.equal(stderr, "");
    });
  }
});
