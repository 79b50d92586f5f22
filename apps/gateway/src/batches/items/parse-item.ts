import { validateHeaderName, validateHeaderValue } from 'node:http';
import { parseFunctionName } from '@asyncfn/queue-core';
import { type Refusal, refusal } from '../../problem.ts';

/** An item as the request for the single call that it describes. */
export interface BatchItemRequest {
  readonly kind: 'item';
  /** The target of the request. */
  readonly url: string;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

const members: ReadonlySet<string> = new Set(['function', 'path', 'headers', 'body', 'bodyBase64', 'json']);
const bodies = ['body', 'bodyBase64', 'json'] as const;

type Fields = Readonly<Record<string, unknown>>;

/** Reads an item. Says what is wrong with it, and never quotes it (P9). */
export function parseItem(text: string): BatchItemRequest | Refusal {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return invalid('It is not JSON.');
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    return invalid('It must be an object, such as {"function":"hash","body":"text"}.');
  }
  return readItem(fields as Fields);
}

function readItem(fields: Fields): BatchItemRequest | Refusal {
  const { function: name, path = '' } = fields;
  if (Object.keys(fields).some((member) => !members.has(member))) {
    return invalid(`It has an unknown member. It may have ${[...members].join(', ')}.`);
  }
  if (typeof name !== 'string' || parseFunctionName(name) === undefined) {
    return refusal(
      'invalid_function_name',
      '"function" must be NAME or NAME.NAMESPACE, each 1 to 63 letters, digits, hyphens and underscores.',
    );
  }
  if (typeof path !== 'string' || !/^([/?]|$)/.test(path)) {
    return refusal('invalid_path', '"path" must begin with a slash, or with a question mark for a query alone.');
  }
  const headers = readHeaders(fields['headers']);
  if ('kind' in headers) {
    return headers;
  }
  const body = readBody(fields);
  if ('kind' in body) {
    return body;
  }
  const isJson = fields['json'] !== undefined;
  const typed = isJson && !has(headers, 'content-type') ? [...headers, 'Content-Type', 'application/json'] : headers;
  return { kind: 'item', url: `/async-function/${name}${path}`, rawHeaders: typed, body };
}

function readHeaders(headers: unknown = {}): string[] | Refusal {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    return invalid('"headers" must be an object of strings.');
  }
  const raw: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    for (const each of [value].flat()) {
      if (typeof each !== 'string' || !isHeader(name, each)) {
        return invalid(
          '"headers" must have names and values that HTTP allows; a value is a string, or an array of them.',
        );
      }
      raw.push(name, each);
    }
  }
  return raw;
}

/** Characters that node's parser would accept. */
function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}

function readBody(fields: Fields): Buffer | Refusal {
  const given = bodies.filter((member) => fields[member] !== undefined);
  if (given.length > 1) {
    return invalid(`It may have one of ${bodies.join(', ')}.`);
  }
  const { body, bodyBase64, json } = fields;
  if (json !== undefined) {
    return writeJson(json);
  }
  if (bodyBase64 !== undefined) {
    return typeof bodyBase64 === 'string' && base64.test(bodyBase64) && bodyBase64.length % 4 === 0
      ? Buffer.from(bodyBase64, 'base64')
      : invalid('"bodyBase64" must be a string in base64 (RFC 4648, 4).');
  }
  if (body !== undefined && typeof body !== 'string') {
    return invalid('"body" must be a string; for other values use "json".');
  }
  return Buffer.from(body ?? '');
}

/** Values are written recursively, and read without a limit of their depth. */
function writeJson(value: unknown): Buffer | Refusal {
  try {
    return Buffer.from(JSON.stringify(value));
  } catch {
    return invalid('"json" is nested too deeply. Send it as "body", with a Content-Type among the headers.');
  }
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

function has(rawHeaders: readonly string[], name: string): boolean {
  return rawHeaders.some((each, at) => at % 2 === 0 && each.toLowerCase() === name);
}

function invalid(detail: string): Refusal {
  return refusal('invalid_batch_item', detail);
}
