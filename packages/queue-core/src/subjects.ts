import { isCallId } from './call.ts';
import { type FunctionName, isNamePart, parseFunctionName } from './function-name.ts';

/**
 * The subject token for "no namespace". It cannot collide with a namespace that a caller names, because `~` is not
 * in the alphabet of names.
 */
const noNamespace = '~';

/** Where a call stands in its stream: ready to be taken, or waiting for its time (a delay, a retry). */
type Readiness = 'ready' | 'later';

/** What a subject of a CALLS stream says. */
export interface CallSubject {
  readonly queue: string;
  readonly readiness: Readiness;
  readonly function: string;
  readonly callId: string;
}

/** As `CallSubject`, with `*` for what may be anything. */
export interface CallPattern {
  readonly queue: string;
  readonly readiness: Readiness | '*';
  readonly function: string;
  readonly callId: string;
}

/** `calls.<queue>.<ready|later>.<namespace>.<name>.<callId>`: throws where a part could break out of its token (P7). */
export function callSubject({ queue, readiness, function: name, callId }: CallSubject): string {
  return `calls.${checkedPart(queue)}.${readiness}.${functionTokens(name)}.${checkedCallId(callId)}`;
}

/**
 * The subjects of all calls that fit. Built token by token, never by editing a subject: any name may be `ready` or
 * `later`. Throws as `callSubject` does.
 */
export function callPattern({ queue, readiness, function: name, callId }: CallPattern): string {
  const functions = name === '*' ? '*.*' : functionTokens(name);
  return `calls.${checkedPart(queue)}.${readiness}.${functions}.${callId === '*' ? '*' : checkedCallId(callId)}`;
}

/** The subjects of all calls of one function that are ready: the filter of its consumer. Throws for `*`, which is none. */
export function functionFilter(queue: string, functionName: string): string {
  return `calls.${checkedPart(queue)}.ready.${functionTokens(functionName)}.*`;
}

/** The subjects of all calls that wait for their time, of a queue or of one function in it. */
export function scheduledFilter(queue: string, functionName = '*'): string {
  return callPattern({ queue, readiness: 'later', function: functionName, callId: '*' });
}

/** The subjects of a call of this id, of whatever function and wherever it stands in its queue. */
export function callFilter(queue: string, callId: string): string {
  return callPattern({ queue, readiness: '*', function: '*', callId: checkedCallId(callId) });
}

/** `calls.<queue>.key.<hash>`: where an idempotency key is remembered, next to its call. */
export function keySubject(queue: string, hash: string): string {
  if (!/^[0-9a-f]{64}$/.test(hash)) {
    throw new TypeError('an idempotency key stands in a subject as its SHA-256 in hex');
  }
  return `calls.${checkedPart(queue)}.key.${hash}`;
}

/** The subjects of all calls of a queue, or of one function in it, ready or not. */
export function waitingFilter(queue: string, functionName = '*'): string {
  return callPattern({ queue, readiness: '*', function: functionName, callId: '*' });
}

/** The subjects that the stream of a queue holds. */
export function queueSubjects(queue: string): string[] {
  const ready = callPattern({ queue, readiness: 'ready', function: '*', callId: '*' });
  return [ready, scheduledFilter(queue), `calls.${queue}.key.*`];
}

/** The stream of a queue. */
export function queueStream(queue: string): string {
  return `CALLS_${checkedPart(queue)}`;
}

/** The reverse of `queueStream`; undefined for a stream that is not ours. */
export function streamQueue(stream: string): string | undefined {
  const queue = stream.startsWith('CALLS_') ? stream.slice('CALLS_'.length) : '';
  return isNamePart(queue) ? queue : undefined;
}

/** The durable consumer of a function: `NAME`, or `NAME@NAMESPACE` since a consumer's name has no dots. */
export function functionConsumer(functionName: string): string {
  const { name, namespace } = checkedName(functionName);
  return namespace === undefined ? name : `${name}@${namespace}`;
}

/** The reverse of `functionConsumer`; undefined for a consumer that is not ours. */
export function consumerFunction(consumer: string): string | undefined {
  const text = consumer.replace('@', '.');
  return parseFunctionName(text) && !consumer.includes('.') ? text : undefined;
}

/** The reverse of `callSubject`; undefined for a subject that is not ours. */
export function parseCallSubject(subject: string): CallSubject | undefined {
  const [root, queue, readiness, namespace, name, callId, ...rest] = subject.split('.');
  if (root !== 'calls' || (readiness !== 'ready' && readiness !== 'later') || rest.length > 0) {
    return undefined;
  }
  if (queue === undefined || namespace === undefined || name === undefined || callId === undefined) {
    return undefined;
  }
  return { queue, readiness, callId, function: namespace === noNamespace ? name : `${name}.${namespace}` };
}

function functionTokens(functionName: string): string {
  const { name, namespace } = checkedName(functionName);
  return `${namespace ?? noNamespace}.${name}`;
}

function checkedCallId(callId: string): string {
  if (!isCallId(callId)) {
    throw new TypeError('a call id must match [A-Za-z0-9_-]{1,128}');
  }
  return callId;
}

function checkedName(text: string): FunctionName {
  const parsed = parseFunctionName(text);
  if (parsed === undefined) {
    throw new TypeError('a function name must be NAME or NAME.NAMESPACE, each [A-Za-z0-9_-]{1,63}');
  }
  return parsed;
}

function checkedPart(queue: string): string {
  if (!isNamePart(queue)) {
    throw new TypeError('a queue must match [A-Za-z0-9_-]{1,63}');
  }
  return queue;
}
