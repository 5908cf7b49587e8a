import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, beforeEach, describe, test } from "node:test";
import type { ApiAnswer } from "../../src/broker/api-transport.ts";
import { EmqxApi } from "../../src/broker/emqx-api.ts";
import type { BrokerApiConfig } from "../../src/config/types.ts";
import { EmqxRest } from "../emqx/emqx-rest.ts";
import { Certificates, type KeyPair } from "../mqtt/certificates.ts";
import { freePorts } from "../support/free-ports.ts";

const PATH = "/subscriptions?limit=10&page=1";
const ROWS = [{ clientid: "c", topic: "x", qos: 1, node: "n" }];

function config(rest: EmqxRest, changes: Partial<BrokerApiConfig> = {}): BrokerApiConfig {
  const { url, key, secret } = rest;
  return { urls: [url], key, secret, tls: null, pollIntervalMs: 1_000, timeoutMs: 5_000, ...changes };
}

async function ask(config: BrokerApiConfig, api = new EmqxApi(() => config)): Promise<ApiAnswer> {
  return new Promise((resolve) => api.get(PATH, resolve));
}

function refusal(answer: ApiAnswer): string {
  return answer.ok ? "ok" : `${answer.problem.code} ${answer.problem.why}`;
}

describe("EMQX's API", () => {
  const rest = new EmqxRest({ rows: () => ROWS });
  before(() => rest.up());
  after(() => rest.down());
  beforeEach(() => {
    rest.instead = null;
  });

  test("gives the list to who has the key", async () => {
    const answer = await ask(config(rest));
    assert.ok(answer.ok);
    const { data } = JSON.parse(Buffer.from(answer.body).toString()) as { data: object[] };
    assert.equal(data.length, 1);
    assert.equal(rest.asked.at(-1), "/api/v5/subscriptions?limit=10&page=1");
  });

  test("may lie behind a path of a proxy", async () => {
    assert.match(refusal(await ask(config(rest, { urls: [`${rest.url}/emqx`] }))), /^LOCAL_API_FAILED .*HTTP 404/);
    assert.equal(rest.asked.at(-1), "/emqx/api/v5/subscriptions?limit=10&page=1");
  });

  test("refuses a wrong secret, and one that may not", async () => {
    assert.match(
      refusal(await ask(config(rest, { secret: "wrong" }))),
      /^LOCAL_API_REFUSED http:.* HTTP 401 \(BAD_API_KEY_OR_SECRET\): it does not take local\.api\.key/,
    );
    rest.instead = { status: 403, body: '{"code":"UNAUTHORIZED_ROLE","message":"no"}' };
    assert.match(
      refusal(await ask(config(rest))),
      /^LOCAL_API_REFUSED .*403 \(UNAUTHORIZED_ROLE\): the API key may not/,
    );
  });

  test("is read with the secret of the moment", async () => {
    let secret = "wrong";
    const api = new EmqxApi(() => config(rest, { secret }));
    assert.match(refusal(await ask(config(rest), api)), /^LOCAL_API_REFUSED/);
    secret = rest.secret;
    assert.equal(refusal(await ask(config(rest), api)), "ok");
  });

  test("is busy, or broken", async () => {
    rest.instead = { status: 429, body: "slow down", headers: { "retry-after": "7" } };
    const busy = await ask(config(rest));
    assert.match(refusal(busy), /^LOCAL_API_UNREACHABLE .*HTTP 429$/);
    assert.equal(busy.ok ? 0 : busy.retryAfterMs, 7_000);
    rest.instead = { status: 503, body: "", headers: { "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT" } };
    const down = await ask(config(rest));
    assert.equal(down.ok ? 0 : down.retryAfterMs, null);
    rest.instead = { status: 500, body: '{"code":"NODE_DOWN","message":"bad rpc call"}' };
    assert.match(refusal(await ask(config(rest))), /^LOCAL_API_FAILED .*HTTP 500 \(NODE_DOWN\)$/);
    rest.instead = { status: 500, body: "x".repeat(1_000_000) };
    assert.match(refusal(await ask(config(rest))), /^LOCAL_API_FAILED .*HTTP 500$/);
  });

  test("is not waited for longer than it may take, and a late answer is none", async () => {
    rest.instead = "hang";
    assert.match(
      refusal(await ask(config(rest, { timeoutMs: 50 }))),
      /^LOCAL_API_UNREACHABLE no answer from http:.* 50 ms/,
    );
    let answers = 0;
    const api = new EmqxApi(() => config(rest, { timeoutMs: 50 }));
    api.get(PATH, () => {
      answers += 1;
    });
    api.cancel();
    rest.instead = null;
    assert.equal(refusal(await ask(config(rest), api)), "ok");
    assert.equal(answers, 0);
  });

  test("that is not there is asked for at the next address", async () => {
    const [port] = await freePorts(1);
    const api = new EmqxApi(() => config(rest, { urls: [`http://127.0.0.1:${port}`, rest.url] }));
    assert.match(refusal(await ask(config(rest), api)), /^LOCAL_API_UNREACHABLE connection refused by http:/);
    assert.equal(refusal(await ask(config(rest), api)), "ok");
    assert.equal(refusal(await ask(config(rest), api)), "ok", "the address that answered is asked again");
  });
});

test("an answer that is broken off is none", async () => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-length": "1000" });
    response.write("{", () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const rest = new EmqxRest({ rows: () => [] });
  assert.match(refusal(await ask(config(rest, { urls: [`http://127.0.0.1:${port}`] }))), /^LOCAL_API_UNREACHABLE/);
  server.close();
});

describe("EMQX's API over TLS", () => {
  const certificates = new Certificates();
  let authority: KeyPair;
  let rest: EmqxRest;
  before(async () => {
    authority = certificates.authority("authority");
    const { cert, key } = certificates.issue("server", authority, "DNS:emqx.example,IP:127.0.0.1");
    rest = new EmqxRest({ rows: () => ROWS, tls: { cert, key } });
    await rest.up();
  });
  after(async () => {
    await rest.down();
    certificates[Symbol.dispose]();
  });

  const TLS = { ca: null, cert: null, key: null, verify: true, servername: null };

  test("is trusted with its authority, by address and by name, and not without", async () => {
    const ca = authority.cert;
    assert.equal(refusal(await ask(config(rest, { tls: { ...TLS, ca } }))), "ok");
    assert.equal(refusal(await ask(config(rest, { tls: { ...TLS, ca, servername: "emqx.example" } }))), "ok");
    const wrong = await ask(config(rest, { tls: { ...TLS, ca, servername: "other.example" } }));
    assert.match(refusal(wrong), /^LOCAL_API_TLS/);
    assert.match(refusal(await ask(config(rest, { tls: TLS }))), /^LOCAL_API_TLS/);
    assert.equal(refusal(await ask(config(rest, { tls: { ...TLS, verify: false } }))), "ok");
  });

  test("is shown our own certificate where one is given", async () => {
    const own = certificates.issue("own", authority, "DNS:agent");
    const { cert, key } = certificates.issue("strict", authority, "IP:127.0.0.1");
    const strict = new EmqxRest({ rows: () => ROWS, tls: { cert, key, ca: authority.cert } });
    await strict.up();
    const tls = { ...TLS, ca: authority.cert };
    const shown = { ...tls, cert: own.cert, key: own.key };
    assert.equal(refusal(await ask(config(strict, { tls: shown }))), "ok");
    assert.notEqual(refusal(await ask(config(strict, { tls }))), "ok");
    await strict.down();
  });
});
