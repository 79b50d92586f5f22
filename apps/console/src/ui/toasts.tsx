import { signal } from '@preact/signals';
import { Notice, type Tone } from './basics.tsx';

interface Toast {
  readonly id: number;
  readonly tone: Tone;
  readonly text: string;
}

const shown = signal<readonly Toast[]>([]);
const showMs = 6_000;
const most = 4;
let last = 0;

/** Says what an action has done. A screen reader says it as well. */
export function say(tone: Tone, text: string): void {
  last += 1;
  const id = last;
  shown.value = [...shown.value, { id, tone, text }].slice(-most);
  setTimeout(() => {
    shown.value = shown.value.filter((toast) => toast.id !== id);
  }, showMs);
}

export function Toasts() {
  return (
    <div class="toasts" role="status">
      {shown.value.map(({ id, tone, text }) => (
        <Notice key={id} tone={tone} title={text} />
      ))}
    </div>
  );
}
