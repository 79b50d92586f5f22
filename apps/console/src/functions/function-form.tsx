import { useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';
import { ApiProblem, answerOf, api } from '../api/index.ts';
import { Dialog, DialogFoot, say, Trouble } from '../ui/index.ts';
import { type FieldName, fields, type Settings, toSettings, toTexts } from './function-fields.ts';
import { liveFunctions } from './live-functions.ts';

interface FunctionFormProps {
  /** The function to change. Without it, a new one is registered. */
  readonly existing?: { readonly name: string; readonly settings: Settings; readonly etag: string | undefined };
  readonly onClose: () => void;
}

/** Registers a function, or changes its settings. Settings that the form does not have stay as they are. */
export function FunctionForm({ existing, onClose }: FunctionFormProps) {
  const [name, setName] = useState(existing?.name ?? '');
  const [texts, setTexts] = useState(() => toTexts(existing?.settings ?? {}));
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const [, navigate] = useLocation();
  const save = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await put(name, toSettings(texts, existing?.settings ?? {}), existing);
      liveFunctions.refresh();
      say('good', existing === undefined ? `${name} is registered.` : `${name} is changed.`);
      onClose();
      navigate(`/functions/${name}`);
    } catch (error) {
      setProblem(toWords(ApiProblem.from(error)));
      setBusy(false);
    }
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    void save();
  };
  return (
    <Dialog title={existing === undefined ? 'Register a function' : `Settings of ${existing.name}`} onClose={onClose}>
      <form class="form" onSubmit={submit}>
        {existing === undefined && (
          <label class="field">
            <span>Name</span>
            <input class="input" required value={name} onInput={({ currentTarget }) => setName(currentTarget.value)} />
            <small>Letters, digits, - and _, with .NAMESPACE if you want one.</small>
          </label>
        )}
        <div class="form-grid">
          {fields.map((field) => (
            <div class="field" key={field.name}>
              <label htmlFor={`setting-${field.name}`}>{field.title}</label>
              <SettingInput
                name={field.name}
                options={field.options}
                text={texts[field.name]}
                onText={(text) => setTexts({ ...texts, [field.name]: text })}
              />
              <small>{field.help}</small>
            </div>
          ))}
        </div>
        {problem !== undefined && <Trouble title="The settings are not saved.">{problem}</Trouble>}
        <DialogFoot verb={existing === undefined ? 'Register' : 'Save'} busy={busy} onClose={onClose} />
      </form>
    </Dialog>
  );
}

interface SettingInputProps {
  readonly name: FieldName;
  readonly options: readonly string[] | undefined;
  readonly text: string;
  readonly onText: (text: string) => void;
}

function SettingInput({ name, options, text, onText }: SettingInputProps) {
  const id = `setting-${name}`;
  if (options === undefined) {
    const required = name === 'url';
    return (
      <input
        class="input"
        id={id}
        required={required}
        value={text}
        onInput={({ currentTarget }) => onText(currentTarget.value)}
      />
    );
  }
  return (
    <select class="input" id={id} value={text} onChange={({ currentTarget }) => onText(currentTarget.value)}>
      {['', ...options].map((option) => (
        <option key={option} value={option}>
          {option === '' ? 'default' : option}
        </option>
      ))}
    </select>
  );
}

async function put(name: string, body: Settings, existing: FunctionFormProps['existing']): Promise<void> {
  const header =
    existing === undefined
      ? { 'If-None-Match': '*' }
      : existing.etag === undefined
        ? {}
        : { 'If-Match': existing.etag };
  await answerOf(api.PUT('/system/functions/{name}', { params: { path: { name }, header }, body }));
}

function toWords({ code, message }: ApiProblem): string {
  return code === 'precondition_failed'
    ? 'The function exists already, or others have changed it meanwhile. Close this and open it again.'
    : message;
}
