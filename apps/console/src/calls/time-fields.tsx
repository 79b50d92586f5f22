import { useState } from 'preact/hooks';
import { type CallFilter, spans } from './call-filter.ts';

interface TimeFieldsProps {
  readonly filter: CallFilter;
  readonly onFilter: (filter: CallFilter) => void;
}

const words: Readonly<Record<string, string>> = {
  '15m': 'in the last 15 minutes',
  '1h': 'in the last hour',
  '24h': 'in the last 24 hours',
};

/** When a call was accepted. */
export function TimeFields({ filter, onFilter }: TimeFieldsProps) {
  const { within, from, to } = filter;
  const isExact = from !== undefined || to !== undefined;
  const [wantsExact, setWantsExact] = useState(isExact);
  const shown = within ?? (isExact || wantsExact ? 'exact' : '');
  const choose = (choice: string): void => {
    setWantsExact(choice === 'exact');
    if (choice !== 'exact') {
      onFilter({ ...filter, within: choice || undefined, from: undefined, to: undefined });
    } else if (within !== undefined) {
      onFilter({ ...filter, within: undefined, from: startOf(within) });
    }
  };
  return (
    <>
      <label class="field">
        <span>Accepted</span>
        <select class="input" value={shown} onChange={({ currentTarget }) => choose(currentTarget.value)}>
          <option value="">at any time</option>
          {Object.keys(spans).map((span) => (
            <option key={span} value={span}>
              {words[span]}
            </option>
          ))}
          <option value="exact">from … to …</option>
        </select>
      </label>
      {shown === 'exact' && (
        <>
          <Instant title="From" at={from} onInstant={(at) => onFilter({ ...filter, from: at })} />
          <Instant title="To" at={to} onInstant={(at) => onFilter({ ...filter, to: at })} />
        </>
      )}
    </>
  );
}

interface InstantProps {
  readonly title: string;
  readonly at: string | undefined;
  readonly onInstant: (at: string | undefined) => void;
}

/** A time in the zone of the reader. The URL has it in UTC, so that it means the same for others. */
function Instant({ title, at, onInstant }: InstantProps) {
  return (
    <label class="field">
      <span>{title}</span>
      <input
        class="input"
        type="datetime-local"
        step="1"
        value={toLocal(at)}
        onChange={({ currentTarget: { value } }) => onInstant(value === '' ? undefined : new Date(value).toISOString())}
      />
    </label>
  );
}

function startOf(span: string): string {
  return new Date(Date.now() - (spans[span] ?? 0)).toISOString();
}

function toLocal(at: string | undefined): string {
  const date = new Date(at ?? '');
  return Number.isNaN(date.getTime())
    ? ''
    : new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
