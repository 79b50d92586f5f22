import { useState } from 'preact/hooks';
import { ApiProblem } from '../api/index.ts';
import { say } from './toasts.tsx';

export interface Action {
  readonly busy: boolean;
  /** Does it, unless it is being done. Says why it failed, if it does. */
  readonly run: () => void;
}

/** Something that a button does. */
export function useAction(perform: () => Promise<void>): Action {
  const [busy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    try {
      await perform();
    } catch (error) {
      say('bad', ApiProblem.from(error).message);
    } finally {
      setBusy(false);
    }
  };
  return { busy, run: () => void (busy || run()) };
}
