/** An agent's overview for a person: who it is, how its broker is, and a line for each link. */
import { grouped } from "../config/formats.ts";
import { printable } from "../config/printable.ts";
import type { Paint, Style } from "../demo/screen.ts";
import { wrap } from "../demo/wrap.ts";
import type { LinkAnswer } from "../ops/link-answer.ts";
import type { Overview } from "../ops/overview.ts";
import { short, spanBetween } from "./figures.ts";
import { type Column, table } from "./table.ts";

export const STATUS_STYLES: Readonly<Record<LinkAnswer["status"], Style>> = {
  connected: "good",
  connecting: "doubtful",
  inconsistent: "bad",
  disconnected: "bad",
};

const COLUMNS: readonly Column[] = [
  { title: "LINK", gives: true },
  { title: "STATUS" },
  { title: "ROUTES OUT", right: true },
  { title: "IN", right: true },
  { title: "SENT", right: true },
  { title: "RECEIVED", right: true },
  { title: "SPOOL", right: true },
  { title: "OLDEST", right: true },
];

export function statusText(overview: Overview, columns: number, paint: Paint): string[] {
  const { links, at } = overview;
  const lines = [...headText(overview, columns, paint), ""];
  if (links.length === 0) return [...lines, "There are no links."];
  const [title = "", ...rows] = table(
    COLUMNS,
    links.map((link) => linkRow(link, at)),
    columns,
  );
  lines.push(paint("bold", title));
  for (const [index, link] of links.entries()) {
    lines.push(coloured(rows[index] ?? "", link, paint));
    lines.push(
      ...troubles(link, at).flatMap((text) => wrap(text, columns - 4).map((line) => paint("dim", `    ${line}`))),
    );
  }
  return lines;
}

function headText(
  { cluster, version, ready, stopping, started_at, at, local }: Overview,
  columns: number,
  paint: Paint,
): string[] {
  const state = stopping ? paint("doubtful", "stopping") : ready ? paint("good", "ready") : paint("bad", "not ready");
  const facts = [
    `brokerlink ${printable(version)} of cluster ${printable(cluster)}, up for ${spanBetween(started_at, at)}: ${state}`,
    `${local.broker} at ${printable(local.server)}: ${grouped(local.subscriptions)} subscriptions of ${grouped(local.clients)} clients`,
    local.wide === null
      ? "interest exact: links ask for just what is wanted here"
      : `interest wide for ${spanBetween(local.wide.since, at)}, links ask for all of their topics: ${printable(local.wide.text)} (${local.wide.reason})`,
    ...Object.entries(local.sessions).flatMap(([name, { up, reason }]) =>
      up ? [] : [`session ${name} is down: ${printable(reason ?? "not connected")}`],
    ),
    ...(local.duplicate_agent ? ["DUPLICATE_AGENT: another agent speaks in the name of this cluster"] : []),
    ...(local.control_denied === null ? [] : [`CONTROL_DENIED: ${printable(local.control_denied)}`]),
    ...(local.disk_problem === null ? [] : [`the disk takes nothing: ${printable(local.disk_problem)}`]),
    ...(local.events_advice === null
      ? []
      : ["the local broker does not announce subscriptions: see brokerlink doctor"]),
  ];
  return facts.flatMap((fact) => wrap(fact, columns));
}

function linkRow({ name, status, brokerlink }: LinkAnswer, at: string): string[] {
  const { out, in: into, queue, counters } = brokerlink;
  return [
    printable(name),
    status,
    out === null ? "-" : grouped(out.routes),
    into === null ? "-" : grouped(into.routes),
    counters === null ? "-" : short(counters.sent.messages),
    counters === null ? "-" : short(counters.received.messages),
    queue === null ? "-" : short(queue.spool_messages),
    queue?.spool_oldest_at == null ? "-" : spanBetween(queue.spool_oldest_at, at),
  ];
}

function coloured(row: string, { status }: LinkAnswer, paint: Paint): string {
  return row.replace(new RegExp(`\\b${status}\\b(?=\\s)`), (word) => paint(STATUS_STYLES[status], word));
}

/** What an operator has to know beside the numbers; of a link that is well, nothing. */
function troubles({ enable, status, brokerlink }: LinkAnswer, at: string): string[] {
  if (!enable) return ["disabled"];
  const { out, in: into, last_problem: problem, refused_routes: refused, counters, retained } = brokerlink;
  const lines: string[] = [];
  if (out?.blocked != null) lines.push(`out: ${printable(out.blocked)}`);
  if (into?.blocked != null) lines.push(`in: ${printable(into.blocked)}`);
  if (retained?.blocked != null) lines.push(`retained: ${printable(retained.blocked)}`);
  if (retained !== null && retained.waiting > 0)
    lines.push(`retained: ${grouped(retained.waiting)} stored here still have to go to the peer`);
  if (out?.refused_with != null) lines.push(`the peer refuses: ${out.refused_with}`);
  if (problem !== null && status !== "connected")
    lines.push(`${problem.code} ${spanBetween(problem.at, at)} ago: ${printable(problem.reason)}`);
  if (refused.length > 0)
    lines.push(
      `${refused.length} routes are refused by the peer's broker: ${refused
        .slice(0, 3)
        .map(({ filter }) => printable(filter))
        .join(", ")}`,
    );
  const dropped = (counters?.dropped ?? []).filter(
    ({ reason, count }) => count > 0 && reason !== "duplicate" && reason !== "not_in_topics",
  );
  if (dropped.length > 0)
    lines.push(
      `dropped: ${dropped.map(({ direction, reason, count }) => `${grouped(count)} ${direction} ${reason}`).join(", ")}`,
    );
  return lines;
}
