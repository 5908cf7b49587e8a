import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { LinkError } from "../../src/base/error-codes.ts";
import { type HttpListener, listen } from "../../src/ops/http.ts";
import { agentConfig, agentStatus, agentView } from "./agent-fixture.ts";
import { logLines } from "./log-lines.ts";

const { log } = logLines("silent");

async function listener(t: TestContext, host = "127.0.0.1", token: string | null = null): Promise<HttpListener> {
  const config = agentConfig({ host, token });
  const http = await listen(agentView(agentStatus(), true, { config }), config, log);
  t.after(() => http.close());
  return http;
}

/** Sends bytes and answers everything that comes back until the other side closes. */
function talk({ host, port }: HttpListener, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host);
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    // What is sent after an early answer meets a closed socket: what counts is the answer.
    socket.on("error", (error) => (text === "" ? reject(error) : resolve(text)));
    socket.on("close", () => resolve(text));
    socket.write(bytes);
  });
}

const request = (path: string, ...headers: string[]): string =>
  [`GET ${path} HTTP/1.1`, "Connection: close", ...headers, "", ""].join("\r\n");

function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
}

describe("a real listener", () => {
  test("serves a browser's, a scraper's and a probe's requests", async (t) => {
    const http = await listener(t);
    const url = `http://127.0.0.1:${http.port}`;
    for (const path of ["/livez", "/readyz", "/metrics", "/api/v5/cluster/links"])
      assert.equal((await fetch(url + path)).status, 200, path);
    const { headers } = await fetch(`${url}/metrics`);
    assert.match(headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  });

  test("works on IPv6", async (t) => {
    const http = await listener(t, "::1");
    assert.equal((await fetch(`http://[::1]:${http.port}/api/v5/cluster/links`)).status, 200);
    assert.equal(statusOf(await talk(http, request("/livez", "Host: [::2]:80"))), 421);
  });

  test("refuses another Host, a malformed one, two of them, and takes none from HTTP/1.0", async (t) => {
    const http = await listener(t);
    assert.equal(statusOf(await talk(http, request("/livez", "Host: evil.example"))), 421);
    assert.equal(statusOf(await talk(http, request("/livez", "Host: 127.evil.example"))), 421);
    assert.equal(statusOf(await talk(http, request("/livez", "Host: a b"))), 400);
    assert.notEqual(statusOf(await talk(http, request("/livez", "Host: evil.example", "Host: localhost"))), 200);
    assert.equal(statusOf(await talk(http, request("/livez"))), 400, "HTTP/1.1 needs a Host header");
    assert.equal(statusOf(await talk(http, "GET /livez HTTP/1.0\r\n\r\n")), 200);
    assert.equal(
      statusOf(await talk(http, "GET http://evil.example/livez HTTP/1.1\r\nHost: evil.example\r\n\r\n")),
      421,
    );
  });

  test("answers 431 to headers past any need", async (t) => {
    const http = await listener(t);
    const answer = await talk(http, request("/livez", "Host: localhost", `X-Big: ${"x".repeat(20_000)}`));
    assert.equal(statusOf(answer), 431);
    assert.equal((await fetch(`http://127.0.0.1:${http.port}/livez`)).status, 200);
  });

  test("answers 400 to what is no HTTP, and lives on", async (t) => {
    const http = await listener(t);
    for (const bytes of [
      "\0\0\0\0\r\n\r\n",
      "NONSENSE\r\n\r\n",
      "GET\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "\x16\x03\x01\x02\r\n\r\n",
    ])
      assert.equal(statusOf(await talk(http, bytes)), 400, JSON.stringify(bytes));
    assert.equal((await fetch(`http://127.0.0.1:${http.port}/livez`)).status, 200);
  });

  test("does not read a body that it has no use for", async (t) => {
    const http = await listener(t);
    const lines = ["Host: localhost", "Content-Type: application/json", "Content-Length: 1000000000", "", ""];
    for (const [path, status] of [
      ["/livez", 405],
      ["/api/v5/cluster/links", 413],
    ] as const) {
      const head = [`POST ${path} HTTP/1.1`, ...lines].join("\r\n");
      assert.equal(statusOf(await talk(http, head + "x".repeat(1_000))), status);
    }
  });

  test("gives no link away for a broken escape in its path", async (t) => {
    const http = await listener(t);
    for (const name of ["%E0%A4%A", "%", "%zz", "..%2f..", "%00"]) {
      const answer = await talk(http, request(`/api/v5/cluster/links/link/${name}`, "Host: localhost"));
      assert.equal(statusOf(answer), 404, name);
    }
  });

  test("wants the token from a real client too", async (t) => {
    const http = await listener(t, "127.0.0.1", "correct-horse-battery");
    const url = `http://127.0.0.1:${http.port}/api/v5/cluster/links`;
    assert.equal((await fetch(url)).status, 401);
    const authorization = `Basic ${Buffer.from("key:correct-horse-battery").toString("base64")}`;
    assert.equal((await fetch(url, { headers: { authorization } })).status, 200);
  });

  test("says which address is taken", async (t) => {
    const { port } = await listener(t);
    const config = agentConfig();
    const twice = listen(agentView(), { ...config, http: { ...config.http, port } }, log);
    await assert.rejects(twice, (error: unknown) => {
      assert.ok(error instanceof LinkError);
      assert.equal(error.code, "HTTP_UNAVAILABLE");
      assert.match(error.message, new RegExp(`^cannot listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`));
      return true;
    });
  });

  test("writes an IPv6 address with its brackets when it cannot listen", async (t) => {
    const { port } = await listener(t, "::1");
    const config = agentConfig({ host: "::1" });
    const twice = listen(agentView(), { ...config, http: { ...config.http, port } }, log);
    await assert.rejects(twice, {
      code: "HTTP_UNAVAILABLE",
      message: new RegExp(`cannot listen on \\[::1\\]:${port}:`),
    });
  });

  test("closes although somebody is still connected", async () => {
    const http = await listen(agentView(), agentConfig(), log);
    const socket = connect(http.port, http.host);
    const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    await new Promise<void>((resolve) => socket.on("connect", () => resolve()));
    await http.close();
    await closed;
  });
});
