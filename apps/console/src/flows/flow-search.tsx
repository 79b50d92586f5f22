import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';
import { access } from '../access/index.ts';
import { hrefOfFlow, hrefOfFlows } from './flow.ts';

/** Lists the keys of one function, and goes to a key, which need not be in the list: it may have no calls. */
export function FlowSearch({ name = '' }: { name: string | undefined }) {
  const [of, setOf] = useState(name);
  const [key, setKey] = useState('');
  const [submitter, setSubmitter] = useState('');
  const [, navigate] = useLocation();
  useEffect(() => setOf(name), [name]);
  const known = access.value;
  const needsToken = known.kind === 'known' && known.identity.needsToken;
  const submit = (event: Event): void => {
    event.preventDefault();
    const wanted = of.trim();
    if (key.trim() !== '') {
      navigate(hrefOfFlow({ function: wanted, key: key.trim(), submitter: submitter.trim() || undefined }));
    } else if (wanted !== name) {
      navigate(wanted === '' ? '/flows' : hrefOfFlows(wanted));
    }
  };
  const isOne = key.trim() !== '';
  return (
    <search class="panel">
      <form class="filter-grid" onSubmit={submit}>
        <Field title="Function" example="ledger" text={of} onText={setOf} required={isOne} />
        <Field title="Flow key" example="order-7" text={key} onText={setKey} />
        {needsToken && <Field title="Token, if several have it" example="" text={submitter} onText={setSubmitter} />}
        <button class="button more-filters" type="submit">
          {isOne ? 'Open the key' : 'Show the keys'}
        </button>
      </form>
    </search>
  );
}

interface FieldProps {
  readonly title: string;
  readonly example: string;
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly required?: boolean;
}

function Field({ title, example, text, onText, required = false }: FieldProps) {
  return (
    <label class="field">
      <span>{title}</span>
      <input
        class="input"
        placeholder={example}
        autocomplete="off"
        spellcheck={false}
        required={required}
        value={text}
        onInput={({ currentTarget }) => onText(currentTarget.value)}
      />
    </label>
  );
}
