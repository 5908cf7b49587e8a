/** Tells the story: titles, sentences, and one line for each thing that is shown to be true. */

import { type Paint, painter, type Screen } from "./screen.ts";
import type { Condition } from "./wait-for.ts";
import { waitFor } from "./wait-for.ts";
import { wrap } from "./wrap.ts";

/** On loopback everything takes milliseconds; this is for a machine that is busy with something else. */
const PATIENCE_MS = 8_000;
const WIDTH_MAX = 84;
/** Below it, text is cut by the terminal rather than broken into single words. */
const WIDTH_MIN = 60;
const INDENT = "   ";

/** Something the story claims did not happen; the story ends there. */
export class StoryFailed extends Error {
  /** `seen`: what was there instead. */
  constructor(claim: string, seen: string) {
    super(`${claim}: ${seen}`);
    this.name = "StoryFailed";
  }
}

export class Narrator {
  readonly #screen: Screen;
  readonly #paint: Paint;
  readonly #pause: () => Promise<void>;
  #steps = 0;
  #checks = 0;

  /** `pause`: between steps, so that a person can read. */
  constructor(screen: Screen, pause: () => Promise<void>) {
    this.#screen = screen;
    this.#paint = painter(screen.color);
    this.#pause = pause;
  }

  get steps(): number {
    return this.#steps;
  }

  get checks(): number {
    return this.#checks;
  }

  line(text = ""): void {
    this.#screen.write(`${text}\n`);
  }

  async step(title: string, text: string): Promise<void> {
    if (this.#steps > 0) await this.#pause();
    this.#steps += 1;
    this.line();
    this.line(this.#paint("bold", `${this.#steps}. ${title}`));
    this.say(text);
  }

  say(text: string): void {
    for (const line of wrap(text, this.#width - INDENT.length)) this.line(INDENT + line);
  }

  /** Waits as `waits` does; says nothing unless it fails. */
  async quietly(claim: string, condition: Condition): Promise<number> {
    const waited = await waitFor(condition, PATIENCE_MS);
    if (!waited.ok) this.#failed(claim, `not within ${PATIENCE_MS / 1000} s, last seen: ${waited.last}`);
    return waited.tookMs;
  }

  /** Waits until it is true, and says how long that took. */
  async waits(claim: string, condition: Condition): Promise<void> {
    const tookMs = await this.quietly(claim, condition);
    this.#shown(claim, ` (${Math.max(1, Math.round(tookMs))} ms)`);
  }

  /** Is true now, and once is enough: what could still change it has been waited for before. */
  shows(claim: string, answer: true | string): void {
    if (answer !== true) this.#failed(claim, answer);
    this.#shown(claim, "");
  }

  #shown(claim: string, note: string): void {
    this.#checks += 1;
    const mark = `${INDENT}  ok  `;
    const [first = "", ...rest] = wrap(claim + note, this.#width - mark.length);
    this.line(`${INDENT}  ${this.#paint("good", "ok")}  ${first}`);
    for (const line of rest) this.line(" ".repeat(mark.length) + line);
  }

  #failed(claim: string, seen: string): never {
    this.line(`${INDENT}  ${this.#paint("bad", "FAILED")}  ${claim}`);
    this.line(`${INDENT}          ${seen}`);
    throw new StoryFailed(claim, seen);
  }

  get #width(): number {
    return Math.max(WIDTH_MIN, Math.min(WIDTH_MAX, this.#screen.columns));
  }
}
