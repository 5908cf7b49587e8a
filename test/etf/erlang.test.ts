import assert from "node:assert/strict";
import { test } from "node:test";
import { zlibInflate } from "../../src/agent/zlib-inflate.ts";
import { encodeTerm } from "../../src/etf/encode-term.ts";
import { readTerm } from "../../src/etf/read-term.ts";
import { atom } from "../../src/etf/term.ts";
import { bytesOf, PAYLOADS } from "./captured.ts";
import { askErlang, hexOf } from "./erlang.ts";

test("what Erlang writes decodes, and Erlang reads what comes back as the same", () => {
  const names = ["integers", "floats", "atoms", "binaries", "lists", "tuples", "maps", "own"];
  const written = askErlang(names.map((name) => `make ${name}`));
  const ours = written.map((hex, at) => {
    const read = readTerm(bytesOf(hex), zlibInflate);
    assert.ok(read.ok, `${names[at]}: ${read.ok || read.problem}`);
    return hexOf(encodeTerm(read.value));
  });
  for (const [at, hex] of ours.entries())
    if (names[at] !== "atoms" && names[at] !== "own") assert.equal(hex, written[at], names[at]);
  // Its own processes and functions are no use to another one, but they are terms.
  const answers = askErlang(ours.filter((_, at) => names[at] !== "atoms"));
  assert.deepEqual(
    answers.map((answer) => answer !== "badarg"),
    names.slice(1).map(() => true),
  );
});

test("captured terms, as we write them, are the same to Erlang with known atoms only", () => {
  const ours = PAYLOADS.map(([name, bytes]) => {
    const read = readTerm(bytes, zlibInflate);
    assert.ok(read.ok, name);
    return hexOf(encodeTerm(read.value));
  });
  const [answers, theirs] = [askErlang(ours), askErlang(PAYLOADS.map(([, bytes]) => hexOf(bytes)))];
  for (const [at, answer] of answers.entries()) {
    assert.notEqual(answer, "badarg", PAYLOADS[at]?.[0]);
    assert.equal(answer, theirs[at], PAYLOADS[at]?.[0]);
  }
});

test("what Erlang compresses decodes to the same", () => {
  const plain = PAYLOADS.map(([, bytes]) => hexOf(bytes));
  let compressed = 0;
  for (const [at, hex] of askErlang(plain.map((each) => `pack ${each}`)).entries()) {
    if (hex.startsWith("8350")) compressed += 1;
    const read = readTerm(bytesOf(hex), zlibInflate);
    assert.ok(read.ok, `${PAYLOADS[at]?.[0]}: ${read.ok || read.problem}`);
  }
  assert.ok(compressed > 20, `${compressed} were compressed`);
});

test("the question is a real one: an atom that nobody knows is refused", () => {
  assert.deepEqual(askErlang([hexOf(encodeTerm(atom("no_such_atom_anywhere"))), "8377026f6b"]), [
    "badarg",
    "8377026f6b",
  ]);
});
