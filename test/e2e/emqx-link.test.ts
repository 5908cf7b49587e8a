/** A Mosquitto with its agent, and an EMQX cluster that sees a normal EMQX peer: routes and messages both ways. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { EMQX_6, EMQX_58, EMQX_510 } from "../emqx/plain-emqx.ts";
import { Atom, Tuple } from "../emqx/plain-terms.ts";
import { until } from "../support/until.ts";
import { EmqxSite } from "./emqx-site.ts";

const M_WANTS = ["t/#", "only/exact"];

describe("Mosquitto linked with EMQX 5.8", () => {
  let site: EmqxSite;
  before(async () => {
    site = await EmqxSite.linked({ mWants: M_WANTS, eWants: ["#"] });
  });
  after(async () => {
    await site.close();
  });
  /** Every rule that EMQX keeps is kept, in every test. */
  afterEach(async () => {
    await site.m.endClients();
    site.emqx.unsubscribeAll();
    await site.eHolds();
    await site.mHolds(0);
    assert.deepEqual(site.emqx.violations.splice(0), []);
    const { conversation } = await site.m.agent.linkStatus("e");
    assert.equal(
      conversation.find(({ what }) => what === "digest_mismatch"),
      undefined,
    );
  });

  test("scenario 34-37: routes are the interest met with the link's topics, none twice", async () => {
    const client = await site.m.client();
    await client.subscribe(["t/6", "t/1", "other/x"]);
    await site.eHolds("t/1", "t/6");
    await client.subscribe("t/+");
    await site.eHolds("t/+");
    await client.subscribe("#");
    await site.eHolds("only/exact", "t/#");
    await client.unsubscribe("#");
    await site.eHolds("t/+");
    await client.unsubscribe("t/+");
    await site.eHolds("t/1", "t/6");
  });

  test("a shared subscription is announced under EMQX's identifier, and is plain when somebody else is", async () => {
    const [shared, plain] = [await site.m.client(), await site.m.client()];
    await shared.subscribe("$share/g/t/s");
    await site.eHolds("t/s");
    assert.deepEqual(site.emqx.idsOf("m"), ["t/s\0$s/g/t/s"]);
    await plain.subscribe("t/s");
    await until("it is plain", () => site.emqx.idsOf("m").join() === "t/s\0t/s" || site.emqx.idsOf("m").join());
    await plain.unsubscribe("t/s");
    await until(
      "it is shared again",
      () => site.emqx.idsOf("m").join() === "t/s\0$s/g/t/s" || site.emqx.idsOf("m").join(),
    );
  });

  test("scenario 1: subscribers of overlapping filters get one copy each, new filters while online too", async () => {
    const [a, b, publisher] = [await site.m.client(), await site.m.client(), await site.eClient()];
    await a.subscribe("t/1/+");
    await b.subscribe("t/1/#");
    await publisher.reaches(b, "t/1/x");
    await publisher.publish("t/1/x", "first");
    await Promise.all([a.arrival("first"), b.arrival("first")]);
    await a.subscribe(["t/2/#", "t/2/+/+"]);
    await publisher.reaches(a, "t/2/x/y");
    await publisher.publish("t/2/x/y", "second");
    await a.arrival("second");
    await publisher.publish("t/1/x", "sentinel");
    await Promise.all([a.arrival("sentinel"), b.arrival("sentinel")]);
    // Mosquitto sends a client one copy for each of its own filters: the link has brought one.
    assert.deepEqual(b.texts(), ["first", "sentinel"]);
    assert.deepEqual(a.texts("t/1/x"), ["first", "sentinel"]);
    const { messages } = (await site.m.agent.linkStatus("e")).received;
    assert.ok(messages >= 3);
  });

  test("scenario 3: of each shared group one member gets it", async () => {
    const members = await Promise.all([site.m.client(), site.m.client()]);
    for (const member of members) await member.subscribe("$share/test-group/t/g/+");
    const [plain, publisher] = [await site.m.client(), await site.eClient()];
    await plain.subscribe("t/g/+");
    await publisher.reaches(plain, "t/g/0");
    for (let count = 1; count <= 10; count += 1) await publisher.publish(`t/g/${count}`, `shared ${count}`);
    await plain.arrival("shared 10");
    await until("all are there", () => members.flatMap((member) => member.texts()).length >= 10);
    assert.deepEqual(
      members.flatMap((member) => member.texts()).filter((each) => each.startsWith("shared")).length,
      10,
    );
  });

  test("scenarios 2 and 4: ten publishers' messages keep their order, both ways", async () => {
    const [toM, toE] = [await site.m.client(), await site.eClient()];
    await toM.subscribe("t/order/#");
    await toE.subscribe("back/order/#");
    site.emqx.subscribe("back/order/#");
    await site.eHolds("t/order/#");
    await site.mHolds(1);
    const send = async (from: "e" | "m", base: string): Promise<void> => {
      const publishers = await Promise.all(
        Array.from({ length: 10 }, () => (from === "e" ? site.eClient() : site.m.client())),
      );
      await Promise.all(
        publishers.map(async (publisher, index) => {
          for (let count = 0; count < 10; count += 1)
            await publisher.publish(`${base}/${index}/${count}`, `${index}:${count}`);
        }),
      );
    };
    await Promise.all([send("e", "t/order"), send("m", "back/order")]);
    for (const client of [toM, toE]) {
      await until("all are there", () => client.texts().filter((each) => /^\d:\d$/.test(each)).length === 100);
      for (let index = 0; index < 10; index += 1) {
        const own = client.texts().filter((each) => each.startsWith(`${index}:`));
        assert.deepEqual(
          own,
          Array.from({ length: 10 }, (_, count) => `${index}:${count}`),
        );
      }
    }
  });

  test("messages of EMQX: each QoS, properties, wills, parts of EMQX itself, any payload", async () => {
    const client = await site.m.client();
    await client.subscribe("t/#", 2);
    await site.eHolds("t/#");
    await site.emqx.forward("m", { topic: "t/q0", payload: "q0", qos: 0 });
    await site.emqx.forward("m", { topic: "t/q1", payload: "q1", qos: 1 });
    await site.emqx.forward("m", { topic: "t/q2", payload: "q2", qos: 2 });
    const user = [new Tuple(Buffer.from("k"), Buffer.from("v")), new Tuple(Buffer.from("k"), Buffer.from("w"))];
    await site.emqx.forward("m", {
      topic: "t/props",
      payload: "props",
      properties: [
        ["Content-Type", Buffer.from("text/x")],
        ["Correlation-Data", Buffer.from([1, 2])],
        ["Message-Expiry-Interval", 60],
        ["Payload-Format-Indicator", 1],
        ["Response-Topic", Buffer.from("r/1")],
        ["Topic-Alias", 5],
        ["User-Property", user],
      ],
    });
    await site.emqx.forward("m", { topic: "t/will", payload: "will!", retain: true, isWill: true });
    await site.emqx.forward("m", { topic: "t/rest", payload: "rest", from: new Atom("http_api") });
    await site.emqx.forward("m", { topic: "t/uni/ü", payload: "uü" });
    await site.emqx.forward("m", { topic: "t/large", payload: Buffer.alloc(20_000, "Z") });
    await site.emqx.forward("m", { topic: "t/bin", payload: Buffer.from([0, 255, 0]) });
    await site.emqx.forward("m", { topic: "only/exact", payload: "not subscribed here" });
    await site.emqx.forward("m", { topic: "t/last", payload: "last" });
    await client.arrival("last");
    assert.deepEqual(
      client.received.map(({ topic, qos }) => `${topic} ${qos}`),
      [
        "t/q0 0",
        "t/q1 1",
        "t/q2 1",
        "t/props 1",
        "t/will 1",
        "t/rest 1",
        "t/uni/ü 1",
        "t/large 1",
        "t/bin 1",
        "t/last 1",
      ],
    );
    const { properties } = await client.arrival("props");
    assert.deepEqual(
      [
        properties.contentType,
        [...(properties.correlationData ?? [])],
        properties.payloadFormatIndicator,
        properties.responseTopic,
      ],
      ["text/x", [1, 2], true, "r/1"],
    );
    assert.deepEqual(properties.userProperties?.["k"], ["v", "w"]);
    assert.equal(properties.userProperties?.["brokerlink-origin"], "e");
    assert.ok((properties.messageExpiryInterval ?? 0) > 50);
    assert.equal(client.received.find(({ topic }) => topic === "t/large")?.payload.length, 20_000);
    assert.deepEqual([...(client.received.find(({ topic }) => topic === "t/bin")?.payload ?? [])], [0, 255, 0]);
    // EMQX's receiver stores none either.
    const late = await site.m.client();
    await late.subscribe(["t/will", "t/sentinel"]);
    await site.emqx.forward("m", { topic: "t/sentinel", payload: "sentinel" });
    await late.arrival("sentinel");
    assert.deepEqual(late.texts(), ["sentinel"]);
  });

  test("messages of ours: EMQX gets one wrapper each, whole", async () => {
    const [subscriber, publisher] = [await site.eClient(), await site.m.client()];
    await subscriber.subscribe("out/#");
    site.emqx.subscribe("out/#");
    site.emqx.subscribe("out/+");
    site.emqx.subscribe("out/+", "g");
    await site.mHolds(2);
    site.emqx.arrived.length = 0;
    await publisher.publish("out/0", "zero", { qos: 0 });
    await publisher.publish("out/1", "one", { retain: true });
    await publisher.publish("out/2", "two", {
      qos: 2,
      properties: {
        contentType: "a/b",
        correlationData: Buffer.from([9]),
        messageExpiryInterval: 100,
        payloadFormatIndicator: true,
        responseTopic: "r",
        userProperties: { x: ["1", "2"] },
      },
    });
    await publisher.publish("elsewhere/1", "not wanted");
    await publisher.publish("out/3", "three");
    await subscriber.arrival("three");
    await until(
      "the best-effort one is there",
      () => site.emqx.arrived.length === 4 || String(site.emqx.arrived.length),
    );
    // In a frame the best-effort ones come last.
    const arrived = [...site.emqx.arrived].sort((a, b) => (a.topic < b.topic ? -1 : 1));
    assert.deepEqual(
      arrived.map(({ topic, qos, retain }) => [topic, qos, retain]),
      [
        ["out/0", 0, false],
        ["out/1", 1, true],
        ["out/2", 1, false],
        ["out/3", 1, false],
      ],
    );
    assert.equal(new Set(arrived.map(({ id }) => id.toString("hex"))).size, 4);
    assert.ok(arrived.every(({ id }) => id.length === 16));
    const properties = new Map([...(arrived[2]?.properties ?? [])].map(([key, value]) => [(key as Atom).name, value]));
    assert.equal(properties.get("Content-Type")?.toString(), "a/b");
    assert.equal(properties.get("Response-Topic")?.toString(), "r");
    assert.equal(properties.get("Payload-Format-Indicator"), 1);
    assert.ok(Number(properties.get("Message-Expiry-Interval")) >= 99);
    const pairs = (properties.get("User-Property") as Tuple[]).map(({ items }) => items.join("="));
    assert.deepEqual(pairs.slice(0, 3), ["x=1", "x=2", "brokerlink-origin=m"]);
    await publisher.publish("out/1", "", { retain: true });
  });

  test("what came over the link does not go back, though both sides want it", async () => {
    const [m, e] = [await site.m.client(), await site.eClient()];
    await m.subscribe("t/loop");
    await e.subscribe("t/loop");
    site.emqx.subscribe("t/loop");
    await site.eHolds("t/loop");
    await site.mHolds(1);
    await e.publish("t/loop", "from e");
    await m.publish("t/loop", "from m");
    await Promise.all([m.arrival("from e"), e.arrival("from m")]);
    await e.publish("t/loop", "end e");
    await m.publish("t/loop", "end m");
    await Promise.all([m.arrival("end e"), e.arrival("end m")]);
    assert.deepEqual(m.texts().sort(), ["end e", "end m", "from e", "from m"]);
    assert.deepEqual(e.texts().sort(), ["end e", "end m", "from e", "from m"]);
  });

  test("only what the link asks for is taken, and nothing that steers a broker", async () => {
    const client = await site.m.client();
    await client.subscribe(["#", "$LINK/x"]);
    await site.eHolds("only/exact", "t/#");
    await site.emqx.forward("m", { topic: "other/1", payload: "outside" });
    await site.emqx.forward("m", { topic: "$SYS/x", payload: "system" });
    await site.emqx.forward("m", { topic: "$LINK/x", payload: "control" });
    await site.emqx.forward("m", { topic: "t/#", payload: "wildcard" });
    await site.emqx.forward("m", { topic: "t/\u0001", payload: "bell" });
    await site.emqx.forward("m", { topic: "t/1", payload: "inside" });
    await client.arrival("inside");
    assert.deepEqual(client.texts(), ["inside"]);
    const dropped = Object.fromEntries(
      (await site.m.agent.linkStatus("e")).dropped.map(({ reason, count }) => [reason, count]),
    );
    assert.deepEqual(
      [dropped["not_in_topics"], dropped["reserved_topic"], dropped["bad_message"], dropped["bad_text"]],
      [1, 2, 1, 1],
      JSON.stringify(dropped),
    );
  });

  test("scenario 7: a peer that breaks the rules breaks nothing: the next good word is heard", async () => {
    const client = await site.m.client();
    await client.subscribe("t/rules");
    await site.eHolds("t/rules");
    const rubbish = [
      Buffer.alloc(0),
      Buffer.from([131]),
      Buffer.from([131, 0]),
      Buffer.from("hello"),
      Buffer.alloc(100_000, 104),
    ];
    for (const bytes of rubbish) {
      await site.emqx.rubbish("m", "route", bytes);
      await site.emqx.rubbish("m", "msg", bytes);
    }
    await site.emqx.rubbish("m", "route", Buffer.from([131, 97, 1]), "nobody");
    await site.emqx.rubbish("m", "msg", Buffer.from([131, 97, 1]), "nobody");
    await site.emqx.forward("m", { topic: "t/rules", payload: "good" });
    await client.arrival("good");
    await site.m.agent.logged(/BAD_MESSAGE/);
    const { status } = await site.m.agent.linkStatus("e");
    assert.equal(status, "connected");
  });

  test("a message that EMQX repeats is one message", async () => {
    const client = await site.m.client();
    await client.subscribe("t/twice");
    await site.eHolds("t/twice");
    const id = Buffer.from("0123456789abcdef");
    await site.emqx.forward("m", { topic: "t/twice", payload: "twice", id });
    await site.emqx.forward("m", { topic: "t/twice", payload: "twice", id });
    await site.emqx.forward("m", { topic: "t/twice", payload: "end" });
    await client.arrival("end");
    assert.deepEqual(client.texts(), ["twice", "end"]);
  });

  test("scenario 23: routes are counted on the side that learned them", async () => {
    site.emqx.subscribe("count/1");
    site.emqx.subscribe("count/2");
    await site.mHolds(2);
    assert.equal((await site.m.agent.linkStatus("e")).out.routes, 0);
    site.emqx.unsubscribe("count/1");
    await site.mHolds(1);
    site.emqx.unsubscribe("count/2");
    await site.mHolds(0);
  });

  test("scenario 11: routes agree after connections that break again and again", async () => {
    const client = await site.m.client();
    const wanted = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const changing = (async () => {
        for (let count = 0; count < 20; count += 1) {
          const filter = `t/unstable/${(round * 7 + count) % 15}`;
          if (wanted.delete(filter)) {
            await client.unsubscribe(filter);
            site.emqx.unsubscribe(`back/${filter}`);
          } else {
            wanted.add(filter);
            await client.subscribe(filter);
            site.emqx.subscribe(`back/${filter}`);
          }
        }
      })();
      site.emqx.actor("m").cut();
      await site.emqx.endPeers();
      await changing;
    }
    await site.eHolds(...wanted);
    await site.mHolds(wanted.size);
  });
});

for (const version of [EMQX_58, EMQX_510, EMQX_6])
  test(`EMQX ${version.name} links, with its own form of terms, sessions and wrappers`, async () => {
    const site = await EmqxSite.linked({ version });
    try {
      const [m, e] = [await site.m.client(), await site.eClient()];
      await m.subscribe("v/#", 2);
      await site.eHolds("v/#");
      for (let count = 0; count < 50; count += 1) site.emqx.subscribe(`bulk/of/routes/that/look/alike/${count}`);
      await site.mHolds(50);
      for (const qos of [0, 1, 2] as const) await e.publish(`v/${qos}`, `${"same again ".repeat(20)}${qos}`, { qos });
      await until("all are there", () => m.received.length === 3 || String(m.received.length));
      const actor = site.emqx.actor("m");
      const before = actor.connections;
      actor.cut();
      await until("it is back", () => actor.connections > before && actor.state === "online", 15_000);
      assert.equal(site.emqx.answers.at(-1)?.error, null);
      await site.mHolds(50);
      assert.deepEqual(site.emqx.violations, []);
    } finally {
      await site.close();
    }
  });
