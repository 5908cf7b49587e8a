/** A bridge of the brokers' own beside our link: it strips our mark, so a message could go round for ever. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { until } from "../support/until.ts";
import { AgentProcess } from "./agent-process.ts";
import { EVENT_LINES, Site } from "./site.ts";

for (const qos of [0, 1] as const) {
  describe(`a Mosquitto bridge that carries loop/# both ways at QoS ${qos}, beside the link`, {
    concurrency: false,
  }, () => {
    let a: Site;
    let b: Site;
    before(async () => {
      b = await Site.open("b");
      a = await Site.open("a", [
        ...EVENT_LINES,
        "connection foreign",
        `address 127.0.0.1:${b.broker.port}`,
        `topic loop/# both ${qos}`,
        "bridge_protocol_version mqttv311",
        // With it Mosquitto's own guard would stop the circle before ours can.
        "try_private false",
        "notifications false",
        "cleansession true",
        "restart_timeout 1",
      ]);
      a.agent = new AgentProcess({
        cluster: "a",
        local: a.broker.url,
        links: { b: b.broker.url },
        topics: { b: ["#"] },
      });
      b.agent = new AgentProcess({
        cluster: "b",
        local: b.broker.url,
        links: { a: a.broker.url },
        topics: { a: ["#"] },
      });
      await Promise.all([a.agent.start(), b.agent.start()]);
      await Promise.all([a.agent.linked("b"), b.agent.linked("a")]);
    });
    after(async () => {
      await Promise.all([a?.close(), b?.close()]);
    });

    test("the circle is stopped, named with its topic, and other topics flow on", async () => {
      const [readerA, readerB, writer] = [await a.client(), await b.client(), await b.client()];
      await readerA.subscribe(["loop/#", "free/#"]);
      await readerB.subscribe("loop/#");
      await writer.reaches(readerA, "free/1");
      await writer.publish("loop/it", "round and round", { qos });
      const named = /FOREIGN_LOOP.*loop\/it|loop\/it.*FOREIGN_LOOP/;
      await until(
        "an agent names the topic",
        () =>
          [a, b].some((site) => site.agent.log.lines.some((line) => named.test(line))) ||
          `${readerA.received.length} at A`,
        30_000,
      );
      // It has ended: the number stands still while other messages pass.
      let seen = -1;
      let passed = 0;
      await until(
        "nothing goes round any more",
        async () => {
          passed += 1;
          await writer.publish("free/1", `free ${passed}`);
          await readerA.arrival(`free ${passed}`);
          const now = readerA.texts("loop/it").length + readerB.texts("loop/it").length;
          const stands = now === seen;
          seen = now;
          return (stands && passed > 20) || `${now} copies`;
        },
        30_000,
      );
      assert.ok(seen >= 2, "both sides got it");
      const problems = await Promise.all([a.agent.link("b"), b.agent.link("a")]);
      const found = problems.find(({ brokerlink }) => brokerlink.last_problem?.code === "FOREIGN_LOOP");
      assert.match(found?.brokerlink.last_problem?.reason ?? "", /loop\/it/);
    });
  });
}
