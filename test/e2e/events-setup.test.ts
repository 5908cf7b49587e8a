/** What the local broker tells of its clients, or does not: every way of telling gives the right interest, or wide with a reason. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AgentProcess } from "./agent-process.ts";
import { EVENT_LINES, Pair, Site } from "./site.ts";

const without = (...beginnings: string[]): string[] =>
  EVENT_LINES.filter((line) => !beginnings.some((beginning) => line.startsWith(beginning)));

describe("Mosquitto's log as it may be set up", { concurrency: false }, () => {
  test("events that are not enabled: wide, one clear log line with the lines to add, and messages flow", async () => {
    const pair = await Pair.open({ aLines: ["sys_interval 1"], aWants: ["t/#", "u/1"], bWants: [], early: true });
    try {
      await pair.a.agent.linked("b");
      const line = await pair.a.agent.logged(/log_dest topic/);
      for (const needed of ["log_type subscribe", "log_type unsubscribe", "log_type notice", "mosquitto.conf"]) {
        assert.ok(line.includes(needed), `${needed} in: ${line}`);
      }
      const [reader, writer] = [await pair.a.client(), await pair.b.client()];
      await reader.subscribe("t/1");
      await writer.reaches(reader, "t/1");
      const status = await pair.a.agent.status();
      assert.equal(status.hub.wide?.reason, "events_disabled");
      assert.equal(status.hub.links[0]?.out.routes, 2);
      assert.equal(status.eventsAdvice?.includes("log_type subscribe"), true);
      const advices = pair.a.agent.log.lines.filter((text) => text.includes("log_dest topic"));
      assert.equal(advices.length, 1, "said once");
      const { brokerlink } = await pair.a.agent.link("b");
      assert.deepEqual([brokerlink.interest.exact, brokerlink.interest.reason], [false, "events_disabled"]);
      // Switched on and restarted, the broker tells; the agent notices without a restart of its own.
      await pair.endClients();
      await pair.a.broker.restart(EVENT_LINES);
      await pair.a.agent.exact(40_000);
      await pair.b.agent.untilLink("a", "no route is left", (link) => link.in.routes === 0 || `${link.in.routes}`);
    } finally {
      await pair.close();
    }
  });

  for (const [name, lines] of [
    ["log_timestamp on", [...without("log_timestamp"), "log_timestamp true"]],
    ["a timestamp format of one's own", [...without("log_timestamp"), "log_timestamp_format %Y-%m-%dT%H:%M:%S"]],
    ["a timestamp format with spaces", [...without("log_timestamp"), "log_timestamp_format [%d %b %Y, %H:%M:%S]"]],
  ] as const) {
    test(`${name}: exact all the same`, async () => {
      const pair = await Pair.open({ aLines: lines, bWants: [] });
      try {
        const [reader, writer] = [await pair.a.client({ id: "one 1 two", version: 4 }), await pair.b.client()];
        await reader.subscribe("t/1 2");
        await writer.reaches(reader, "t/1 2");
        await reader.vanish();
        await pair.b.agent.untilLink("a", "the route is gone", (link) => link.in.routes === 0 || `${link.in.routes}`);
      } finally {
        await pair.close();
      }
    });
  }

  test("sys_interval 0: no counter, so never exact by proof, and it says so", async () => {
    const a = await Site.open("a", [...without("sys_interval"), "sys_interval 0"]);
    try {
      a.agent = await AgentProcess.start({ cluster: "a", local: a.broker.url, config: { links: [{ name: "b" }] } });
      await a.agent.untilStatus(
        "the missing counter is named",
        ({ hub }) => hub.wide?.reason === "no_counter" || `${hub.wide?.reason}`,
        45_000,
      );
    } finally {
      await a.close();
    }
  });

  test("interest_at_start none: exact at once, without a counter", async () => {
    const a = await Site.open("a", [...without("sys_interval"), "sys_interval 0"]);
    try {
      a.agent = await AgentProcess.start({
        cluster: "a",
        local: a.broker.url,
        config: { local: { interest_at_start: "none" }, links: [{ name: "b", topics: ["#"] }] },
      });
      await a.agent.untilStatus("up", ({ sessions }) => sessions.data.up);
      await a.agent.exact(5_000);
    } finally {
      await a.close();
    }
  });

  test("an agent that restarts while its broker, peer and clients stay: exact again when no client is unknown, else wide", async () => {
    const pair = await Pair.open({ aWants: ["#"], bWants: [] });
    try {
      await pair.a.agent.stop("SIGTERM");
      await pair.a.agent.start();
      await pair.ready();
      const [reader, writer] = [await pair.a.client(), await pair.b.client()];
      await reader.subscribe("stays/1");
      await writer.reaches(reader, "stays/1");
      await pair.a.agent.stop("SIGKILL");
      await pair.a.agent.start();
      await pair.a.agent.linked("b");
      await writer.publish("stays/1", "after the restart");
      await reader.arrival("after the restart");
      const { wide } = (await pair.a.agent.status()).hub;
      assert.equal(wide?.reason, "starting", "what was subscribed before is not known");
      await reader.subscribe("stays/1");
      await pair.a.agent.exact();
      await pair.b.agent.untilLink("a", "one route", (link) => link.in.routes === 1 || `${link.in.routes}`);
    } finally {
      await pair.close();
    }
  });
});
