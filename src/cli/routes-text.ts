/** Routes for a person: who asks whom for what. */
import { grouped } from "../config/formats.ts";
import { printable } from "../config/printable.ts";
import type { Paint } from "../demo/screen.ts";
import type { PageMeta } from "../ops/page.ts";
import type { RouteRow } from "../ops/route-rows.ts";
import { type Column, table } from "./table.ts";

export interface RoutesPage {
  readonly data: readonly RouteRow[];
  readonly meta: PageMeta;
}

const COLUMNS: readonly Column[] = [
  { title: "LINK" },
  { title: "FILTER", gives: true },
  { title: "NOTES", gives: true },
];

export function routesText(title: string, { data, meta }: RoutesPage, columns: number, paint: Paint): string[] {
  const lines = [paint("bold", title)];
  if (data.length === 0) return [...lines, meta.count === 0 ? "  none" : "  none on this page"];
  const rows = data.map(({ link, filter, groups, refused }) => [
    printable(link),
    printable(filter),
    [
      ...(groups.length === 0 ? [] : [`for ${groups.map(printable).join(", ")} of $share`]),
      ...(refused === null ? [] : [`refused with 0x${refused.toString(16)}`]),
    ].join("; "),
  ]);
  lines.push(...table(COLUMNS, rows, columns - 2).map((line) => `  ${line}`));
  if (data.length < meta.count) {
    const first = (meta.page - 1) * meta.limit + 1;
    lines.push(
      paint(
        "dim",
        `  ${grouped(first)} to ${grouped(first + data.length - 1)} of ${grouped(meta.count)}${meta.hasnext ? `; --page ${meta.page + 1} goes on` : ""}`,
      ),
    );
  }
  if (meta.cut)
    lines.push(paint("dim", "  there are more than one request looks through: --link or --search narrows it"));
  return lines;
}
