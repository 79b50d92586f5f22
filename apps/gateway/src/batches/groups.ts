import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Caller } from '@asyncfn/tokens';
import type { Group, GroupAnswer, GroupIntake } from '../enqueue/index.ts';
import { parseTarget, type Target } from '../http/index.ts';
import type { Refusal } from '../problem.ts';
import { acceptItems, toAnswer } from './accept-batch.ts';
import type { BatchOptions } from './batch-options.ts';
import { readSender } from './batch-sender.ts';
import type { BatchItemRequest } from './items/index.ts';

/** The functions of each group. */
export type Groups = ReadonlyMap<string, readonly string[]>;

/** Headers that are about the whole batch, and not about its calls. */
const ofBatch = /^(x-callback-url|x-failure-callback-url|x-callback-forward-.*|idempotency-key)$/i;

/**
 * Takes requests to groups: a batch of one body, path and headers for each function.
 * @param groups those of the functions file as it is now
 */
export function createGroupIntake(options: BatchOptions, groups: () => Groups): GroupIntake {
  return {
    find(url) {
      const known = groups();
      const target = known.size === 0 ? undefined : parseTarget(url);
      const members = target?.kind === 'target' ? known.get(target.name) : undefined;
      return members && target?.kind === 'target' ? createGroup(options, target, members) : undefined;
    },
  };
}

function createGroup(options: BatchOptions, target: Target, members: readonly string[]): Group {
  return {
    async accept(request: IncomingMessage, caller: Caller, body: Buffer): Promise<GroupAnswer | Refusal> {
      const sender = readSender(request, caller, options.now());
      if (sender.kind === 'refused') {
        return sender;
      }
      const rawHeaders = ofCalls(request.rawHeaders);
      const { name, path, query } = target;
      const rest = query === '' ? path : `${path}?${query}`;
      const items = members.map(
        (member): BatchItemRequest => ({ kind: 'item', url: `/async-function/${member}${rest}`, rawHeaders, body }),
      );
      const fingerprint = createHash('sha256').update(`${name}\0${rest}\0`, 'latin1').update(body).digest('base64url');
      const result = await acceptItems(options, sender, { group: name, items, fingerprint });
      return result.kind === 'refused' ? result : toGroupAnswer(result);
    },
  };
}

function toGroupAnswer(result: Parameters<typeof toAnswer>[0]): GroupAnswer {
  const { headers, body } = toAnswer(result);
  const all = { 'Content-Type': 'application/json; charset=utf-8', ...headers };
  return { kind: 'answer', headers: Object.entries(all).flat(), body: JSON.stringify(body) };
}

function ofCalls(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, at) => !ofBatch.test(rawHeaders[at - (at % 2)] ?? ''));
}
