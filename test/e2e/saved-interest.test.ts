/** What clients hold that are away while the agent restarts is not forgotten, if it has a `data_dir`. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { AgentProcess } from "./agent-process.ts";
import { EVENT_LINES, Site } from "./site.ts";

test("a killed agent that is trusted without proof still asks for what an absent session holds, until that ends", async () => {
  const folder = mkdtempSync(join(tmpdir(), "brokerlink-rows-"));
  const [a, b] = [await Site.open("a", EVENT_LINES), await Site.open("b", EVENT_LINES)];
  try {
    a.agent = await AgentProcess.start({
      cluster: "a",
      local: a.broker.url,
      config: {
        data_dir: join(folder, "data"),
        local: { trust_after: "2s" },
        links: [{ name: "b", server: b.broker.url, topics: ["#"] }],
      },
    });
    b.agent = await AgentProcess.start({ cluster: "b", local: b.broker.url, links: { a: a.broker.url } });
    await Promise.all([a.agent.linked("b"), b.agent.linked("a"), a.agent.exact(), b.agent.exact()]);
    const away = { id: "a/way é", version: 4, clean: false } as const;
    const [first, writer] = [await a.client(away), await b.client()];
    await first.subscribe(["kept/1", "$share/g/kept/2"]);
    await writer.reaches(first, "kept/1");
    await first.end();
    assert.equal(await a.agent.stop("SIGKILL"), -1);
    await a.agent.start();
    await a.agent.linked("b");
    await a.agent.exact();
    await b.agent.untilLink("a", "only what is held", (link) => link.in.routes === 2 || `${link.in.routes}`);
    const { interest } = (await a.agent.status()).hub;
    assert.ok(interest.ghosts >= 2, JSON.stringify(interest));
    await writer.publish("kept/1", "while it was away");
    const back = await a.client(away);
    await back.arrival("while it was away");
    await back.end();
    await (await a.client({ ...away, clean: true })).end();
    await b.agent.untilLink("a", "a clean start forgets", (link) => link.in.routes === 0 || `${link.in.routes}`);
  } finally {
    await Promise.all([a.close(), b.close()]);
    rmSync(folder, { recursive: true, force: true });
  }
});
