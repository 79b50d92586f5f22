import { useState } from 'preact/hooks';
import { may } from '../access/index.ts';
import { api, read } from '../api/index.ts';
import { formatMany } from '../format/index.ts';
import { Confirm, say, useAction } from '../ui/index.ts';
import { type Call, hasEnded } from './call.ts';
import { type CallQuery, type CancelBody, toCancelBody } from './call-filter.ts';

interface BulkCancelProps {
  readonly query: CallQuery;
  readonly calls: readonly Call[];
  readonly onChanged: () => void;
}

/** Cancels what the filters select, those that are not loaded included. Calls that come meanwhile are left alone. */
export function BulkCancel({ query, calls, onChanged }: BulkCancelProps) {
  const [asking, setAsking] = useState(false);
  const body = toCancelBody(query, calls[0]?.createdAt);
  const cancel = useAction(async () => {
    setAsking(false);
    if (body !== undefined) {
      const { cancelled, complete } = await cancelAll(body);
      const more = complete ? '' : ' Some may be left: cancel once more.';
      say(complete ? 'good' : 'warn', `${formatMany(cancelled, 'call is', 'calls are')} cancelled.${more}`);
      onChanged();
    }
  });
  if (body === undefined || !may('admin') || calls.every(hasEnded)) {
    return null;
  }
  return (
    <>
      <button class="button compact danger" type="button" disabled={cancel.busy} onClick={() => setAsking(true)}>
        {cancel.busy ? 'Cancelling' : 'Cancel these calls'}
      </button>
      {asking && (
        <Confirm
          title="Cancel all open calls that the filters select?"
          verb="Cancel the calls"
          danger
          onConfirm={cancel.run}
          onClose={() => setAsking(false)}
        >
          Selected are {describe(body)}, those that are not loaded here included. They end without a result and without
          a callback. This cannot be undone.
        </Confirm>
      )}
    </>
  );
}

/** Rounds of up to five seconds each. */
const mostRounds = 60;

async function cancelAll(body: CancelBody): Promise<{ cancelled: number; complete: boolean }> {
  let cancelled = 0;
  for (let round = 1; round <= mostRounds; round += 1) {
    const answer = await read(api.POST('/system/calls/cancel', { body }));
    cancelled += answer.cancelled;
    if (answer.complete || answer.cancelled === 0) {
      return { cancelled, complete: answer.complete };
    }
  }
  return { cancelled, complete: false };
}

function describe({ status, function: name, queue, label, from, to }: CancelBody): string {
  const statuses = [status ?? 'open'].flat().join(', ');
  const parts = [
    `${statuses} calls`,
    name && `of ${name}`,
    queue && `in queue ${queue}`,
    label && `with the label ${label}`,
    from && `accepted since ${from}`,
    to && `accepted until ${to}`,
  ];
  return parts.filter(Boolean).join(', ');
}
