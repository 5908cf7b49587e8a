/** A little traffic for the live picture: machines that publish, an operator that asks, a visitor that comes and goes, a wire that breaks. */
import type { Cast } from "./cast.ts";
import type { DemoWorld } from "./demo-world.ts";

const TEMPERATURE_EVERY_MS = 250;
const VIBRATION_EVERY_MS = 50;
const QUESTION_EVERY_MS = 2_000;
/** How long the scene before each change lasts: visitor away, visitor there, visitor away, wire cut. */
const SCENES_MS = [4_000, 8_000, 6_000, 4_000] as const;
/** Questions without an answer, while the wire is cut: more are not asked. */
const OPEN_QUESTIONS_MAX = 10;

const VISITOR_FILTER = "line/+/vibration";

export class Traffic {
  readonly #world: DemoWorld;
  readonly #cast: Cast;
  readonly #tell: (news: string) => void;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #open = new Set<string>();
  #count = 0;
  #questions = 0;
  #scene = 0;
  #sceneTimer: NodeJS.Timeout | null = null;

  /** `tell`: what happens, in a sentence. */
  constructor(world: DemoWorld, cast: Cast, tell: (news: string) => void) {
    this.#world = world;
    this.#cast = cast;
    this.#tell = tell;
  }

  start(): void {
    const { operator } = this.#cast;
    operator.answer(({ topic }) => {
      if (this.#open.delete(topic)) void operator.unsubscribe(topic).catch(ignored);
    });
    this.#every(TEMPERATURE_EVERY_MS, () => this.#temperature());
    this.#every(VIBRATION_EVERY_MS, () => this.#cast.machines.tell(`line/${this.#next(7)}/vibration`, "0.02"));
    this.#every(QUESTION_EVERY_MS, () => this.#question());
    this.#armScene();
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    if (this.#sceneTimer !== null) clearTimeout(this.#sceneTimer);
  }

  async #temperature(): Promise<void> {
    await this.#cast.machines.publish(`line/${this.#next(4)}/temperature`, "21.5");
  }

  async #question(): Promise<void> {
    if (this.#open.size >= OPEN_QUESTIONS_MAX) return;
    this.#questions += 1;
    const reply = `reply/live-${this.#questions}`;
    this.#open.add(reply);
    await this.#cast.operator.subscribe(reply);
    await this.#cast.operator.publish(`request/live-${this.#questions}`, reply);
  }

  #armScene(): void {
    this.#sceneTimer = setTimeout(() => {
      void this.#changeScene().catch(ignored);
      this.#scene = (this.#scene + 1) % SCENES_MS.length;
      this.#armScene();
    }, SCENES_MS[this.#scene]);
  }

  async #changeScene(): Promise<void> {
    const { visitor } = this.#cast;
    switch (this.#scene) {
      case 0:
        this.#tell(`visitor subscribes to ${VISITOR_FILTER}: now that crosses too`);
        return visitor.subscribe(VISITOR_FILTER);
      case 1:
        this.#tell(`visitor unsubscribes: ${VISITOR_FILTER} stays home again`);
        return visitor.unsubscribe(VISITOR_FILTER);
      case 2:
        this.#tell("the wire between the sites is cut: temperatures wait in factory's spool");
        return this.#world.cut();
      default:
        this.#tell("the wire is mended: what waited is delivered, each message once");
        return this.#world.mend();
    }
  }

  #next(modulus: number): number {
    this.#count += 1;
    return 1 + (this.#count % modulus);
  }

  #every(everyMs: number, act: () => void | Promise<void>): void {
    this.#timers.push(
      setInterval(() => {
        void Promise.resolve(act()).catch(ignored);
      }, everyMs),
    );
  }
}

/** The demo ends while something is on its way. */
function ignored(): void {}
