import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { OpenfaasSource } from '@asyncfn/queue-core/functions';

/** A function as an OpenFaaS lists it. */
export interface ListedFunction {
  readonly name: string;
  /** Undefined if that OpenFaaS knows no namespaces. */
  readonly namespace: string | undefined;
  readonly annotations: Readonly<Record<string, unknown>>;
}

/** Of one request, in milliseconds. */
const timeoutMs = 10_000;
/** Some hundred thousand functions. */
const maxBytes = 64 * 1024 * 1024;
/** What gateways without namespaces answer. */
const withoutNamespaces: ReadonlySet<number> = new Set([404, 405, 501]);

/**
 * Lists the functions in all namespaces of an OpenFaaS. Rejects, with a reason for the log, unless it has all of them: half
 * a list would pause the other half.
 * @param functionsFile the path of the file that names it: a relative `tokenFile` starts at its folder
 * @see https://docs.openfaas.com/reference/rest-api/
 */
export async function listFunctions(
  source: OpenfaasSource,
  functionsFile: string,
  signal: AbortSignal,
): Promise<ListedFunction[]> {
  const headers = await credentialsOf(source, functionsFile);
  const ask = async (path: string): Promise<{ readonly status: number; readonly content: unknown }> => {
    const { response, text } = await get(`${source.url}${path}`, headers, signal).catch((error: unknown) => {
      throw new ListError(`GET ${path}: ${reasonOf(error)}`, { cause: error });
    });
    return { status: response.status, content: response.ok ? parseJson(text, path) : undefined };
  };
  const listed: ListedFunction[] = [];
  for (const namespace of toNamespaces(await ask('/system/namespaces'))) {
    const query = namespace === undefined ? '' : `?namespace=${encodeURIComponent(namespace)}`;
    const path = `/system/functions${query}`;
    const { status, content } = await ask(path);
    if (content === undefined) {
      throw new ListError(`GET ${path}: ${describeStatus(status)}`);
    }
    listed.push(...toFunctions(content, path, namespace));
  }
  return listed;
}

/** Why there is no list. The message says everything: loggers omit the stack. */
class ListError extends Error {
  override readonly name = 'ListError';
  readonly expected = true;
}

async function get(url: string, headers: Record<string, string>, signal: AbortSignal) {
  const response = await fetch(url, {
    headers,
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  });
  return { response, text: await readText(response) };
}

/** Fetch says only that it failed; its cause knows why, and has a code alone if several addresses failed. */
function reasonOf(error: unknown): string {
  const cause: unknown = error instanceof TypeError && error.cause !== undefined ? error.cause : error;
  if (!(cause instanceof Error)) {
    return 'no answer';
  }
  return cause.message !== '' ? cause.message : 'code' in cause ? String(cause.code) : cause.name;
}

/** Read each time, because a mounted secret changes. */
async function credentialsOf(
  { user, tokenFile }: OpenfaasSource,
  functionsFile: string,
): Promise<Record<string, string>> {
  if (tokenFile === undefined) {
    return {};
  }
  const password = (await readFile(resolve(dirname(functionsFile), tokenFile), 'utf8')).trim();
  return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) {
      throw new Error(`the answer has more than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new ListError(`GET ${path}: the answer is not JSON; is this the gateway of an OpenFaaS?`);
  }
}

/** Undefined for all functions of an OpenFaaS without namespaces. */
function toNamespaces({ status, content }: { status: number; content: unknown }): (string | undefined)[] {
  if (withoutNamespaces.has(status)) {
    return [undefined];
  }
  if (!Array.isArray(content) || !content.every((each) => typeof each === 'string')) {
    throw new ListError(
      `GET /system/namespaces: ${content === undefined ? describeStatus(status) : 'is no list of names'}`,
    );
  }
  return content.length === 0 ? [undefined] : content;
}

function toFunctions(content: unknown, path: string, namespace: string | undefined): ListedFunction[] {
  if (!Array.isArray(content)) {
    throw new ListError(`GET ${path}: the answer is no list of functions`);
  }
  return content.map((each: unknown) => {
    const { name, namespace: own, annotations } = isMap(each) ? each : {};
    if (typeof name !== 'string') {
      throw new ListError(`GET ${path}: the answer has a function without a name`);
    }
    const named = typeof own === 'string' && own !== '' ? own : namespace;
    return { name, namespace: named, annotations: isMap(annotations) ? annotations : {} };
  });
}

function describeStatus(status: number): string {
  return status === 401 || status === 403 ? `${status}: are user and tokenFile those of this OpenFaaS?` : `${status}`;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
