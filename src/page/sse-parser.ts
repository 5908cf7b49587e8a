/** Server-sent events out of pieces of text, as the HTML standard's event stream format says (comments and `retry` are passed over). */
export interface SseEvent {
  readonly event: string;
  readonly data: string;
}

/** The agent sends an overview of all links in one event; more than this is none of its events. */
const BUFFER_MAX = 16 * 1024 * 1024;

export class SseParser {
  #rest = "";

  /** Throws when an event is larger than any that the agent sends. */
  push(text: string): SseEvent[] {
    this.#rest = (this.#rest + text).replaceAll("\r\n", "\n");
    if (this.#rest.length > BUFFER_MAX) throw new Error("an event of the stream is too large");
    const blocks = this.#rest.split("\n\n");
    this.#rest = blocks.pop() ?? "";
    return blocks.map(parseBlock).filter(({ data }) => data !== "");
  }
}

function parseBlock(block: string): SseEvent {
  let event = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event = value;
    else if (field === "data") data.push(value);
  }
  return { event, data: data.join("\n") };
}
