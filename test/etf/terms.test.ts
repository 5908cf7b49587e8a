import assert from "node:assert/strict";
import { describe, test } from "node:test";
import zlib from "node:zlib";
import { zlibInflate } from "../../src/agent/zlib-inflate.ts";
import { encodeTerm } from "../../src/etf/encode-term.ts";
import { readTerm } from "../../src/etf/read-term.ts";
import {
  atom,
  binary,
  integer,
  isAtom,
  list,
  map,
  numberOf,
  type Term,
  textOf,
  tuple,
  valueAt,
} from "../../src/etf/term.ts";
import type { WireProblem } from "../../src/wire/message.ts";
import { bytesOf } from "./captured.ts";

function read(hex: string): Term {
  const result = readTerm(bytesOf(hex.replaceAll(" ", "")), zlibInflate);
  assert.ok(result.ok, `${hex}: ${result.ok || result.problem}`);
  return result.value;
}

function problem(hex: string | Uint8Array): WireProblem | "none" {
  const result = readTerm(typeof hex === "string" ? bytesOf(hex.replaceAll(" ", "")) : hex, zlibInflate);
  return result.ok ? "none" : result.problem;
}

function hex(term: Term): string {
  return Buffer.from(encodeTerm(term)).toString("hex");
}

const NODE = "77 03 6e4068";

/** Name, bytes, value; the bytes come back unless others are named. */
const TERMS: readonly (readonly [string, string, Term, string?])[] = [
  ["SMALL_INTEGER", "83 61 ff", integer(255)],
  ["INTEGER", "83 62 00000100", integer(256)],
  ["INTEGER, negative", "83 62 ffffffff", integer(-1)],
  ["INTEGER that fits a byte", "83 62 00000007", integer(7), "83 61 07"],
  ["SMALL_BIG, a time", "83 6e 06 00 0068e5cf8b01", integer(1_700_000_000_000)],
  ["SMALL_BIG, negative", "83 6e 06 01 0068e5cf8b01", integer(-1_700_000_000_000)],
  ["SMALL_BIG beyond 2^53", "83 6e 08 00 ffffffffffffffff", { kind: "integer", value: 0xffff_ffff_ffff_ffffn }],
  ["SMALL_BIG of 7 bytes that is exact", "83 6e 07 00 ffffffffffff1f", integer(Number.MAX_SAFE_INTEGER)],
  ["SMALL_BIG with nothing in it", "83 6e 00 00", integer(0), "83 61 00"],
  ["SMALL_BIG, padded", "83 6e 03 00 010000", integer(1), "83 61 01"],
  ["LARGE_BIG", `83 6f 00000100 00 ${"01".repeat(256)}`, { kind: "integer", value: BigInt(`0x${"01".repeat(256)}`) }],
  ["NEW_FLOAT", "83 46 3ff8000000000000", { kind: "float", value: 1.5 }],
  [
    "FLOAT",
    `83 63 ${Buffer.from("1.50000000000000000000e+00".padEnd(31, "\0")).toString("hex")}`,
    { kind: "float", value: 1.5 },
    "83 46 3ff8000000000000",
  ],
  ["SMALL_ATOM_UTF8", "83 77 02 6f6b", atom("ok")],
  ["ATOM_UTF8", "83 76 0002 c3bc", atom("ü"), "83 77 02 c3bc"],
  ["ATOM", "83 64 0001 fc", atom("ü"), "83 77 02 c3bc"],
  ["SMALL_ATOM", "83 73 02 6f6b", atom("ok"), "83 77 02 6f6b"],
  ["ATOM_UTF8 of more than 255 bytes", `83 76 01fe ${"c3bc".repeat(255)}`, atom("ü".repeat(255))],
  ["BINARY", "83 6d 00000002 6869", binary("hi")],
  ["BIT_BINARY", "83 4d 00000001 03 e0", { kind: "bits", bytes: new Uint8Array([0xe0]), lastBits: 3 }],
  ["SMALL_TUPLE", "83 68 02 6101 6102", tuple(integer(1), integer(2))],
  [
    "LARGE_TUPLE",
    `83 69 00000100 ${"6a".repeat(256)}`,
    { kind: "tuple", items: Array.from({ length: 256 }, () => list([])) },
  ],
  ["NIL", "83 6a", list([])],
  ["STRING", "83 6b 0002 0102", list([integer(1), integer(2)])],
  ["LIST", "83 6c 00000001 77026f6b 6a", list([atom("ok")])],
  ["LIST, improper", "83 6c 00000001 6101 6102", { kind: "list", items: [integer(1)], tail: integer(2) }],
  [
    "MAP",
    "83 74 00000002 610a 6101 770161 6102",
    map([
      [integer(10), integer(1)],
      [atom("a"), integer(2)],
    ]),
  ],
  ["MAP, empty", "83 74 00000000", map([])],
  ["bytes behind a term", "83 6101 ffff", integer(1), "83 6101"],
];

describe("terms by their tags", () => {
  for (const [name, from, value, to = from] of TERMS)
    test(name, () => {
      assert.deepEqual(read(from), value);
      assert.equal(hex(value), to.replaceAll(" ", ""));
    });

  const opaque: readonly (readonly [string, string])[] = [
    ["PID", `67 ${NODE} 00000001 00000002 03`],
    ["NEW_PID", `58 ${NODE} 00000001 00000002 00000003`],
    ["PORT", `66 ${NODE} 00000001 02`],
    ["NEW_PORT", `59 ${NODE} 00000001 00000002`],
    ["V4_PORT", `78 ${NODE} 0000000000000001 00000002`],
    ["REFERENCE", `65 ${NODE} 00000001 02`],
    ["NEW_REFERENCE", `72 0002 ${NODE} 01 0000000100000002`],
    ["NEWER_REFERENCE", `5a 0002 ${NODE} 00000001 0000000100000002`],
    ["EXPORT", "71 77026f6b 77026f6b 6101"],
    ["NEW_FUN", "70 00000008 deadbeef"],
    ["FUN", `75 00000001 67 ${NODE} 00000001 00000002 03 77026f6b 6101 6102 6103`],
  ];
  for (const [name, bytes] of opaque)
    test(`${name} is kept as bytes, and what is behind it is read`, () => {
      const whole = `83 68 02 ${bytes} 6107`;
      const term = read(whole);
      assert.deepEqual(term.kind === "tuple" && term.items[1], integer(7));
      assert.equal(term.kind === "tuple" && term.items[0]?.kind, "opaque");
      assert.equal(hex(term), whole.replaceAll(" ", ""));
    });
});

describe("what is no term", () => {
  const bad: readonly (readonly [string, string, WireProblem])[] = [
    ["nothing", "", "truncated"],
    ["another version", "84 6a", "bad_magic"],
    ["the version alone", "83", "truncated"],
    ["an unknown tag", "83 00", "unknown_type"],
    ["a cached atom of a distribution", "83 52 00", "unknown_type"],
    ["a binary that announces 4 GB", "83 6d ffffffff 00", "truncated"],
    ["a list that announces 4 G values", "83 6c ffffffff 6a", "truncated"],
    ["a tuple that announces 4 G values", "83 69 ffffffff", "truncated"],
    ["a map that announces 4 G pairs", "83 74 ffffffff 6a", "truncated"],
    ["a number that announces 4 GB", "83 6f ffffffff 00 01", "too_large"],
    ["a number of 1,025 bytes", `83 6f 00000401 00 ${"01".repeat(1025)}`, "too_large"],
    ["a number with a strange sign", "83 6e 01 02 01", "bad_value"],
    ["no number as a float", "83 46 7ff8000000000000", "bad_value"],
    ["a float in words", `83 63 ${Buffer.from("infinity".padEnd(31, "\0")).toString("hex")}`, "bad_value"],
    ["an atom that is no UTF-8", "83 77 01 ff", "bad_utf8"],
    ["an atom of 256 characters", `83 76 0100 ${"61".repeat(256)}`, "too_large"],
    ["an old atom of 256 characters", `83 64 0100 ${"61".repeat(256)}`, "too_large"],
    ["nine bits in a byte", "83 4d 00000001 09 e0", "bad_value"],
    ["a process on a number", "83 67 6101 00000001 00000002 03", "bad_value"],
    ["a function smaller than its size", "83 70 00000003", "bad_value"],
    ["a compressed term without its length", "83 50 0000", "truncated"],
    ["a compressed term that is not", "83 50 00000002 00112233", "bad_compression"],
    ["a compressed term of nothing", "83 50 00000000 00112233", "bad_compression"],
    ["a compressed term of 4 GB", "83 50 ffffffff 00112233", "too_large"],
    ["a compressed term of 16 MB in four bytes", "83 50 00ffffff 00112233", "bad_compression"],
  ];
  for (const [name, bytes, expected] of bad) test(name, () => assert.equal(problem(bytes), expected));

  test("values within values, without end", () => {
    assert.equal(problem(`83 ${"6801".repeat(100)} 6a`), "too_large");
    assert.equal(problem(`83 ${"6801".repeat(60)} 6a`), "none");
    assert.equal(problem(bytesOf(`83${"6c00000001".repeat(200_000)}`)), "too_large");
  });

  test("more values than a batch can need", () => {
    const many = new Uint8Array(300_006).fill(0x6a);
    many.set([0x83, 0x69, 0x00, 0x04, 0x93, 0xe0]);
    assert.equal(problem(many), "too_large");
  });

  test("more bytes than anybody takes", () => {
    const large = new Uint8Array(16 * 1024 * 1024 + 7);
    large.set([0x83, 0x6d, 0x01, 0x00, 0x00, 0x01]);
    assert.equal(problem(large), "too_large");
  });
});

describe("the compressed form", () => {
  const plain = encodeTerm(list(Array.from({ length: 100 }, () => binary("the same again"))));

  function packed(length: number, bytes = zlib.deflateSync(plain.subarray(1))): Uint8Array {
    const head = Buffer.from([0x83, 0x50, 0, 0, 0, 0]);
    head.writeUInt32BE(length, 2);
    return new Uint8Array(Buffer.concat([head, bytes]));
  }

  test("expands to what it announces", () => {
    const result = readTerm(packed(plain.length - 1), zlibInflate);
    assert.ok(result.ok);
    assert.deepEqual(encodeTerm(result.value), plain);
  });

  test("is refused when it expands to more or less, or is cut short", () => {
    assert.equal(problem(packed(plain.length - 2)), "bad_compression");
    assert.equal(problem(packed(plain.length)), "bad_compression");
    assert.equal(problem(packed(plain.length - 1).subarray(0, 20)), "bad_compression");
  });

  test("the worked example of a route batch", () => {
    const routes =
      "837400000004610a6d00000003614068610b6e06000068e5cf8b01610c6c0000000268026d00000003742f2b6d00000003742f2b680361646d00000003742f316d0000000824732f672f742f316a7703246f706d00000005726f757465";
    const bytes = bytesOf(routes);
    const result = readTerm(packed(bytes.length - 1, zlib.deflateSync(bytes.subarray(1))), zlibInflate);
    assert.ok(result.ok);
    assert.equal(hex(result.value), routes);
  });

  test("what no stream could expand to is refused without trying", () => {
    const never = (): Uint8Array | null => assert.fail("it was tried");
    assert.deepEqual(readTerm(bytesOf("835000ffffff00112233"), never), { ok: false, problem: "bad_compression" });
    assert.deepEqual(readTerm(bytesOf("8350ffffffff00112233"), never), { ok: false, problem: "too_large" });
  });

  test("a bomb costs no more than it announces", () => {
    const bomb = zlib.deflateSync(Buffer.alloc(64 * 1024 * 1024));
    assert.equal(problem(packed(1_000, bomb)), "bad_compression");
  });
});

test("terms are looked into without trust", () => {
  const term = map([
    [atom("$op"), binary("route")],
    [integer(11), integer(5)],
    [integer(11), integer(6)],
    [integer(12), integer(-1)],
    [integer(13), binary(new Uint8Array([0xff]))],
  ]);
  assert.equal(textOf(valueAt(term, "$op")), "route");
  assert.equal(numberOf(valueAt(term, 11)), 5);
  assert.equal(numberOf(valueAt(term, 12)), null);
  assert.equal(numberOf({ kind: "integer", value: 2n ** 60n }), null);
  assert.equal(textOf(valueAt(term, 13)), null);
  assert.equal(textOf(valueAt(term, 14)), null);
  assert.equal(valueAt(list([]), 1), undefined);
  assert.equal(isAtom(atom("ok"), "ok"), true);
  assert.equal(isAtom(binary("ok"), "ok"), false);
});
