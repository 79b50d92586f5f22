import { useState } from 'preact/hooks';
import { api, read } from '../api/index.ts';
import { formatMany } from '../format/index.ts';
import { Confirm, say, useAction } from '../ui/index.ts';

interface FunctionActionsProps {
  readonly name: string;
  readonly paused: boolean;
  readonly onChanged: () => void;
  readonly onEdit: () => void;
  readonly onRemoved: () => void;
}

export function FunctionActions({ name, paused, onChanged, onEdit, onRemoved }: FunctionActionsProps) {
  const [asked, setAsked] = useState<'purge' | 'remove' | undefined>(undefined);
  const params = { path: { name } };
  const toggle = useAction(async () => {
    await (paused
      ? read(api.POST('/system/functions/{name}/resume', { params }))
      : read(api.POST('/system/functions/{name}/pause', { params })));
    say('good', paused ? `${name} is resumed.` : `${name} is paused. Running calls finish, others wait.`);
    onChanged();
  });
  const purge = useAction(async () => {
    setAsked(undefined);
    const { purged, done } = await read(api.POST('/system/functions/{name}/purge', { params }));
    say(
      'good',
      `${formatMany(purged, 'call is', 'calls are')} cancelled${done ? '.' : ' so far; the purge continues.'}`,
    );
    onChanged();
  });
  const remove = useAction(async () => {
    setAsked(undefined);
    await read(api.DELETE('/system/functions/{name}', { params }));
    say('good', `${name} is removed, or has the settings of the functions file again.`);
    onRemoved();
  });
  return (
    <>
      <button class="button" type="button" disabled={toggle.busy} onClick={toggle.run}>
        {paused ? 'Resume' : 'Pause'}
      </button>
      <button class="button" type="button" onClick={onEdit}>
        Edit
      </button>
      <button class="button danger" type="button" disabled={purge.busy} onClick={() => setAsked('purge')}>
        Purge
      </button>
      <button class="button danger" type="button" disabled={remove.busy} onClick={() => setAsked('remove')}>
        Remove
      </button>
      {asked === 'purge' && (
        <Confirm title={`Purge ${name}?`} verb="Purge" danger onConfirm={purge.run} onClose={() => setAsked(undefined)}>
          Every call that waits for its turn, its time or a retry ends as cancelled, without a callback. Running calls
          finish. This cannot be undone.
        </Confirm>
      )}
      {asked === 'remove' && (
        <Confirm
          title={`Remove ${name}?`}
          verb="Remove"
          danger
          onConfirm={remove.run}
          onClose={() => setAsked(undefined)}
        >
          New calls of it are answered 404. It is refused while calls of the function wait or run. If a functions file
          names it, the settings of the file are in force again.
        </Confirm>
      )}
    </>
  );
}
