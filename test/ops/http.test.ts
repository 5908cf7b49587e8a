import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AgentView } from "../../src/ops/agent-status.ts";
import { createApp } from "../../src/ops/http.ts";
import { agentConfig, agentStatus, agentView, hubStatus, linkConfig, linkStatus } from "./agent-fixture.ts";
import { logLines } from "./log-lines.ts";

const LINKS = "/api/v5/cluster/links";

function ask(path: string, init: RequestInit = {}, agent: AgentView = agentView(), config = agentConfig()) {
  const headers = { host: "localhost:9464", ...init.headers };
  return createApp({ ...agent, config }, config, logLines("silent").log).request(path, { ...init, headers });
}

describe("/livez", () => {
  test("answers whatever the state of brokers and peers", async () => {
    const answer = await ask("/livez", {}, agentView(agentStatus(), false));
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), "ok\n");
  });
});

describe("/readyz", () => {
  test("is 200 and names each session when all stand", async () => {
    const answer = await ask("/readyz");
    assert.equal(answer.status, 200);
    assert.equal(
      await answer.text(),
      "ready\nok session events\nok session link\nok session data\n-- link east: connected\n",
    );
  });

  test("stays 200 when a peer is gone", async () => {
    const status = hubStatus({ links: [linkStatus({ status: "disconnected" })] });
    const answer = await ask("/readyz", {}, agentView(status));
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /-- link east: disconnected\n/);
  });

  test("is 503 with the session that is down and why", async () => {
    const { sessions } = agentStatus();
    const status = agentStatus({ sessions: { ...sessions, data: { up: false, reason: "connection refused by b:1" } } });
    const answer = await ask("/readyz", {}, agentView(status, false));
    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /^not ready\n[\s\S]*no session data: connection refused by b:1\n/);
  });

  test("is 503 when another agent has the name, and when a stop was asked for", async () => {
    const double = await ask("/readyz", {}, agentView(hubStatus({ duplicate: true }), false));
    assert.equal(double.status, 503);
    assert.match(await double.text(), /no DUPLICATE_AGENT: /);
    const ending = await ask("/readyz", {}, agentView(agentStatus({ stopping: true }), false));
    assert.equal(ending.status, 503);
    assert.match(await ending.text(), /no stopping\n/);
  });
});

describe("methods and paths", () => {
  test("HEAD answers like GET, without a body", async () => {
    for (const path of ["/livez", "/readyz", "/metrics", LINKS, `${LINKS}/link/east`]) {
      const answer = await ask(path, { method: "HEAD" });
      assert.equal(answer.status, 200, path);
      assert.equal(await answer.text(), "", path);
    }
  });

  test("what only answers is 405 for anything else, says what is allowed, and ends the connection", async () => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      for (const path of ["/livez", "/metrics", "/nope"]) {
        const answer = await ask(path, { method });
        assert.equal(answer.status, 405, `${method} ${path}`);
        assert.equal(answer.headers.get("allow"), "GET, HEAD");
        assert.equal(answer.headers.get("connection"), "close");
        const { code } = (await answer.json()) as { code: string };
        assert.equal(code, "METHOD_NOT_ALLOWED");
      }
    }
  });

  test("unknown paths and links are 404 in the form of EMQX's API", async () => {
    const path = await ask("/nope");
    assert.equal(path.status, 404);
    assert.deepEqual(await path.json(), { code: "NOT_FOUND", message: "no such path" });
    for (const name of ["nope", "", "%2e%2e", "%E0%A4%A", "east%00", "__proto__", "constructor"]) {
      const answer = await ask(`${LINKS}/link/${name}`);
      assert.equal(answer.status, 404, name);
      assert.equal(((await answer.json()) as { code: string }).code, "NOT_FOUND");
    }
  });

  test("every answer forbids caches and guessing of types", async () => {
    for (const [path, init] of [
      ["/livez", {}],
      ["/nope", {}],
      [LINKS, { method: "POST" }],
      [LINKS, { headers: { host: "evil.example" } }],
    ] as const) {
      const { headers } = await ask(path, init);
      assert.equal(headers.get("cache-control"), "no-store", path);
      assert.equal(headers.get("x-content-type-options"), "nosniff", path);
    }
  });
});

describe("who may ask", () => {
  test("a foreign Host or Origin gets nothing, metrics and health included", async () => {
    for (const path of ["/livez", "/readyz", "/metrics", LINKS]) {
      assert.equal((await ask(path, { headers: { host: "evil.example" } })).status, 421, path);
      assert.equal((await ask(path, { headers: { origin: "http://evil.example" } })).status, 403, path);
    }
  });

  test("without a token an open address serves health and metrics only", async () => {
    const config = agentConfig({ host: "0.0.0.0" });
    for (const path of ["/livez", "/readyz", "/metrics"])
      assert.equal((await ask(path, {}, agentView(), config)).status, 200, path);
    for (const path of [LINKS, `${LINKS}/link/east`, "/api/v1/status", "/api/nope"])
      assert.equal((await ask(path, {}, agentView(), config)).status, 403, path);
  });

  test("with a token the API wants it and says how", async () => {
    const config = agentConfig({ host: "0.0.0.0", token: "correct-horse-battery" });
    const without = await ask(LINKS, {}, agentView(), config);
    assert.equal(without.status, 401);
    assert.equal(without.headers.get("www-authenticate"), 'Basic realm="brokerlink"');
    assert.equal(((await without.json()) as { code: string }).code, "BAD_API_KEY_OR_SECRET");
    const headers = { authorization: "Bearer correct-horse-battery" };
    assert.equal((await ask(LINKS, { headers }, agentView(), config)).status, 200);
  });
});

test("the list and the single link say the same", async () => {
  const config = agentConfig({}, [linkConfig(), linkConfig({ name: "north", enable: false })]);
  const list = (await (await ask(LINKS, {}, agentView(), config)).json()) as { name: string }[];
  assert.deepEqual(
    list.map(({ name }) => name),
    ["east", "north"],
  );
  for (const expected of list) {
    const single = await ask(`${LINKS}/link/${expected.name}`, {}, agentView(), config);
    assert.deepEqual(await single.json(), expected);
  }
});

test("a failure inside is 500 without a stack, and is logged with one", async () => {
  let isBroken = false;
  const agent: AgentView = {
    ...agentView(),
    status: () => {
      if (isBroken) throw new Error("broken inside");
      return agentStatus();
    },
  };
  const log = logLines("error");
  const app = createApp(agent, agentConfig(), log.log);
  isBroken = true;
  const answer = await app.request(LINKS, { headers: { host: "localhost" } });
  assert.equal(answer.status, 500);
  assert.deepEqual(await answer.json(), { code: "INTERNAL_ERROR", message: "the log says more" });
  const [line] = log.lines();
  assert.equal(line?.["msg"], "http request failed");
  assert.match(JSON.stringify(line), /broken inside/);
});
