import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { READINGS_MAX } from "../../src/broker/mosquitto-log.ts";
import { MosquittoRig } from "./mosquitto-rig.ts";

function connected(...clients: string[]): MosquittoRig {
  const rig = new MosquittoRig().ready();
  for (const client of clients) rig.connect(client);
  rig.sink.take();
  return rig;
}

describe("subscribe lines", () => {
  test("a known id decides between two readings", () => {
    const rig = connected("X 1 evil/topic");
    rig.sub("X 1 evil/topic 2 real/topic");
    assert.deepEqual(rig.sink.take(), ["+X 1 evil/topic real/topic"]);
    const other = connected("X");
    other.sub("X 1 evil/topic 2 real/topic");
    assert.deepEqual(other.sink.take(), ["+X evil/topic 2 real/topic"]);
    assert.deepEqual([...rig.sink.oddities, ...other.sink.oddities], []);
  });

  test("two known ids leave both readings, and neither proves anything", () => {
    const rig = connected("X", "X 1 evil/topic");
    rig.sub("X 1 evil/topic 2 real/topic");
    assert.deepEqual(rig.sink.take(), ["+X evil/topic 2 real/topic ?", "+X 1 evil/topic real/topic ?"]);
    assert.deepEqual(rig.sink.oddities, ["ambiguous"]);
  });

  test("without a known id a single valid reading is certain, and several are all kept as uncertain", () => {
    const rig = connected();
    rig.sub("a 1 b 2 c/#/d 0 e");
    assert.deepEqual(rig.sink.take(), ["+a 1 b 2 c/#/d e"]);
    rig.sub("a 1 b 2 c");
    assert.deepEqual(rig.sink.take(), ["+a b 2 c ?", "+a 1 b c ?"]);
  });

  test("an unknown id with one reading is certain: we came late, and nobody says what becomes of its session", () => {
    const rig = connected();
    rig.sub("late 1 a/b");
    rig.sub("late 0 a/c");
    assert.deepEqual(rig.sink.take(), ["+late a/b", "+late a/c"]);
  });

  test("ids and filters with odd spaces keep them", () => {
    const rig = connected(" lead", "trail ", "two  spaces");
    rig.sub(" lead 1 x");
    rig.sub("trail  1 x");
    rig.sub("two  spaces 2  lead/trail ");
    assert.deepEqual(rig.sink.take(), ["+ lead x", "+trail  x", "+two  spaces  lead/trail "]);
  });

  test("a line without a valid reading makes the table incomplete", () => {
    for (const line of ["", " ", "a", "a 3 b", "a 1", "a 1 ", "a 1 b/#/c", "a 1 b+", " 1 x", "a 1 $share/g"]) {
      const rig = connected("a");
      rig.sub(line);
      assert.deepEqual(rig.sink.take(), ["gap events_unparsable"], line);
      assert.deepEqual(rig.sink.oddities, ["unparsable"], line);
    }
  });

  test("more readings than anybody needs make the table incomplete instead of filling it", () => {
    const rig = connected();
    rig.sub(`a${" 1 b".repeat(READINGS_MAX)}`);
    assert.equal(rig.sink.take().length, READINGS_MAX);
    rig.sub(`a${" 1 b".repeat(READINGS_MAX + 1)}`);
    assert.deepEqual(rig.sink.take(), ["gap events_unparsable"]);
  });
});

describe("unsubscribe lines", () => {
  test("a known id decides; two known ids or none remove nothing for certain", () => {
    const rig = connected("a b");
    rig.unsub("a b c d");
    assert.deepEqual(rig.sink.take(), ["-a b c d"]);
    rig.connect("a");
    rig.sink.take();
    rig.unsub("a b c d");
    assert.deepEqual(rig.sink.take(), ["-a b c d ?", "-a b c d ?"]);
    rig.unsub("x y z");
    assert.deepEqual(rig.sink.take(), ["-x y z ?", "-x y z ?"]);
    rig.unsub("late a/b");
    assert.deepEqual(rig.sink.take(), ["-late a/b"]);
  });

  test("a client that has gone is no candidate any more", () => {
    const rig = connected("a", "a b");
    rig.notice("Client a disconnected.");
    rig.sink.take();
    rig.unsub("a b c");
    assert.deepEqual(rig.sink.take(), ["-a b c"]);
  });
});

describe("cut lines", () => {
  const cutAt = (line: string): string => line.slice(0, 999);

  test("the whole levels of a cut filter cover it, and prove nothing", () => {
    const rig = connected("c");
    rig.sub(cutAt(`c 1 a/b/${"x".repeat(1200)}/END`));
    rig.sub(cutAt(`c 1 $share/g/a/${"x".repeat(1200)}`));
    rig.sub(cutAt(`c 1 $share/${"g".repeat(1200)}/a`));
    rig.sub(cutAt(`c 1 ${"x".repeat(1200)}/a`));
    assert.deepEqual(rig.sink.take(), ["+c a/b/# ?", "+c $share/g/a/# ?", "+c # ?", "+c # ?"]);
    assert.deepEqual(rig.sink.oddities, ["cut", "cut", "cut", "cut"]);
  });

  test("a cut unsubscribe removes nothing", () => {
    const rig = connected("c");
    rig.unsub(cutAt(`c a/b/${"x".repeat(1200)}`));
    assert.deepEqual(rig.sink.take(), ["-c a/b/# ?"]);
  });

  test("997 bytes are a whole line, 998 may not be", () => {
    const rig = connected("c");
    const whole = `c 1 a/${"x".repeat(997 - 6)}`;
    rig.sub(whole);
    rig.sub(`${whole}x`);
    assert.deepEqual(rig.sink.take(), [`+c ${whole.slice(4)}`, "+c a/# ?"]);
  });

  test("a character cut in two is left out", () => {
    for (const pad of [0, 1, 2, 3]) {
      const rig = connected("c");
      const bytes = Buffer.from(`c 1 a/${"x".repeat(pad)}${"😀".repeat(300)}`).subarray(0, 999);
      rig.raw("$SYS/broker/log/M/subscribe", bytes);
      assert.deepEqual(rig.sink.take(), ["+c a/# ?"]);
    }
  });

  test("an id longer than the line may be anybody's: the table is incomplete", () => {
    const rig = connected();
    rig.sub(cutAt(`a 1 b/${"x".repeat(1200)} 1 real`));
    assert.deepEqual(rig.sink.take(), ["gap events_unparsable", "+a b/# ?"]);
    rig.sub(cutAt("x".repeat(1200)));
    assert.deepEqual(rig.sink.take(), ["gap events_unparsable"]);
  });

  test("a cut connect line makes the rows it may have wiped doubtful, and no others", () => {
    const long = "x".repeat(930);
    const rig = connected("short", "x".repeat(320), "other");
    rig.notice(`New client connected from ::1:1 as ${long} (p2, c0, k60).`);
    const far = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff:65535";
    const again = (): void => {
      rig.notice(cutAt(`New client connected from ${far} as ${long} (p2, c1, k60).`));
      rig.notice(cutAt(`New client connected from ::1:1 as short (p2, c1, k60, u'${"u".repeat(1000)}').`));
    };
    rig.sink.take();
    // Who is connected does not connect.
    again();
    assert.deepEqual(rig.sink.take(), []);
    rig.notice(`Client ${long} disconnected.`);
    rig.error("Client short already connected, closing old connection.");
    rig.sink.take();
    again();
    assert.deepEqual(rig.sink.take(), [`down ${long}`, "down short"]);
  });

  test("a cut connect line may be anybody's when there are too many names as long as a line", () => {
    const rig = new MosquittoRig({ clientsMax: 2_000 }).ready();
    const cut = cutAt(`New client connected from ::1:1 as ${"y".repeat(1000)} (p2, c1, k60).`);
    for (let count = 1; count <= 1_024; count += 1) {
      if (count === 1_024) rig.notice(cut);
      rig.sub(`${"x".repeat(300)}${count} 1 f`);
    }
    assert.ok(!rig.sink.take().includes("gap events_unparsable"));
    rig.notice(cut);
    assert.deepEqual(rig.sink.take(), ["gap events_unparsable"]);
  });

  test("a cut notice ends nobody", () => {
    const id = "y".repeat(999 - "Client ".length - " disconnected.".length);
    const rig = connected(id);
    rig.notice(`Client ${id} disconnected.`);
    assert.deepEqual(rig.sink.take(), []);
  });
});

describe("takeovers", () => {
  test("2.0: an E line ends the old connection, then the new one begins", () => {
    const rig = connected("c");
    rig.error("Client c already connected, closing old connection.");
    rig.connect("c", "p2, c0, k60");
    rig.sub("c 1 x");
    rig.notice("Client c closed its connection.");
    assert.deepEqual(rig.sink.take(), ["down c", "up c kept stays", "+c x", "down c"]);
  });

  test("later versions print no E line, and print the end also for an offline session", () => {
    const rig = connected();
    rig.notice("Client v5rk disconnected, session taken over.");
    rig.connect("v5rk", "p5, c0, k60");
    rig.sub("v5rk 1 x");
    assert.deepEqual(rig.sink.take(), ["down v5rk", "up v5rk kept ?", "+v5rk x"]);
  });

  const overWebSocket = (rig: MosquittoRig, client: string, port: number): void => {
    rig.notice(`New client connected from ::ffff:127.0.0.1:${port} as ${client} (p2, c1, k60).`);
  };
  const takeOver = (rig: MosquittoRig, client: string): void => {
    rig.error(`Client ${client} already connected, closing old connection.`);
  };

  test("a WebSocket taken over owes one close line, whatever came after it", () => {
    const rig = connected();
    overWebSocket(rig, "ws", 1);
    takeOver(rig, "ws");
    rig.connect("ws");
    rig.sub("ws 1 x");
    rig.sink.take();
    rig.notice("Client ws closed its connection.");
    assert.deepEqual(rig.sink.take(), []);
    rig.notice("Client ws closed its connection.");
    assert.deepEqual(rig.sink.take(), ["down ws"]);
  });

  test("two takeovers owe two close lines", () => {
    const rig = connected();
    overWebSocket(rig, "ws", 1);
    takeOver(rig, "ws");
    overWebSocket(rig, "ws", 2);
    takeOver(rig, "ws");
    overWebSocket(rig, "ws", 3);
    rig.sink.take();
    for (const _ of [1, 2]) rig.notice("Client ws closed its connection.");
    assert.deepEqual(rig.sink.take(), []);
    rig.notice("Client ws closed its connection.");
    assert.deepEqual(rig.sink.take(), ["down ws"]);
  });

  test("a TCP connection taken over owes none, and a clean DISCONNECT is never stale", () => {
    const rig = connected("c");
    takeOver(rig, "c");
    overWebSocket(rig, "c", 1);
    rig.sink.take();
    rig.notice("Client c closed its connection.");
    assert.deepEqual(rig.sink.take(), ["down c"]);
    overWebSocket(rig, "c", 2);
    takeOver(rig, "c");
    overWebSocket(rig, "c", 3);
    rig.sink.take();
    rig.notice("Client c disconnected.");
    assert.deepEqual(rig.sink.take(), ["down c"]);
  });

  test("an IPv4-mapped address that was announced as a connection is TCP", () => {
    const rig = connected();
    rig.notice("New connection from ::ffff:127.0.0.1:9 on port 1883.");
    overWebSocket(rig, "c", 9);
    takeOver(rig, "c");
    rig.connect("c");
    rig.sink.take();
    rig.notice("Client c closed its connection.");
    assert.deepEqual(rig.sink.take(), ["down c"]);
  });

  test("a stale close that comes before the new connection's line swallows nothing later", () => {
    const rig = connected();
    overWebSocket(rig, "ws", 1);
    takeOver(rig, "ws");
    rig.notice("Client ws closed its connection.");
    overWebSocket(rig, "ws", 2);
    rig.sink.take();
    rig.notice("Client ws closed its connection.");
    assert.deepEqual(rig.sink.take(), ["down ws"]);
  });

  test("a close long after the takeover is the real end", () => {
    const rig = connected();
    overWebSocket(rig, "ws", 1);
    takeOver(rig, "ws");
    overWebSocket(rig, "ws", 2);
    rig.sink.take();
    rig.nowMs += 10_001;
    rig.notice("Client ws closed its connection.");
    assert.deepEqual(rig.sink.take(), ["down ws"]);
  });
});

describe("the limit of remembered clients", () => {
  test("past it lines with one reading stay certain, others prove nothing, and the rest is counted", () => {
    const rig = new MosquittoRig({ clientsMax: 2 }).ready();
    rig.connect("a 1 b");
    assert.equal(rig.adapter.clients.refused, 0);
    rig.sub("a 1 b 2 c");
    assert.deepEqual(rig.sink.take(), ["up a 1 b clean dies", "+a 1 b c"]);
    rig.connect("over");
    rig.sub("over 1 x");
    rig.sub("a 1 b 2 c");
    assert.deepEqual(rig.sink.take(), ["up over clean dies", "+over x", "+a b 2 c ?", "+a 1 b c ?"]);
    assert.deepEqual([rig.adapter.clients.size, rig.adapter.clients.refused], [2, 3]);
    rig.connect("a", "p2, c1, k60, u'b (p2, c1, k60, u''");
    assert.deepEqual(rig.sink.take(), ["gap events_unparsable"]);
  });
});
