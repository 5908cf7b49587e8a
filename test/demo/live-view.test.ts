import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SHOW_CURSOR } from "../../src/demo/lines-view.ts";
import { LiveView } from "../../src/demo/live-view.ts";
import type { ClusterPicture, Picture } from "../../src/demo/picture.ts";
import { ScreenOnPaper } from "./screen-on-paper.ts";

const CLUSTER: ClusterPicture = {
  name: "c",
  url: "mqtt://c",
  exact: true,
  clients: [],
  asksFor: [],
  isAskedFor: [],
  publishedPerSecond: 0,
};
const STILL = { messagesPerSecond: 0, bytesPerSecond: 0, messages: 0 };
const PICTURE: Picture = {
  upper: CLUSTER,
  lower: CLUSTER,
  up: STILL,
  down: STILL,
  link: "connected",
  healthy: true,
  waiting: 0,
  dropped: 0,
  suppressed: 0,
  news: [],
  hint: "",
};

describe("the live view", () => {
  test("hides the cursor, draws over what it drew before, and gives the cursor back", () => {
    const screen = new ScreenOnPaper();
    const view = new LiveView(screen);
    view.draw(PICTURE);
    const first = screen.take();
    assert.ok(first.startsWith("\u001b[?25l┌"));
    const lines = first.split("\n").length - 1;
    view.draw(PICTURE);
    assert.ok(screen.take().startsWith(`\u001b[${lines}A\r┌`));
    view.end();
    assert.equal(screen.take(), SHOW_CURSOR);
  });

  test("begins with an empty screen when the terminal changed its size", () => {
    const screen = new ScreenOnPaper();
    const view = new LiveView(screen);
    view.draw(PICTURE);
    screen.take();
    screen.columns = 100;
    view.draw(PICTURE);
    assert.ok(screen.take().startsWith("\u001b[2J\u001b[H┌"));
  });

  test("leaves a line for the cursor and never fills the last column", () => {
    const screen = new ScreenOnPaper();
    screen.columns = 70;
    screen.rows = 10;
    new LiveView(screen).draw(PICTURE);
    const lines = screen
      .take()
      .replaceAll("\u001b[?25l", "")
      .replaceAll("\u001b[K", "")
      .replaceAll("\u001b[J", "")
      .split("\n");
    assert.equal(lines.length, 10);
    for (const line of lines) assert.ok([...line].length < 70, line);
  });

  test("that drew nothing has no cursor to give back", () => {
    const screen = new ScreenOnPaper();
    new LiveView(screen).end();
    assert.equal(screen.text, "");
  });
});
