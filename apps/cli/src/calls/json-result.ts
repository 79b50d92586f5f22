import type { CallResult } from '@asyncfn/client';

/** The response of a function in JSON: its body as text if it is UTF-8, else in Base64. */
export function toJsonResult({ status, headers, body }: CallResult): Record<string, unknown> {
  return { status, headers: Object.fromEntries(headers), ...toJsonBody(body) };
}

function toJsonBody(body: Uint8Array): { body: string } | { bodyBase64: string } {
  try {
    return { body: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body) };
  } catch {
    return { bodyBase64: Buffer.from(body).toString('base64') };
  }
}
