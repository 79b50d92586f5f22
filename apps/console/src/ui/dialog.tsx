import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** A modal dialog: the browser keeps the focus in it, closes it with Escape and gives the focus back. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog class="dialog" ref={dialog} aria-labelledby={titleId} onClose={onClose}>
      <div class="stack">
        <h2 id={titleId}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

interface DialogFootProps {
  /** On the button that does it: a verb. */
  readonly verb: string;
  readonly danger?: boolean;
  readonly busy: boolean;
  /** Default: the button submits its form. */
  readonly onConfirm?: () => void;
  readonly onClose: () => void;
}

/** The two ways out of a dialog. */
export function DialogFoot({ verb, danger = false, busy, onConfirm, onClose }: DialogFootProps) {
  return (
    <div class="dialog-foot">
      <button class="button" type="button" onClick={onClose}>
        Cancel
      </button>
      <button
        class={`button main ${danger ? 'danger' : ''}`}
        type={onConfirm === undefined ? 'submit' : 'button'}
        disabled={busy}
        onClick={onConfirm}
      >
        {verb}
      </button>
    </div>
  );
}

interface ConfirmProps {
  readonly title: string;
  readonly children: ComponentChildren;
  /** On the button that does it: a verb. */
  readonly verb: string;
  readonly danger?: boolean;
  readonly busy?: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

export function Confirm({ title, children, verb, danger = false, busy = false, onConfirm, onClose }: ConfirmProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{children}</p>
      <DialogFoot {...{ verb, danger, busy, onConfirm, onClose }} />
    </Dialog>
  );
}
