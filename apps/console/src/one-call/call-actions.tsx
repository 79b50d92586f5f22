import { useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';
import { access, may } from '../access/index.ts';
import { api, read } from '../api/index.ts';
import { hasEnded } from '../calls/index.ts';
import { Confirm, say, useAction } from '../ui/index.ts';
import type { KnownCall } from './read-call.ts';

interface CallActionsProps {
  readonly known: KnownCall;
  readonly onChanged: () => void;
}

/** What can be done with a call, as far as the token may. */
export function CallActions({ known, onChanged }: CallActionsProps) {
  const { call, letter } = known;
  const { callId = '', submitter = '' } = call ?? letter ?? {};
  const address = { callId, submitter };
  return (
    <>
      {call !== undefined && !hasEnded(call) && mayCancel(call.submitter) && (
        <Cancel address={address} onChanged={onChanged} />
      )}
      {letter?.kinds.map((kind) => (
        <Replay key={kind} address={address} kind={kind} isWhole={letter.omitted === undefined} onChanged={onChanged} />
      ))}
      {may('admin') && (call === undefined || hasEnded(call)) && <Erase address={address} />}
    </>
  );
}

interface Address {
  readonly callId: string;
  /** Empty for a call without a token. */
  readonly submitter: string;
}

/** Callers may cancel their own calls. */
function mayCancel(submitter: string | undefined): boolean {
  const known = access.value;
  return may('admin') || (known.kind === 'known' && known.identity.name === submitter);
}

function Cancel({ address: { callId, submitter }, onChanged }: { address: Address; onChanged: () => void }) {
  const [asking, setAsking] = useState(false);
  const cancel = useAction(async () => {
    setAsking(false);
    const params = { path: { callId }, query: { submitter } };
    try {
      await read(api.DELETE('/async-function/{callId}', { params }));
      say('good', 'The call is cancelled.');
    } finally {
      onChanged();
    }
  });
  return (
    <>
      <button class="button danger" type="button" disabled={cancel.busy} onClick={() => setAsking(true)}>
        Cancel the call
      </button>
      {asking && (
        <Confirm
          title="Cancel this call?"
          verb="Cancel the call"
          danger
          onConfirm={cancel.run}
          onClose={() => setAsking(false)}
        >
          It ends without a result and without a callback. If it runs, its function sees the connection closed; what it
          has done is not undone.
        </Confirm>
      )}
    </>
  );
}

interface ReplayProps {
  readonly address: Address;
  readonly kind: string;
  /** Whether the dead letter has all that is needed. */
  readonly isWhole: boolean;
  readonly onChanged: () => void;
}

function Replay({ address: { callId, submitter }, kind, isWhole, onChanged }: ReplayProps) {
  const isCallback = kind === 'callback';
  const replay = useAction(async () => {
    const query = { submitter, kind: isCallback ? 'callback' : 'call' } as const;
    await read(api.POST('/system/dead-letters/{callId}/replay', { params: { path: { callId }, query } }));
    say('good', isCallback ? 'The callback is sent again.' : 'The call is queued again.');
    onChanged();
  });
  return (
    <button class="button main" type="button" disabled={replay.busy || !isWhole} onClick={replay.run}>
      {isCallback ? 'Send the callback again' : 'Replay'}
    </button>
  );
}

function Erase({ address: { callId, submitter } }: { address: Address }) {
  const [asking, setAsking] = useState(false);
  const [, navigate] = useLocation();
  const erase = useAction(async () => {
    setAsking(false);
    await read(api.DELETE('/system/calls/{callId}', { params: { path: { callId }, query: { submitter } } }));
    say('good', 'The call is erased.');
    navigate('/calls');
  });
  return (
    <>
      <button class="button danger" type="button" disabled={erase.busy} onClick={() => setAsking(true)}>
        Erase
      </button>
      {asking && (
        <Confirm title="Erase this call?" verb="Erase" danger onConfirm={erase.run} onClose={() => setAsking(false)}>
          Its result, headers, labels and attempts, its dead letter and a callback that waits are removed. This cannot
          be undone.
        </Confirm>
      )}
    </>
  );
}
