import type { CallOptions } from '@asyncfn/client';
import { Command } from 'commander';
import { usageError } from '../failure/index.ts';
import {
  type Common,
  collect,
  durationOption,
  durationTextOption,
  gatewayOptions,
  given,
  headerOption,
  integerOption,
  rateOption,
} from '../options/index.ts';
import { openClient, type Session } from '../session.ts';
import { makeGroupCall, makeSingleCall } from './make-call.ts';
import { readData } from './read-data.ts';
import { splitTarget } from './split-target.ts';

interface CallFlags extends Common {
  readonly data?: string;
  readonly header?: readonly (readonly [string, string])[];
  readonly wait?: true;
  readonly waitTime?: number;
  readonly output?: string;
  readonly then?: readonly string[];
  readonly callbackUrl?: string;
  readonly failureCallbackUrl?: string;
  readonly delay?: string;
  readonly notBefore?: string;
  readonly expiresIn?: string;
  readonly timeout?: string;
  readonly maxRetries?: number;
  readonly label?: readonly string[];
  readonly idempotencyKey?: string;
  readonly callId?: string;
  readonly flowKey?: string;
  readonly flowParallelism?: number;
  readonly flowRate?: string;
  readonly group?: true;
}

const examples = `
Examples:
  asyncfn call hash -d hello --wait
  asyncfn call thumbnail/small?format=webp -d @photo.jpg -H 'Content-Type: image/jpeg'
  generate-report | asyncfn call pdf -d - --callback-url https://example.com/done
  asyncfn call extract -d @book.epub --then translate --then 'store/books' --label book=4711

Without --wait the command prints the id of the call, as soon as it is stored. With --wait it prints the response of the
function, and ends with 1 if the call does not succeed.`;

/** `asyncfn call NAME` */
export function callCommand(session: Session): Command {
  const command = new Command('call')
    .summary('call a function')
    .description('Call a function: the call is stored in its queue, and a worker calls the function.')
    .argument('<name>', 'NAME or NAME.NAMESPACE of the function, with a path and a query if it needs them')
    .option('-d, --data <data>', 'body of the call: text, @FILE, or - for stdin')
    .option('-H, --header <header>', "a header for the function, 'Name: value'; repeatable", headerOption)
    .option('--wait', 'wait until the call has ended, and print the response of the function')
    .option('--wait-time <duration>', 'wait no longer than this', durationOption)
    .option('-o, --output <file>', 'write the response of the function to a file')
    .option('--then <step>', 'a function that follows with the result, NAME[/path][?query]; repeatable', collect)
    .option('--callback-url <url>', 'receives the result')
    .option('--failure-callback-url <url>', 'receives the end of a call that fails or expires')
    .option('--delay <duration>', 'do not start earlier than in this time: 30s, 5m, 2h', durationTextOption)
    .option('--not-before <time>', 'do not start before this time: 2030-01-31T08:00:00Z')
    .option('--expires-in <duration>', 'give up if it has not started by then', durationTextOption)
    .option('--timeout <duration>', 'deadline of one attempt', durationTextOption)
    .option('--max-retries <number>', 'retries after the first attempt', integerOption(0, 1_000))
    .option('--label <label>', 'a label to find the call by; repeatable', collect)
    .option('--idempotency-key <key>', 'the same key makes the same call, however often it is sent')
    .option('--call-id <id>', 'an id of your choice')
    .option('--flow-key <key>', 'run after earlier calls of the function with the same key')
    .option('--flow-parallelism <number>', 'how many calls of the key may run at once', integerOption(1, 1_000))
    .option('--flow-rate <rate>', 'how many calls of the key in a time, such as 10/1m', rateOption)
    .option('--group', 'NAME is a group of the functions file: call each of its functions, as a batch')
    .addHelpText('after', examples)
    .action(async (name: string, flags: CallFlags) => makeCall(session, name, flags));
  return gatewayOptions(command);
}

async function makeCall(session: Session, target: string, flags: CallFlags): Promise<void> {
  const { signal } = session;
  const { name, path } = splitTarget(target);
  const body = await readData(session, flags.data);
  const client = await openClient(session, flags);
  const options = { ...toCallOptions(flags), path, signal };
  const waits = flags.wait === true || flags.waitTime !== undefined || flags.output !== undefined;
  const request = { client, name, body, options, waits, ...flags };
  await (flags.group ? makeGroupCall(session, request) : makeSingleCall(session, request));
}

function toCallOptions(flags: CallFlags): CallOptions {
  const headers: Record<string, string[]> = {};
  for (const [name, value] of flags.header ?? []) {
    headers[name] = [...(headers[name] ?? []), value];
  }
  const { callbackUrl, failureCallbackUrl, then, delay, notBefore, expiresIn, timeout } = flags;
  const { maxRetries, label: labels, idempotencyKey, callId, flowKey, flowParallelism, flowRate } = flags;
  const limits = given({ parallelism: flowParallelism, rate: flowRate });
  const flowControl = Object.keys(limits).length === 0 ? undefined : limits;
  if (flowControl !== undefined && flowKey === undefined) {
    throw usageError('--flow-parallelism and --flow-rate are about the calls of a key: name it with --flow-key');
  }
  const all = { callbackUrl, failureCallbackUrl, then, delay, notBefore, expiresIn, timeout, maxRetries, labels };
  return given({ ...all, idempotencyKey, callId, flowKey, flowControl, headers });
}
