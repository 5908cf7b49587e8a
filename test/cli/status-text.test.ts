/** What `brokerlink status` says beside the numbers of a link. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { statusText } from "../../src/cli/status-text.ts";
import { overview } from "../../src/ops/overview.ts";
import { agentView, hubStatus, linkStatus, NOON_MS } from "../ops/agent-fixture.ts";

function lines(states: Partial<ReturnType<typeof linkStatus>["states"]>): string {
  const link = linkStatus();
  const hub = hubStatus({ links: [{ ...link, states: { ...link.states, ...states } }] });
  return statusText(overview(agentView(hub), null, NOON_MS), 80, (_, text) => text).join("\n");
}

test("retained values that still have to go, and why the peer's do not come", () => {
  assert.match(lines({ waiting: 1_500 }), /^ {4}retained: 1,500 stored here still have to go to the peer$/m);
  assert.match(lines({ waiting: 0, blocked: "the broker is old" }), /^ {4}retained: the broker is old$/m);
  assert.doesNotMatch(lines({ waiting: 0 }), /retained/);
});
