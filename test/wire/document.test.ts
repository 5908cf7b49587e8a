/** docs/PROTOCOL.md cannot rot: its bytes, hashes and marks are those of the code, and of the codec written from it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ZLIB_ALGORITHMS } from "../../src/agent/zlib-codec.ts";
import { digestHex, routeDigest } from "../../src/base/digest.ts";
import { topicCheck } from "../../src/base/hash.ts";
import { markProperties } from "../../src/flow/mark.ts";
import { CONTROL_CASES } from "../cases/control-messages.ts";
import { FRAME_CASES } from "../cases/frames.ts";
import { PACKED_FRAME, PACKED_FRAME_CASES } from "../cases/packed-frames.ts";
import { readText } from "../house/repository.ts";
import { fromHex, plainBytes, toHex } from "./hex.ts";
import { decodePlainControl, decodePlainFrame, encodePlainControl, encodePlainFrame } from "./plain-codec.ts";
import { plainCheck, plainDigest } from "./plain-hash.ts";

const PAGE = readText("docs/PROTOCOL.md") ?? "";

/** Fenced blocks by what stands behind their kind. */
function blocks(kind: string): Map<string, string> {
  const found = [...PAGE.matchAll(/^```(\S+)[ ]?(.*)\n([\s\S]*?)^```$/gm)].filter((match) => match[1] === kind);
  const byName = new Map(found.map((match) => [match[2] ?? "", match[3] ?? ""]));
  assert.equal(byName.size, found.length, `two ${kind} blocks have one name`);
  return byName;
}

function withoutNotes(block: string): string {
  return block.replace(/;.*$/gm, "").trim().split(/\s+/).join(" ");
}

describe("the hex of docs/PROTOCOL.md is that of the vectors", () => {
  const documented = blocks("hex");
  for (const { name, hex } of [...CONTROL_CASES, ...FRAME_CASES, ...PACKED_FRAME_CASES]) {
    test(name, () => {
      const block = documented.get(name);
      assert.ok(block !== undefined, "the page does not have it");
      assert.equal(withoutNotes(block), hex);
    });
  }

  test("and the page has no other", () => {
    const known = new Set([...CONTROL_CASES, ...FRAME_CASES, ...PACKED_FRAME_CASES].map(({ name }) => name));
    assert.deepEqual(
      [...documented.keys()].filter((name) => !known.has(name)),
      [],
    );
  });
});

describe("the codec written from the page understands and writes every vector", () => {
  for (const { name, hex, value, written } of CONTROL_CASES) {
    test(name, () => {
      const decoded = decodePlainControl(fromHex(hex));
      assert.ok(decoded.ok, decoded.ok ? "" : decoded.problem);
      assert.deepEqual(plainBytes(decoded.value), plainBytes(value));
      if (written) assert.equal(toHex(encodePlainControl(decoded.value)), hex);
    });
  }
  for (const { name, hex, value, written } of FRAME_CASES) {
    test(name, () => {
      const decoded = decodePlainFrame(fromHex(hex));
      assert.ok(decoded.ok, decoded.ok ? "" : decoded.problem);
      assert.deepEqual(plainBytes(decoded.value), plainBytes(value));
      if (written) assert.equal(toHex(encodePlainFrame(decoded.value)), hex);
    });
  }
  // What the runtime cannot expand is refused in vectors.test.ts, and expanded there on a later Node.
  for (const { name, hex } of PACKED_FRAME_CASES.filter(({ algorithm }) => ZLIB_ALGORITHMS.includes(algorithm))) {
    test(name, () => {
      const decoded = decodePlainFrame(fromHex(hex));
      assert.ok(decoded.ok, decoded.ok ? "" : decoded.problem);
      assert.deepEqual(plainBytes(decoded.value), plainBytes(PACKED_FRAME));
    });
  }
});

/** Lines of hex digits and the texts behind them. */
function hashLines(kind: string): { hex: string; texts: string[] }[] {
  const [block] = blocks(kind).values();
  const lines = (block ?? "").trim().split("\n");
  return lines.map((line) => {
    const [hex = "", ...texts] = line.split(/ {2,}/);
    return { hex, texts };
  });
}

test("the digests of the page are those of the code and of the function it describes", () => {
  const lines = hashLines("digests");
  assert.equal(lines.length, 4);
  for (const { hex, texts } of lines) {
    const [filter = "", ...groups] = texts;
    assert.equal(digestHex(routeDigest(filter, groups)), hex);
    assert.equal(plainDigest(filter, groups.toReversed()), hex);
  }
});

test("the checks of the page are those of the code and of the function it describes", () => {
  const lines = hashLines("checks");
  assert.equal(lines.length, 3);
  for (const { hex, texts } of lines) {
    assert.equal(topicCheck(texts[0] ?? ""), hex);
    assert.equal(plainCheck(texts[0] ?? ""), hex);
  }
});

test("the set of the page's bootstrap has the digest that the page gives it", () => {
  const routes: [string, string[]][] = [
    ["t/1", []],
    ["c/#", ["g2", "g1"]],
    ["ü/+", []],
  ];
  const digest = routes.reduce((sum, [filter, groups]) => sum ^ BigInt(`0x${plainDigest(filter, groups)}`), 0n);
  const hex = digest.toString(16).padStart(16, "0");
  assert.ok(PAGE.includes(`has the digest \`${hex}\``), hex);
  assert.ok(withoutNotes(blocks("hex").get("bootstrap_end") ?? "").endsWith(hex.replace(/..(?=.)/g, "$& ")));
});

test("the mark of the page is the one that a republished message carries", () => {
  const [block] = blocks("mark").values();
  const { userProperties = [] } = markProperties(null, "a", "t/1");
  assert.equal(block, `${userProperties.map(([key, value]) => `${key}: ${value}`).join("\n")}\n`);
});
