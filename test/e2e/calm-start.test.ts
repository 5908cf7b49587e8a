import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { type TestContext, test } from "node:test";
import { Aedes } from "aedes";
import { Agent } from "../../src/agent/agent.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { AgentConfig } from "../../src/config/types.ts";
import { listen } from "../../src/ops/http.ts";
import type { LinkAnswer } from "../../src/ops/link-answer.ts";
import { logLines } from "../ops/log-lines.ts";
import { until } from "../support/until.ts";

/** An embedded broker. */
async function broker(t: TestContext): Promise<number> {
  const aedes = await Aedes.createBroker();
  const server: Server = createServer(aedes.handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => new Promise<void>((resolve) => aedes.close(() => server.close(() => resolve()))));
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return address.port;
}

function configuration(cluster: string, localPort: number, peer: string, peerPort: number): AgentConfig {
  const text = JSON.stringify({
    cluster,
    local: { server: `mqtt://127.0.0.1:${localPort}`, broker: "aedes", interest_at_start: "none" },
    links: [{ name: peer, server: `mqtt://127.0.0.1:${peerPort}`, topics: ["t/#"] }],
    http: { port: 0 },
  });
  const loaded = loadConfig({
    file: { path: "test.json", text },
    env: {},
    flags: {},
    pathKind: () => null,
    readFile: () => "",
  });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded.config;
}

test("two agents that start together log no warning, no key twice, and show themselves linked", async (t) => {
  const [west, east] = [await broker(t), await broker(t)];
  const westLog = logLines();
  const eastLog = logLines();
  const westConfig = configuration("west", west, "east", east);
  const agents = [
    new Agent(westConfig, westLog.log),
    new Agent(configuration("east", east, "west", west), eastLog.log),
  ] as const;
  for (const agent of agents) agent.start();
  const http = await listen(agents[0], westConfig, westLog.log);
  t.after(() => http.close());
  const url = `http://127.0.0.1:${http.port}`;

  const link = async (): Promise<LinkAnswer> =>
    (await (await fetch(`${url}/api/v5/cluster/links/link/east`)).json()) as LinkAnswer;
  await until("linked", async () => {
    const { status, brokerlink } = await link();
    return (status === "connected" && brokerlink.interest.exact) || JSON.stringify([status, brokerlink.interest]);
  });
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  assert.match(await (await fetch(`${url}/metrics`)).text(), /^brokerlink_link_up\{link="east"\} 1$/m);

  await Promise.all(agents.map((agent) => agent.stop(1_000)));
  assert.equal((await fetch(`${url}/readyz`)).status, 503);
  for (const { texts, lines } of [westLog, eastLog]) {
    assert.deepEqual(
      lines().filter(({ level }) => level !== "info"),
      [],
    );
    for (const text of texts) {
      const keys = [...text.matchAll(/[{,]"(\w+)":/g)].map(([, key]) => key);
      assert.equal(new Set(keys).size, keys.length, text);
    }
    const messages = lines().map(({ msg }) => msg);
    assert.equal(messages[0], "agent started");
    assert.equal(messages.at(-1), "agent stopped");
    assert.equal(messages.filter((msg) => msg === "local session up").length, 3);
    assert.equal(messages.filter((msg) => msg === "link status").length, 1, texts.join(""));
  }
});
