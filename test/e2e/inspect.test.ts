/** The commands that ask a running agent: `status`, `routes`, `explain`, `top`, `drain`, for people and for scripts. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { HIDE_CURSOR, SHOW_CURSOR } from "../../src/demo/lines-view.ts";
import type { DrainReport } from "../../src/ops/drain-report.ts";
import type { ExplainAnswer } from "../../src/ops/explain-answer.ts";
import type { Overview } from "../../src/ops/overview.ts";
import { freePorts } from "../support/free-ports.ts";
import { until } from "../support/until.ts";
import { AgentProcess } from "./agent-process.ts";
import { Command, folderWith } from "./command.ts";
import { Pair } from "./site.ts";
import type { TestClient } from "./test-client.ts";

const BIN = new URL("../../../bin/brokerlink.js", import.meta.url).pathname;

async function outcome(
  t: TestContext,
  args: readonly string[],
  env = {},
): Promise<{ code: number; out: string; error: string }> {
  const command = new Command(t, args, env);
  const code = await command.end(30_000);
  for (const line of command.out.split("\n"))
    assert.ok(args.includes("--json") || [...line].length <= 80, `80 columns: ${line}`);
  assert.ok(!command.out.includes("\x1b"), "no colours in a pipe");
  return { code, out: command.out, error: command.error };
}

/** On a terminal of 80 × 24; `q` is typed once `enough` says so. */
async function onTerminal(
  t: TestContext,
  args: string,
  env: Readonly<Record<string, string>>,
  enough: (soFar: string) => boolean = () => false,
): Promise<string> {
  const { NO_COLOR: _, ...inherited } = process.env;
  const command = `stty cols 80 rows 24; exec ${process.execPath} ${BIN} ${args}`;
  const child = spawn("script", ["-qefc", command, "/dev/null"], { env: { ...inherited, TERM: "xterm", ...env } });
  t.after(() => child.kill("SIGKILL"));
  let [out, isOver, isTyped] = ["", false, false];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    if (!isTyped && enough(out)) {
      isTyped = true;
      child.stdin.write("q");
    }
  });
  child.on("close", () => {
    isOver = true;
  });
  await until(`${args} ends`, () => isOver || out.slice(-300), 20_000);
  return out;
}

describe("beside two linked agents", { concurrency: false }, () => {
  let pair: Pair;
  let reader: TestClient;
  let http: string[];
  const json = async <T>(t: TestContext, ...args: string[]): Promise<T> => {
    const { code, out, error } = await outcome(t, [...args, "--json", ...http]);
    assert.equal(code, 0, error);
    return JSON.parse(out) as T;
  };

  before(async () => {
    pair = await Pair.open({ aWants: ["t/#", "only"], bWants: [] });
    reader = await pair.a.client({ id: "reader" });
    await reader.subscribe(["t/1", "$share/g/t/shared"]);
    const writer = await pair.b.client();
    await writer.reaches(reader, "t/1");
    await pair.settled();
    http = ["--http", pair.a.agent.address];
  });
  after(() => pair?.close());

  test("status says who it is, and how each link is", async (t) => {
    const { code, out } = await outcome(t, ["status", ...http]);
    assert.equal(code, 0);
    assert.match(out, /^brokerlink 0\.1\.0 of cluster a, up for \d+s: ready$/m);
    assert.match(out, /^mosquitto at mqtt:\/\/127\.0\.0\.1:\d+: \d+ subscriptions of \d+ clients$/m);
    assert.match(out, /^interest exact/m);
    assert.match(out, /^LINK +STATUS +ROUTES OUT +IN +SENT +RECEIVED +SPOOL +OLDEST$/m);
    assert.match(out, /^b +connected +2 +0 +0 +\d+ +0 +-$/m);
    const overview = await json<Overview>(t, "status");
    assert.deepEqual([overview.cluster, overview.links[0]?.name, overview.links[0]?.status], ["a", "b", "connected"]);
  });

  test("routes in both directions, searched, in pages", async (t) => {
    const { out } = await outcome(t, ["routes", ...http]);
    assert.match(out, /^Asked of peers \(out\)$/m);
    assert.match(out, /^ {2}b +t\/1$/m);
    assert.match(out, /^ {2}b +t\/shared +for g of \$share$/m);
    assert.match(out, /Asked by peers \(in\)\n {2}none\n$/);
    const one = await outcome(t, ["routes", "shared", "--direction", "out", ...http]);
    assert.ok(one.out.includes("t/shared") && !one.out.includes("t/1") && !one.out.includes("(in)"), one.out);
    const paged = await outcome(t, ["routes", "--direction", "out", "--limit", "1", ...http]);
    assert.match(paged.out, /1 to 1 of 2; --page 2 goes on/);
    const matching = await json<{ out: { data: { filter: string }[] } }>(t, "routes", "--topic", "t/1");
    assert.deepEqual(
      matching.out.data.map(({ filter }) => filter),
      ["t/1"],
    );
  });

  test("explain says whether a topic crosses, and why not", async (t) => {
    const { out } = await outcome(t, ["explain", "t/1", ...http]);
    assert.match(out, /Who wants it here:\n {2}t\/1, held by 1 client\n/);
    assert.match(out, /it goes to:\n {2}no {3}b: .*\(no_route\)/);
    assert.match(out, /it comes here from:\n {2}yes {2}b: [\s\S]*\(wanted\)/);
    const elsewhere = await json<ExplainAnswer>(t, "explain", "elsewhere/ü?&=#x".replace("#", ""));
    assert.equal(elsewhere.topic, "elsewhere/ü?&=x");
    assert.deepEqual(
      elsewhere.in.map(({ code }) => code),
      ["not_in_topics"],
    );
  });

  test("top counts what crosses in a second", async (t) => {
    const writer = await pair.b.client();
    const command = new Command(t, ["top", "--json", "--count", "3", ...http]);
    let n = 0;
    const publishing = setInterval(() => void writer.publish("t/1", `top ${n++}`), 10);
    t.after(() => clearInterval(publishing));
    assert.equal(await command.end(), 0);
    const seconds = command.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { links: { received_per_second: number }[] });
    assert.equal(seconds.length, 3);
    assert.equal(seconds[0]?.links[0]?.received_per_second, 0);
    assert.ok((seconds[2]?.links[0]?.received_per_second ?? 0) > 10, command.out);
    const { out } = await outcome(t, ["top", "--count", "1", ...http]);
    assert.match(out, /^a {2}\d\d:\d\d:\d\d UTC {2}ready {2}interest exact$/m);
    assert.match(out, /^b +connected /m);
  });

  test("drain says what keeps this cluster from being switched off, and waits until nothing does", async (t) => {
    const { code, out } = await outcome(t, ["drain", "b", ...http]);
    assert.equal(code, 1);
    assert.match(out, /^Not yet:\n {2}- 1 connected clients hold subscriptions here\n/);
    assert.match(out, /^ {2}spool +empty$/m);
    const late = await outcome(t, ["drain", "b", "--wait", "--within", "10ms", ...http]);
    assert.equal(late.code, 1);
    const waiting = new Command(t, ["drain", "b", "--wait", "--json", ...http]);
    await waiting.said(/waiting: .*hold subscriptions here/);
    assert.equal(waiting.code, null);
    await reader.end();
    assert.equal(await waiting.end(), 0);
    const report = JSON.parse(waiting.out) as DrainReport;
    assert.deepEqual([report.safe_to_switch_off, report.peer_confirmed_all, report.reasons], [true, true, []]);
  });

  test("colours for a person at a terminal only, and not where NO_COLOR is set; top gives the cursor back", async (t) => {
    const plain = await onTerminal(t, `status ${http.join(" ")}`, { NO_COLOR: "1" });
    assert.match(plain, /b +connected/);
    assert.ok(!plain.includes("\x1b["));
    const coloured = await onTerminal(t, `status ${http.join(" ")}`, {});
    assert.ok(coloured.includes("\x1b[32mconnected\x1b[39m"), coloured);
    const live = await onTerminal(t, `top ${http.join(" ")}`, {}, (soFar) => (soFar.match(/UTC/g) ?? []).length >= 2);
    assert.ok(live.startsWith(HIDE_CURSOR) && live.trimEnd().endsWith(SHOW_CURSOR), JSON.stringify(live));
  });

  test("a link that is not there", async (t) => {
    const { code, error } = await outcome(t, ["drain", "nobody", ...http]);
    assert.equal(code, 1);
    assert.match(error, /^AGENT_REFUSED: the agent at http:\/\/127\.0\.0\.1:\d+: .*not found/);
  });

  test("a cut link: status says why, and what waits", async (t) => {
    await pair.b.agent.stop("SIGKILL");
    await pair.a.agent.untilLink("b", "it is noticed", (link) => link.status !== "connected", 60_000);
    const { code, out } = await outcome(t, ["status", ...http]);
    assert.equal(code, 0);
    assert.match(out, /^b +(inconsistent|disconnected|connecting) /m);
  });
});

describe("finding the agent", () => {
  test("nobody listens: where it was asked, and what to do; the exit code says so", async (t) => {
    const [port] = await freePorts(1);
    for (const args of [["status"], ["routes"], ["explain", "t"], ["top"], ["drain", "b"]]) {
      const { code, out, error } = await outcome(t, [...args, "--http", `127.0.0.1:${port}`]);
      assert.deepEqual([code, out], [1, ""], args.join(" "));
      assert.match(
        error,
        new RegExp(`^AGENT_UNREACHABLE: no agent answers at http://127\\.0\\.0\\.1:${port} \\(connection refused\\)`),
      );
    }
  });

  test("something else listens", async (t) => {
    const server = createServer((_request, response) => response.end("<html>hello</html>"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => server.close());
    const { code, error } = await outcome(t, [
      "status",
      "--http",
      `127.0.0.1:${(server.address() as AddressInfo).port}`,
    ]);
    assert.equal(code, 1);
    assert.match(error, /^AGENT_REFUSED: what answers at .* is no agent of this version/);
  });

  test("address and token come from the configuration, from the environment, or from flags; the token is never printed", async (t) => {
    const [port = 0] = await freePorts(1);
    const token = "a-token-of-some-length";
    const folder = folderWith(t, {
      "brokerlink.yaml": `cluster: a\nlocal: { server: "mqtt://127.0.0.1:1", broker: mosquitto }\nhttp: { port: ${port}, token_file: token }\n`,
      token: `${token}\n`,
      wrong: "another-token-of-some-length\n",
    });
    const config = join(folder, "brokerlink.yaml");
    const agent = new Command(t, ["run", "--config", config]);
    await agent.port();
    const found = await outcome(t, ["status", "--config", config]);
    assert.equal(found.code, 0, found.error);
    assert.match(found.out, /not ready/);
    const address = ["--http", `127.0.0.1:${port}`];
    const byFlags = await outcome(t, ["status", ...address, "--token-file", join(folder, "token")]);
    assert.equal(byFlags.code, 0, byFlags.error);
    const env = {
      BROKERLINK_CLUSTER: "a",
      BROKERLINK_LOCAL__SERVER: "mqtt://127.0.0.1:1",
      BROKERLINK_LOCAL__BROKER: "mosquitto",
      BROKERLINK_HTTP__PORT: `${port}`,
      BROKERLINK_HTTP__TOKEN_FILE: join(folder, "token"),
    };
    const byEnvironment = await outcome(t, ["status"], env);
    assert.equal(byEnvironment.code, 0, byEnvironment.error);
    const without = await outcome(t, ["status", ...address]);
    assert.equal(without.code, 1);
    assert.match(without.error, /^AGENT_REFUSED: .* it asks for a token; --token-file/);
    const wrong = await outcome(t, ["status", ...address, "--token-file", join(folder, "wrong")]);
    assert.match(wrong.error, /it does not know this token/);
    assert.ok(!`${wrong.out}${wrong.error}${without.error}${found.out}`.includes("-of-some-length"));
    const missing = await outcome(t, ["status", ...address, "--token-file", join(folder, "none")]);
    assert.equal(missing.code, 78);
    assert.match(missing.error, /^--token-file: ENOENT/);
  });

  test("a bad configuration is said as for run; an agent that stops answers no more", async (t) => {
    const folder = folderWith(t, { "bad.yaml": "cluster: a b\n" });
    const { code, error } = await outcome(t, ["status", "--config", join(folder, "bad.yaml")]);
    assert.equal(code, 78);
    assert.match(error, /^CONFIG_INVALID: /);
    const agent = await AgentProcess.start({ cluster: "a", local: "mqtt://127.0.0.1:1", links: { b: null } });
    t.after(() => agent.dispose());
    const top = new Command(t, ["top", "--json", "--http", agent.address]);
    await until("it shows something", () => top.out !== "");
    await agent.stop("SIGKILL");
    assert.equal(await top.end(), 1);
    assert.match(top.error, /^AGENT_UNREACHABLE: /);
  });
});
