import { useEffect, useRef, useState } from 'preact/hooks';
import { keepToken } from '../api/index.ts';
import logo from '../icon.svg';
import { Trouble } from '../ui/index.ts';

/** @param props.refused whether the last token was not accepted */
export function SignIn({ refused }: { refused: boolean }) {
  const [secret, setSecret] = useState('');
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = 'Sign in - asyncfn';
    input.current?.focus();
  }, []);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (secret.trim() !== '') {
      keepToken(secret.trim());
    }
  };
  return (
    <main class="center">
      <form class="panel form sign-in" onSubmit={submit}>
        <div class="brand">
          <img src={logo} alt="" />
          asyncfn
        </div>
        <h1>Sign in</h1>
        {refused && (
          <Trouble title="The gateway does not accept this token.">It may be misspelt, expired or replaced.</Trouble>
        )}
        <label class="field">
          <span>Token</span>
          <input
            class="input code"
            type="password"
            autocomplete="off"
            spellcheck={false}
            ref={input}
            value={secret}
            onInput={({ currentTarget }) => setSecret(currentTarget.value)}
          />
          <small>
            It begins with asyncfn_. This tab keeps it until it is closed, and sends it to this gateway alone.
          </small>
        </label>
        <button class="button main" type="submit" disabled={secret.trim() === ''}>
          Sign in
        </button>
        <p class="small quiet">
          No token yet? Create one with <code>node apps/gateway/dist/create-token-main.js</code>, and add its entry to
          the file in <code>AUTH_TOKENS_FILE</code>.
        </p>
      </form>
    </main>
  );
}
