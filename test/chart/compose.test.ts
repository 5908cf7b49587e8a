/** examples/compose: what it says is right for containers, and its files work with the real programs. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parse } from "yaml";
import { DRAIN_MS } from "../../src/agent/agent.ts";
import { LocalMosquitto } from "../contract/local-mosquitto.ts";
import { Command } from "../e2e/command.ts";
import { TestClient } from "../e2e/test-client.ts";
import { repoFolder } from "../support/repo-folder.ts";
import { until } from "../support/until.ts";

const FOLDER = join(repoFolder(), "examples", "compose");
const OVERSTAY_MS = 10_000;

interface Service {
  readonly image: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly stop_grace_period?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly ports: readonly string[];
}

const { services, volumes } = parse(readFileSync(join(FOLDER, "compose.yaml"), "utf8"), { merge: true }) as {
  services: Readonly<Record<string, Service>>;
  volumes: object;
};

function service(name: string): Service {
  const found = services[name];
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
}

test("every container is without rights, with a read-only root, and reachable from this machine only", () => {
  assert.deepEqual(Object.keys(services).sort(), ["agent-a", "agent-b", "broker-a", "broker-b"]);
  for (const [name, { read_only, cap_drop, security_opt, ports }] of Object.entries(services)) {
    assert.deepEqual([read_only, cap_drop, security_opt], [true, ["ALL"], ["no-new-privileges:true"]], name);
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:/);
  }
});

test("the agents have the limit that was measured, time to end in, and a volume", () => {
  for (const name of ["agent-a", "agent-b"]) {
    const { mem_limit, stop_grace_period, volumes: mounts } = service(name);
    assert.equal(mem_limit, "192m");
    assert.ok(Number.parseInt(stop_grace_period ?? "", 10) * 1_000 > DRAIN_MS + OVERSTAY_MS);
    assert.ok(mounts.some((mount) => mount === `${name}:/var/lib/brokerlink` && name in volumes));
  }
});

/** The broker of a service, from the files that the service mounts. */
async function broker(t: TestContext, name: string): Promise<LocalMosquitto> {
  const { volumes: mounts } = service(name);
  const lines = readFileSync(join(FOLDER, "mosquitto.conf"), "utf8")
    .split("\n")
    // The test's own broker brings them, with its own places.
    .filter((line) => !/^(listener|persistence|log_dest stderr)/.test(line));
  const files: Record<string, string> = {};
  for (const mount of mounts) {
    const [from = "", to = ""] = mount.split(":");
    if (from.startsWith("../")) files[to.replace("/mosquitto/config/", "")] = readFileSync(join(FOLDER, from), "utf8");
  }
  const started = await LocalMosquitto.start(
    lines.map((line) => line.replace("/mosquitto/config", "%d")),
    files,
  );
  t.after(() => started.stop());
  return started;
}

/** The agent of a service, with its mounted configuration and its environment; names of services are addresses here. */
function agent(t: TestContext, name: string, addresses: Readonly<Record<string, string>>, data: string): Command {
  const { environment = {}, volumes: mounts } = service(name);
  const config = mounts.find((mount) => mount.endsWith(":/etc/brokerlink:ro"))?.split(":")[0] ?? "";
  const env: Record<string, string> = {};
  for (const [variable, value] of Object.entries(environment)) env[variable] = addresses[value] ?? value;
  mkdirSync(data);
  env["BROKERLINK_DATA_DIR"] = join(data, "data");
  env["BROKERLINK_HTTP__HOST"] = "127.0.0.1";
  env["BROKERLINK_HTTP__PORT"] = "0";
  return new Command(t, ["run", "--config", join(FOLDER, config, "brokerlink.yaml")], env);
}

test("brokers and agents run from the files that are mounted, and what is wanted crosses", async (t) => {
  const [a, b] = [await broker(t, "broker-a"), await broker(t, "broker-b")];
  const addresses = { "mqtt://broker-a:1883": a.url, "mqtt://broker-b:1883": b.url };
  const agents = [
    agent(t, "agent-a", addresses, join(a.dir, "agent")),
    agent(t, "agent-b", addresses, join(b.dir, "agent")),
  ];
  const [reader, writer] = [await TestClient.connect(a.url), await TestClient.connect(b.url)];
  t.after(() => Promise.all([reader, writer].map(({ client }) => client.endAsync(true))));
  await reader.subscribe("sensors/+/temperature");
  await until(
    "a temperature crosses",
    async () => {
      await writer.publish("sensors/7/temperature", "21.5");
      return reader.texts().includes("21.5") || agents.map(({ error }) => error.slice(-500)).join("\n");
    },
    20_000,
  );
  for (const each of agents) each.signal("SIGTERM");
  for (const each of agents) assert.equal(await each.end(), 0, each.error);
});

test("the example's image is the chart's", () => {
  const { appVersion } = parse(readFileSync(join(repoFolder(), "helm/brokerlink/Chart.yaml"), "utf8"));
  const { image } = parse(readFileSync(join(repoFolder(), "helm/brokerlink/values.yaml"), "utf8"));
  assert.equal(service("agent-a").image, `${image.repository}:${appVersion}`);
});
