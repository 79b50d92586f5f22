import { addressTokens, type CallAddress, type CallIdentity, identityTokens, parseIdentity } from './call-identity.ts';
import { type FunctionName, isNamePart, parseFunctionName } from './function-name.ts';

/**
 * The subject token for "no namespace". It cannot collide with a namespace that a caller names, because `~` is not
 * in the alphabet of names.
 */
const noNamespace = '~';

/** In the place of id, submitter and start time. */
const anyCall = '*.*.*';

/**
 * Whether a call is ready to be taken, scheduled (a delay, a retry), or waits for the turn of its flow key. One of few values:
 * `*` finds a call in any of these places, and costs the broker as much as there are values.
 */
type Readiness = 'ready' | 'later' | 'wait';

const flowIdPattern = /^[A-Za-z0-9_-]{22}$/;

/** The lane of a subject of a CALLS stream. */
interface LaneSubject {
  readonly queue: string;
  readonly readiness: Readiness;
  readonly function: string;
}

/** The parts of a subject of a CALLS stream. */
export interface CallSubject extends LaneSubject, CallIdentity {}

/** As `CallSubject`, with `*` for any value. */
export interface CallPattern {
  readonly queue: string;
  readonly readiness: Readiness | '*';
  readonly function: string;
  readonly call: CallAddress | '*';
}

/**
 * `calls.<queue>.<ready|later>.<namespace>.<name>.<callId>.<submitter>.<startTime>`: throws if a part could break out
 * of its token (P7).
 */
export function callSubject(of: CallSubject): string {
  const readiness = checkedReadiness(of.readiness);
  return `calls.${checkedPart(of.queue)}.${readiness}.${functionTokens(of.function)}.${identityTokens(of)}`;
}

/**
 * The subjects of all matching calls. Built token by token, never by editing a subject: any name may be `ready` or
 * `later`. Throws as `callSubject` does.
 */
export function callPattern({ queue, readiness, function: name, call }: CallPattern): string {
  const functions = name === '*' ? '*.*' : functionTokens(name);
  const place = readiness === '*' ? '*' : checkedReadiness(readiness);
  return `calls.${checkedPart(queue)}.${place}.${functions}.${call === '*' ? anyCall : addressTokens(call)}`;
}

/** The subjects of all ready calls of one function: the filter of its consumer. Throws for `*`, which is not a name. */
export function functionFilter(queue: string, functionName: string): string {
  return `calls.${checkedPart(queue)}.ready.${functionTokens(functionName)}.${anyCall}`;
}

/** The subjects of all scheduled calls of a queue or of one function in it. */
export function scheduledFilter(queue: string, functionName = '*'): string {
  return callPattern({ queue, readiness: 'later', function: functionName, call: '*' });
}

/** The subjects of calls of this address, of any function, ready or scheduled. */
export function callFilter(queue: string, call: CallAddress): string {
  return callPattern({ queue, readiness: '*', function: '*', call });
}

/** `calls.<queue>.key.<hash>`: the record of an idempotency key, next to its call. */
export function keySubject(queue: string, hash: string): string {
  if (!/^[0-9a-f]{64}$/.test(hash)) {
    throw new TypeError('an idempotency key must be its SHA-256 in hex');
  }
  return `calls.${checkedPart(queue)}.key.${hash}`;
}

/**
 * `flows.<queue>.turn.<key>.<callId>.<submitter>.<startTime>`: the place of a waiting call in the order of its flow key. It does not
 * begin with `calls`: then the broker would walk all places whenever it looks for a call by its id.
 */
export function flowEntrySubject(queue: string, flowId: string, call: CallIdentity): string {
  return `flows.${checkedPart(queue)}.turn.${checkedFlowId(flowId)}.${identityTokens(call)}`;
}

/** The subjects of the places of a flow key. */
export function flowEntryFilter(queue: string, flowId: string): string {
  return `flows.${checkedPart(queue)}.turn.${checkedFlowId(flowId)}.${anyCall}`;
}

/** The call of a place; undefined for another subject. */
export function parseFlowEntry(subject: string): CallIdentity | undefined {
  const [root, , kind, , callId, owner, startTime, ...rest] = subject.split('.');
  return root === 'flows' && kind === 'turn' && rest.length === 0 ? parseIdentity(callId, owner, startTime) : undefined;
}

/** `flows.<queue>.flow.<key>`: the state of a flow key. `*` is that of all. */
export function flowStateSubject(queue: string, flowId: string): string {
  return `flows.${checkedPart(queue)}.flow.${flowId === '*' ? '*' : checkedFlowId(flowId)}`;
}

/** `flows.<queue>.notice.<key>`: turns of a flow key have to be given. `*` is that of all. */
export function flowNoticeSubject(queue: string, flowId: string): string {
  return `flows.${checkedPart(queue)}.notice.${flowId === '*' ? '*' : checkedFlowId(flowId)}`;
}

/** The subjects of all calls of a queue, or of one function in it, ready or not. */
export function waitingFilter(queue: string, functionName = '*'): string {
  return callPattern({ queue, readiness: '*', function: functionName, call: '*' });
}

/** The subjects that the stream of a queue holds. */
export function queueSubjects(queue: string): string[] {
  const calls = callPattern({ queue, readiness: '*', function: '*', call: '*' });
  const flows = [flowStateSubject(queue, '*'), flowNoticeSubject(queue, '*'), `flows.${queue}.turn.*.${anyCall}`];
  return [calls, `calls.${queue}.key.*`, ...flows];
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
  const { lane, identity } = readCallSubject(subject) ?? {};
  return lane && identity && { ...lane, ...identity };
}

/** As `parseCallSubject`, even if the call's identity is malformed; undefined for a subject of another kind. */
export function readCallSubject(
  subject: string,
): { readonly lane: LaneSubject; readonly identity: CallIdentity | undefined } | undefined {
  const [root, queue, readiness, namespace, name, callId, owner, startTime, ...rest] = subject.split('.');
  if (root !== 'calls' || readiness === undefined || !isReadiness(readiness)) {
    return undefined;
  }
  if (
    queue === undefined ||
    namespace === undefined ||
    name === undefined ||
    startTime === undefined ||
    rest.length > 0
  ) {
    return undefined;
  }
  const lane = { queue, readiness, function: namespace === noNamespace ? name : `${name}.${namespace}` } as const;
  return { lane, identity: parseIdentity(callId, owner, startTime) };
}

/** `<namespace>.<name>`: throws if a part could break out of its token (P7). */
export function functionTokens(functionName: string): string {
  const { name, namespace } = checkedName(functionName);
  return `${namespace ?? noNamespace}.${name}`;
}

function checkedName(text: string): FunctionName {
  const parsed = parseFunctionName(text);
  if (parsed === undefined) {
    throw new TypeError('a function name must be NAME or NAME.NAMESPACE, each [A-Za-z0-9_-]{1,63}');
  }
  return parsed;
}

function isReadiness(token: string): token is Readiness {
  return token === 'ready' || token === 'later' || token === 'wait';
}

function checkedReadiness(readiness: Readiness): Readiness {
  if (!isReadiness(readiness)) {
    throw new TypeError('a call is ready, later or waits');
  }
  return readiness;
}

function checkedFlowId(flowId: string): string {
  if (!flowIdPattern.test(flowId)) {
    throw new TypeError('the id of a flow key must be 22 characters of base64url');
  }
  return flowId;
}

function checkedPart(queue: string): string {
  if (!isNamePart(queue)) {
    throw new TypeError('a queue must match [A-Za-z0-9_-]{1,63}');
  }
  return queue;
}
