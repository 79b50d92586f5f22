import { request } from '../api/index.ts';

export interface Result {
  /** The function's own status. */
  readonly status: string;
  readonly headers: readonly (readonly [string, string])[];
  /** The beginning of the body. */
  readonly bytes: Uint8Array;
  readonly isWhole: boolean;
}

/** Bytes of a body that the page reads to show them. */
export const mostBytes = 256 * 1_024;

/** Headers of the gateway's answer that are not the function's. */
const ofGateway: ReadonlySet<string> = new Set([
  'cache-control',
  'connection',
  'content-length',
  'content-security-policy',
  'cross-origin-resource-policy',
  'date',
  'keep-alive',
  'x-call-id',
  'x-content-type-options',
  'x-function-status',
]);

/** @throws ApiProblem if there is none: `result_gone` says why */
export async function readResult(path: string, signal: AbortSignal): Promise<Result> {
  const response = await request(path, { signal });
  const { bytes, isWhole } = await readBeginning(response, mostBytes);
  return {
    status: response.headers.get('x-function-status') ?? '',
    headers: [...response.headers].filter(([name]) => !ofGateway.has(name)),
    bytes,
    isWhole,
  };
}

async function readBeginning(response: Response, most: number) {
  const reader = response.body?.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  let isWhole = reader === undefined;
  while (reader !== undefined && !isWhole && length <= most) {
    const { done, value } = await reader.read();
    isWhole = done;
    parts.push(value ?? new Uint8Array());
    length += value?.length ?? 0;
  }
  await reader?.cancel();
  const bytes = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
  return { bytes: bytes.subarray(0, most), isWhole: isWhole && length <= most };
}

/**
 * Saves a result as a file. Its type is that of any bytes: a browser that opened it would not run it.
 *
 * @param name of the file
 */
export async function download(path: string, name: string): Promise<void> {
  const response = await request(path);
  const url = URL.createObjectURL(new Blob([await response.arrayBuffer()], { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
