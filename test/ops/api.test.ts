import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AgentView } from "../../src/ops/agent-status.ts";
import { createApp } from "../../src/ops/http.ts";
import { pair } from "../hub/world.ts";
import { agentConfig, agentStatus, agentView, linkConfig } from "./agent-fixture.ts";
import { logLines } from "./log-lines.ts";

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function ask(agent: AgentView, path: string): Promise<Answer> {
  const app = createApp(agent, agent.config, logLines("silent").log);
  const response = await app.request(`/api/v1${path}`, { headers: { host: "localhost" } });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Cluster `a` with a link to `b`, both real. */
function two() {
  const worlds = pair();
  const config = agentConfig({}, [linkConfig({ name: "b", topics: ["#"] })]);
  const status = agentStatus({ hub: worlds.a.hub.status(worlds.world.nowMs) });
  return { ...worlds, agent: agentView(status, true, { config, hub: worlds.a.hub }) };
}

describe("/api/v1/overview", () => {
  test("says who this is, how the local broker is, and everything about each link", async () => {
    const { agent } = two();
    const { status, body } = await ask(agent, "/overview");
    assert.equal(status, 200);
    assert.equal(body["cluster"], "a");
    assert.equal(body["editable"], false);
    assert.match(String(body["read_only_reason"]), /no changes over HTTP/);
    const [link] = body["links"] as { name: string; status: string }[];
    assert.equal(link?.name, "b");
    assert.equal(link?.status, "connected");
  });
});

describe("/api/v1/routes", () => {
  test("out is what we announced, in is what the peer did", async () => {
    const { a, b, world, agent } = two();
    a.subscribe("t/a");
    a.subscribe("$share/g/t/shared");
    b.subscribe("t/b/#");
    world.settle();
    const out = await ask(agent, "/routes");
    assert.deepEqual(out.body["data"], [
      { link: "b", direction: "out", filter: "t/a", groups: [], refused: null },
      { link: "b", direction: "out", filter: "t/shared", groups: ["g"], refused: null },
    ]);
    assert.deepEqual(out.body["meta"], { page: 1, limit: 100, count: 2, hasnext: false, cut: false });
    const incoming = await ask(agent, "/routes?direction=in&link=b");
    assert.deepEqual(incoming.body["data"], [
      { link: "b", direction: "in", filter: "t/b/#", groups: [], refused: null },
    ]);
  });

  test("in pages, by a part of the filter, and by a topic", async () => {
    const { a, world, agent } = two();
    for (const filter of ["x/1", "x/2", "x/3", "y/+"]) a.subscribe(filter);
    world.settle();
    const filters = async (query: string): Promise<unknown> => {
      const { body } = await ask(agent, `/routes?${query}`);
      return (body["data"] as { filter: string }[]).map(({ filter }) => filter);
    };
    assert.deepEqual(await filters("search=x/"), ["x/1", "x/2", "x/3"]);
    assert.deepEqual(await filters("topic=y/4"), ["y/+"]);
    assert.deepEqual(await filters("limit=3"), ["x/1", "x/2", "x/3"]);
    assert.deepEqual(await filters("limit=3&page=2"), ["y/+"]);
    assert.deepEqual(await filters("limit=3&page=9"), []);
  });

  test("refuses what it does not understand", async () => {
    const { agent } = two();
    for (const query of ["page=0", "page=x", "limit=0", "limit=10001", "limit=-1", "limit=1e3", "direction=up"])
      assert.equal((await ask(agent, `/routes?${query}`)).status, 400, query);
    assert.equal((await ask(agent, "/routes?link=nope")).status, 404);
  });
});

describe("/api/v1/explain", () => {
  test("says what a message would do in both directions, and why", async () => {
    const { a, b, world, agent } = two();
    a.subscribe("t/+", "one");
    a.subscribe("t/1", "two");
    b.subscribe("t/#");
    world.settle();
    const { body } = await ask(agent, "/explain?topic=t/1");
    assert.deepEqual(body["interest"], {
      exact: true,
      reason: null,
      filters: [
        { filter: "t/+", clients: 1 },
        { filter: "t/1", clients: 1 },
      ],
      count: 2,
      clients: 2,
      cut: false,
    });
    const [out] = body["out"] as Record<string, unknown>[];
    const [incoming] = body["in"] as Record<string, unknown>[];
    assert.equal(out?.["verdict"], "sent");
    assert.equal(out?.["code"], "sent");
    assert.equal(out?.["route"], "t/#");
    assert.equal(incoming?.["verdict"], "wanted");
    assert.equal(incoming?.["route"], "t/+");
  });

  test("wants a topic", async () => {
    assert.equal((await ask(two().agent, "/explain")).status, 400);
  });
});
