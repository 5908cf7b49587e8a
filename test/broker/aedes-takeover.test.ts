import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AedesRig } from "./aedes-rig.ts";
import { seeded } from "./recorder.ts";
import { RowTable } from "./row-table.ts";

describe("the old socket's unsubscribes after a takeover", () => {
  test("take nothing from the new connection that has subscribed already", () => {
    const rig = new AedesRig().ready();
    rig.client("c");
    rig.subs("c", ["x", "y"]);
    rig.gone("c");
    rig.client("c");
    rig.subs("c", ["x"]);
    rig.sink.take();
    rig.unsubs("c", ["x", "y"]);
    assert.deepEqual(rig.sink.take(), ["-c x ?", "-c y"]);
  });

  test("are told from the client's own by what they name", () => {
    const rig = new AedesRig().ready();
    rig.client("c");
    rig.subs("c", ["x", "y"]);
    rig.gone("c");
    rig.client("c");
    rig.subs("c", ["x", "y", "z"]);
    rig.sink.take();
    rig.unsubs("c", ["x"]);
    rig.unsubs("c", ["z", "y"]);
    assert.deepEqual(rig.sink.take(), ["-c x", "-c z", "-c y"]);
  });

  test("of a client that we never saw subscribe are doubted whatever they name", () => {
    const rig = new AedesRig().ready();
    rig.gone("late");
    rig.client("late");
    rig.subs("late", ["x"]);
    rig.sink.take();
    rig.unsubs("late", ["x", "unseen"]);
    assert.deepEqual(rig.sink.take(), ["-late x ?", "-late unseen"]);
  });

  test("of several connections are all doubted", () => {
    const rig = new AedesRig().ready();
    rig.client("c");
    rig.subs("c", ["a"]);
    rig.gone("c");
    rig.client("c");
    rig.subs("c", ["b"]);
    rig.gone("c");
    rig.client("c");
    rig.subs("c", ["a", "b"]);
    rig.sink.take();
    rig.unsubs("c", ["a"]);
    rig.unsubs("c", ["b"]);
    assert.deepEqual(rig.sink.take(), ["-c a ?", "-c b ?"]);
  });

  test("come within ten seconds or not at all", () => {
    for (const [waitMs, answer] of [
      [10_000, "-c x ?"],
      [10_001, "-c x"],
    ] as const) {
      const rig = new AedesRig().ready();
      rig.client("c");
      rig.subs("c", ["x"]);
      rig.gone("c");
      rig.client("c");
      rig.subs("c", ["x"]);
      rig.sink.take();
      rig.nowMs += waitMs;
      rig.unsubs("c", ["x"]);
      assert.deepEqual(rig.sink.take(), [answer]);
    }
  });

  test("from another node of a cluster are doubted, and its disconnect is not the client's", () => {
    const rig = new AedesRig().ready();
    rig.client("c", "n1");
    rig.subs("c", ["x", "y"], 1, "n1");
    rig.client("c", "n2");
    rig.subs("c", ["x"], 1, "n2");
    rig.sink.take();
    // Late, and naming what we never saw: it is another node's all the same.
    rig.nowMs += 20_000;
    rig.gone("c", "n1");
    rig.unsubs("c", ["x", "y", "unseen"], "n1");
    assert.deepEqual(rig.sink.take(), ["-c x ?", "-c y", "-c unseen"]);
    rig.gone("c", "n2");
    rig.unsubs("c", ["x"], "n2");
    assert.deepEqual(rig.sink.take(), ["down c", "-c x"]);
  });

  test("are doubted after a gap, when nothing remembered can be trusted", () => {
    const rig = new AedesRig().ready();
    rig.client("c");
    rig.subs("c", ["x", "y"]);
    rig.adapter.down(rig.nowMs);
    rig.up({ sessionPresent: true, awayMs: 5 });
    rig.gone("c");
    rig.client("c");
    rig.subs("c", ["x"]);
    rig.sink.take();
    rig.unsubs("c", ["x"]);
    assert.deepEqual(rig.sink.take(), ["-c x ?"]);
  });
});

describe("an Aedes on paper", () => {
  interface PaperClient {
    connected: boolean;
    clean: boolean;
    own: Set<string>;
  }

  test("whatever the order of its late events, no row of a connected client is missed", () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = seeded(seed);
      const rig = new AedesRig().ready();
      const table = new RowTable();
      const clients = new Map<string, PaperClient>();
      const late: { after: number; emit: () => void }[] = [];
      const FILTERS = ["x", "y", "z"];
      for (let step = 0; step < 80; step += 1) {
        rig.nowMs += 50;
        const id = random() < 0.5 ? "c" : "d";
        const client = clients.get(id);
        const filter = FILTERS[Math.floor(random() * FILTERS.length)] ?? "x";
        const roll = random();
        if (client === undefined || !client.connected || roll < 0.25) {
          const clean = random() < 0.7;
          const old = client?.connected === true ? client : null;
          if (old !== null) rig.gone(id);
          rig.client(id);
          if (old?.clean === true && old.own.size > 0) {
            const names = [...old.own];
            // Usually in the same turn; here up to three steps late.
            late.push({ after: step + Math.floor(random() * 4), emit: () => rig.unsubs(id, names) });
          }
          const kept = client !== undefined && !client.clean && !clean ? client.own : new Set<string>();
          clients.set(id, { connected: true, clean, own: kept });
        } else if (roll < 0.6) {
          client.own.add(filter);
          rig.subs(id, [filter]);
        } else if (roll < 0.8) {
          client.own.delete(filter);
          rig.unsubs(id, [filter]);
        } else {
          client.connected = false;
          rig.gone(id);
          if (client.clean && client.own.size > 0) rig.unsubs(id, [...client.own]);
          if (client.clean) client.own = new Set();
        }
        for (const item of late.splice(0)) {
          if (item.after <= step) item.emit();
          else late.push(item);
        }
        for (const event of rig.sink.events.splice(0)) table.apply(event);
        for (const [name, { own }] of clients) {
          for (const row of own) assert.ok(table.has(name, row), `seed ${seed} step ${step}: ${name} lost ${row}`);
        }
      }
    }
  });
});
