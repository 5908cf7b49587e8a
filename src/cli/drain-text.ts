/** May this cluster be switched off, as far as one link goes: for a person. */
import { grouped } from "../config/formats.ts";
import { printable } from "../config/printable.ts";
import type { Paint } from "../demo/screen.ts";
import { wrap } from "../demo/wrap.ts";
import type { DrainReport } from "../ops/drain-report.ts";
import { short, span } from "./figures.ts";

export function drainText(report: DrainReport, nowMs: number, columns: number, paint: Paint): string[] {
  const { link, spool_messages: messages, spool_bytes: bytes, oldest_at: oldest, reasons } = report;
  const age = oldest === null ? "" : `, the oldest for ${span(nowMs - Date.parse(oldest))}`;
  const rows = [
    ["spool", messages === 0 ? "empty" : `${grouped(messages)} messages, ${short(bytes)} bytes${age}`],
    ["confirmed", report.peer_confirmed_all ? `${printable(link)} has all that was taken for it` : "not all yet"],
    ["clients", `${grouped(report.local_clients_with_interest)} connected with subscriptions here`],
    ["sessions", `${grouped(report.sessions_away_with_interest)} with subscriptions of clients that are away`],
    ["queues", "what the local broker has queued for them it tells nobody"],
  ].map(([name = "", text = ""]) => `  ${name.padEnd(10)} ${text}`);
  const answer = report.safe_to_switch_off
    ? paint("good", `Yes: as far as ${printable(link)} goes, this cluster may be switched off.`)
    : paint("bad", "Not yet:");
  return [answer, ...reasons.flatMap((reason) => bullet(printable(reason), columns)), "", ...rows];
}

function bullet(text: string, columns: number): string[] {
  return wrap(text, columns - 4).map((line, index) => (index === 0 ? `  - ${line}` : `    ${line}`));
}
