import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AccessHeaders, refuseForeign, refuseUnauthorized } from "../../src/ops/access.ts";

const NONE: AccessHeaders = { host: undefined, origin: undefined, authorization: undefined };
const HERE = { host: "127.0.0.1", token: null };
const TOKEN = "correct-horse-battery";

describe("the Host header of a listener on loopback", () => {
  for (const host of [
    "localhost",
    "localhost:9464",
    "LOCALHOST:9464",
    "localhost.:9464",
    "127.0.0.1",
    "127.0.0.1:9464",
    "127.1.2.3:1",
    "[::1]",
    "[::1]:9464",
  ]) {
    test(`${host} is this machine`, () => {
      assert.equal(refuseForeign(HERE, { ...NONE, host }), null);
    });
  }
  for (const host of [
    "evil.example",
    "127.0.0.1.evil.example",
    "127.evil.example:9464",
    "localhost.evil.example",
    "localhost@evil.example",
    "[::2]",
    "::1.evil.example",
    "10.0.0.1:9464",
    "",
    ":9464",
  ]) {
    test(`"${host}" is not`, () => {
      assert.equal(refuseForeign(HERE, { ...NONE, host })?.status, 421);
    });
  }

  test("that is missing comes from no browser", () => {
    assert.equal(refuseForeign(HERE, NONE), null);
  });

  test("counts on other addresses as whatever name they have", () => {
    assert.equal(refuseForeign({ host: "0.0.0.0", token: null }, { ...NONE, host: "gateway.example:9464" }), null);
  });
});

describe("the Origin header", () => {
  const cases = [
    ["http://localhost:9464", "localhost:9464", true],
    ["http://LOCALHOST:9464", "localhost:9464", true],
    ["http://[::1]:9464", "[::1]:9464", true],
    ["http://evil.example", "localhost:9464", false],
    ["http://localhost:8080", "localhost:9464", false],
    ["null", "localhost:9464", false],
    ["", "localhost:9464", false],
    ["http://", "localhost:9464", false],
  ] as const;
  for (const [origin, host, isOwn] of cases) {
    test(`"${origin}" is ${isOwn ? "the own one" : "another site's"} at ${host}`, () => {
      assert.equal(refuseForeign(HERE, { ...NONE, host, origin })?.status ?? null, isOwn ? null : 403);
    });
  }
});

describe("the token of the API", () => {
  const rules = { host: "0.0.0.0", token: TOKEN };
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;
  for (const authorization of [
    `Bearer ${TOKEN}`,
    `bearer ${TOKEN}`,
    `BEARER  ${TOKEN} `,
    basic(`admin:${TOKEN}`),
    basic(`:${TOKEN}`),
  ]) {
    test(`is taken from "${authorization}"`, () => {
      assert.equal(refuseUnauthorized(rules, { ...NONE, authorization }), null);
    });
  }
  for (const authorization of [
    undefined,
    "",
    TOKEN,
    "Bearer",
    "Bearer ",
    "Bearer wrong",
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer x ${TOKEN}`,
    `Digest ${TOKEN}`,
    basic(TOKEN),
    basic(`${TOKEN}:`),
    basic(`admin:${TOKEN}:x`),
    "Basic !!!",
  ]) {
    test(`is not found in "${authorization}"`, () => {
      assert.equal(refuseUnauthorized(rules, { ...NONE, authorization })?.status, 401);
    });
  }

  test("that contains a colon works as the password of Basic", () => {
    assert.equal(
      refuseUnauthorized({ host: "::1", token: "a:b" }, { ...NONE, authorization: basic("admin:a:b") }),
      null,
    );
  });

  test("is asked for on loopback too once it is set", () => {
    assert.equal(refuseUnauthorized({ host: "127.0.0.1", token: TOKEN }, NONE)?.status, 401);
  });

  test("that is not set leaves the API open on loopback and shut elsewhere", () => {
    assert.equal(refuseUnauthorized(HERE, NONE), null);
    assert.equal(refuseUnauthorized({ host: "::1", token: null }, NONE), null);
    for (const host of ["0.0.0.0", "::", "10.0.0.1", "gateway.example", "127.example"]) {
      assert.equal(refuseUnauthorized({ host, token: null }, NONE)?.status, 403, host);
    }
  });
});
