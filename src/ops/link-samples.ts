/** The samples that each link has of one metric, labelled with its name. */
import type { LinkStatus } from "../hub/status.ts";
import type { MetricSource } from "./agent-status.ts";
import type { Sample } from "./metric-set.ts";

/** Every word of a union, so that none is forgotten where another one is added. */
export type Words<Word extends string> = Readonly<Record<Word, true>>;

export function eachLink(
  read: (link: LinkStatus, source: MetricSource) => readonly Sample[],
): (source: MetricSource) => readonly Sample[] {
  return (source) =>
    source.status.hub.links.flatMap((link) =>
      read(link, source).map(([labels, value]): Sample => [{ link: link.name, ...labels }, value]),
    );
}
