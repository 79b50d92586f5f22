import { useState } from 'preact/hooks';

/** Text to copy, such as a line for a shell. */
export function Snippet({ text, label }: { text: string; label: string }) {
  return (
    <div class="snippet">
      <pre>
        <code>{text}</code>
      </pre>
      <CopyButton text={text} label={label} />
    </div>
  );
}

/** @param props.label what is copied, for those who do not see it */
function CopyButton({ text, label }: { text: string; label: string }) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setState('copied');
    } catch {
      // Without HTTPS, browsers allow it on this machine alone.
      setState('failed');
    }
    setTimeout(() => setState('idle'), 2_000);
  };
  return (
    <button class="button compact" type="button" onClick={() => void copy()}>
      {state === 'copied' ? 'Copied' : state === 'failed' ? 'Select it' : 'Copy'}
      <span class="only-heard"> {label}</span>
    </button>
  );
}
