/** What the client library is told: a connection for its owner to use once, in which it makes no packet that it was not asked for. */
import type { IClientOptions } from "mqtt";
import type { ConnectionOptions } from "./connection-options.ts";

/** `nextId`: the packet identifier of each SUBSCRIBE and UNSUBSCRIBE. */
export function libraryOptions(options: ConnectionOptions, nextId: () => number | null): IClientOptions {
  const { dialect, clientId, clean, username, password, will, keepAliveSeconds } = options;
  const { expirySeconds, maximumPacketSize, receiveMaximum, connackTimeoutMs } = options;
  const connectProperties = {
    receiveMaximum,
    ...(expirySeconds === 0 ? {} : { sessionExpiryInterval: expirySeconds }),
    ...(maximumPacketSize === null ? {} : { maximumPacketSize }),
  };
  let lastId: number | null = null;
  return {
    protocolVersion: dialect.version,
    clientId,
    clean,
    keepalive: keepAliveSeconds,
    connectTimeout: connackTimeoutMs,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    messageIdProvider: {
      allocate: () => {
        lastId = nextId();
        return lastId;
      },
      getLastAllocated: () => lastId,
      register: () => true,
      deallocate: ignore,
      clear: ignore,
    },
    ...(dialect.version === 5 ? { properties: connectProperties } : {}),
    // The library takes no password without a name, which MQTT 5 allows (3.1.2.8): an empty name is one.
    ...(username === null && password === null ? {} : { username: username ?? "" }),
    ...(password === null ? {} : { password }),
    ...(will === null ? {} : { will: { ...will, payload: toBuffer(will.payload), retain: false } }),
  };
}

/** The same bytes, not a copy. */
function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function ignore(): void {}
