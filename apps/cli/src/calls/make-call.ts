import {
  type AsyncfnClient,
  type BatchReceipt,
  type BatchState,
  type CallOptions,
  type CallReceipt,
  hasEnded,
  UnexpectedAnswerError,
} from '@asyncfn/client';
import { CliError, exitCodes } from '../failure/index.ts';
import { given } from '../options/index.ts';
import type { Session } from '../session.ts';
import { finishWait } from './finish-wait.ts';

/** A call as the command line asks for it. */
export interface CallRequest {
  readonly client: AsyncfnClient;
  readonly name: string;
  readonly body: string | Uint8Array | undefined;
  readonly options: CallOptions & { readonly signal: AbortSignal };
  readonly waits: boolean;
  /** In milliseconds; undefined: until the end. */
  readonly waitTime?: number;
  readonly output?: string;
  readonly json?: true;
}

/** Makes one call, and prints its id, or its end if that is waited for. */
export async function makeSingleCall(session: Session, request: CallRequest): Promise<void> {
  const { terminal } = session;
  const { client, name, body, options, waits, waitTime: timeoutMs, json } = request;
  const { signal } = options;
  const receipt = await client.call(name, body, options).catch(explainGroup);
  const { callId } = receipt;
  if (!waits) {
    printReceipt(session, receipt, json === true);
    return;
  }
  terminal.hint(`call ${callId}: ${receipt.status}, waiting for its end; Ctrl-C leaves it running`);
  const state = await client.wait(callId, given({ signal, timeoutMs }));
  const hasResult = hasEnded(state) && state.functionStatus !== undefined;
  const result = hasResult ? await client.result(callId, { signal }) : undefined;
  await finishWait(session, { state, result, json: json === true, file: request.output });
}

function printReceipt({ terminal }: Session, receipt: CallReceipt, json: boolean): void {
  const { callId, function: name, status, replayed } = receipt;
  if (json) {
    terminal.printJson({ callId, function: name, status, replayed });
    return;
  }
  terminal.print(callId);
  terminal.hint(`${replayed ? 'made before with this key' : status}; asyncfn get ${callId} --wait`);
}

/** The gateway has accepted the calls of a group already: the user is told how to find them. */
function explainGroup(error: unknown): never {
  const [, group, batchId] =
    error instanceof UnexpectedAnswerError ? (/^(\S+) is a group: .* batch ([\w-]+);/.exec(error.message) ?? []) : [];
  if (batchId === undefined) {
    throw error;
  }
  const advice = `asyncfn calls --batch ${batchId} shows them, and --group makes such calls`;
  throw new CliError(exitCodes.usage, `${group} is a group, and all of its functions were called: ${advice}`);
}

/** Calls each function of a group, and prints the id of the batch, or its end if that is waited for. */
export async function makeGroupCall(session: Session, request: CallRequest): Promise<void> {
  const { terminal } = session;
  const { client, name, body, options, waits, waitTime: timeoutMs, json } = request;
  const { signal } = options;
  const receipt = await client.callGroup(name, body, options);
  if (!waits) {
    printBatch(session, receipt, json === true);
    return;
  }
  terminal.hint(
    `batch ${receipt.batchId}: ${receipt.accepted} calls, waiting for their end; Ctrl-C leaves them running`,
  );
  const state = await client.batches.wait(receipt.batchId, given({ signal, timeoutMs }));
  if (json) {
    terminal.printJson(state);
  } else {
    terminal.printFacts(Object.entries(state));
  }
  checkBatch(state);
}

function printBatch({ terminal }: Session, { batchId, accepted, refused, calls }: BatchReceipt, json: boolean): void {
  if (json) {
    terminal.printJson({ batchId, accepted, refused, calls });
    return;
  }
  terminal.print(batchId);
  terminal.hint(`${accepted} accepted, ${refused} refused; asyncfn calls --batch ${batchId}`);
}

function checkBatch({ endedAt, total, succeeded, open }: BatchState): void {
  if (endedAt === undefined) {
    throw new CliError(exitCodes.notEnded, `${open} of ${total} calls have not ended`);
  }
  if (succeeded < total) {
    throw new CliError(exitCodes.failed, `${total - succeeded} of ${total} calls have not succeeded`);
  }
}
