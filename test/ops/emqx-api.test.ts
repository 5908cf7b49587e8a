import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AgentView } from "../../src/ops/agent-status.ts";
import { createApp } from "../../src/ops/http.ts";
import type { LinkEditor } from "../../src/ops/link-editor.ts";
import { readText } from "../house/repository.ts";
import { MemoryLinkEditor } from "../support/memory-link-editor.ts";
import { agentConfig, agentView, hubStatus, linkStatus } from "./agent-fixture.ts";
import { logLines } from "./log-lines.ts";

const LINKS = "/api/v5/cluster/links";
const { log } = logLines("silent");

type Json = Record<string, unknown>;

interface Recorded {
  readonly step: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly body: Json | null;
}

const RECORDED = JSON.parse(readText("test/captures/emqx-5.8.9-links.json") ?? "") as Recorded[];

/** An agent whose links are those of the editor; those that are enabled are well. */
class Api {
  readonly editor = new MemoryLinkEditor();
  readonly #app = createApp(this.#agent(), agentConfig(), log, this.editor);

  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const init = { method, headers: { host: "localhost", ...headers } };
    if (body === undefined) return this.#app.request(path, init);
    const json = { "content-type": "application/json", ...init.headers };
    return this.#app.request(path, { ...init, headers: json, body: JSON.stringify(body) });
  }

  async code(method: string, path: string, body?: unknown): Promise<string> {
    const answer = await this.ask(method, path, body);
    const { code, message } = (await answer.json()) as { code: string; message: string };
    assert.equal(typeof message, "string");
    return `${answer.status} ${code}`;
  }

  #agent(): AgentView {
    const { editor } = this;
    return {
      ...agentView(),
      status: () =>
        hubStatus({
          cluster: "clusterA",
          links: editor.config.links.filter(({ enable }) => enable).map(({ name }) => linkStatus({ name })),
        }),
      get config() {
        return editor.config;
      },
    };
  }
}

/** What a script would send for the answer recorded. */
function requestOf({ method, body }: Recorded): Json | undefined {
  if (body === null || (method !== "POST" && method !== "PUT")) return undefined;
  const { status: _, node_status: __, name, ...rest } = body;
  const secret = "password" in rest && method === "POST" ? { password: "lp" } : {};
  return method === "POST" ? { name, ...rest, ...secret } : { ...rest, ...secret };
}

/** What EMQX has and this agent has no counterpart for; `docs/API.md` says so. */
const LEFT_OUT =
  /^(pool_size|resource_opts(\..*)?|ssl\.(ciphers|depth|hibernate_after|log_level|reuse_sessions|secure_renegotiate|versions|verify))$/;

/** `path: type` of everything in a JSON value; of a list its first element. */
function shapeOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return [`${path}: list`, ...(value.length === 0 ? [] : shapeOf(value[0], `${path}[]`))];
  if (typeof value !== "object" || value === null) return [`${path}: ${value === null ? "null" : typeof value}`];
  const below = Object.entries(value).flatMap(([key, inner]) => shapeOf(inner, path === "" ? key : `${path}.${key}`));
  return path === "" ? below : [`${path}: object`, ...below];
}

describe("what was recorded of EMQX 5.8.9", () => {
  test("replayed, is answered with the same status and the same shape", async () => {
    const api = new Api();
    assert.ok(RECORDED.length >= 7);
    for (const recorded of RECORDED) {
      const answer = await api.ask(recorded.method, recorded.path, requestOf(recorded));
      assert.equal(answer.status, recorded.status, recorded.step);
      if (recorded.body === null) {
        assert.equal(await answer.text(), "", recorded.step);
        continue;
      }
      assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
      const ours = (await answer.json()) as Json;
      const shape = new Set(shapeOf(ours));
      const missing = shapeOf(recorded.body).filter(
        (line) => !shape.has(line) && !LEFT_OUT.test(line.replace(/(\[\])*: .*$/, "")),
      );
      assert.deepEqual(missing, [], recorded.step);
      for (const key of ["status", "enable", "name", "topics", "clientid", "username", "password"]) {
        if (key in recorded.body) assert.deepEqual(ours[key], recorded.body[key], `${recorded.step}: ${key}`);
      }
    }
  });

  test("what of it has no counterpart is named in a header", async () => {
    const create = RECORDED.find(({ method }) => method === "POST");
    assert.ok(create !== undefined);
    const answer = await new Api().ask("POST", LINKS, requestOf(create));
    assert.match(answer.headers.get("brokerlink-ignored") ?? "", /^pool_size, resource_opts, ssl\.ciphers, ssl\.depth/);
  });
});

// The numbers are those of EMQX's own tests in reference/emqx-cluster-linking.md §6.
describe("EMQX's own tests of its API", () => {
  const first = { name: "first", server: "mqtt://a.example:1883", topics: ["t/test-topic", "t/test/#"] };
  const second = { name: "second", server: "mqtts://b.example:8883", topics: ["#"], password: "s3cret" };

  test("17: create two, list them, disable one, give one a CA", async () => {
    const api = new Api();
    assert.deepEqual(await (await api.ask("GET", LINKS)).json(), []);
    for (const link of [first, second]) assert.equal((await api.ask("POST", LINKS, link)).status, 201);
    const names = ((await (await api.ask("GET", LINKS)).json()) as Json[]).map(({ name }) => name);
    assert.deepEqual(names, ["first", "second"]);
    const { name: _, ...body } = first;
    const disabled = await api.ask("PUT", `${LINKS}/link/first`, { ...body, enable: false });
    assert.equal(disabled.status, 200);
    assert.equal(((await disabled.json()) as Json)["status"], "disconnected");
    const secured = await api.ask("PUT", `${LINKS}/link/second`, { ...second, ssl: { cacertfile: "ca.pem" } });
    assert.deepEqual(((await secured.json()) as Json)["ssl"], {
      enable: true,
      verify: "verify_peer",
      cacertfile: "******",
    });
  });

  test("18 and 21: what is invalid is 400 and changes nothing", async () => {
    const api = new Api();
    await api.ask("POST", LINKS, first);
    for (const server of ["", "no server", 7, "mqtt://user:pass@a.example"])
      assert.equal(
        await api.code("PUT", `${LINKS}/link/first`, { ...first, server }),
        "400 BAD_REQUEST",
        String(server),
      );
    for (const name of ["", "x".repeat(256), "a/b", "-a", "a b", "ä", 7, null])
      assert.equal(await api.code("POST", LINKS, { ...first, name }), "400 BAD_REQUEST", String(name));
    assert.equal(await api.code("POST", LINKS, { server: "mqtt://a.example:1883" }), "400 BAD_REQUEST");
    assert.deepEqual(api.editor.links, [first]);
  });

  test("19: not there, created, there twice is too much, deleted, not there", async () => {
    const api = new Api();
    const path = `${LINKS}/link/second`;
    for (const [method, at] of [
      ["GET", path],
      ["PUT", path],
      ["DELETE", path],
      ["GET", `${path}/metrics`],
      ["PUT", `${path}/metrics/reset`],
    ] as const)
      assert.equal(
        await api.code(method, at, method === "PUT" ? second : undefined),
        "404 NOT_FOUND",
        `${method} ${at}`,
      );
    const created = await api.ask("POST", LINKS, second);
    assert.equal(created.status, 201);
    const link = (await created.json()) as Json;
    assert.equal(link["password"], "******");
    assert.equal(link["status"], "connected");
    assert.deepEqual(link["node_status"], [{ node: "clusterA", status: "connected" }]);
    assert.equal(await api.code("POST", LINKS, second), "400 ALREADY_EXISTS");
    assert.equal((await api.ask("GET", `${path}/metrics`)).status, 200);
    assert.equal((await api.ask("PUT", path, { ...second, enable: false })).status, 200);
    for (const answer of [
      (await (await api.ask("GET", path)).json()) as Json,
      ((await (await api.ask("GET", LINKS)).json()) as Json[])[0],
    ])
      assert.equal(answer?.["status"], "disconnected");
    assert.equal((await api.ask("DELETE", path)).status, 204);
    assert.equal(await api.code("GET", path), "404 NOT_FOUND");
    assert.equal(await api.code("DELETE", path), "404 NOT_FOUND");
  });

  test("20: of eight who delete at once one is told 204, and seven 404", async () => {
    const api = new Api();
    await api.ask("POST", LINKS, first);
    const answers = await Promise.all(Array.from({ length: 8 }, () => api.ask("DELETE", `${LINKS}/link/first`)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [204, 404, 404, 404, 404, 404, 404, 404]);
  });

  test("24: an answer that is sent back keeps its secrets and changes nothing", async () => {
    const api = new Api();
    const ssl = { cacertfile: "ca.pem", certfile: "cert.pem", keyfile: "own.key", verify: "verify_none" };
    const links = [
      { ...second, export: ["a/#"], drain_rate: 7, retained: "live", max_routes: 9, ssl, username: "u" },
      { name: "third", topics: [], route_retention: "5m", enable: false },
      {
        name: "fourth",
        server: ["mqtt://a.example:1", "ws://b.example:2/x"],
        password_file: "secret.txt",
        protocol_version: 5,
      },
    ];
    for (const link of links) {
      assert.equal((await api.ask("POST", LINKS, link)).status, 201, link.name);
      const before = api.editor.config.links.at(-1);
      const answer = (await (await api.ask("GET", `${LINKS}/link/${link.name}`)).json()) as Json;
      assert.equal((await api.ask("PUT", `${LINKS}/link/${link.name}`, answer)).status, 200, link.name);
      assert.deepEqual(api.editor.config.links.at(-1), before);
    }
  });

  test("25: topics that cover one another", async () => {
    const api = new Api();
    const answer = await api.ask("POST", LINKS, { ...first, topics: ["t/#", "t/1", "t/+/#/x"] });
    assert.equal(answer.status, 400);
  });

  test("26: an update without a client id takes the default", async () => {
    const api = new Api();
    await api.ask("POST", LINKS, { ...first, clientid: "mine" });
    const answer = (await (await api.ask("PUT", `${LINKS}/link/first`, first)).json()) as Json;
    assert.match(String(answer["clientid"]), /-to-first$/);
  });
});

describe("a change", () => {
  const link = { name: "x", topics: [] };

  test("is JSON, says so, and is small", async () => {
    const api = new Api();
    const headers = { host: "localhost" };
    const app = createApp(agentView(), agentConfig(), log, api.editor);
    for (const [type, status] of [
      ["text/plain", 415],
      ["application/x-www-form-urlencoded", 415],
      ["application/jsonp", 415],
      ["", 415],
      ["application/json", 400],
      ["Application/JSON; charset=utf-8", 400],
    ] as const) {
      const answer = await app.request(LINKS, {
        method: "POST",
        headers: { ...headers, "content-type": type },
        body: "{",
      });
      assert.equal(answer.status, status, type);
      assert.equal(answer.headers.get("connection"), "close");
    }
    for (const body of [[], null, 7, "x", true]) assert.equal(await api.code("POST", LINKS, body), "400 BAD_REQUEST");
    assert.equal(await api.code("POST", LINKS, { ...link, topics: ["x".repeat(70_000)] }), "413 REQUEST_TOO_LARGE");
    assert.deepEqual(api.editor.links, []);
  });

  test("is refused with the reason where nothing may be changed", async () => {
    const api = new Api();
    api.editor.readOnlyReason = "the file is read-only";
    const answer = await api.ask("POST", LINKS, link);
    assert.equal(answer.status, 409);
    assert.deepEqual(await answer.json(), { code: "READ_ONLY", message: "the file is read-only" });
    const none = createApp(agentView(), agentConfig(), log);
    const headers = { host: "localhost" };
    assert.equal((await none.request(`${LINKS}/link/east`, { method: "DELETE", headers })).status, 409);
  });

  test("that could not be written is a failure of this side", async () => {
    const broken: LinkEditor = {
      readOnlyReason: null,
      create: () => Promise.resolve({ ok: false, code: "WRITE_FAILED", message: "no space left" }),
      update: () => Promise.reject(new Error("a bug")),
      remove: () => Promise.resolve({ ok: true }),
    };
    const app = createApp(agentView(), agentConfig(), log, broken);
    const init = { headers: { host: "localhost", "content-type": "application/json" }, body: "{}" };
    assert.equal((await app.request(LINKS, { ...init, method: "POST" })).status, 500);
    assert.equal((await app.request(`${LINKS}/link/x`, { ...init, method: "PUT" })).status, 500);
  });

  test("takes nothing from the prototype's names", async () => {
    const api = new Api();
    const body = '{"name":"x","topics":[],"__proto__":{"enable":false},"constructor":1}';
    const app = createApp(agentView(), agentConfig(), log, api.editor);
    const headers = { host: "localhost", "content-type": "application/json" };
    const answer = await app.request(LINKS, { method: "POST", headers, body });
    assert.equal(answer.status, 400);
    assert.match(await answer.text(), /__proto__[\s\S]*constructor/);
  });

  test("names the ways that a path takes", async () => {
    const api = new Api();
    for (const [method, path, allow] of [
      ["PATCH", LINKS, "GET, HEAD, POST"],
      ["DELETE", LINKS, "GET, HEAD, POST"],
      ["POST", `${LINKS}/link/x`, "GET, HEAD, PUT, DELETE"],
      ["POST", `${LINKS}/link/x/metrics`, "GET, HEAD"],
      ["GET", `${LINKS}/link/x/metrics/reset`, "PUT"],
      ["POST", "/api/v1/overview", "GET, HEAD"],
      ["POST", "/livez", "GET, HEAD"],
    ] as const) {
      const answer = await api.ask(method, path);
      assert.equal(answer.status, 405, `${method} ${path}`);
      assert.equal(answer.headers.get("allow"), allow, path);
    }
  });
});
