/** The listener against whoever means it no good: strange paths and bodies, foreign sites, more connections than it takes. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { type HttpLimits, type HttpListener, listen } from "../../src/ops/http.ts";
import { MemoryLinkEditor } from "../support/memory-link-editor.ts";
import { until } from "../support/until.ts";
import { agentConfig, agentStatus, agentView } from "./agent-fixture.ts";
import { logLines } from "./log-lines.ts";

const { log } = logLines("silent");
const LINKS = "/api/v5/cluster/links";
const SHORT: HttpLimits = { connectionsMax: 256, requestMs: 100, keepAliveMs: 50, lookMs: 20 };

interface Besieged {
  readonly http: HttpListener;
  readonly url: string;
  readonly editor: MemoryLinkEditor;
}

async function besieged(t: TestContext, host = "127.0.0.1", limits?: HttpLimits): Promise<Besieged> {
  const config = agentConfig({ host });
  const editor = new MemoryLinkEditor();
  const http = await listen(agentView(agentStatus(), true, { config }), config, log, editor, limits);
  t.after(() => http.close());
  return { http, url: `http://127.0.0.1:${http.port}`, editor };
}

/** Sends bytes as they are and answers what comes back until the other side closes. */
function talk({ http }: Besieged, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(http.port, "127.0.0.1");
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("error", (error) => (text === "" ? reject(error) : resolve(text)));
    socket.on("close", () => resolve(text));
    socket.write(bytes);
  });
}

function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
}

async function metric(siege: Besieged, name: string): Promise<number> {
  const text = await (await fetch(`${siege.url}/metrics`)).text();
  const line = text.split("\n").find((each) => each.startsWith(`brokerlink_${name} `));
  assert.ok(line !== undefined, name);
  return Number(line.split(" ").at(-1));
}

test("no spelling of a path leads past the access rules to the API", async (t) => {
  const siege = await besieged(t, "0.0.0.0");
  for (const path of [
    "/api/v1/status",
    "//api/v1/status",
    "/api//v1/status",
    "/API/v1/status",
    "/%61pi/v1/status",
    "/api%2fv1%2fstatus",
    "/livez/../api/v1/status",
    "/livez/%2e%2e/api/v1/status",
    "/livez/..;/api/v1/status",
    "/./api/v1/status",
    "/api/v1/status/",
    "/api/v1/status;x",
    "/api/v1/status%00",
    "/livez%0d%0aX:/../api/v1/status",
    "\\api\\v1\\status",
    "/api/./v1/status",
    "/x/../../api/v1/status",
    `${LINKS}/`,
    `${LINKS}/link/..`,
    `${LINKS}/link/%2e%2e%2f`,
    "http://localhost/api/v1/status",
    "http://localhost:1/livez/../api/v1/overview",
    "*",
  ]) {
    const answer = await talk(siege, `GET ${path} HTTP/1.1\r\nHost: 10.0.0.1\r\nConnection: close\r\n\r\n`);
    assert.ok([400, 403, 404, 405].includes(statusOf(answer)), `${path}: ${answer.slice(0, 40)}`);
    assert.ok(!answer.includes("startedAtMs"), path);
  }
});

test("a page of another site changes nothing, whatever it sends", async (t) => {
  const siege = await besieged(t);
  const link = JSON.stringify({ name: "evil", topics: ["#"] });
  const json = { "content-type": "application/json" };
  for (const [headers, status] of [
    [{ ...json, origin: "http://evil.example" }, 403],
    [{ ...json, origin: "null" }, 403],
    [{ ...json, origin: `http://localhost:${siege.http.port}` }, 403],
    [{ ...json, origin: `https://127.0.0.1:${siege.http.port}.evil.example` }, 403],
    [{ "content-type": "text/plain" }, 415],
    [{ "content-type": "application/x-www-form-urlencoded" }, 415],
    [{ "content-type": "multipart/form-data; boundary=application/json" }, 415],
  ] as const)
    assert.equal((await fetch(siege.url + LINKS, { method: "POST", headers, body: link })).status, status);
  const rebound = [`POST ${LINKS} HTTP/1.1`, "Host: evil.example", "Content-Type: application/json"];
  const answer = await talk(siege, [...rebound, `Content-Length: ${link.length}`, "", link].join("\r\n"));
  assert.equal(statusOf(answer), 421);
  assert.deepEqual(siege.editor.links, []);
  const metrics = await (await fetch(`${siege.url}/metrics`)).text();
  assert.match(metrics, /^brokerlink_http_requests_refused_total\{code="BAD_ORIGIN"\} 4$/m);
  assert.match(metrics, /^brokerlink_http_requests_refused_total\{code="BAD_HOST"\} 1$/m);
  assert.match(metrics, /^brokerlink_http_requests_refused_total\{code="UNSUPPORTED_MEDIA_TYPE"\} 3$/m);
});

describe("a body", () => {
  const head = [`POST ${LINKS} HTTP/1.1`, "Host: localhost", "Content-Type: application/json"];

  test("that is larger than it said, or says nothing, is cut at the limit", async (t) => {
    const siege = await besieged(t);
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    const answer = await talk(siege, [...head, "Transfer-Encoding: chunked", "", chunk.repeat(4)].join("\r\n"));
    assert.equal(statusOf(answer), 413);
    const both = [...head, "Transfer-Encoding: chunked", "Content-Length: 4", "", "0\r\n\r\n"];
    assert.equal(statusOf(await talk(siege, both.join("\r\n"))), 400, "a request that could be read in two ways");
    assert.equal((await fetch(`${siege.url}/livez`)).status, 200);
  });

  test("that does not end is not waited for", async (t) => {
    const siege = await besieged(t, "127.0.0.1", SHORT);
    const answer = await talk(siege, [...head, "Content-Length: 100", "", '{"name":'].join("\r\n"));
    assert.ok(answer === "" || statusOf(answer) === 408, answer);
    const slow = await talk(siege, "GET /livez HTTP/1.1\r\nHost: loc");
    assert.ok(slow === "" || statusOf(slow) === 408, slow);
  });

  test("that is nested deeply is refused before anything reads it", async (t) => {
    const siege = await besieged(t);
    const deep = `{"name":"x","topics":${"[".repeat(30_000)}${"]".repeat(30_000)}}`;
    const headers = { "content-type": "application/json" };
    const answer = await fetch(siege.url + LINKS, { method: "POST", headers, body: deep });
    assert.equal(answer.status, 400);
    assert.match(await answer.text(), /nested/);
  });

  test("in several pieces is one body", async (t) => {
    const siege = await besieged(t);
    const text = JSON.stringify({ name: "x", topics: [] });
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(siege.http.port, "127.0.0.1");
      socket.setEncoding("utf8").once("data", (chunk: string) => {
        resolve(chunk);
        socket.destroy();
      });
      socket.on("error", reject);
      socket.write([...head, `Content-Length: ${text.length}`, "", text.slice(0, 5)].join("\r\n"), () =>
        setImmediate(() => socket.write(text.slice(5))),
      );
    });
    // The fixture's agent does not run what the editor holds.
    assert.equal(statusOf(answer), 404);
    assert.equal(siege.editor.links.length, 1);
  });
});

describe("ten thousand connections", () => {
  const ALL = 10_000;
  const AT_ONCE = 500;

  test("are refused past the limit, counted, and leave nothing behind", async (t) => {
    const siege = await besieged(t);
    const held: Socket[] = [];
    let [opened, closed] = [0, 0];
    const open = (): void => {
      const socket = connect(siege.http.port, "127.0.0.1");
      held.push(socket);
      socket.on("connect", () => {
        opened += 1;
      });
      socket.on("error", () => {});
      socket.on("close", () => {
        closed += 1;
      });
      socket.resume();
    };
    for (let begun = 0; begun < ALL; begun += AT_ONCE) {
      for (let i = 0; i < AT_ONCE; i += 1) open();
      // Only the first 256 stay.
      await until("the rest is refused", () => closed >= begun + AT_ONCE - 256);
    }
    assert.equal(opened, ALL);
    for (const socket of held) socket.destroy();
    await until("the last is closed", () => closed === ALL);
    await until("there is room again", async () => {
      try {
        return (await fetch(`${siege.url}/livez`)).ok;
      } catch {
        return false;
      }
    });
    assert.ok((await metric(siege, "http_connections_refused_total")) >= ALL - 256);
    await siege.http.close();
    await until("no socket is left", () => !process.getActiveResourcesInfo().includes("TCPSocketWrap"));
  });

  test("that say nothing give their places back", async (t) => {
    const siege = await besieged(t, "127.0.0.1", { ...SHORT, connectionsMax: 8 });
    let closed = 0;
    for (let i = 0; i < 8; i += 1) {
      const socket = connect(siege.http.port, "127.0.0.1").resume();
      socket.on("error", () => {});
      socket.on("close", () => {
        closed += 1;
      });
    }
    await until("all are closed", () => closed === 8);
    assert.equal((await fetch(`${siege.url}/livez`)).status, 200);
  });
});
