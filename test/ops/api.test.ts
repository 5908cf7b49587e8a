import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HubStatus, LinkStatus } from "../../src/hub/status.ts";
import type { AgentView } from "../../src/ops/agent-status.ts";
import { createApp } from "../../src/ops/http.ts";
import { linkOptions, pair } from "../hub/world.ts";
import { agentConfig, agentStatus, agentView, linkConfig, linkStatus } from "./agent-fixture.ts";
import { request } from "./checked-app.ts";
import { logLines } from "./log-lines.ts";

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function ask(agent: AgentView, path: string): Promise<Answer> {
  const app = createApp(agent, agent.config, logLines("silent").log);
  const response = await request(app, `/api/v1${path}`, { headers: { host: "localhost" } });
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

  test("says what becomes of the retain flag of what comes here", async () => {
    for (const [retained, text] of [
      ["strip", /the peer has our route\.$/],
      ["live", /The local broker stores it, if it has the retain flag\.$/],
      ["sync", /what was retained there before comes too, unless/],
    ] as const) {
      const { a, world, agent } = two();
      a.hub.changes.change(linkOptions("b", { retained }), world.nowMs);
      a.subscribe("t/1");
      world.settle();
      const { body } = await ask(agent, "/explain?topic=t/1");
      const [wanted] = body["in"] as Record<string, unknown>[];
      assert.match(String(wanted?.["text"]), text);
      const [unwanted] = (await ask(agent, "/explain?topic=u")).body["in"] as Record<string, unknown>[];
      assert.equal(unwanted?.["text"], "Nobody here has subscribed to it.");
    }
  });

  test("wants a topic", async () => {
    assert.equal((await ask(two().agent, "/explain")).status, 400);
  });
});

describe("/api/v1/clients", () => {
  test("names who asks for a filter, how they wrote it and whether they are here", async () => {
    const { a, world, agent } = two();
    const nowMs = world.nowMs;
    const connected = { type: "connected", cleanStart: null, session: "outlives_connection" } as const;
    for (const client of ["here", "gone"]) {
      a.hub.interestEvent({ ...connected, client }, nowMs);
      a.subscribe("t/1", client);
    }
    a.hub.interestEvent({ type: "disconnected", client: "gone" }, nowMs);
    a.subscribe("$share/g/t/1", "unseen");
    a.subscribe("t/+", "other");
    const all = await ask(agent, "/clients?filter=t/1");
    assert.deepEqual(all.body["data"], [
      { clientid: "here", filter: "t/1", state: "connected", certain: true },
      { clientid: "gone", filter: "t/1", state: "away", certain: true },
      { clientid: "unseen", filter: "$share/g/t/1", state: "unknown", certain: true },
    ]);
    const shared = await ask(agent, "/clients?filter=$share/g/t/1");
    assert.equal((shared.body["data"] as unknown[]).length, 1);
    const second = await ask(agent, "/clients?filter=t/1&limit=2&page=2");
    assert.deepEqual(second.body["meta"], { page: 2, limit: 2, count: 3, hasnext: false, cut: false });
  });

  test("wants a filter that is one", async () => {
    for (const query of ["", "filter=", "filter=a/%23/b", "filter=t&page=0"])
      assert.equal((await ask(two().agent, `/clients?${query}`)).status, 400, query);
  });
});

describe("/api/v1/drain", () => {
  const quiet = {
    ...linkStatus().queue,
    spooled: 0,
    spooledBytes: 0,
    oldestAtMs: null,
    waiting: 0,
    bestEffort: 0,
    inbound: 0,
  };

  function drained(changes: Partial<LinkStatus>, wide: HubStatus["wide"] = null) {
    const { a, agent } = two();
    const link = linkStatus({ name: "b", queue: quiet, ...changes });
    const status = agentStatus();
    return { a, agent: { ...agent, status: () => ({ ...status, hub: { ...status.hub, wide, links: [link] } }) } };
  }

  test("is safe when the peer has everything and nobody subscribes here", async () => {
    const { body } = await ask(drained({}).agent, "/drain/b");
    assert.equal(body["safe_to_switch_off"], true);
    assert.equal(body["peer_confirmed_all"], true);
    assert.deepEqual(body["reasons"], []);
  });

  test("is not, with the reason, while anything is left", async () => {
    for (const [changes, reason] of [
      [{ queue: { ...quiet, spooled: 3 } }, /^3 messages for b are not confirmed$/],
      [{ queue: { ...quiet, waiting: 1 } }, /^1 messages for b are not confirmed$/],
      [{ queue: { ...quiet, bestEffort: 1 } }, /^1 messages for b are not confirmed$/],
      [{ queue: { ...quiet, inbound: 2 } }, /^2 messages of b are not published here yet$/],
      [{ status: "inconsistent" }, /^the link b is inconsistent$/],
      [{ name: "other" }, /^the link b is disabled/],
    ] as const) {
      const { body } = await ask(drained(changes).agent, "/drain/b");
      assert.equal(body["safe_to_switch_off"], false);
      assert.equal((body["reasons"] as string[]).length, 1, String(body["reasons"]));
      assert.match((body["reasons"] as string[])[0] ?? "", reason);
    }
    const wide = await ask(drained({}, { reason: "starting", sinceMs: 0 }).agent, "/drain/b");
    assert.match(String(wide.body["reasons"]), /^not every subscription here is known: /);
  });

  test("counts clients that subscribe here once each, those that are away too", async () => {
    const { a, agent } = drained({});
    a.subscribe("t/1", "unseen");
    a.subscribe("t/2", "unseen");
    a.hub.interestEvent({ type: "connected", client: "here", cleanStart: true, session: "with_connection" }, 0);
    a.subscribe("t/1", "here");
    a.subscribe("$SYS/x", "nobody's");
    const { body } = await ask(agent, "/drain/b");
    assert.equal(body["local_clients_with_interest"], 1);
    assert.equal(body["sessions_away_with_interest"], 1);
    assert.equal(body["safe_to_switch_off"], false);
    assert.equal((await ask(agent, "/drain/nope")).status, 404);
  });
});
