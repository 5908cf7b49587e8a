/** Why a connection could not be opened, in words an operator can act on. Translates what Node and `ws` say; decides nothing. */

export interface DialProblem {
  /** `refused`: something answered and said no; `tls`: the handshake failed. */
  readonly kind: "unreachable" | "refused" | "tls";
  /** A sentence fragment with the address in it; no secrets. */
  readonly reason: string;
}

/** What OpenSSL and Node call the failures of a certificate (the codes of `X509_verify_cert_error_string`). */
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  "CERT_CHAIN_TOO_LONG",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_REJECTED",
  "CERT_REVOKED",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "HOSTNAME_MISMATCH",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** Node's own, an alert's, and OpenSSL's about a key or certificate of ours that it cannot read. */
const TLS_CODE = /^ERR_(?:TLS|SSL|OSSL)_/;

/** `ws` reports a plain HTTP answer to its upgrade request with this text. */
const HTTP_ANSWER = /^Unexpected server response: (\d{3})$/;

/** `address`: host and port as the operator wrote them. */
export function dialProblem(error: Error, address: string): DialProblem {
  const code = codeOf(error);
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_NONAME":
    case "EAI_NODATA":
      return { kind: "unreachable", reason: `unknown host in ${address} (${code})` };
    case "ECONNREFUSED":
      return { kind: "unreachable", reason: `connection refused by ${address}` };
    case "ETIMEDOUT":
      return { kind: "unreachable", reason: `no answer from ${address}` };
    case "ECONNRESET":
      return { kind: "unreachable", reason: `connection reset by ${address}` };
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return { kind: "unreachable", reason: `no route to ${address} (${code})` };
  }
  if (isTlsFailure(code)) {
    return { kind: "tls", reason: `TLS with ${address} failed: ${error.message.trim()} (${code})` };
  }
  const status = HTTP_ANSWER.exec(error.message)?.[1];
  if (status !== undefined) {
    const kind = status === "401" || status === "403" ? "refused" : "unreachable";
    return { kind, reason: `${address} answered HTTP ${status} instead of a WebSocket` };
  }
  return {
    kind: "unreachable",
    reason: `${address}: ${error.message === "" ? (code ?? error.name) : error.message}`,
  };
}

/** Also true for an alert that arrives after the handshake: TLS 1.3 refuses a client's certificate that late. */
export function isTlsFailure(code: string | null): boolean {
  if (code === null) return false;
  return CERTIFICATE_CODES.has(code) || code === "EPROTO" || TLS_CODE.test(code);
}

/** The system's own code of an error. Several addresses that all failed come in one error without a text. */
export function codeOf(error: Error): string | null {
  if ("code" in error && typeof error.code === "string") return error.code;
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return first instanceof Error ? codeOf(first) : null;
}
