import { useState } from 'preact/hooks';
import { api, read } from '../api/index.ts';
import { formatMany } from '../format/index.ts';
import { Confirm, say, useAction } from '../ui/index.ts';
import type { Flow, FlowAddress } from './flow.ts';
import type { Pin } from './pin.ts';
import { PinForm } from './pin-form.tsx';

interface FlowActionsProps {
  readonly flow: Flow;
  readonly address: FlowAddress;
  readonly onChanged: () => void;
}

/** What an operator can do with a key. */
export function FlowActions({ flow, address, onChanged }: FlowActionsProps) {
  const [asked, setAsked] = useState<'toggle' | 'pin' | 'unpin' | undefined>(undefined);
  const close = (): void => setAsked(undefined);
  const { paused, pinned } = flow;
  const params = paramsOf(address);
  const toggle = useAction(async () => {
    close();
    await (paused
      ? read(api.POST('/system/flows/{function}/{key}/resume', { params }))
      : read(api.POST('/system/flows/{function}/{key}/pause', { params })));
    say('good', paused ? 'The key is resumed.' : 'The key is paused. Calls that have their turn go on, others wait.');
    onChanged();
  });
  const unpin = useAction(async () => {
    close();
    await read(api.DELETE('/system/flows/{function}/{key}', { params }));
    say('good', 'The key is unpinned.');
    onChanged();
  });
  const pin = async (body: Pin): Promise<void> => {
    await read(api.PUT('/system/flows/{function}/{key}', { params, body }));
    close();
    say('good', 'The limits of the key are pinned.');
    onChanged();
  };
  return (
    <>
      <button class="button" type="button" disabled={toggle.busy} onClick={() => setAsked('toggle')}>
        {paused ? 'Resume' : 'Pause'}
      </button>
      <button class="button" type="button" onClick={() => setAsked('pin')}>
        {pinned ? 'Change the pin' : 'Pin limits'}
      </button>
      {pinned && (
        <button class="button" type="button" disabled={unpin.busy} onClick={() => setAsked('unpin')}>
          Unpin
        </button>
      )}
      {asked === 'toggle' && <ConfirmToggle flow={flow} onConfirm={toggle.run} onClose={close} />}
      {asked === 'pin' && <PinForm flow={flow} onPin={pin} onClose={close} />}
      {asked === 'unpin' && (
        <Confirm title="Unpin this key?" verb="Unpin" onConfirm={unpin.run} onClose={close}>
          The limits of its function hold again, or those that its latest call has named, from the next turn on.
        </Confirm>
      )}
    </>
  );
}

interface ConfirmToggleProps {
  readonly flow: Flow;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

function ConfirmToggle({ flow: { paused, waiting }, ...actions }: ConfirmToggleProps) {
  return paused ? (
    <Confirm title="Resume this key?" verb="Resume" {...actions}>
      {waiting === 0
        ? 'Its next calls get their turns again.'
        : `${formatMany(waiting, 'call that waits gets its turn', 'calls that wait get their turns')}, in the order in which they were accepted.`}
    </Confirm>
  ) : (
    <Confirm title="Pause this key?" verb="Pause" {...actions}>
      No further call of it gets its turn until it is resumed. Calls that have it go on, with their retries. New calls
      are accepted, and wait.
    </Confirm>
  );
}

/** Of a request about one key. */
export function paramsOf({ function: name, key, submitter }: FlowAddress) {
  return { path: { function: name, key }, query: submitter === undefined ? {} : { submitter } };
}
