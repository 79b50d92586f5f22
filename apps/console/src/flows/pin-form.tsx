import { useState } from 'preact/hooks';
import { ApiProblem } from '../api/index.ts';
import { Dialog, DialogFoot, Trouble } from '../ui/index.ts';
import type { Flow } from './flow.ts';
import { type Pin, parsePin, toTexts } from './pin.ts';

interface PinFormProps {
  readonly flow: Flow;
  /** Rejects with the problem of the gateway. */
  readonly onPin: (pin: Pin) => Promise<void>;
  readonly onClose: () => void;
}

/** Sets limits of a key, in place of those of its function and of callers. */
export function PinForm({ flow, onPin, onClose }: PinFormProps) {
  const [texts, setTexts] = useState(() => toTexts(flow));
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const save = async (pin: Pin): Promise<void> => {
    setBusy(true);
    try {
      await onPin(pin);
    } catch (error) {
      setProblem(ApiProblem.from(error).message);
      setBusy(false);
    }
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    const parsed = parsePin(texts);
    setProblem(parsed.kind === 'problem' ? parsed.problem : undefined);
    if (parsed.kind === 'pin' && !busy) {
      void save(parsed.pin);
    }
  };
  return (
    <Dialog title="Pin the limits of this key" onClose={onClose}>
      <form class="form" onSubmit={submit}>
        <p>
          They hold in place of those of the function and of callers, from the next turn on, until the key is unpinned.
          Running calls are not disturbed.
        </p>
        <div class="form-grid">
          <div class="field">
            <label htmlFor="pin-parallelism">At once</label>
            <input
              class="input"
              id="pin-parallelism"
              inputMode="numeric"
              autocomplete="off"
              value={texts.parallelism}
              onInput={({ currentTarget }) => setTexts({ ...texts, parallelism: currentTarget.value })}
            />
            <small>Most calls of the key at once, 1 to 1,000. Empty: not pinned.</small>
          </div>
          <div class="field">
            <label htmlFor="pin-rate">Rate</label>
            <input
              class="input"
              id="pin-rate"
              autocomplete="off"
              spellcheck={false}
              value={texts.rate}
              onInput={({ currentTarget }) => setTexts({ ...texts, rate: currentTarget.value })}
            />
            <small>Most calls in any second or other time, such as 10/1m. Empty: not pinned.</small>
          </div>
        </div>
        {problem !== undefined && <Trouble title="The key is not pinned.">{problem}</Trouble>}
        <DialogFoot verb="Pin" busy={busy} onClose={onClose} />
      </form>
    </Dialog>
  );
}
