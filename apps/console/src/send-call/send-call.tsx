import { useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';
import { access } from '../access/index.ts';
import { ApiProblem, request } from '../api/index.ts';
import { toCurl } from '../format/index.ts';
import { Panel, Snippet, say, Trouble } from '../ui/index.ts';
import { CallFields } from './call-fields.tsx';
import { type CallRequest, type CallTexts, noTexts, toRequest } from './call-request.ts';

/** What was written for each function, so that one can go back and send it once more. */
const drafts = new Map<string, CallTexts>();

/** A form that sends a call to a function, and goes on to the page of the call. The page of a function shows it. */
export function SendCall({ name }: { name: string }) {
  const [texts, setTexts] = useState(() => drafts.get(name) ?? noTexts);
  const [refused, setRefused] = useState<string | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const [, navigate] = useLocation();
  const wanted = toRequest(name, texts);
  const write = (next: CallTexts): void => {
    drafts.set(name, next);
    setTexts(next);
    setRefused(undefined);
  };
  const send = async (): Promise<void> => {
    if (wanted.kind === 'refused') {
      setRefused(wanted.problem);
      return;
    }
    setBusy(true);
    setRefused(undefined);
    try {
      navigate(`/calls/${await sendCall(wanted)}`);
      say('good', 'The call is accepted.');
    } catch (error) {
      setRefused(toWords(ApiProblem.from(error)));
      setBusy(false);
    }
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    void (busy || send());
  };
  return (
    <Panel title="Send a call">
      <form class="form" onSubmit={submit}>
        <CallFields
          name={name}
          texts={texts}
          invalid={refused !== undefined && wanted.kind === 'refused' ? wanted.field : undefined}
          onTexts={write}
        />
        {refused !== undefined && <Trouble title="The call is not sent.">{refused}</Trouble>}
        <div class="row">
          <button class="button main" type="submit" disabled={busy}>
            {busy ? 'Sending' : 'Send the call'}
          </button>
        </div>
        {wanted.kind === 'request' && <CurlLine request={wanted} />}
      </form>
    </Panel>
  );
}

/** @returns the id of the call */
async function sendCall({ path, headers, body }: CallRequest): Promise<string> {
  const sent = new Headers();
  for (const [header, value] of headers) {
    sent.append(header, value);
  }
  const response = await request(path, {
    method: 'POST',
    headers: sent,
    // Bytes, for which the browser invents no content type.
    body: new TextEncoder().encode(body),
  });
  const { callId } = (await response.json()) as { readonly callId: string };
  return callId;
}

/** Without an answer it is not known what has become of the call. */
function toWords({ status, message }: ApiProblem): string {
  return status === 0
    ? `${message} The call may have been accepted: look at the calls before you send it again.`
    : message;
}

/** The same for a shell, as it stands in the form. */
function CurlLine({ request: { path, headers, body } }: { request: CallRequest }) {
  const known = access.value;
  const needsToken = known.kind === 'known' && known.identity.needsToken;
  const hasType = headers.some(([header]) => header.toLowerCase() === 'content-type');
  const line = toCurl({
    url: `${location.origin}${path}`,
    method: 'POST',
    // Without it, curl says that a body is a form.
    headers: hasType || body === '' ? headers : [['Content-Type', ''], ...headers],
    ...(body !== '' && { body }),
    needsToken,
  });
  return <Snippet text={line} label="the same call as a line for a shell" />;
}
