import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { savedRows, saveRowChanges } from "../../src/hub/saved-rows.ts";
import { decodeState, savePeer, saveRecord, saveRoute } from "../../src/hub/saved-state.ts";

function saved(act: (save: (key: string, value: Uint8Array | null) => void) => void): Map<string, Uint8Array> {
  const entries = new Map<string, Uint8Array>();
  act((key, value) => {
    if (value === null) entries.delete(key);
    else entries.set(key, value);
  });
  return entries;
}

describe("saved state", () => {
  test("comes back as it was, by link", () => {
    const entries = saved((save) => {
      savePeer(save, "a", 1_800_000_000_000);
      saveRoute(save, "a", "t/+/#", true);
      saveRoute(save, "a", "/x//", true);
      saveRoute(save, "a", "gone", true);
      saveRoute(save, "a", "gone", false);
      saveRecord(save, "b", "00000000000000ff", {
        upTo: 7,
        ranges: [
          [9, 9],
          [12, 400],
        ],
      });
    });
    const { state, refused } = decodeState(entries);
    assert.deepEqual(refused, []);
    assert.deepEqual(state.links.get("a"), { incarnation: 1_800_000_000_000, routes: ["t/+/#", "/x//"], records: [] });
    assert.deepEqual(state.links.get("b")?.records, [
      {
        stream: "00000000000000ff",
        upTo: 7,
        ranges: [
          [9, 9],
          [12, 400],
        ],
      },
    ]);
  });

  test("leaves out rubbish with its reason, and keeps the rest", () => {
    const rubbish: readonly (readonly [string, number[], string])[] = [
      ["nonsense", [], "unknown key"],
      ["peer/a", [], "truncated"],
      ["peer/a", [0], "no incarnation"],
      ["peer/a", [1, 1], "bytes left over"],
      ["route/a/t/#/x", [], "has # before its last level (level 2)"],
      ["route/a/$SYS/#", [], "no filter of a route"],
      ["route/a/t", [1], "bytes left over"],
      ["record/a/short", [1, 0], "no stream"],
      ["record/a/00000000000000ff", [5, 1, 6, 7], "bad_value"],
      ["record/a/00000000000000ff", [5, 1, 9, 8], "bad_value"],
      ["record/a/00000000000000ff", [5, 100], "truncated"],
      ["demand/t", [0, 0], "no identifier of its own"],
      ["demand/t", [1, 2], "no identifier of its own"],
      ["demand/t", [1], "truncated"],
      ["demand_id", [0xff, 0xff, 0xff, 0xff, 0x7f], "no identifier"],
      ["row/client/t", [], "no row"],
      ["row/01/c/t", [], "no row"],
      ["row/1/c", [], "no row"],
      ["row/1/c/", [], "no row"],
      ["row/1/cc/t", [], "no row"],
      ["row/9/c/t", [], "no row"],
      ["row/1/c/t", [1], "bytes left over"],
    ];
    const { state, refused } = decodeState([
      ["route/a/good", new Uint8Array(0)],
      ["agent/incarnation", new Uint8Array(1)],
      ...rubbish.map(([key, bytes]) => [key, new Uint8Array(bytes)] as const),
    ]);
    assert.deepEqual(
      refused.map(({ key, reason }) => [key, reason]),
      rubbish.map(([key, , reason]) => [key, reason]),
    );
    assert.deepEqual([...state.links], [["a", { incarnation: 0, routes: ["good"], records: [] }]]);
  });

  test("keeps the rows of clients of any name apart, by way of UTF-8", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 6 }),
      fc.string({ unit: fc.constantFrom("/", "1", "2", " ", "é", "𝄞"), maxLength: 6 }),
    );
    const row = fc.record({ client: text, filter: text.filter((filter) => filter !== "") });
    const name = ({ client, filter }: { client: string; filter: string }): string => JSON.stringify([client, filter]);
    fc.assert(
      fc.property(fc.uniqueArray(row, { selector: name, maxLength: 20 }), (rows) => {
        const gone = rows.filter((_, n) => n % 3 === 0);
        const kept = rows.filter((_, n) => n % 3 !== 0);
        const entries = saved((save) => {
          saveRowChanges(
            save,
            rows.map((each) => ({ ...each, isHeld: true })),
          );
          saveRowChanges(
            save,
            gone.map((each) => ({ ...each, isHeld: false })),
          );
        });
        const { state, refused } = decodeState(
          [...entries].map(([key, value]) => [Buffer.from(key).toString(), value] as const),
        );
        assert.deepEqual(refused, []);
        const back = [...state.rows].flatMap(([client, filters]) => filters.map((filter) => name({ client, filter })));
        assert.deepEqual(back.sort(), kept.map(name).sort());
        assert.deepEqual(new Map([...savedRows(kept)].filter((entry) => entry !== null)), entries);
      }),
    );
  });

  test("leaves out rows whose key would be too long for the journal", () => {
    const rows = [
      { client: "c", filter: "€".repeat(16_383) },
      { client: "cc", filter: "€".repeat(16_383) },
    ];
    const [kept, tooLong] = savedRows(rows);
    assert.equal(tooLong, null);
    assert.ok(Buffer.byteLength(kept?.[0] ?? "") < 65_536);
    assert.equal(kept?.[0].startsWith("row/1/c/"), true);
  });

  test("takes no identifier twice", () => {
    const { state, refused } = decodeState([
      ["demand/a", new Uint8Array([3, 0])],
      ["demand/b", new Uint8Array([3, 0])],
    ]);
    assert.deepEqual([state.demand.filters.length, state.demand.lastId, refused.length], [1, 3, 1]);
  });
});
