/** examples/mosquitto-to-emqx as it stands: its access lists give each side what it needs, and strangers nothing. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import mqtt from "mqtt";
import { parse } from "yaml";
import { MOSQUITTO_LINES } from "../../src/broker/mosquitto-setup.ts";
import { LocalMosquitto } from "../contract/local-mosquitto.ts";
import { EmqxClusterDouble } from "../emqx/emqx-cluster-double.ts";
import { repoFolder } from "../support/repo-folder.ts";
import { until } from "../support/until.ts";
import { AgentProcess } from "./agent-process.ts";
import { TestClient } from "./test-client.ts";

const FOLDER = join(repoFolder(), "examples", "mosquitto-to-emqx");
const text = (name: string): string => readFileSync(join(FOLDER, name), "utf8");

interface Example {
  readonly cluster: string;
  readonly local: Readonly<Record<string, unknown>>;
  readonly links: readonly Readonly<Record<string, unknown>>[];
}

test("the example links, with the rights that it gives and no others", async () => {
  const lines = text("mosquitto.conf")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#") && !line.startsWith("listener"))
    .map((line) => line.replace(/^(password_file|acl_file) /, "$1 %d/"));
  for (const line of MOSQUITTO_LINES) assert.ok(lines.includes(line), `mosquitto.conf lacks "${line}"`);
  const broker = await LocalMosquitto.start(lines, { passwords: text("passwords"), acl: text("acl") });
  const eBroker = await LocalMosquitto.start(MOSQUITTO_LINES);
  const config = parse(text("brokerlink.yaml")) as Example;
  const emqx = new EmqxClusterDouble({
    cluster: "hq",
    url: eBroker.url,
    links: [
      {
        name: "factory",
        url: broker.url,
        topics: ["sensors/#"],
        username: "link-hq",
        password: "hq-may-enter-factory",
      },
    ],
  });
  await emqx.start();
  const [link = {}] = config.links;
  const agent = new AgentProcess({
    cluster: config.cluster,
    local: broker.url,
    config: {
      ...config,
      http: {},
      local: { ...config.local, server: broker.url, password_file: join(FOLDER, "local.password") },
      links: [{ ...link, server: eBroker.url, password_file: join(FOLDER, "hq.password") }],
    },
  });
  const clients: TestClient[] = [];
  try {
    await agent.start();
    await agent.linked("hq", 30_000);
    const [factory, hq] = [await TestClient.connect(broker.url), await TestClient.connect(eBroker.url)];
    clients.push(factory, hq);
    await factory.subscribe("commands/#");
    await hq.subscribe("sensors/+/temperature");
    emqx.subscribe("sensors/+/temperature");
    await until(
      "EMQX holds the route",
      () => emqx.routesOf("factory").join() === "commands/#" || emqx.routesOf("factory").join(),
    );
    await agent.untilLink("hq", "the agent holds EMQX's", ({ in: { routes } }) => routes === 1 || String(routes));
    await factory.reaches(hq, "sensors/7/temperature");
    await hq.reaches(factory, "commands/7");
    assert.deepEqual(emqx.violations, []);
    // EMQX's user has no right on a message topic, and an application none on the link.
    const peer = await mqtt.connectAsync(broker.url, {
      protocolVersion: 5,
      username: "link-hq",
      password: "hq-may-enter-factory",
    });
    const refused = await peer
      .publishAsync("sensors/1", "x", { qos: 1 })
      .catch((error: { code?: number }) => error.code);
    await peer.endAsync(true);
    assert.equal(refused, 0x87);
    const stranger = await factory.client
      .publishAsync("$LINK/cluster/msg/hq", "x", { qos: 1 })
      .catch((error: { code?: number }) => error.code);
    assert.equal(stranger, 0x87);
  } finally {
    await Promise.all(clients.map(({ client }) => client.endAsync(true)));
    await agent.dispose();
    await emqx.stop();
    await broker.stop();
    await eBroker.stop();
  }
});
