/** The text of /readyz: one line for each thing that counts, and peers as information. */
import type { AgentStatus } from "./agent-status.ts";

export function readinessText(status: AgentStatus, isReady: boolean): string {
  const lines = Object.entries(status.sessions).map(
    ([name, { up, reason }]) => `${up ? "ok" : "no"} session ${name}${up ? "" : `: ${reason ?? "not connected"}`}`,
  );
  if (status.hub.duplicate) lines.push("no DUPLICATE_AGENT: another agent speaks in the name of this cluster");
  if (status.stopping) lines.push("no stopping");
  // A disk that takes nothing does not make the broker's service worse than it is: what is not kept stays with the broker.
  if (status.store !== null) lines.push(`-- disk: ${status.store.problem ?? "well"}`);
  // Peers are shown and never count: a cut of the wide-area link must not take the local broker out of service.
  for (const link of status.hub.links) lines.push(`-- link ${link.name}: ${link.status}`);
  return `${isReady ? "ready" : "not ready"}\n${lines.join("\n")}\n`;
}
