import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MOSQUITTO_LINES } from "../../src/broker/mosquitto-setup.ts";
import { until } from "../support/until.ts";
import { brokerAdapterContract } from "./broker-adapter.ts";
import { EmqxWorld } from "./emqx-world.ts";
import { EventsWatch } from "./events-watch.ts";
import { AedesWorld, EventsWorld, MosquittoWorld, MqttWorldClient } from "./worlds.ts";

const STRFTIME = "log_timestamp_format %d %b, %k:%M:%S";
const STAMPED = MOSQUITTO_LINES.filter((line) => !line.startsWith("log_timestamp"));

// They mostly wait for keepalives and counters: side by side.
describe("live brokers", { concurrency: true }, () => {
  brokerAdapterContract("Mosquitto", { wipes: false, queues: true }, () => MosquittoWorld.open());
  brokerAdapterContract("Mosquitto with timestamps", { wipes: false, queues: true }, () =>
    MosquittoWorld.open([...STAMPED, STRFTIME]),
  );
  brokerAdapterContract("Aedes", { wipes: true, queues: false }, () => AedesWorld.open());
  brokerAdapterContract("EMQX", { wipes: false, queues: false }, () => EmqxWorld.open());
  brokerAdapterContract("a broker with a plugin", { wipes: false, queues: false }, () => EventsWorld.open());
});

async function withMosquitto(lines: readonly string[], run: (world: MosquittoWorld) => Promise<void>): Promise<void> {
  const world = await MosquittoWorld.open(lines);
  try {
    await run(world);
  } finally {
    await world.watch.close();
    await world.stop();
  }
}

function lastCount(watch: EventsWatch): { plain: number; shared: number } {
  const counts = watch.sink.events.filter((event) => event.type === "count");
  return {
    plain: counts.findLast((count) => count.plain !== null)?.plain ?? -1,
    shared: counts.findLast((count) => count.shared !== null)?.shared ?? -1,
  };
}

describe("only Mosquitto", { concurrency: true }, () => {
  test("forced counts agree with the rows, own ones included", async () => {
    await withMosquitto(MOSQUITTO_LINES, async ({ broker, watch }) => {
      await watch.up();
      await watch.answered();
      const client = await MqttWorldClient.connect(broker.url, "c", { clean: true });
      await client.subscribe("a", "b/#", "$share/g/x", "$SYS/broker/version");
      await watch.settles(["c $SYS/broker/version", "c $share/g/x", "c a", "c b/#"]);
      for (let turn = 0; turn < 3; turn += 1) {
        const before = watch.sink.events.length;
        watch.adapter.refreshCount(Date.now());
        const fresh = () =>
          watch
            .texts()
            .slice(before)
            .filter((text) => text.startsWith("count"));
        await until("both counters are fresh", () => fresh().length >= 2);
        const { plain, shared } = lastCount(watch);
        assert.equal(plain + shared, watch.rows().length + watch.ownRows());
        assert.equal(shared, 1 + (turn % 2 === 0 ? 0 : 1));
      }
      await client.end();
    });
  });

  test("a WebSocket client taken over keeps the rows of its new connection", async () => {
    await withMosquitto(MOSQUITTO_LINES, async ({ broker, watch }) => {
      await watch.up();
      await watch.answered();
      for (const [from, to] of [
        [broker.wsUrl, broker.wsUrl],
        [broker.wsUrl, broker.url],
        [broker.url, broker.wsUrl],
      ] as const) {
        const old = await MqttWorldClient.connect(from, "ws", { clean: true });
        await old.subscribe("w/1");
        const fresh = await MqttWorldClient.connect(to, "ws", { clean: true });
        await fresh.subscribe("w/2");
        const marker = await MqttWorldClient.connect(broker.url, "marker", { clean: true });
        await marker.subscribe("m");
        await watch.settles(["marker m", "ws w/2"]);
        await marker.end();
        await fresh.kill();
        await watch.settles([]);
      }
    });
  });

  test("an MQTT 5 session that expires is gone, one that may live on stays", async () => {
    await withMosquitto(MOSQUITTO_LINES, async ({ broker, watch }) => {
      await watch.up();
      await watch.answered();
      const v5 = { clean: true, protocolVersion: 5 } as const;
      const short = await MqttWorldClient.connect(broker.url, "short", { ...v5, sessionExpiryInterval: 1 });
      const long = await MqttWorldClient.connect(broker.url, "long", { ...v5, sessionExpiryInterval: 600 });
      await short.subscribe("s");
      await long.subscribe("l");
      await watch.settles(["long l", "short s"]);
      await short.end();
      await long.end();
      await watch.event("end short");
      await watch.settles(["long l"]);
      const again = await MqttWorldClient.connect(broker.url, "long", { ...v5, clean: false });
      await watch.event("up long kept ?");
      await watch.settles(["long l"]);
      await again.end();
      const wiping = await MqttWorldClient.connect(broker.url, "long", v5);
      await watch.settles([]);
      await wiping.end();
    });
  });

  test("a filter longer than the broker's line is covered", async () => {
    await withMosquitto(MOSQUITTO_LINES, async ({ broker, watch }) => {
      await watch.up();
      await watch.answered();
      const client = await MqttWorldClient.connect(broker.url, "c", { clean: true });
      await client.subscribe(`long/one/${"x".repeat(1500)}/end`);
      await watch.settles(["c long/one/#"]);
      await client.end();
      await watch.settles([]);
    });
  });

  test("without the log it says what to add to mosquitto.conf", async () => {
    await withMosquitto(["log_dest stderr", "sys_interval 1"], async ({ watch }) => {
      await watch.up();
      await watch.answered(false);
      assert.match(watch.sink.advice.join(), /log_type subscribe/);
    });
  });

  test("a restart with other timestamps is noticed, and lines are read again", async () => {
    await withMosquitto(MOSQUITTO_LINES, async ({ broker, watch }) => {
      await watch.up();
      await watch.answered();
      const client = await MqttWorldClient.connect(broker.url, "p", { clean: false });
      await client.subscribe("before");
      await watch.settles(["p before"]);
      await client.kill();
      // A restart shows in an uptime that went back by more than the tolerance: the broker must have one.
      await until("the broker is old enough", () => watch.uptimeS >= 7 || `${watch.uptimeS} s`, 20_000);
      await watch.drop();
      await broker.restart([...STAMPED, "log_timestamp true"]);
      await watch.up();
      await watch.event("restarted");
      const again = await MqttWorldClient.connect(broker.url, "q", { clean: true });
      await again.subscribe("after");
      await until("the new row", () => watch.rows().includes("q after") || watch.texts().slice(-9).join(", "));
      assert.ok(watch.rows().includes("p before"));
      await again.end();
    });
  });
});

describe("static", () => {
  test("needs nothing of the broker", async () => {
    const world = await EventsWorld.open();
    const watch = new EventsWatch({
      kind: "static",
      port: world.watch.port,
      protocolVersion: 5,
      filters: ["t/#", "c/1"],
    });
    await watch.up();
    await watch.answered();
    assert.deepEqual(watch.rows(), ["(configuration) c/1", "(configuration) t/#"]);
    await watch.close();
    await world.stop();
  });
});
