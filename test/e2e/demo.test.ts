import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { describe, type TestContext, test } from "node:test";
import { HIDE_CURSOR, SHOW_CURSOR } from "../../src/demo/lines-view.ts";
import { StoryFailed } from "../../src/demo/narrator.ts";
import { play } from "../../src/demo/play.ts";
import { ScreenOnPaper } from "../demo/screen-on-paper.ts";
import { until } from "../support/until.ts";

const BIN = new URL("../../../bin/brokerlink.js", import.meta.url).pathname;
/** The story itself takes about five seconds. */
const STORY_MS = 30_000;
const NEVER = new Promise<void>(() => {});

/** A demo process, with all it prints. */
class Demo {
  out = "";
  error = "";
  exit: { code: number | null; signal: NodeJS.Signals | null } | null = null;
  readonly process: ChildProcess;

  constructor(t: TestContext, command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const { NO_COLOR: _, ...inherited } = process.env;
    this.process = spawn(command, args, { env: { ...inherited, TERM: "xterm", ...env } });
    this.process.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.out += text;
    });
    this.process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.error += text;
    });
    this.process.on("close", (code, signal) => {
      this.exit = { code, signal };
    });
    t.after(() => this.process.kill("SIGKILL"));
  }

  static piped(t: TestContext): Demo {
    return new Demo(t, process.execPath, [BIN, "demo"]);
  }

  /** On a terminal of 80 × 24; the first line it prints is the process id. */
  static onTerminal(t: TestContext, env: Readonly<Record<string, string>> = {}): Demo {
    const command = `stty cols 80 rows 24; echo "pid $$"; exec ${process.execPath} ${BIN} demo`;
    return new Demo(t, "script", ["-qefc", command, "/dev/null"], env);
  }

  async says(pattern: RegExp, timeoutMs = STORY_MS): Promise<void> {
    await until(
      `the demo says ${pattern}`,
      () => {
        if (this.exit !== null && !pattern.test(this.out)) throw new Error(`it ended:\n${this.out}\n${this.error}`);
        return pattern.test(this.out) || this.out.slice(-300);
      },
      timeoutMs,
    );
  }

  async ends(): Promise<number | null> {
    await until("the demo ends", () => this.exit !== null || this.out.slice(-300), STORY_MS);
    return this.exit?.code ?? null;
  }

  /** The process behind the terminal. */
  get pid(): number {
    return Number(/pid (\d+)/.exec(this.out)?.[1]);
  }

  type(keys: string): void {
    this.process.stdin?.write(keys);
  }

  /** Presses keys until the story is over and the picture was drawn a second time. */
  async reachesPicture(): Promise<void> {
    await until(
      "the picture is redrawn",
      () => {
        if (this.exit !== null) throw new Error(`it ended:\n${this.out}\n${this.error}`);
        this.type(" ");
        // Hidden once, and back at the first line of the picture.
        return this.out.split(HIDE_CURSOR)[1]?.includes("A\r┌") === true;
      },
      STORY_MS,
    );
  }
}

describe("brokerlink demo", () => {
  test("without a terminal tells the story once, shows every claim, and exits 0", async (t) => {
    const startMs = performance.now();
    const demo = Demo.piped(t);
    assert.equal(await demo.ends(), 0, `${demo.out}\n${demo.error}`);
    assert.ok(performance.now() - startMs < STORY_MS);
    for (const line of [
      /^1\. Two brokers, two agents, one link$/m,
      /^ {5}ok {2}factory's agent has one route: line\/\+\/temperature \(\d+ ms\)$/m,
      /^ {5}ok {2}0 of 100 crossed$/m,
      /^ {5}ok {2}10 of 1,000 crossed, in [\d,]+ bytes; 990 stayed home$/m,
      /^ {5}ok {2}factory's agent is asked for their intersection: line\/\+\/alarm/m,
      /^ {5}ok {2}20 questions, 20 answers, 0 lost/m,
      /^ {5}ok {2}visitor has exactly one copy of each$/m,
      /^ {5}ok {2}mixer has exactly one copy of each$/m,
      /^ {5}ok {2}each once, in their order$/m,
      /^ok: 10 steps, \d+ claims, all shown$/m,
    ]) {
      assert.match(demo.out, line);
    }
    assert.doesNotMatch(demo.out, /FAILED/);
    assert.ok(!demo.out.includes("\u001b"), "no control sequences in a pipe");
    assert.equal(demo.error, "", "the agents' logs stay out of sight");
  });

  test("without a terminal, interrupted before the story was told, it exits 1 and says so", async (t) => {
    const demo = Demo.piped(t);
    await demo.says(/^1\. /m);
    demo.process.kill("SIGINT");
    assert.equal(await demo.ends(), 1);
    assert.match(demo.error, /interrupted before its story was told/);
  });

  test("in a terminal goes on with a live picture until Ctrl-C, gives the cursor back and exits 0", async (t) => {
    const demo = Demo.onTerminal(t);
    await demo.reachesPicture();
    await demo.says(/┌.*office/);
    await demo.says(/▲ +[1-9]\d*\.\d\/s/);
    assert.ok(demo.out.includes("\u001b[1m"), "titles are bold");
    demo.type("\u0003");
    assert.equal(await demo.ends(), 0, demo.out.slice(-2_000));
    const shown = demo.out.lastIndexOf(SHOW_CURSOR);
    assert.ok(shown > demo.out.lastIndexOf(HIDE_CURSOR), "the cursor is shown again");
    assert.match(demo.out.slice(shown - 200), /examples\/two-mosquittos/);
    assert.doesNotMatch(demo.out, /"level":/, "no log line disturbs the picture");
  });

  test("in a terminal ends at SIGINT too, and uses no colour when NO_COLOR is set", async (t) => {
    const demo = Demo.onTerminal(t, { NO_COLOR: "1" });
    await demo.reachesPicture();
    process.kill(demo.pid, "SIGINT");
    assert.equal(await demo.ends(), 0, demo.out.slice(-2_000));
    assert.ok(demo.out.endsWith(SHOW_CURSOR), JSON.stringify(demo.out.slice(-200)));
    assert.ok(!demo.out.includes("\u001b[1m") && !demo.out.includes("\u001b[32m"), "no colour");
  });

  test("a claim that fails ends it with the agents' last words", async () => {
    const screen = new ScreenOnPaper();
    const complaints: string[] = [];
    const outcome = await play({
      screen,
      complain: (text) => complaints.push(text),
      interrupted: NEVER,
      tell: async (_world, _cast, narrator) => {
        await narrator.step("A step", "It cannot be shown.");
        narrator.shows("pigs fly", "they walk");
      },
    });
    assert.equal(outcome, "failed");
    assert.match(screen.text, /FAILED {2}pigs fly\n +they walk\n$/);
    assert.equal(complaints[0], `The demo failed: ${new StoryFailed("pigs fly", "they walk").message}`);
    assert.ok(
      complaints.some((line) => line.includes('"msg":"agent started"')),
      complaints.join("\n"),
    );
    assert.match(complaints.at(-1) ?? "", /try again/);
  });

  test("is interrupted in the middle of a step", async () => {
    const screen = new ScreenOnPaper();
    let interrupt: () => void = () => {};
    const interrupted = new Promise<void>((resolve) => {
      interrupt = resolve;
    });
    const outcome = await play({
      screen,
      complain: (text) => assert.fail(text),
      interrupted,
      tell: () => {
        interrupt();
        return NEVER;
      },
    });
    assert.equal(outcome, "interrupted");
  });
});
