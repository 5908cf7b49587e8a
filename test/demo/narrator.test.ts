import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Narrator, StoryFailed } from "../../src/demo/narrator.ts";
import { ScreenOnPaper } from "./screen-on-paper.ts";

function telling(columns = 80): { screen: ScreenOnPaper; narrator: Narrator; pauses: () => number } {
  const screen = new ScreenOnPaper();
  screen.columns = columns;
  let pauses = 0;
  const narrator = new Narrator(screen, async () => {
    pauses += 1;
  });
  return { screen, narrator, pauses: () => pauses };
}

describe("the narrator", () => {
  test("numbers the steps, pauses between them, and counts what was shown", async () => {
    const { screen, narrator, pauses } = telling();
    await narrator.step("First", "Something happens.");
    narrator.shows("it happened", true);
    await narrator.step("Second", "More happens.");
    assert.equal(
      screen.text,
      "\n1. First\n   Something happens.\n     ok  it happened\n\n2. Second\n   More happens.\n",
    );
    assert.equal(pauses(), 1);
    assert.deepEqual([narrator.steps, narrator.checks], [2, 1]);
  });

  test("waits until a claim is true and says how long that took", async () => {
    const { screen, narrator } = telling();
    let asked = 0;
    await narrator.waits("the third time it is true", () => {
      asked += 1;
      return asked === 3 || `asked ${asked} times`;
    });
    assert.match(screen.text, /^ {5}ok {2}the third time it is true \(\d+ ms\)\n$/);
  });

  test("a claim that is not true is FAILED, with what was seen, and ends the story", () => {
    const { screen, narrator } = telling();
    assert.throws(
      () => narrator.shows("nothing crossed", "3 crossed"),
      (error) => error instanceof StoryFailed && error.message === "nothing crossed: 3 crossed",
    );
    assert.equal(screen.text, "     FAILED  nothing crossed\n             3 crossed\n");
    assert.equal(narrator.checks, 0);
  });

  test("keeps within the width of the terminal", async () => {
    const { screen, narrator } = telling(60);
    await narrator.step("Long", "word ".repeat(40).trim());
    narrator.shows("claim ".repeat(40).trim(), true);
    for (const line of screen.text.split("\n")) assert.ok(line.length <= 60, line);
    assert.match(screen.text, /\n {9}claim/);
  });
});
