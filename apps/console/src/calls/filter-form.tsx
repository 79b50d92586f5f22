import { useEffect, useState } from 'preact/hooks';
import { callStatuses } from './call.ts';
import {
  type CallFilter,
  isSame,
  noFilter,
  quickFilters,
  type TextFilter,
  textFilters,
  withQuick,
} from './call-filter.ts';
import { TimeFields } from './time-fields.tsx';

const usual = textFilters.slice(0, 2);
const rare = textFilters.slice(2);

interface FilterFormProps {
  readonly filter: CallFilter;
  readonly onFilter: (filter: CallFilter) => void;
}

const titles: Readonly<Record<TextFilter, readonly [string, string]>> = {
  function: ['Function', 'thumbnail'],
  label: ['Label', 'customer=7'],
  flowKey: ['Flow key', 'order-7'],
  queue: ['Queue', 'default'],
  parent: ['Follows the call', 'id of a call'],
  batch: ['Batch', 'id of a batch'],
};

/** What to search for. Each change is a page of its own for the browser, so that Back takes it back. */
export function FilterForm({ filter, onFilter }: FilterFormProps) {
  const isRareUsed = rare.some((name) => filter.texts[name] !== undefined);
  const [wantsMore, setWantsMore] = useState(isRareUsed);
  const showsRare = wantsMore || isRareUsed;
  return (
    <search class="panel">
      <div class="stack filters">
        <QuickFilters filter={filter} onFilter={onFilter} />
        <form class="filter-grid" onSubmit={(event) => event.preventDefault()}>
          {(showsRare ? textFilters : usual).map((name) => (
            <TextField
              key={name}
              name={name}
              text={filter.texts[name] ?? ''}
              onText={(text) => onFilter({ ...filter, texts: { ...filter.texts, [name]: text } })}
            />
          ))}
          <TimeFields filter={filter} onFilter={onFilter} />
          {!isRareUsed && (
            <button
              class="button more-filters"
              type="button"
              aria-expanded={showsRare}
              onClick={() => setWantsMore(!wantsMore)}
            >
              {showsRare ? 'Fewer filters' : 'More filters'}
            </button>
          )}
          {/* Enter in a field needs a button to press. */}
          <button type="submit" hidden tabIndex={-1} />
        </form>
        <StatusToggles filter={filter} onFilter={onFilter} />
      </div>
    </search>
  );
}

function QuickFilters({ filter, onFilter }: FilterFormProps) {
  return (
    <div class="row">
      <button
        class="button compact pill"
        type="button"
        aria-pressed={isSame(filter, noFilter)}
        onClick={() => onFilter(noFilter)}
      >
        All calls
      </button>
      {quickFilters.map((quick) => (
        <button
          key={quick.title}
          class="button compact pill"
          type="button"
          aria-pressed={isSame(filter, withQuick(filter, quick))}
          onClick={() => onFilter(withQuick(filter, quick))}
        >
          {quick.title}
        </button>
      ))}
    </div>
  );
}

interface TextFieldProps {
  readonly name: TextFilter;
  readonly text: string;
  readonly onText: (text: string) => void;
}

function TextField({ name, text, onText }: TextFieldProps) {
  const [draft, setDraft] = useState(text);
  useEffect(() => setDraft(text), [text]);
  const [title, example] = titles[name];
  return (
    <label class="field">
      <span>{title}</span>
      <input
        class="input"
        name={name}
        placeholder={example}
        autocomplete="off"
        spellcheck={false}
        value={draft}
        onInput={({ currentTarget }) => setDraft(currentTarget.value)}
        onChange={({ currentTarget }) => onText(currentTarget.value.trim())}
      />
    </label>
  );
}

function StatusToggles({ filter, onFilter }: FilterFormProps) {
  const toggle = (status: string): void => {
    const others = filter.statuses.filter((each) => each !== status);
    const statuses = others.length < filter.statuses.length ? others : [...others, status];
    onFilter({ ...filter, statuses });
  };
  return (
    <fieldset class="toggles">
      <legend>Status</legend>
      {callStatuses.map((status) => (
        <label key={status} class={`toggle ${status}`}>
          <input type="checkbox" checked={filter.statuses.includes(status)} onChange={() => toggle(status)} />
          {status}
        </label>
      ))}
    </fieldset>
  );
}
