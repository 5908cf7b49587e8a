import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Dialect, DialectChoice, dialects } from "../../src/mqtt/dialect.ts";

const name = ({ version, bridge }: Dialect): string => `${version}${bridge ? "b" : ""}`;
const choice = (version: 4 | 5 | null = null, bridge = true): DialectChoice =>
  new DialectChoice(dialects(version, bridge));

describe("which dialects there are", () => {
  const cases: readonly [version: 4 | 5 | null, bridge: boolean, expected: readonly string[]][] = [
    [null, true, ["5", "4b", "4"]],
    [null, false, ["5", "4"]],
    [5, true, ["5"]],
    [5, false, ["5"]],
    [4, true, ["4b", "4"]],
    [4, false, ["4"]],
  ];
  for (const [version, bridge, expected] of cases) {
    test(`version ${version}, bridge ${bridge}: ${expected.join(", ")}`, () => {
      assert.deepEqual(dialects(version, bridge).map(name), expected);
    });
  }
});

describe("choosing one", () => {
  test("what is accepted at first stays", () => {
    const dialect = choice();
    assert.equal(dialect.accepted(), true);
    assert.equal(name(dialect.current), "5");
  });

  test("a refusal moves on at once, and what follows is kept", () => {
    const dialect = choice();
    assert.equal(dialect.refused(), true);
    assert.equal(name(dialect.current), "4b");
    assert.equal(dialect.refused(), true);
    assert.equal(name(dialect.current), "4");
    assert.equal(dialect.accepted(), true);
    assert.equal(name(dialect.current), "4");
  });

  test("when all are refused it begins again, later", () => {
    const dialect = choice();
    assert.deepEqual([dialect.refused(), dialect.refused(), dialect.refused()], [true, true, false]);
    assert.equal(name(dialect.current), "5");
  });

  test("one silence may be chance, two suggest the next", () => {
    const dialect = choice();
    assert.equal(dialect.silent(), false);
    assert.equal(name(dialect.current), "5");
    assert.equal(dialect.silent(), true);
    assert.equal(name(dialect.current), "4b");
  });

  test("an answer between two silences makes them chance", () => {
    const dialect = choice();
    dialect.silent();
    dialect.accepted();
    assert.equal(dialect.silent(), false);
    assert.equal(dialect.silent(), false);
    assert.equal(name(dialect.current), "5", "what worked once is not given up for silence");
  });

  test("a dialect skipped for silence gets a second chance against a broker that answers", () => {
    const dialect = choice();
    dialect.silent();
    dialect.silent();
    assert.equal(name(dialect.current), "4b");
    assert.equal(dialect.accepted(), false, "leave, 5 may work too");
    assert.equal(name(dialect.current), "5");
    assert.equal(dialect.accepted(), true);
    assert.equal(name(dialect.current), "5");
  });

  test("and when it is silent again, the accepted one it is", () => {
    const dialect = choice();
    dialect.silent();
    dialect.silent();
    dialect.accepted();
    assert.equal(dialect.silent(), true, "connect at once, in the accepted one");
    assert.equal(name(dialect.current), "4b");
    assert.equal(dialect.accepted(), true);
  });

  test("several skipped ones get their chance in turn, best first", () => {
    const dialect = choice();
    for (let i = 0; i < 4; i += 1) dialect.silent();
    assert.equal(name(dialect.current), "4");
    assert.equal(dialect.accepted(), false);
    assert.equal(name(dialect.current), "5");
    assert.equal(dialect.refused(), true);
    assert.equal(name(dialect.current), "4b");
    assert.equal(dialect.silent(), true);
    assert.equal(name(dialect.current), "4");
    assert.equal(dialect.accepted(), true);
  });

  test("silence on the last dialect begins again, later", () => {
    const dialect = choice();
    const moved = Array.from({ length: 6 }, () => dialect.silent());
    assert.deepEqual(moved, [false, true, false, true, false, false]);
    assert.equal(name(dialect.current), "5");
  });

  test("a lone dialect is never given up", () => {
    const dialect = choice(5);
    assert.deepEqual([dialect.silent(), dialect.silent(), dialect.silent()], [false, false, false]);
    assert.equal(dialect.refused(), false);
    assert.equal(name(dialect.current), "5");
  });

  test("a broker that is exchanged for an older one is followed", () => {
    const dialect = choice();
    dialect.accepted();
    assert.equal(dialect.refused(), true);
    assert.equal(name(dialect.current), "4b");
    assert.equal(dialect.accepted(), true);
  });
});
