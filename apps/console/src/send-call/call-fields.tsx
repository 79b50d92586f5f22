import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { CallTexts } from './call-request.ts';

interface CallFieldsProps {
  readonly name: string;
  readonly texts: CallTexts;
  readonly invalid: keyof CallTexts | undefined;
  readonly onTexts: (texts: CallTexts) => void;
}

interface FieldProps {
  readonly title: string;
  readonly help: string;
  readonly of: keyof CallTexts;
  readonly placeholder?: string;
  /** Several lines. */
  readonly long?: boolean;
}

/** What a call consists of. Less common parts are folded. */
export function CallFields({ name, texts, invalid, onTexts }: CallFieldsProps) {
  const field = ({ title, help, of, placeholder = '', long = false }: FieldProps) => (
    <TextField
      title={title}
      help={help}
      text={texts[of]}
      placeholder={placeholder}
      invalid={invalid === of}
      long={long}
      onText={(text) => onTexts({ ...texts, [of]: text })}
    />
  );
  return (
    <>
      {field({
        title: 'Path and query',
        help: `Follows POST /async-function/${name}. May be empty.`,
        of: 'target',
        placeholder: '/200x100?fit=cover',
      })}
      {field({ title: 'Body', help: 'Sent as UTF-8, byte for byte.', of: 'body', long: true })}
      <details class="more" open={invalid === 'headers'}>
        <summary>Headers, label, delay, retries, callback</summary>
        <div class="form-grid">
          {field({ title: 'Content type', help: 'Of a body that is not empty.', of: 'mediaType' })}
          {field({ title: 'Labels', help: 'To find the call by.', of: 'labels', placeholder: 'customer=7, nightly' })}
          {field({ title: 'Delay', help: 'Not invoked earlier.', of: 'delay', placeholder: '10m' })}
          {field({ title: 'Retries', help: "Instead of the function's own.", of: 'retries', placeholder: '10' })}
          {field({
            title: 'Callback URL',
            help: 'Receives the result.',
            of: 'callbackUrl',
            placeholder: 'https://example.com/done',
          })}
        </div>
        {field({ title: 'Further headers', help: 'NAME: VALUE, one a line.', of: 'headers', long: true })}
      </details>
    </>
  );
}

interface TextFieldProps {
  readonly title: string;
  readonly help: ComponentChildren;
  readonly text: string;
  readonly placeholder: string;
  readonly invalid: boolean;
  readonly long: boolean;
  readonly onText: (text: string) => void;
}

function TextField({ title, help, text, placeholder, invalid, long, onText }: TextFieldProps) {
  const id = useId();
  const shared = {
    id,
    class: 'input',
    value: text,
    placeholder,
    spellcheck: false,
    autocomplete: 'off',
    'aria-describedby': `${id}-help`,
    'aria-invalid': invalid,
  } as const;
  return (
    <div class="field">
      <label htmlFor={id}>{title}</label>
      {long ? (
        <textarea {...shared} rows={3} onInput={({ currentTarget }) => onText(currentTarget.value)} />
      ) : (
        <input {...shared} onInput={({ currentTarget }) => onText(currentTarget.value)} />
      )}
      <small id={`${id}-help`}>{help}</small>
    </div>
  );
}
