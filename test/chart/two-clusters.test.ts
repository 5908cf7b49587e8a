/** examples/kubernetes/two-clusters, run from what the chart renders of it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { TcpProxy } from "../e2e/tcp-proxy.ts";
import { repoFolder } from "../support/repo-folder.ts";
import { until } from "../support/until.ts";
import { RenderedSite } from "./rendered-site.ts";
import { agentPod, render } from "./rendering.ts";

const EXAMPLE = join(repoFolder(), "examples", "kubernetes", "two-clusters");

describe("two clusters from rendered files", { concurrency: false }, () => {
  let a: RenderedSite | null = null;
  let b: RenderedSite | null = null;
  let toA: TcpProxy | null = null;
  let toB: TcpProxy | null = null;

  const sites = (): { a: RenderedSite; b: RenderedSite; toA: TcpProxy; toB: TcpProxy } => {
    if (a === null || b === null || toA === null || toB === null) throw new Error("the sites did not start");
    return { a, b, toA, toB };
  };

  before(async () => {
    a = await RenderedSite.prepare("a", join(EXAMPLE, "a.yaml"), {
      users: { brokerlink: "own-of-a", "link-b": "b-may-enter-a", app: "app-of-a" },
      agent: { local: "own-of-a", "link-b": "a-may-enter-b" },
    });
    b = await RenderedSite.prepare("b", join(EXAMPLE, "b.yaml"), {
      users: { brokerlink: "own-of-b", "link-a": "a-may-enter-b", app: "app-of-b" },
      agent: { local: "own-of-b", "link-a": "b-may-enter-a" },
    });
    [toA, toB] = [await TcpProxy.start(a.port), await TcpProxy.start(b.port)];
  });
  after(async () => {
    await Promise.all([a?.close(), b?.close(), toA?.stop(), toB?.stop()]);
  });

  test("agents that start before their brokers live, are not ready, and become ready once the brokers are there", async () => {
    const { a, b, toA, toB } = sites();
    await Promise.all([a.startAgent({ name: "b", url: toB.url }), b.startAgent({ name: "a", url: toA.url })]);
    for (const { agent } of [a, b]) {
      assert.equal((await agent.get("/livez")).status, 200);
      assert.equal((await agent.get("/readyz")).status, 503);
    }
    await Promise.all([a.startBroker(), b.startBroker()]);
    await Promise.all([a.agent.linked("b"), b.agent.linked("a")]);
    await Promise.all([a.agent.exact(), b.agent.exact()]);
    for (const { agent } of [a, b]) assert.equal((await agent.get("/readyz")).status, 200);
  });

  test("scenario 1: A gets t/# and c/1 of B, as far as its clients subscribe, and B gets nothing", async () => {
    const { a, b } = sites();
    const [reader, writer] = [await a.client(), await b.client()];
    await reader.subscribe(["t/1", "c/+", "other/#"]);
    await writer.reaches(reader, "t/1");
    await writer.reaches(reader, "c/1");
    for (const topic of ["other/1", "c/2", "t/2", "t/1", "c/1"]) await writer.publish(topic, `on ${topic}`);
    await reader.arrival("on c/1");
    assert.deepEqual(reader.texts(), ["on t/1", "on c/1"], `${a.tail(20)}\n${b.tail(20)}`);
    const [everything, near] = [await b.client(), await a.client()];
    await everything.subscribe("#");
    await near.publish("t/1", "stays on A");
    await reader.arrival("stays on A");
    await writer.publish("t/9", "sentinel");
    await everything.arrival("sentinel");
    assert.ok(!everything.texts().includes("stays on A"));
    assert.equal((await a.agent.linkStatus("b")).sent.messages, 0);
  });

  test("the access list keeps clients and peers from what is not theirs", async () => {
    const { a } = sites();
    const [app, peer] = [await a.client(), await a.client({ more: { username: "link-b" } })];
    await app.subscribe(["t/secret", "$LINK/#"]);
    await assert.rejects(peer.publish("t/secret", "from the peer's user"), /Not authorized/i);
    await assert.rejects(app.publish("$LINK/v1/a/b/ctl", "from a client"), /Not authorized/i);
    await app.publish("t/secret", "from the client");
    await app.arrival("from the client");
    assert.deepEqual(app.texts(), ["from the client"]);
  });

  test("a cut of the wide-area link leaves both ready, and what is published meanwhile arrives after it", async () => {
    const { a, b, toA, toB } = sites();
    const [reader, writer] = [await a.client(), await b.client()];
    await reader.subscribe("t/cut");
    await writer.reaches(reader, "t/cut");
    for (const proxy of [toA, toB]) proxy.cut();
    for (const [site, peer] of [
      [a, "b"],
      [b, "a"],
    ] as const) {
      await site.agent.untilLink(peer, "the cut is noticed", (link) => link.status !== "connected");
      assert.equal((await site.agent.get("/readyz")).status, 200);
    }
    await writer.publish("t/cut", "published during the cut");
    for (const site of [a, b]) assert.equal((await site.agent.get("/readyz")).status, 200, site.tail(20));
    for (const proxy of [toA, toB]) proxy.heal();
    await reader.arrival("published during the cut", 30_000);
  });

  test("stopped after its broker and during a cut, an agent ends in time and keeps what it has for the next one", async () => {
    const { a, b, toA, toB } = sites();
    const [reader, writer] = [await a.client(), await b.client()];
    await reader.subscribe("t/stop");
    await writer.reaches(reader, "t/stop");
    for (const proxy of [toA, toB]) proxy.cut();
    await b.agent.untilLink("a", "the cut is noticed", (link) => link.status !== "connected");
    await writer.publish("t/stop", "on disk only");
    await until("it is on disk", async () => {
      const { queue } = await b.agent.linkStatus("a");
      return queue.spooled > 0 || JSON.stringify(queue);
    });
    await b.stopBroker();
    const startMs = Date.now();
    assert.equal(await b.agent.stop("SIGTERM"), 0, b.tail(20));
    const { spec } = agentPod(render(join(EXAMPLE, "b.yaml")));
    const graceMs = (spec.terminationGracePeriodSeconds ?? 0) * 1_000;
    assert.ok(Date.now() - startMs < graceMs, `${Date.now() - startMs} ms of ${graceMs}`);
    for (const proxy of [toA, toB]) proxy.heal();
    await b.startAgent({ name: "a", url: toA.url });
    await b.startBroker();
    await reader.arrival("on disk only", 30_000);
  });
});
