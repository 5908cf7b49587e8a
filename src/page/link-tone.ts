/** How a link's status word looks, and the words for people. */
import type { LinkAnswer } from "./overview.ts";

export type Tone = "good" | "bad" | "middling" | "off";

export function toneOf(link: LinkAnswer): Tone {
  if (!link.enable) return "off";
  switch (link.status) {
    case "connected":
      return "good";
    case "connecting":
    case "inconsistent":
      return "middling";
    default:
      return "bad";
  }
}

export function wordOf(link: LinkAnswer): string {
  return link.enable ? link.status : "disabled";
}
