/**
 * The format of `links`: a list of groups, each read by the schema of one link. What is wrong in one entry says nothing
 * about the others.
 */
import type { Format } from "./format.ts";
import { grouped, listItems, shapeOf } from "./formats.ts";
import { LINK_KEYS, LINK_REFUSED, type LinkValues } from "./link-keys.ts";
import { readKeys } from "./read-keys.ts";
import { isTree } from "./tree.ts";

/** Every link is a connection, a spool and a conversation of its own. */
export const LINKS_MAX = 1_000;

export const LINKS: Format<(LinkValues | null)[]> = {
  expects: `a list of links, at most ${grouped(LINKS_MAX)}`,
  text: "json",
  parse(value, report) {
    if (typeof value === "string") {
      // A text from BROKERLINK_LINKS; never repeated, for it may hold passwords.
      report("must be a list of links, and is a text that is no JSON");
      return undefined;
    }
    return listItems(value, "links", LINKS_MAX, report)?.map((link, index) => {
      if (isTree(link)) {
        return readKeys(LINK_KEYS, LINK_REFUSED, link, (message, at = []) => report(message, [index, ...at]));
      }
      report(`must be a group of keys, and is ${shapeOf(link)}`, [index]);
      return null;
    });
  },
};
