import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { matchesPattern } from "../../src/route/client-pattern.ts";
import type { InterestEdge, SessionEnd } from "../../src/route/interest-event.ts";
import { SubscriptionTable } from "../../src/route/subscription-table.ts";
import { countMapReads } from "./map-reads.ts";

/** The clients whose interest `filter` is. */
function clientsOf(table: SubscriptionTable, filter: string): string[] {
  return [...table.holders()].filter(({ asked }) => asked === filter).map(({ client }) => client);
}

class Rig {
  readonly table: SubscriptionTable;
  edges: InterestEdge[] = [];

  constructor({ rowsMax = 1_000, ignoreClients = [] as readonly string[] } = {}) {
    this.table = new SubscriptionTable({
      ownClients: new Set(["me-events", "me-data"]),
      ignoreClients,
      controlPrefix: "$LINK",
      rowsMax,
    });
  }

  connected(id: string, cleanStart: boolean | null, session: SessionEnd): string[] {
    this.table.connected(id, cleanStart, session, this.edges);
    return this.taken();
  }

  disconnected(id: string): string[] {
    this.table.disconnected(id, this.edges);
    return this.taken();
  }

  sub(id: string, raw: string, certain = true): string[] {
    this.table.subscribed(id, raw, certain, this.edges);
    return this.taken();
  }

  unsub(id: string, raw: string, certain = true): string[] {
    this.table.unsubscribed(id, raw, certain, this.edges);
    return this.taken();
  }

  counts(): { plain: string; shared: string } {
    const shown = (kind: "plain" | "shared") => {
      const { proven, ghosts } = this.table.counts(kind);
      return `${proven}+${ghosts}`;
    };
    return { plain: shown("plain"), shared: shown("shared") };
  }

  taken(): string[] {
    return this.edges
      .splice(0)
      .map(({ filter, group, up }) => `${up ? "+" : "-"}${filter}${group === null ? "" : ` (${group})`}`);
  }

  held(): string[] {
    return [...this.table.edges()]
      .map(({ filter, group }) => (group === null ? filter : `${filter} (${group})`))
      .sort();
  }
}

describe("rows are a set per (client, filter)", () => {
  test("subscribing twice is one row, and unsubscribing what is not held changes nothing", () => {
    const made = new Rig();
    assert.deepEqual(made.sub("c", "t"), ["+t"]);
    assert.deepEqual(made.sub("c", "t"), []);
    assert.deepEqual(made.unsub("c", "u"), []);
    assert.deepEqual(made.unsub("d", "t"), []);
    assert.deepEqual(made.counts(), { plain: "1+0", shared: "0+0" });
    assert.deepEqual(made.unsub("c", "t"), ["-t"]);
    assert.deepEqual(made.unsub("c", "t"), []);
    assert.deepEqual([made.table.rows, made.table.clients, made.table.filters], [0, 0, 0]);
  });

  test("only the first holder and the last are edges", () => {
    const made = new Rig();
    assert.deepEqual(
      [made.sub("c", "t"), made.sub("d", "t"), made.unsub("c", "t"), made.unsub("d", "t")],
      [["+t"], [], [], ["-t"]],
    );
  });

  test("`+/#` and `#` are two rows of the broker and one interest", () => {
    const made = new Rig();
    assert.deepEqual([made.sub("c", "+/#"), made.sub("c", "#")], [["+#"], []]);
    assert.deepEqual(made.counts().plain, "2+0");
    assert.deepEqual([made.unsub("c", "#"), made.unsub("c", "+/#")], [[], ["-#"]]);
  });

  test("any text is a client's id or a level of a filter", () => {
    const made = new Rig();
    assert.deepEqual(made.sub("a b/#\u0000ü", "ä ö/😀/#"), ["+ä ö/😀/#"]);
    assert.deepEqual(clientsOf(made.table, "ä ö/😀/#"), ["a b/#\u0000ü"]);
  });
});

describe("shared subscriptions", () => {
  test("count as their filter, with their group, beside the plain ones", () => {
    const made = new Rig();
    assert.deepEqual(made.sub("c", "$share/g/t"), ["+t (g)"]);
    assert.deepEqual(made.sub("d", "$share/g/t"), []);
    assert.deepEqual(made.sub("d", "$share/h/t"), ["+t (h)"]);
    assert.deepEqual(made.sub("e", "t"), ["+t"]);
    assert.deepEqual(made.counts(), { plain: "1+0", shared: "3+0" });
    assert.deepEqual(made.held(), ["t", "t (g)", "t (h)"]);
    assert.deepEqual([made.unsub("c", "$share/g/t"), made.unsub("d", "$share/g/t")], [[], ["-t (g)"]]);
    assert.deepEqual([made.unsub("e", "t"), made.unsub("d", "$share/h/t")], [["-t"], ["-t (h)"]]);
    assert.equal(made.table.filters, 0);
  });

  test("of what begins with $, or of no filter at all, are rows and no interest", () => {
    const made = new Rig();
    for (const raw of ["$share/g/$SYS/#", "$share/g/$LINK/x", "$share/g", "$share//t", "$share/g/"])
      assert.deepEqual(made.sub("c", raw), [], raw);
    assert.deepEqual(made.counts(), { plain: "0+0", shared: "5+0" });
    assert.deepEqual(made.held(), []);
  });
});

describe("what never enters", () => {
  test("filters that begin with $ and the control prefix, also one without $", () => {
    const made = new Rig();
    for (const raw of ["$SYS/#", "$LINK/v1/#", "$queue/t"]) assert.deepEqual(made.sub("c", raw), [], raw);
    assert.equal(made.table.rows, 3);
    assert.equal(made.table.invalid, 0);
    const other = new SubscriptionTable({
      ownClients: new Set(),
      ignoreClients: [],
      controlPrefix: "link",
      rowsMax: 9,
    });
    const edges: InterestEdge[] = [];
    for (const raw of ["link", "link/v1/#", "links/x"]) other.subscribed("c", raw, true, edges);
    assert.deepEqual(edges, [{ filter: "links/x", group: null, up: true }]);
  });

  test("the agent's own clients and ignored ones, whose rows the broker still counts", () => {
    const made = new Rig({ ignoreClients: ["bridge-*", "*.remote"] });
    for (const id of ["me-data", "bridge-7", "x.remote"]) assert.deepEqual(made.sub(id, "t"), []);
    assert.deepEqual(made.sub("bridge", "t"), ["+t"]);
    assert.deepEqual(made.counts().plain, "4+0");
    assert.deepEqual(clientsOf(made.table, "t"), ["bridge"]);
    assert.deepEqual(made.unsub("me-data", "t"), []);
  });

  test("filters that are none are counted as invalid", () => {
    const made = new Rig();
    for (const raw of ["a/#/b", "a+", ""]) assert.deepEqual(made.sub("c", raw), [], raw);
    assert.equal(made.table.invalid, 3);
    assert.deepEqual(made.unsub("c", "a/#/b"), []);
  });

  test("a filter deeper than 200 levels is widened, not left out", () => {
    const made = new Rig();
    const deep = Array.from({ length: 250 }, (_, i) => `${i}`).join("/");
    const [edge = ""] = made.sub("c", deep);
    assert.ok(edge.startsWith("+0/1/2/") && edge.endsWith("/198/#"), edge);
    assert.deepEqual(made.unsub("c", deep), [`-${edge.slice(1)}`]);
  });
});

describe("sessions", () => {
  test("a clean start forgets what the client held, anything else keeps it", () => {
    for (const [cleanStart, edges] of [
      [true, ["-t"]],
      [false, []],
      [null, []],
    ] as const) {
      const made = new Rig();
      made.connected("c", true, "outlives_connection");
      made.sub("c", "t");
      made.disconnected("c");
      assert.deepEqual(made.connected("c", cleanStart, "outlives_connection"), edges);
    }
  });

  test("one that ends with its connection goes at the disconnect, or at a takeover", () => {
    const made = new Rig();
    made.connected("c", true, "with_connection");
    made.sub("c", "t");
    assert.deepEqual(made.connected("c", false, "with_connection"), ["-t"], "taken over");
    made.sub("c", "u");
    assert.deepEqual(made.disconnected("c"), ["-u"]);
    assert.equal(made.table.clients, 0);
  });

  test("one that outlives its connection keeps its rows, proven, until it ends", () => {
    const made = new Rig();
    made.connected("c", true, "outlives_connection");
    made.sub("c", "t");
    assert.deepEqual(made.disconnected("c"), []);
    assert.deepEqual(made.counts().plain, "1+0");
    made.table.sessionEnded("c", made.edges);
    assert.deepEqual(made.taken(), ["-t"]);
    assert.equal(made.table.clients, 0);
  });

  test("one with an unknown end leaves ghosts: kept, not proven", () => {
    const made = new Rig();
    made.connected("c", true, "unknown");
    made.sub("c", "t");
    assert.deepEqual(made.disconnected("c"), []);
    assert.deepEqual(made.counts().plain, "0+1");
    made.connected("c", false, "unknown");
    made.sub("c", "t");
    assert.deepEqual(made.counts().plain, "1+0", "seen held again");
  });

  test("the rows of a client whose connect was not seen become ghosts when it goes", () => {
    const made = new Rig();
    made.sub("c", "t");
    assert.deepEqual(made.disconnected("c"), []);
    assert.deepEqual(made.counts().plain, "0+1");
  });

  test("a broker restart ends the sessions that end with their connection, and proves nothing of the others", () => {
    const made = new Rig();
    made.connected("short", true, "with_connection");
    made.connected("long", true, "outlives_connection");
    made.sub("short", "s");
    made.sub("long", "l");
    made.table.brokerRestarted(made.edges);
    assert.deepEqual(made.taken(), ["-s"]);
    assert.deepEqual(made.counts().plain, "0+1");
    assert.equal(made.table.clients, 1);
  });
});

describe("doubt", () => {
  test("an uncertain line adds a ghost, and never proves or removes", () => {
    const made = new Rig();
    assert.deepEqual(made.sub("c", "long/#", false), ["+long/#"]);
    assert.deepEqual(made.counts().plain, "0+1");
    made.sub("c", "t");
    made.sub("c", "t", false);
    assert.deepEqual(made.counts().plain, "1+1", "what was certain stays so");
    assert.deepEqual(made.unsub("c", "t", false), []);
    assert.deepEqual(made.counts().plain, "0+2");
    assert.deepEqual(made.held(), ["long/#", "t"]);
  });

  test("a gap makes ghosts of all rows at once; what is seen anew is proven", () => {
    const made = new Rig();
    for (const filter of ["a", "b", "$share/g/c"]) made.sub("c", filter);
    made.table.gap();
    assert.deepEqual(made.counts(), { plain: "0+2", shared: "0+1" });
    made.sub("c", "b");
    made.sub("c", "$share/g/c");
    assert.deepEqual(made.counts(), { plain: "1+1", shared: "1+0" });
    assert.deepEqual(made.unsub("c", "a"), ["-a"]);
    assert.deepEqual(made.counts().plain, "1+0");
  });

  test("ghosts of one kind go, or are proven, without touching the other kind", () => {
    const made = new Rig();
    for (const filter of ["a", "b", "$share/g/c"]) made.sub("c", filter, false);
    made.sub("d", "p");
    made.table.proveGhosts("shared");
    assert.deepEqual(made.counts(), { plain: "1+2", shared: "1+0" });
    made.table.dropGhosts("plain", made.edges);
    assert.deepEqual(made.taken(), ["-a", "-b"]);
    assert.deepEqual(made.held(), ["c (g)", "p"]);
  });
});

describe("limits", () => {
  test("past its rows the table takes no more, counts them, and knows what it holds", () => {
    const made = new Rig({ rowsMax: 2 });
    made.sub("c", "a");
    made.sub("c", "b");
    assert.equal(made.table.subscribed("c", "d", true, made.edges), false);
    assert.equal(made.table.subscribed("new", "e", true, made.edges), false);
    assert.equal(made.table.subscribed("c", "a", true, made.edges), true, "a known row needs no room");
    assert.deepEqual([made.table.refused, made.table.rows, made.table.clients], [2, 2, 1]);
    made.unsub("c", "a");
    assert.equal(made.table.subscribed("c", "d", true, made.edges), true);
  });

  test("what is held takes the place of what may be held: the ghosts of the client that left first go first, counted", () => {
    const made = new Rig({ rowsMax: 5 });
    for (const id of ["early", "late", "stays"]) made.connected(id, true, "unknown");
    for (const [id, raw] of ["early a", "early b", "late c", "stays d", "stays e"].map((row) => row.split(" ")))
      made.sub(id ?? "", raw ?? "");
    // It was away before, and came back meanwhile.
    made.disconnected("late");
    made.connected("late", false, "unknown");
    made.disconnected("early");
    made.disconnected("late");
    assert.deepEqual(made.sub("new", "n/1"), ["-a", "+n/1"]);
    assert.deepEqual(made.sub("new", "n/2"), ["-b", "+n/2"]);
    assert.deepEqual([made.table.givenUp, made.table.refused, made.table.clients], [2, 0, 3]);
    made.connected("late", false, "unknown");
    assert.equal(made.table.subscribed("new", "n/3", true, made.edges), false, "nobody is gone any more");
    assert.deepEqual(made.held(), ["c", "d", "e", "n/1", "n/2"]);
    assert.deepEqual([made.table.givenUp, made.table.refused, made.table.rows], [2, 1, 5]);
    assert.deepEqual(
      [...made.table.changes.take()].filter(({ isHeld }) => !isHeld).map(({ filter }) => filter),
      ["a", "b"],
    );
  });

  test("sessions that come to an end nobody hears of fill the table and no more, and shut nobody out", () => {
    const made = new Rig({ rowsMax: 100 });
    for (let boot = 0; boot < 1_000; boot += 1) {
      made.connected(`device-${boot}`, false, "unknown");
      assert.deepEqual(made.sub(`device-${boot}`, `cmd/${boot}`).at(-1), `+cmd/${boot}`);
      made.disconnected(`device-${boot}`);
    }
    assert.deepEqual([made.table.rows, made.table.clients, made.table.givenUp, made.table.refused], [100, 100, 900, 0]);
    const rows = [...made.table.interestRows()].filter((row) => row !== null);
    assert.deepEqual([rows[0]?.filter, rows.at(-1)?.filter], ["cmd/900", "cmd/999"]);
  });

  test("what is away for certain is not given up; after a restart of the broker, it is", () => {
    const made = new Rig({ rowsMax: 1 });
    made.connected("c", true, "outlives_connection");
    made.sub("c", "a");
    made.disconnected("c");
    assert.equal(made.table.subscribed("d", "b", true, made.edges), false);
    made.table.brokerRestarted(made.edges);
    assert.deepEqual(made.sub("d", "b"), ["-a", "+b"]);
  });

  test("rows of an earlier life that find no room are given up, and those that did make room", () => {
    const made = new Rig({ rowsMax: 2 });
    made.table.restore("c", ["a", "b", "e"], made.edges);
    made.table.restore("d", ["f"], made.edges);
    assert.deepEqual(made.taken(), ["+a", "+b"]);
    assert.equal(made.table.givenUp, 2);
    assert.deepEqual(made.sub("new", "n"), ["-a", "+n"]);
    assert.equal(made.table.givenUp, 3);
    made.sub("c", "b", false);
    assert.equal(made.table.subscribed("new", "m", true, made.edges), false, "a client that subscribes is there");
  });

  test("clients without rows are bounded as well", () => {
    const made = new Rig({ rowsMax: 3 });
    for (let i = 0; i < 10; i += 1) made.connected(`c${i}`, true, "with_connection");
    assert.equal(made.table.clients, 3);
    assert.deepEqual(made.connected("c9", true, "with_connection"), []);
    assert.equal(made.table.subscribed("c9", "t", true, made.edges), false);
    assert.equal(made.table.refused, 1);
  });

  test("a subscribe and an unsubscribe cost the same however many rows there are", () => {
    const cost = (clients: number): number => {
      const made = new Rig({ rowsMax: 1_000_000 });
      for (let i = 0; i < clients; i += 1) for (const level of ["a", "+", "b"]) made.sub(`c${i}`, `t/${level}/${i}`);
      return countMapReads(() => {
        made.sub("c1", "fresh/reply/1");
        made.unsub("c1", "fresh/reply/1");
      });
    };
    assert.equal(cost(5_000), cost(5));
  });
});

function apply(made: Rig, kind: string, client: string, raw: string): string[] {
  switch (kind) {
    case "sub":
      return made.sub(client, raw);
    case "unsub":
      return made.unsub(client, raw);
    case "disconnect":
      return made.disconnected(client);
    case "end":
      made.table.sessionEnded(client, made.edges);
      return made.taken();
    default:
      return made.connected(client, kind === "clean", "outlives_connection");
  }
}

test("agrees with a plain set of rows, whatever certain events come", () => {
  const event = fc.record({
    kind: fc.constantFrom("sub", "sub", "sub", "unsub", "connect", "clean", "disconnect", "end"),
    client: fc.constantFrom("c", "d"),
    raw: fc.constantFrom("a", "b", "+/#", "#", "$share/g/a", "$SYS/x"),
  });
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const made = new Rig();
      const rows = new Set<string>();
      const drop = (client: string) => {
        for (const row of rows) if (row.startsWith(`${client} `)) rows.delete(row);
      };
      const held = new Set<string>();
      for (const { kind, client, raw } of events) {
        if (kind === "sub") rows.add(`${client} ${raw}`);
        else if (kind === "unsub") rows.delete(`${client} ${raw}`);
        else if (kind === "clean" || kind === "end") drop(client);
        const lines = apply(made, kind, client, raw);
        for (const line of lines) {
          if (line.startsWith("+")) assert.ok(!held.has(line.slice(1)) && held.add(line.slice(1)));
          else assert.ok(held.delete(line.slice(1)));
        }
      }
      const { plain, shared } = { plain: made.table.counts("plain"), shared: made.table.counts("shared") };
      assert.equal(plain.proven + plain.ghosts + shared.proven + shared.ghosts, rows.size);
      const expected = new Set(
        [...rows]
          .map((row) => row.split(" ")[1] ?? "")
          .filter((raw) => raw !== "$SYS/x")
          .map((raw) => (raw === "$share/g/a" ? "a (g)" : raw === "+/#" ? "#" : raw)),
      );
      assert.deepEqual([...held].sort(), [...expected].sort());
      assert.deepEqual(made.held(), [...expected].sort());
    }),
  );
});

test("a pattern's stars stand for any characters, several and none included", () => {
  for (const [pattern, text, expected] of [
    ["*", "", true],
    ["*", "anything", true],
    ["a*", "a", true],
    ["a*a", "a", false],
    ["a*b*c", "abc", true],
    ["a*b*c", "a-b-b-c", true],
    ["a*b*c", "acb", false],
    ["*bridge*", "my-bridge-1", true],
    ["**", "x", true],
    ["exact", "exact", true],
    ["exact", "exactly", false],
    ["a.c", "abc", false],
    ["ab*ba", "aba", false],
  ] as const)
    assert.equal(matchesPattern(pattern, text), expected, `${pattern} ${text}`);
});
