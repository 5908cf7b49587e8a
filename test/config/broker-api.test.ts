import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { configDiff } from "../../src/config/config-diff.ts";
import { describeConfig } from "../../src/config/describe.ts";
import { effectiveConfig } from "../../src/config/effective.ts";
import type { BrokerApiConfig } from "../../src/config/types.ts";
import { loaded, problemsOf, type Sources, warningsOf } from "./loading.ts";
import { CERTIFICATE, PRIVATE_KEY } from "./pem.ts";

const EMQX = { server: "mqtt://127.0.0.1:1883", broker: "emqx" } as const;
const API = { server: "http://127.0.0.1:18083", key: "k1", secret: "s1" } as const;
const FILES = { "conf/secret": "from a file\n", "conf/ca.pem": CERTIFICATE, "conf/own.key": PRIVATE_KEY };

function withApi(api: object, local: object = EMQX): Sources {
  return { file: { cluster: "a", local: { ...local, api } }, files: FILES };
}

function api(given: object): BrokerApiConfig | null {
  return loaded(withApi(given)).local.api;
}

describe("local.api", () => {
  test("is absent unless given, and complete when it is", () => {
    assert.equal(loaded({ file: { cluster: "a", local: EMQX } }).local.api, null);
    assert.deepEqual(api(API), {
      urls: ["http://127.0.0.1:18083"],
      key: "k1",
      secret: "s1",
      tls: null,
      pollIntervalMs: 30_000,
      timeoutMs: 15_000,
    });
    const { server, key } = API;
    assert.equal(api({ server, key, secret_file: "secret" })?.secret, "from a file");
  });

  test("comes from the environment too", () => {
    const env = {
      BROKERLINK_LOCAL__API__SERVER: "http://127.0.0.1:1",
      BROKERLINK_LOCAL__API__KEY: "k",
      BROKERLINK_LOCAL__API__SECRET: "s",
      BROKERLINK_LOCAL__API__POLL_INTERVAL: "5s",
    };
    const { local } = loaded({ file: { cluster: "a", local: EMQX }, env });
    assert.deepEqual([local.api?.urls, local.api?.pollIntervalMs], [["http://127.0.0.1:1"], 5_000]);
  });

  test("addresses: a list, the port of EMQX's dashboard, the path of a proxy", () => {
    const urls = (server: unknown): readonly string[] | undefined => api({ ...API, server })?.urls;
    assert.deepEqual(urls(["http://n1", "http://n2:80/", "http://[::1]"]), [
      "http://n1:18083",
      "http://n2:80",
      "http://[::1]:18083",
    ]);
    assert.deepEqual(urls("https://h"), ["https://h:18084"]);
    assert.deepEqual(urls("https://h:443/emqx/"), ["https://h:443/emqx"]);
  });

  test("addresses that are none", () => {
    const said = (server: unknown): string => problemsOf(withApi({ ...API, server })).join("\n");
    assert.match(said("http://user:pass@h"), /has a user name or password in it/);
    assert.doesNotMatch(said("http://user:pass@h"), /pass@/);
    assert.match(said("mqtt://h"), /begins with http/);
    assert.match(said("h:18083"), /begins with http/);
    assert.match(said("http://h/api/v5"), /leave it out/);
    assert.match(said("http://h?x=1"), /a character/);
    assert.match(said("http://h:99999"), /is no URL/);
    assert.match(said([]), /empty list/);
    assert.match(said(7), /must be a URL/);
    assert.match(said(["http://h", 7]), /local\.api\.server\[1\]: must be a URL/);
    assert.match(said(Array.from({ length: 17 }, () => "http://h")), /at most 16/);
    assert.match(said(""), /is empty/);
    assert.match(said(`http://${"h".repeat(2_100)}`), /longer/);
  });

  test("a part of it is a mistake, and so is another broker", () => {
    const { server, key, secret } = API;
    const needs = 'is missing: "local.api" needs server, key and secret_file';
    assert.deepEqual(problemsOf(withApi({ server, key })), [
      "local.api.secret_file: is missing: the API takes a key and its secret",
    ]);
    assert.deepEqual(problemsOf(withApi({ secret, key })), [`local.api.server: ${needs}`]);
    assert.deepEqual(problemsOf(withApi({ server, secret })), [`local.api.key: ${needs}`]);
    assert.deepEqual(problemsOf(withApi({ server, key: "k:s", secret })), [
      "local.api.key: has a colon, which no API key has: the secret is a key of its own",
    ]);
    assert.deepEqual(problemsOf(withApi({ server, key, secret_file: "nowhere" })).length, 1);
    assert.deepEqual(problemsOf(withApi(API, { ...EMQX, broker: "aedes" })), [
      'local.api: is only for "broker: emqx", and the broker is "aedes"',
    ]);
    assert.match(
      problemsOf(withApi({ ...API, url: "x", password: "p" })).join(),
      /is called server here.*is called secret/,
    );
  });

  test("TLS belongs to https", () => {
    const tls = api({ ...API, server: "https://h", ssl: { cacertfile: "ca.pem", verify: false } })?.tls;
    assert.deepEqual(tls, { ca: CERTIFICATE, cert: null, key: null, verify: false, servername: null });
    assert.deepEqual(problemsOf(withApi({ ...API, ssl: { cacertfile: "ca.pem" } })), [
      "local.api.ssl: is given, and http://127.0.0.1:18083 is no TLS address: use https://",
    ]);
    assert.deepEqual(problemsOf(withApi({ ...API, server: "https://h", ssl: { keyfile: "own.key" } })), [
      "local.api.ssl.keyfile: is given without certfile",
    ]);
  });

  test("surprises are said: a secret in the open, a certificate that is not looked at", () => {
    const far = warningsOf(withApi({ ...API, server: "http://far.example" })).join("\n");
    assert.match(far, /local\.api\.server: the secret travels to http:\/\/far\.example:18083/);
    assert.match(
      warningsOf(withApi({ ...API, server: "https://h", ssl: { verify: false } })).join("\n"),
      /local\.api\.ssl\.verify: false/,
    );
    assert.doesNotMatch(warningsOf(withApi(API)).join("\n"), /local\./);
  });

  test("its secret is never shown", () => {
    const config = loaded(withApi({ ...API, secret: "top-secret", server: "https://h" }));
    const shown = JSON.stringify(effectiveConfig(config)) + describeConfig(config).join("\n");
    assert.doesNotMatch(shown, /top-secret/);
    assert.match(shown, /"secret":"\*\*\*\*\*\*"/);
    assert.match(shown, /proven complete by its REST API at https:\/\/h:18084, as key "k1", every 30s/);
  });

  test("key, secret and certificates change while the agent runs; the rest needs a restart", () => {
    const before = loaded(withApi(API));
    const diff = (given: object): [needsRestart: readonly string[], keys: readonly string[]] => {
      const { needsRestart, keys } = configDiff(before, loaded(withApi(given)));
      return [needsRestart, keys];
    };
    assert.deepEqual(diff(API), [[], []]);
    assert.deepEqual(diff({ ...API, secret: "s2", key: "k2" }), [[], ["local.api.key", "local.api.secret"]]);
    assert.deepEqual(diff({ ...API, poll_interval: "60s", server: "http://h" }), [
      ["local.api.server", "local.api.poll_interval"],
      [],
    ]);
    assert.deepEqual(diff({ ...API, server: "https://127.0.0.1:18083" }), [
      ["local.api.server", "local.api.ssl.enable"],
      [],
    ]);
    const without = loaded({ file: { cluster: "a", local: EMQX } });
    assert.deepEqual(configDiff(before, without).needsRestart, ["local.api.server"]);
  });
});
