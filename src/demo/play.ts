/** The whole demo: builds the stage, tells the story, shows the live picture where there is a terminal, clears away. */
import { Camera } from "./camera.ts";
import { type Cast, castOf } from "./cast.ts";
import { DemoWorld } from "./demo-world.ts";
import { LiveView } from "./live-view.ts";
import { Narrator, StoryFailed } from "./narrator.ts";
import type { Screen } from "./screen.ts";
import { tellStory } from "./story.ts";
import { Traffic } from "./traffic.ts";
import { delay } from "./wait-for.ts";

/** A person reads a step in about this time. */
const READING_MS = 2_000;
/** The whole story takes five seconds. What has no time limit of its own, such as a lost PUBACK, ends here. */
const STORY_MS = 25_000;
/** No story has more pauses. */
const PAUSES_MAX = 20;
const FRAME_MS = 500;
const NEWS_MAX = 10;
const LOG_LINES_SHOWN = 12;

export interface DemoOptions {
  readonly screen: Screen;
  /** For what went wrong; lines. */
  readonly complain: (text: string) => void;
  /** Resolves when the demo is to end. */
  readonly interrupted: Promise<void>;
  /** Resolves when somebody does not want to read any longer; asked at each pause. */
  readonly hurried?: () => Promise<void>;
  /** Another story than the real one, for tests. */
  readonly tell?: typeof tellStory;
}

/** `interrupted`: before the story was told to its end. */
export type Outcome = "told" | "failed" | "interrupted";

export async function play(options: DemoOptions): Promise<Outcome> {
  const { screen, complain, interrupted, hurried, tell = tellStory } = options;
  const pauseMs = screen.live ? READING_MS : 0;
  const narrator = new Narrator(screen, () => {
    return Promise.race(hurried === undefined ? [delay(pauseMs)] : [delay(pauseMs), hurried()]);
  });
  let world: DemoWorld | null = null;
  let started = false;
  try {
    world = await DemoWorld.start();
    introduce(world, narrator, screen.live);
    const cast = await castOf(world);
    started = true;
    const story = tell(world, cast, narrator).then(() => "told" as const);
    const stopped = interrupted.then(() => "interrupted" as const);
    const outcome = await within(STORY_MS + PAUSES_MAX * pauseMs, Promise.race([story, stopped]));
    if (outcome === "interrupted") return outcome;
    narrator.line();
    narrator.line(`ok: ${narrator.steps} steps, ${narrator.checks} claims, all shown`);
    if (screen.live) await showLive(world, cast, screen, interrupted);
    return outcome;
  } catch (error) {
    if (started) explain(error, world, complain);
    else complain(`The demo cannot start: ${reason(error)}. It needs to open and reach TCP ports on 127.0.0.1.`);
    return "failed";
  } finally {
    await world?.stop();
  }
}

function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new StoryFailed("the story", `not told within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    work.finally(() => clearTimeout(timer)).then(resolve, reject);
  });
}

function introduce({ office, factory }: DemoWorld, narrator: Narrator, live: boolean): void {
  narrator.line("brokerlink demo: two MQTT brokers, far apart, one set of topics");
  narrator.line();
  narrator.line("   clients ─ office ─ agent ═══ agent ─ factory ─ clients");
  narrator.line();
  narrator.say(
    "Both brokers (Aedes), both agents and all clients run in this process and talk MQTT over TCP on loopback. " +
      "Nothing else is needed, and nothing is left behind.",
  );
  if (!live) return;
  narrator.say(`Any MQTT client may join: office is ${office.url}, factory is ${factory.url}.`);
  narrator.say("Any key goes on to the next step; Ctrl-C ends the demo.");
}

async function showLive(world: DemoWorld, cast: Cast, screen: Screen, interrupted: Promise<void>): Promise<void> {
  const news: string[] = ["the story is over; now it goes on by itself"];
  const traffic = new Traffic(world, cast, (text) => {
    news.push(text);
    if (news.length > NEWS_MAX) news.shift();
  });
  const camera = new Camera(world);
  const view = new LiveView(screen);
  const draw = (): void => view.draw(camera.take(news, performance.now()));
  screen.write("\n");
  traffic.start();
  draw();
  const frames = setInterval(draw, FRAME_MS);
  try {
    await interrupted;
  } finally {
    clearInterval(frames);
    traffic.stop();
    draw();
    view.end();
  }
}

function explain(error: unknown, world: DemoWorld | null, complain: (text: string) => void): void {
  // A claim that failed says all there is to say; anything else is a bug, and its stack is what helps.
  const stack = error instanceof Error && !(error instanceof StoryFailed) ? error.stack : undefined;
  complain(`The demo failed: ${stack ?? reason(error)}`);
  for (const cluster of world?.clusters ?? []) {
    complain(`The last lines of ${cluster.name}'s agent:`);
    for (const line of cluster.log.last(LOG_LINES_SHOWN)) complain(`  ${line}`);
  }
  complain("On a machine that is very busy, try again. If it fails again, please report it with these lines.");
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
