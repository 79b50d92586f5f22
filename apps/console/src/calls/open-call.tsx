import { useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';

/** Goes to a call whose id one has. */
export function OpenCall() {
  const [id, setId] = useState('');
  const [, navigate] = useLocation();
  const submit = (event: Event): void => {
    event.preventDefault();
    navigate(`/calls/${encodeURIComponent(id.trim())}`);
  };
  return (
    <form class="row open-call" onSubmit={submit}>
      <input
        class="input code"
        aria-label="Id of a call"
        placeholder="Id of a call"
        required
        pattern="\s*[A-Za-z0-9_\-]{1,128}\s*"
        title="1 to 128 letters, digits, - and _"
        value={id}
        onInput={({ currentTarget }) => setId(currentTarget.value)}
      />
      <button class="button" type="submit">
        Open
      </button>
    </form>
  );
}
